// The records of the store in LevelDB: their keys and their values, as bytes.
//
// The store keeps one ordered set of records. The first byte of a record's key says what it is:
//
//   'c' key                           one for every key that exists now
//       -> main, sub of its latest event, create, version, lease: varints
//   'h' escaped(key) ~main:8 ~sub:4   one for every version that is not compacted away
//       -> kind:1
//   'k' lease:8 key                   one for every key that hangs on a lease
//       -> nothing
//   'l' lease:8                       one for every lease
//       -> seconds granted, seconds left at the last checkpoint (0: none): varints
//   'm' name                          what the store knows of itself; see meta.h
//   'o' lease:8                       one for every session that writes exactly once
//   (once_session.h)
//       -> the lowest sequence that is not forgotten, decisions kept: varints
//   'o' lease:8 sequence:8            one for every write of it that is not forgotten
//       -> pontoon.storage.v1.OnceDecision
//   'r' main:8 sub:4                  one for every version, too, but in order of revision
//       -> kind:1; key size: varint; key; of a put also create, version, lease: varints; value:
//          the rest
//
// Integers in keys are big endian, so that bytes order as numbers do; ~ marks a number whose bits
// are inverted, so that a greater one comes first. Varints are those of protobuf; a negative number
// takes ten bytes.
//
// Why three records for one put: a read of the latest state, which is nearly every read, looks up
// 'c' (LevelDB's Bloom filter answers for keys that do not exist), or scans 'c', which meets no old
// version; a read at an old revision finds the version in 'h', key by key. Both then fetch the
// value from 'r', unless nobody wants it: what a write must know of the key, a count, or a list of
// keys is in the small records. A watch that catches up reads 'r'. So a value is stored once, in
// the order of revisions, in which it was written. Nothing needs an index of all keys in memory.
//
// Escaping, in 'h' only, keeps keys in order and one key's versions apart from another's: a zero
// byte becomes 00 ff, and 00 01 ends the key. In 'c' the key comes last and needs none.
//
// This is a disk format, known by kFormatVersion (meta.h).

#ifndef PONTOON_KV_STORE_LAYOUT_H_
#define PONTOON_KV_STORE_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kv/store/revision.h"

namespace pontoon::kv {

inline constexpr char kCurrentPrefix = 'c';
inline constexpr char kHistoryPrefix = 'h';
inline constexpr char kAttachmentPrefix = 'k';
inline constexpr char kLeasePrefix = 'l';
inline constexpr char kMetaPrefix = 'm';
inline constexpr char kOncePrefix = 'o';
inline constexpr char kEventPrefix = 'r';

// A key that exists, at some revision. `value` points into whatever the state was read from.
struct KeyState {
  Revision mod_revision;     // of the latest put
  Revision create_revision;  // of the put that created the key
  int64_t version = 0;       // puts since the creation, that one included
  LeaseId lease;
  std::string_view value;

  friend bool operator==(const KeyState&, const KeyState&) = default;
};

// What happened to a key. The values are on disk.
enum class EventKind : uint8_t { kPut = 0, kDelete = 1 };

// One change of one key. Both views point into whatever the event was read from.
struct Event {
  EventKind kind = EventKind::kPut;
  std::string_view key;
  KeyState state;  // after a put; nothing but mod_revision after a delete

  friend bool operator==(const Event&, const Event&) = default;
};

// Keys of records. Parse... returns nothing for a key that is not of that kind or not well formed.

std::string CurrentKey(std::string_view key);
// The view points into `record_key`.
std::optional<std::string_view> ParseCurrentKey(std::string_view record_key);

std::string EventKey(EventId id);
std::optional<EventId> ParseEventKey(std::string_view record_key);

// The versions of one key lie side by side, the newest first: HistoryKey(key, id) is also where to
// look for the newest version that is not newer than `id`.
std::string HistoryKey(std::string_view key, EventId id);
// After every version of `key`, before any of the next key.
std::string HistoryEnd(std::string_view key);
// Sets `key` to the key; false if `record_key` is not a history key.
bool ParseHistoryKey(std::string_view record_key, std::string* key, EventId* id);

std::string LeaseKey(LeaseId lease);
std::optional<LeaseId> ParseLeaseKey(std::string_view record_key);

// The keys of one lease lie side by side, in order, from AttachmentKey(lease, "") on.
std::string AttachmentKey(LeaseId lease, std::string_view key);

// The session's own record comes before those of its writes, which are in order.
std::string OnceSessionKey(LeaseId lease);
std::string OnceDecisionKey(LeaseId lease, uint64_t sequence);

// Values of records. Decode... returns nothing for damaged bytes; what it returns points into them.

// What the store knows of a key that exists without looking at its value.
struct CurrentRecord {
  EventId event;   // the latest put
  KeyState state;  // without the value

  friend bool operator==(const CurrentRecord&, const CurrentRecord&) = default;
};

// `event.main` is state.mod_revision; the value is left out.
std::string EncodeCurrent(EventId event, const KeyState& state);
std::optional<CurrentRecord> DecodeCurrent(std::string_view bytes);

std::string EncodeEvent(const Event& event);
// `id` is that of the record's key.
std::optional<Event> DecodeEvent(EventId id, std::string_view bytes);

std::string EncodeHistory(EventKind kind);
std::optional<EventKind> DecodeHistory(std::string_view bytes);

// Parts that other records are made of: eight bytes, big endian, and varints. Take... removes what
// it reads from the front of `bytes`; nothing, or false, if they are too short.
void AppendFixed64(uint64_t number, std::string* bytes);
std::optional<uint64_t> TakeFixed64(std::string_view* bytes);
void AppendVarint(uint64_t number, std::string* bytes);
bool TakeVarint(std::string_view* bytes, uint64_t* number);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_LAYOUT_H_
