#include "kv/store/layout.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace pontoon::kv {
namespace {

constexpr int64_t kMaxRevision = std::numeric_limits<int64_t>::max();

std::string Bytes(std::initializer_list<int> bytes) {
  std::string result;
  for (int byte : bytes) result.push_back(static_cast<char>(byte));
  return result;
}

EventId Id(int64_t main, uint32_t sub) { return EventId{Revision(main), sub}; }

// Keys that are hard to tell apart, in order.
std::vector<std::string> TrickyKeys() {
  return {Bytes({}),
          Bytes({0}),
          Bytes({0, 0}),
          Bytes({0, 1}),
          Bytes({0, 0xff}),
          Bytes({1}),
          "a",
          std::string("a") + Bytes({0}),
          std::string("a") + Bytes({0, 0}),
          std::string("a") + Bytes({0, 1}),
          std::string("a") + Bytes({0, 2}),
          std::string("a") + Bytes({0, 0xff}),
          "aa",
          std::string("a") + Bytes({0xff}),
          "b",
          Bytes({0xfe}),
          Bytes({0xff}),
          Bytes({0xff, 0}),
          Bytes({0xff, 0xff})};
}

TEST(LayoutTest, RecordKeysAreWhatTheFormatSays) {
  EXPECT_EQ(CurrentKey("key"), "ckey");
  EXPECT_EQ(EventKey(Id(0x0102, 3)), "r" + Bytes({0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3}));
  EXPECT_EQ(HistoryKey(Bytes({'k', 0}), Id(0x0102, 3)),
            "hk" + Bytes({0, 0xff, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xfd, 0xff, 0xff,
                          0xff, 0xfc}));
}

TEST(LayoutTest, RecordValuesAreWhatTheFormatSays) {
  KeyState state{Revision(300), Revision(2), 5, LeaseId(-1), "value"};
  const std::string numbers =
      Bytes({2, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1});
  EXPECT_EQ(EncodeCurrent(Id(300, 7), state), Bytes({0xac, 2, 7}) + numbers);
  EXPECT_EQ(EncodeEvent(Event{EventKind::kPut, "k", state}),
            Bytes({0, 1, 'k'}) + numbers + "value");
  EXPECT_EQ(EncodeEvent(Event{EventKind::kDelete, "k", KeyState()}), Bytes({1, 1, 'k'}));
  EXPECT_EQ(EncodeHistory(EventKind::kPut), Bytes({0}));
  EXPECT_EQ(EncodeHistory(EventKind::kDelete), Bytes({1}));
}

TEST(LayoutTest, KeysSurviveTheWayThere) {
  const std::vector<EventId> ids = {Id(1, 0), Id(1, kLastSub), Id(255, 256), Id(kMaxRevision, 7)};
  for (const std::string& key : TrickyKeys()) {
    EXPECT_EQ(ParseCurrentKey(CurrentKey(key)), key);
    for (EventId id : ids) {
      std::string parsed_key;
      EventId parsed_id;
      ASSERT_TRUE(ParseHistoryKey(HistoryKey(key, id), &parsed_key, &parsed_id));
      EXPECT_EQ(parsed_key, key);
      EXPECT_EQ(parsed_id, id);
    }
  }
  for (EventId id : ids) EXPECT_EQ(ParseEventKey(EventKey(id)), id);
}

TEST(LayoutTest, CurrentKeysAreInOrderOfKeys) {
  std::vector<std::string> keys;
  for (const std::string& key : TrickyKeys()) keys.push_back(CurrentKey(key));
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(LayoutTest, EventsAreInOrderOfRevision) {
  std::vector<std::string> keys;
  for (EventId id : {Id(1, 0), Id(1, 1), Id(1, 256), Id(2, 0), Id(255, 9), Id(256, 0),
                     Id(int64_t{1} << 40, 0), Id(kMaxRevision, kLastSub)}) {
    keys.push_back(EventKey(id));
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(LayoutTest, HistoryIsInOrderOfKeysThenFromNewToOld) {
  std::vector<std::string> keys;
  for (const std::string& key : TrickyKeys()) {
    for (EventId id : {Id(kMaxRevision, kLastSub), Id(256, 0), Id(255, 1), Id(255, 0), Id(1, 0)}) {
      keys.push_back(HistoryKey(key, id));
    }
    keys.push_back(HistoryEnd(key));
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

TEST(LayoutTest, ValuesSurviveTheWayThere) {
  const std::string zeros(3, '\0');
  for (const KeyState& state :
       {KeyState{Revision(1), Revision(1), 1, LeaseId(0), ""},
        KeyState{Revision(kMaxRevision), Revision(127), 128, LeaseId(kMaxRevision), "value"},
        KeyState{Revision(200), Revision(200), kMaxRevision, LeaseId(-5), zeros}}) {
    KeyState without_value = state;
    without_value.value = {};
    const CurrentRecord current{EventId{state.mod_revision, kLastSub}, without_value};
    EXPECT_EQ(DecodeCurrent(EncodeCurrent(current.event, state)), current);
    Event put{EventKind::kPut, zeros, state};
    EXPECT_EQ(DecodeEvent(EventId{state.mod_revision, 3}, EncodeEvent(put)), put);
  }
  Event tombstone{EventKind::kDelete, "key", KeyState()};
  tombstone.state.mod_revision = Revision(9);
  EXPECT_EQ(DecodeEvent(Id(9, 0), EncodeEvent(tombstone)), tombstone);
  EXPECT_EQ(DecodeHistory(EncodeHistory(EventKind::kDelete)), EventKind::kDelete);
}

TEST(LayoutTest, OtherKeysAreNotTakenForOnes) {
  std::string key;
  EventId id;
  const std::string history = HistoryKey("k", Id(1, 2));
  for (size_t size = 0; size < history.size(); ++size) {
    EXPECT_FALSE(ParseHistoryKey(history.substr(0, size), &key, &id)) << size;
  }
  EXPECT_FALSE(ParseHistoryKey(history + "x", &key, &id));
  EXPECT_FALSE(ParseHistoryKey(HistoryEnd("k"), &key, &id));
  EXPECT_FALSE(ParseHistoryKey(CurrentKey("k"), &key, &id));
  EXPECT_FALSE(ParseEventKey(EventKey(Id(1, 2)) + "x"));
  EXPECT_FALSE(ParseEventKey("r"));
  EXPECT_FALSE(ParseEventKey(history));
  EXPECT_FALSE(ParseCurrentKey(""));
  EXPECT_FALSE(ParseCurrentKey(history));
}

TEST(LayoutTest, DamagedValuesAreRefused) {
  KeyState state{Revision(300), Revision(2), 5, LeaseId(6), ""};
  const std::string current = EncodeCurrent(Id(300, 1), state);
  const std::string event = EncodeEvent(Event{EventKind::kPut, "key", state});
  const std::string tombstone = EncodeEvent(Event{EventKind::kDelete, "key", state});
  for (size_t size = 0; size < current.size(); ++size) {
    EXPECT_FALSE(DecodeCurrent(current.substr(0, size))) << size;
  }
  for (size_t size = 0; size < event.size(); ++size) {
    EXPECT_FALSE(DecodeEvent(Id(300, 0), event.substr(0, size))) << size;
  }
  EXPECT_FALSE(DecodeCurrent(current + "x"));
  EXPECT_FALSE(DecodeEvent(Id(300, 0), tombstone + "x"));
  EXPECT_FALSE(DecodeEvent(Id(1, 0), event)) << "created after it was changed";
  EXPECT_FALSE(DecodeEvent(Id(300, 0), Bytes({2}) + event.substr(1))) << "unknown kind";
  EXPECT_FALSE(DecodeCurrent(std::string(11, '\xff')));
  EXPECT_FALSE(DecodeCurrent(std::string(5, '\0'))) << "version 0";
  EXPECT_FALSE(DecodeCurrent(Bytes({5, 0x80, 0x80, 0x80, 0x80, 0x10, 2, 1, 0}))) << "sub too large";
  EXPECT_FALSE(DecodeHistory(""));
  EXPECT_FALSE(DecodeHistory(Bytes({2})));
  EXPECT_FALSE(DecodeHistory(Bytes({0, 0})));
}

}  // namespace
}  // namespace pontoon::kv
