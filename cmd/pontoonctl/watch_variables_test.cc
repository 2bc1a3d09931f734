#include "cmd/pontoonctl/watch_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

mvccpb::Event Put(const std::string& key, const std::string& value) {
  mvccpb::Event event;
  event.mutable_kv()->set_key(key);
  event.mutable_kv()->set_value(value);
  event.mutable_kv()->set_mod_revision(7);
  return event;
}

TEST(WatchVariables, AreBytesAndInEtcdsNamesQuotedText) {
  EXPECT_THAT(WatchVariables(Put("a b", "x\"\n\x01\xc3\xa9")),
              ElementsAre("PONTOON_WATCH_REVISION=7", "ETCD_WATCH_REVISION=7",
                          "PONTOON_WATCH_EVENT_TYPE=PUT", "ETCD_WATCH_EVENT_TYPE=\"PUT\"",
                          "PONTOON_WATCH_KEY=a b", "ETCD_WATCH_KEY=\"a b\"",
                          "PONTOON_WATCH_VALUE=x\"\n\x01\xc3\xa9",
                          "ETCD_WATCH_VALUE=\"x\\\"\\n\\x01\xc3\xa9\""));
}

TEST(WatchVariables, WhatNoVariableCanHoldIsLeftOut) {
  const auto with_zero = WatchVariables(Put(std::string("a\0b", 3), "v"));
  EXPECT_THAT(with_zero, Each(Not(HasSubstr("PONTOON_WATCH_KEY"))));
  EXPECT_THAT(with_zero, ::testing::Contains("ETCD_WATCH_KEY=\"a\\x00b\""));
  const auto too_long = WatchVariables(Put("k", std::string(kVariableBytesMax + 1, 'x')));
  EXPECT_THAT(too_long, Each(Not(HasSubstr("WATCH_VALUE"))));
  EXPECT_THAT(too_long, ::testing::Contains("PONTOON_WATCH_KEY=k"));
}

}  // namespace
}  // namespace pontoon::ctl
