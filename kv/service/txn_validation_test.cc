#include "kv/service/txn_validation.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "kv/errors.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::TxnRequest;

constexpr int kOpsMax = 128;

TxnRequest Parse(const std::string& text) {
  TxnRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

// The error's text, or "OK".
std::string Text(const absl::Status& status) {
  return status.ok() ? "OK" : std::string(status.message());
}
std::string Text(const ApiError& error) { return std::string(error.text); }

struct TxnCase {
  const char* what;
  const char* request;
  const ApiError* error = nullptr;  // null: fine
};

class TxnValidationTable : public testing::TestWithParam<TxnCase> {};

TEST_P(TxnValidationTable, IsAsInEtcd) {
  const absl::Status status = CheckTxnRequest(Parse(GetParam().request), kOpsMax);
  EXPECT_EQ(Text(status), GetParam().error ? Text(*GetParam().error) : "OK") << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Parts, TxnValidationTable,
    testing::Values(TxnCase{"nothing at all", ""},  //
                    TxnCase{"one of each",
                            "compare { key: 'a' } success { request_put { key: 'a' } } "
                            "success { request_range { key: 'b' } } "
                            "failure { request_delete_range { key: 'a' } }"},
                    TxnCase{"compare without a key", "compare { }", &kErrEmptyKey},
                    TxnCase{"range without a key", "success { request_range { } }", &kErrEmptyKey},
                    TxnCase{"put without a key, where it will not run",
                            "failure { request_put { } }", &kErrEmptyKey},
                    TxnCase{"delete without a key", "success { request_delete_range { } }",
                            &kErrEmptyKey},
                    TxnCase{"value and ignore_value",
                            "success { request_put { key: 'a' value: 'v' ignore_value: true } }",
                            &kErrValueProvided},
                    TxnCase{"lease and ignore_lease",
                            "success { request_put { key: 'a' lease: 1 ignore_lease: true } }",
                            &kErrLeaseProvided},
                    TxnCase{"an operation that is none", "success { }", &kErrKeyNotFound},
                    TxnCase{"an error deep inside",
                            "success { request_txn { failure { request_txn { compare { } } } } }",
                            &kErrEmptyKey}));

INSTANTIATE_TEST_SUITE_P(
    DuplicateKeys, TxnValidationTable,
    testing::Values(
        TxnCase{"two puts of one key",
                "success { request_put { key: 'a' } } success { request_put { key: 'a' } }",
                &kErrDuplicateKey},
        TxnCase{"two puts of one key, where they will not run",
                "failure { request_put { key: 'a' } } failure { request_put { key: 'a' } }",
                &kErrDuplicateKey},
        TxnCase{"a put in each branch",
                "success { request_put { key: 'a' } } failure { request_put { key: 'a' } }"},
        TxnCase{
            "put and delete of one key",
            "success { request_put { key: 'a' } } success { request_delete_range { key: 'a' } }",
            &kErrDuplicateKey},
        TxnCase{"delete of a range, then a put in it",
                "success { request_delete_range { key: 'a' range_end: 'c' } } "
                "success { request_put { key: 'b' } }",
                &kErrDuplicateKey},
        TxnCase{"put at the end of a deleted range",
                "success { request_delete_range { key: 'a' range_end: 'c' } } "
                "success { request_put { key: 'c' } }"},
        TxnCase{"put in a deleted range without an end",
                "success { request_delete_range { key: 'a' range_end: '\\000' } } "
                "success { request_put { key: 'b' } }",
                &kErrDuplicateKey},
        TxnCase{"deletes that overlap",
                "success { request_delete_range { key: 'a' range_end: 'c' } } "
                "success { request_delete_range { key: 'b' } }"},
        TxnCase{"put here and in a nested transaction",
                "success { request_put { key: 'a' } } "
                "success { request_txn { success { request_put { key: 'a' } } } }",
                &kErrDuplicateKey},
        TxnCase{"a put in each branch of a nested transaction",
                "success { request_txn { success { request_put { key: 'a' } } "
                "failure { request_put { key: 'a' } } } }"},
        TxnCase{"the same put in two nested transactions",
                "success { request_txn { success { request_put { key: 'a' } } } } "
                "success { request_txn { failure { request_put { key: 'a' } } } }",
                &kErrDuplicateKey},
        TxnCase{"put in one branch and delete in the other of a nested transaction",
                "success { request_txn { success { request_put { key: 'a' } } "
                "failure { request_delete_range { key: 'a' } } } }"},
        TxnCase{"delete here, put in a nested transaction",
                "success { request_txn { success { request_put { key: 'a' } } } } "
                "success { request_delete_range { key: 'a' } }",
                &kErrDuplicateKey},
        TxnCase{"put here, delete in a nested transaction",
                "success { request_put { key: 'a' } } "
                "success { request_txn { failure { request_delete_range { key: 'a' } } } }",
                &kErrDuplicateKey},
        TxnCase{"delete in a nested transaction, put in a later one",
                "success { request_txn { success { request_delete_range { key: 'a' } } } } "
                "success { request_txn { success { request_put { key: 'a' } } } }",
                &kErrDuplicateKey},
        TxnCase{"put in a nested transaction, delete in a later one: only this order passes",
                "success { request_txn { success { request_put { key: 'a' } } } } "
                "success { request_txn { success { request_delete_range { key: 'a' } } } }"}));

TxnRequest WithCompares(int count) {
  TxnRequest txn;
  for (int i = 0; i < count; ++i) txn.add_compare()->set_key("a");
  return txn;
}

TEST(TxnValidation, TheLongestListCounts) {
  EXPECT_TRUE(CheckTxnRequest(WithCompares(kOpsMax), kOpsMax).ok());
  EXPECT_EQ(CheckTxnRequest(WithCompares(kOpsMax + 1), kOpsMax), kErrTooManyOps);

  TxnRequest txn;
  for (int i = 0; i <= kOpsMax; ++i) txn.add_failure()->mutable_request_range()->set_key("a");
  EXPECT_EQ(CheckTxnRequest(txn, kOpsMax), kErrTooManyOps);
  txn.mutable_failure()->RemoveLast();
  *txn.mutable_success() = txn.failure();
  EXPECT_TRUE(CheckTxnRequest(txn, kOpsMax).ok()) << "the lists are not added up";
}

TEST(TxnValidation, ANestedTransactionHasWhatIsLeft) {
  TxnRequest outer = WithCompares(100);
  *outer.add_success()->mutable_request_txn() = WithCompares(28);
  EXPECT_TRUE(CheckTxnRequest(outer, kOpsMax).ok());
  *outer.add_success()->mutable_request_txn() = WithCompares(28);
  EXPECT_TRUE(CheckTxnRequest(outer, kOpsMax).ok()) << "each nested transaction has it anew";
  outer.mutable_success(0)->mutable_request_txn()->add_compare()->set_key("a");
  EXPECT_EQ(CheckTxnRequest(outer, kOpsMax), kErrTooManyOps);
}

TEST(TxnValidation, NestingIsBounded) {
  TxnRequest txn;
  for (int depth = 0; depth < kOpsMax; ++depth) {
    TxnRequest outer;
    outer.add_success()->mutable_request_txn()->Swap(&txn);
    txn.Swap(&outer);
  }
  EXPECT_TRUE(CheckTxnRequest(txn, kOpsMax).ok());
  TxnRequest outer;
  *outer.add_success()->mutable_request_txn() = txn;
  EXPECT_EQ(CheckTxnRequest(outer, kOpsMax - 1), kErrTooManyOps);
}

TEST(TxnValidation, TooManyOperationsAreFoundBeforeDuplicateKeysAreLookedFor) {
  TxnRequest txn;
  for (int i = 0; i <= kOpsMax; ++i) txn.add_success()->mutable_request_put()->set_key("a");
  EXPECT_EQ(CheckTxnRequest(txn, kOpsMax), kErrTooManyOps);
}

}  // namespace
}  // namespace pontoon::kv
