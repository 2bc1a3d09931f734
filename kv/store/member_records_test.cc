#include "kv/store/member_records.h"

#include <string>

#include "gtest/gtest.h"
#include "kv/store/store_harness.h"

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

}  // namespace
}  // namespace pontoon::kv
