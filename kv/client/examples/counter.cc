// Counts in the cluster, together with whoever else does: no increment is lost and none is done
// twice, whatever happens to members and connections.
//
//   counter --endpoints 127.0.0.1:2379,127.0.0.1:22379 --key visits --add 100
//
// An increment is a transaction: if the key is still as it was read, it becomes one more. If the
// answer is lost, nobody could tell from the key whether this increment was done or another's. The
// OnceWriter can: it sends the transaction again under the same name, and gets the first answer.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kv/client/client.h"
#include "kv/client/examples/arguments.h"
#include "kv/client/once_writer.h"
#include "kv/client/outcome.h"

namespace pontoon::examples {
namespace {

struct Count {
  int64_t value = 0;
  int64_t mod_revision = 0;  // 0: there is no such key
};

absl::StatusOr<Count> Read(Kv& kv, const std::string& key) {
  const absl::StatusOr<GetResult> got = kv.Get(key);
  if (!got.ok()) return got.status();
  Count count;
  if (!got->kv.has_value()) return count;
  count.mod_revision = got->kv->mod_revision();
  if (absl::SimpleAtoi(got->kv->value(), &count.value)) return count;
  return absl::FailedPreconditionError(absl::StrCat(key, " does not hold a number"));
}

// Writes the next value, if nobody has since `count` was read.
etcdserverpb::TxnRequest Increment(const std::string& key, const Count& count) {
  etcdserverpb::TxnRequest txn;
  etcdserverpb::Compare& compare = *txn.add_compare();
  compare.set_key(key);
  compare.set_target(etcdserverpb::Compare::MOD);
  compare.set_mod_revision(count.mod_revision);
  etcdserverpb::PutRequest& put = *txn.add_success()->mutable_request_put();
  put.set_key(key);
  put.set_value(absl::StrCat(count.value + 1));
  return txn;
}

// Returns the value that this call has made.
absl::StatusOr<int64_t> AddOne(Kv& kv, const std::string& key, absl::Duration timeout) {
  for (;;) {
    const absl::StatusOr<Count> count = Read(kv, key);
    if (!count.ok()) return count.status();
    const auto done = kv.Txn(Increment(key, *count), {.timeout = timeout});
    if (!done.ok()) return done.status();
    if (done->succeeded()) return count->value + 1;
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Increments a counter that many processes share.");
  std::vector<std::string> endpoints;
  AddEndpoints(&app, &endpoints);
  std::string key = "counter";
  app.add_option("--key", key, "Where the count is")->capture_default_str();
  int add = 1;
  app.add_option("--add", add, "How many increments to make")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto client = Client::Create({.endpoints = endpoints, .timeout = absl::Seconds(60)});
  if (!client.ok()) return Fail(client.status());
  const auto writer = OnceWriter::Open(client->get());
  if (!writer.ok()) return Fail(writer.status());

  int64_t value = 0;
  for (int i = 0; i < add; ++i) {
    const absl::StatusOr<int64_t> counted = AddOne(**writer, key, absl::Seconds(60));
    if (!counted.ok()) {
      if (IsOutcomeUnknown(counted.status()))
        std::cerr << "increment " << i + 1 << " may be done\n";
      return Fail(counted.status());
    }
    value = *counted;
  }
  std::cout << "added " << add << ", last made " << value << std::endl;
  return 0;
}

}  // namespace
}  // namespace pontoon::examples

int main(int argc, char** argv) { return pontoon::examples::Main(argc, argv); }
