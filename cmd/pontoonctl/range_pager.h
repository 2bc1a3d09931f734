// RangePager: reads a large range in pages, all at one revision.

#ifndef PONTOON_CMD_PONTOONCTL_RANGE_PAGER_H_
#define PONTOON_CMD_PONTOONCTL_RANGE_PAGER_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "cmd/pontoonctl/key_range.h"
#include "cmd/pontoonctl/outcome.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Yields the keys of a range in byte order, as they were at the revision of the first page or at
// the one that was asked for. The number of keys in a page follows the size of those before, to
// keep a page at a few MiB.
//
// Not thread safe.
class RangePager {
 public:
  // Reads one page, with all retries.
  using Fetch =
      std::function<Reply(const etcdserverpb::RangeRequest&, etcdserverpb::RangeResponse*)>;

  RangePager(const KeyRange& range, Fetch fetch);
  // The answer to `request`, which asks for keys (and not only for their number) in no other order.
  // Its limit is that of all pages together.
  RangePager(etcdserverpb::RangeRequest request, Fetch fetch);

  // Reads the next page into `page`, which is without keys after the last one. A failure is final.
  Reply Next(etcdserverpb::RangeResponse* page);

  // The revision that is read, and the number of keys in the range; 0 before the first page.
  int64_t revision() const { return request_.revision(); }
  int64_t count() const { return count_; }
  // Whether there are no more pages.
  bool at_end() const { return at_end_; }

 private:
  // Keys in the next page, of `wanted`.
  void SetLimit(int64_t wanted);
  void AdaptLimit(const etcdserverpb::RangeResponse& page);
  void AwaitRevision();

  etcdserverpb::RangeRequest request_;
  Fetch fetch_;
  int64_t keys_left_ = 0;  // that may still be yielded
  bool at_beginning_ = true;
  int64_t count_ = 0;
  bool at_end_ = false;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_RANGE_PAGER_H_
