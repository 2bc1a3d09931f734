// KvTransaction: one command's changes of the store.

#ifndef PONTOON_KV_STORE_KV_TRANSACTION_H_
#define PONTOON_KV_STORE_KV_TRANSACTION_H_

#include <cstdint>
#include <string_view>

#include "kv/store/kv_reader.h"
#include "kv/store/layout.h"
#include "kv/store/revision.h"
#include "kv/store/write_overlay.h"

namespace pontoon::kv {

// Turns changes of keys into records. All changes of one transaction make one revision, the one
// after that at which the transaction began; without a change there is no new revision. The reader
// sees each change as soon as it is made.
//
// There is no way back: a command must be known to succeed before its first change.
//
// Thread safety: none.
class KvTransaction {
 public:
  // `reader` reads `overlay`. Both must outlive the transaction.
  KvTransaction(KvReader* reader, WriteOverlay* overlay)
      : reader_(reader), overlay_(overlay), change_(reader->revision().Next()) {}

  KvTransaction(const KvTransaction&) = delete;
  KvTransaction& operator=(const KvTransaction&) = delete;

  KvReader* reader() { return reader_; }

  // The revision that a response to the latest operation carries.
  Revision revision() const { return reader_->revision(); }

  struct Content {
    std::string_view value;
    LeaseId lease;
  };

  // Gives `key` a new content. `previous` is its present state; null if it does not exist.
  void Put(std::string_view key, const Content& content, const KeyState* previous);

  // Deletes `key`, which must exist, and hang on `lease`.
  void Delete(std::string_view key, LeaseId lease);

 private:
  // Records the change in both histories, and makes it part of this transaction's revision.
  EventId Record(const Event& event);
  // `key` hung on `before`, and hangs on `after` from now on.
  void Rehang(std::string_view key, LeaseId before, LeaseId after);

  KvReader* reader_;
  WriteOverlay* overlay_;
  Revision change_;        // the revision that the changes make
  uint32_t next_sub_ = 0;  // numbers the changes
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KV_TRANSACTION_H_
