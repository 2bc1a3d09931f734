#include "tests/differential/shrink.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"
#include "tests/differential/generator.h"

namespace pontoon::differential {
namespace {

using etcdserverpb::PutRequest;

PutRequest PutOf(const std::string& key) {
  PutRequest put;
  put.set_key(key);
  put.set_value("a value");
  put.set_prev_kv(true);
  return put;
}

Program ProgramOf(int calls) {
  Program program;
  for (int i = 0; i < calls; ++i) program.calls.push_back(PutOf(std::to_string(i)));
  return program;
}

bool HasKey(const Program& program, const std::string& key) {
  return std::any_of(program.calls.begin(), program.calls.end(), [&](const Call& call) {
    return std::holds_alternative<PutRequest>(call) && std::get<PutRequest>(call).key() == key;
  });
}

TEST(ShrinkTest, KeepsTheCallsThatMatter) {
  const Program least = Shrink(ProgramOf(40), 1000, [](const Program& program) {
    return HasKey(program, "3") && HasKey(program, "31");
  });
  EXPECT_EQ(TextOf(least), "0: Put { key: \"3\" }\n1: Put { key: \"31\" }\n");
}

TEST(ShrinkTest, GoesIntoTransactions) {
  etcdserverpb::TxnRequest txn;
  for (const char* key : {"a", "b", "c"}) {
    txn.add_compare()->set_key(key);
    *txn.add_success()->mutable_request_txn()->add_failure()->mutable_request_put() = PutOf(key);
  }
  const auto fails = [](const Program& program) {
    for (const Call& call : program.calls) {
      const auto* candidate = std::get_if<etcdserverpb::TxnRequest>(&call);
      for (const auto& op : candidate->success()) {
        for (const auto& inner : op.request_txn().failure()) {
          if (inner.request_put().key() == "b" && inner.request_put().prev_kv()) return true;
        }
      }
    }
    return false;
  };
  EXPECT_EQ(TextOf(Shrink({.calls = {txn, txn}}, 1000, fails)),
            "0: Txn { success { request_txn { failure { request_put { key: \"b\" prev_kv: true } } "
            "} } }\n");
}

TEST(ShrinkTest, NeverAsksAboutNothing) {
  const Program least = Shrink(ProgramOf(5), 1000, [](const Program& program) {
    EXPECT_FALSE(program.calls.empty());
    return true;
  });
  EXPECT_EQ(TextOf(least), "0: Put {  }\n");
}

TEST(ShrinkTest, EndsInTime) {
  size_t asked = 0;
  const Program least = Shrink(ProgramOf(40), 7, [&](const Program& program) {
    ++asked;
    return HasKey(program, "0");
  });
  EXPECT_EQ(asked, 7u);
  EXPECT_TRUE(HasKey(least, "0"));
}

}  // namespace
}  // namespace pontoon::differential
