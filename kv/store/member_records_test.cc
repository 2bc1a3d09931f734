#include "kv/store/member_records.h"

#include <string>

#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/store_harness.h"
#include "raft/base/membership.h"

namespace pontoon::kv {
namespace {

storage::v1::Command Publication(uint64_t member, const std::string& url) {
  storage::v1::Command command;
  command.mutable_member_publication()->set_member_id(member);
  command.mutable_member_publication()->set_name("n");
  command.mutable_member_publication()->add_client_urls(url);
  return command;
}

// The first client address of a member; "(none)" if it never published.
std::string UrlOf(StoreHarness& h, uint64_t member) {
  auto published = ReadMember(h.store().View()->records(), NodeId(member));
  if (!published.ok()) return published.status().ToString();
  return published->has_value() ? (*published)->client_urls(0) : "(none)";
}

TEST(MemberRecordsTest, TheLatestPublicationOfEachMemberCounts) {
  StoreHarness h;
  EXPECT_EQ(UrlOf(h, 1), "(none)");
  EXPECT_TRUE(h.Apply(Publication(1, "http://a:1")).status.ok());
  EXPECT_TRUE(h.Apply(Publication(2, "http://b:1")).status.ok());
  EXPECT_TRUE(h.Apply(Publication(1, "http://a:2")).status.ok());
  EXPECT_EQ(UrlOf(h, 1), "http://a:2");
  EXPECT_EQ(UrlOf(h, 2), "http://b:1");
  EXPECT_EQ(UrlOf(h, 3), "(none)");
}

TEST(MemberRecordsTest, APublicationIsNoRevisionAndNoKey) {
  StoreHarness h;
  h.Put("k", "v");
  int64_t before = h.revision();
  EXPECT_TRUE(h.Apply(Publication(1, "http://a:1")).status.ok());
  EXPECT_EQ(h.revision(), before);
  EXPECT_EQ(h.All(), "k=v");
}

TEST(MemberRecordsTest, SurvivesARestart) {
  StoreHarness h;
  h.ApplyUnwanted(Publication(1, "http://a:1"));
  h.Reopen();
  EXPECT_EQ(UrlOf(h, 1), "http://a:1");
}

TEST(MemberRecordsTest, NoMemberCannotPublish) {
  StoreHarness h;
  EXPECT_FALSE(h.Apply(Publication(0, "http://a:1")).status.ok());
}

// The configurations that the tests apply.
std::string Configuration(const Membership& membership) { return EncodeMembership(membership); }

std::string MembershipOf(StoreHarness& h) {
  auto membership = h.store().Membership();
  return membership.ok() ? *membership : membership.status().ToString();
}

TEST(MembershipTest, IsThatOfTheLastEntry) {
  StoreHarness h;
  EXPECT_EQ(MembershipOf(h), "");
  h.Put("k", "v");
  const int64_t before = h.revision();
  for (uint64_t voter : {1, 2}) {
    const std::string payload = Configuration({.voters = {NodeId(voter)}});
    ASSERT_TRUE(h.ApplyMembership(payload).ok());
    EXPECT_EQ(MembershipOf(h), payload);
  }
  EXPECT_EQ(h.revision(), before);
  EXPECT_EQ(h.All(), "k=v");
}

TEST(MembershipTest, SurvivesARestart) {
  StoreHarness h;
  const std::string payload = Configuration({.voters = {NodeId(7)}});
  ASSERT_TRUE(h.ApplyMembership(payload).ok());
  h.Reopen();
  EXPECT_EQ(MembershipOf(h), payload);
}

TEST(MembershipTest, GoesAlongWithASnapshot) {
  StoreHarness h;
  const std::string payload = Configuration({.voters = {NodeId(7)}});
  ASSERT_TRUE(h.ApplyMembership(payload).ok());
  auto source = h.store().OpenSnapshot();
  ASSERT_TRUE(source.ok());
  StoreHarness other;
  auto sink = other.store().BeginSnapshot((*source)->position());
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write(ReadAll(source->get())).ok());
  ASSERT_TRUE((*sink)->Finish().ok());
  EXPECT_EQ(*(*sink)->Membership(), payload);
  ASSERT_TRUE(other.Install(*std::move(sink)).ok());
  EXPECT_EQ(MembershipOf(other), payload);
}

TEST(MembershipTest, WhoIsNoMemberAnyMoreHasPublishedNothing) {
  StoreHarness h;
  for (uint64_t member : {1, 2, 3, 4}) h.Apply(Publication(member, "http://a:1"));
  // 4 leaves; that it votes until then makes it no lasting member.
  ASSERT_TRUE(h.ApplyMembership(Configuration({.voters = {NodeId(1), NodeId(2)},
                                               .outgoing = {NodeId(1), NodeId(2), NodeId(4)},
                                               .learners = {NodeId(3)}}))
                  .ok());
  for (uint64_t member : {1, 2, 3}) EXPECT_EQ(UrlOf(h, member), "http://a:1") << member;
  EXPECT_EQ(UrlOf(h, 4), "(none)");
}

// It was proposed before, or by somebody who does not know it yet; no later change may come to
// remove it.
TEST(MembershipTest, WhoIsNoMemberAnyMoreCannotPublish) {
  StoreHarness h;
  h.Apply(Publication(4, "http://a:1"));
  ASSERT_TRUE(
      h.ApplyMembership(Configuration({.voters = {NodeId(1)}, .learners = {NodeId(3)}})).ok());
  const absl::Status refused = h.Apply(Publication(4, "http://a:2")).status;
  EXPECT_EQ(refused, absl::Status(kErrMemberNotFound));
  h.ApplyUnwanted(Publication(4, "http://a:2"));
  EXPECT_EQ(UrlOf(h, 4), "(none)");
  for (uint64_t member : {1, 3}) {
    EXPECT_TRUE(h.Apply(Publication(member, "http://a:2")).status.ok());
    EXPECT_EQ(UrlOf(h, member), "http://a:2") << member;
  }
}

TEST(MembershipTest, WhatIsNoMembershipIsALossOfData) {
  StoreHarness h;
  EXPECT_EQ(h.ApplyMembership("damage").code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace pontoon::kv
