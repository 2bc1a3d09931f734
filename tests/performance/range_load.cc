// Reads a large range from an etcd v3 server, and measures how long that takes. See --help.

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/key_range.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/performance/load.h"

namespace pontoon {
namespace {

using etcdserverpb::KV;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using load::Fail;

struct Options {
  std::string endpoint;
  std::string prefix;
  int64_t limit = 0;
  int64_t page = 0;
  bool stream = false;
};

// Counts what comes, and sees that it is in order.
class Reading {
 public:
  void Add(const RangeResponse& part) {
    for (const mvccpb::KeyValue& kv : part.kvs()) {
      if (keys_ > 0 && kv.key() <= last_) Fail("keys are out of order");
      last_ = kv.key();
      ++keys_;
      bytes_ += static_cast<int64_t>(kv.key().size() + kv.value().size());
    }
  }

  int64_t keys() const { return keys_; }
  int64_t bytes() const { return bytes_; }
  const std::string& last() const { return last_; }

 private:
  int64_t keys_ = 0;
  int64_t bytes_ = 0;
  std::string last_;
};

void ExpectOk(const grpc::Status& status) {
  if (!status.ok()) Fail(status.error_message());
}

// Returns the number of keys in the range, as the server says it at the end.
int64_t Stream(KV::Stub* stub, const RangeRequest& request, Reading* reading) {
  grpc::ClientContext context;
  const auto pieces = stub->RangeStream(&context, request);
  etcdserverpb::RangeStreamResponse piece;
  int64_t count = 0;
  while (pieces->Read(&piece)) {
    reading->Add(piece.range_response());
    count = piece.range_response().count();
  }
  ExpectOk(pieces->Finish());
  return count;
}

// Reads all at the revision of the first page. Returns the number of keys in the range.
int64_t ReadPages(KV::Stub* stub, RangeRequest request, Reading* reading) {
  int64_t count = 0;
  for (bool more = true; more;) {
    grpc::ClientContext context;
    RangeResponse page;
    ExpectOk(stub->Range(&context, request, &page));
    if (request.revision() == 0) {
      count = page.count();
      request.set_revision(page.header().revision());
    }
    more = page.more();
    if (more && page.kvs().empty()) Fail("a page is empty");
    reading->Add(page);
    request.set_key(reading->last() + '\0');
  }
  return count;
}

int64_t ReadOnce(KV::Stub* stub, const RangeRequest& request, Reading* reading) {
  grpc::ClientContext context;
  RangeResponse response;
  ExpectOk(stub->Range(&context, request, &response));
  reading->Add(response);
  return response.count();
}

void Run(const Options& options) {
  const auto stub = KV::NewStub(load::Connect(options.endpoint, 1).front());
  const ctl::KeyRange range = ctl::KeyRange::Prefix(options.prefix);
  RangeRequest request;
  request.set_key(range.key);
  request.set_range_end(range.end);
  request.set_limit(options.page > 0 ? options.page : options.limit);
  Reading reading;
  const auto begin = std::chrono::steady_clock::now();
  const int64_t count = options.stream     ? Stream(stub.get(), request, &reading)
                        : options.page > 0 ? ReadPages(stub.get(), request, &reading)
                                           : ReadOnce(stub.get(), request, &reading);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const int64_t wanted = options.limit > 0 ? std::min(options.limit, count) : count;
  if (reading.keys() != wanted) Fail(absl::StrCat("got ", reading.keys(), " of ", wanted, " keys"));
  const nlohmann::json report = {
      {"keys", reading.keys()}, {"bytes", reading.bytes()}, {"seconds", took.count()}};
  std::cout << report.dump() << std::endl;
}

}  // namespace
}  // namespace pontoon

int main(int argc, char** argv) {
  pontoon::Options options;
  CLI::App app("Reads all keys with a prefix once, and prints as JSON how long that took.");
  app.add_option("--endpoint", options.endpoint, "HOST:PORT of the server")->required();
  app.add_option("--prefix", options.prefix, "of the keys")->required();
  CLI::Option* const page = app.add_option("--page", options.page, "keys in one Range; 0: all");
  CLI::Option* const stream = app.add_flag("--stream", options.stream, "by RangeStream");
  CLI::Option* const limit = app.add_option("--limit", options.limit, "keys in all; 0: all");
  page->excludes(stream)->excludes(limit);
  CLI11_PARSE(app, argc, argv);
  pontoon::Run(options);
}
