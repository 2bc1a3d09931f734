// RangePrinter: the answer to a get as text, page by page.

#ifndef PONTOON_CMD_PONTOONCTL_RANGE_PRINTER_H_
#define PONTOON_CMD_PONTOONCTL_RANGE_PRINTER_H_

#include "cmd/pontoonctl/kv_printer.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// Prints what KvPrinter would print of a response with the keys of all pages, and keeps none of
// them, but for a table: the width of its columns is known at the end.
class RangePrinter {
 public:
  RangePrinter(const KvPrinter& printer, KvPrinter::Parts parts)
      : printer_(printer), parts_(parts) {}

  // The first page has the header, the count of all, and how the read was served: the pages after
  // it are of its revision.
  void Add(const etcdserverpb::RangeResponse& page);
  // After the last page, of which there is one at least.
  void Finish();

 private:
  void AddJson(const etcdserverpb::RangeResponse& page);

  KvPrinter printer_;
  const KvPrinter::Parts parts_;
  etcdserverpb::RangeResponse rest_;  // what is still to be printed
  int pages_ = 0;
  int64_t kvs_ = 0;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_RANGE_PRINTER_H_
