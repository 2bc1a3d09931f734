#include "kv/store/layout.h"

#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

constexpr char kEscapedZero[] = {'\x00', '\xff'};
constexpr char kKeyEnd[] = {'\x00', '\x01'};
constexpr char kAfterKeyEnd[] = {'\x00', '\x02'};

template <typename Integer>
void AppendBigEndian(Integer number, std::string* bytes) {
  for (int shift = 8 * (sizeof(Integer) - 1); shift >= 0; shift -= 8) {
    bytes->push_back(static_cast<char>(number >> shift));
  }
}

template <typename Integer>
std::optional<Integer> TakeBigEndian(std::string_view* bytes) {
  if (bytes->size() < sizeof(Integer)) return std::nullopt;
  Integer number = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i) {
    number = (number << 8) | static_cast<uint8_t>((*bytes)[i]);
  }
  bytes->remove_prefix(sizeof(Integer));
  return number;
}

// Appends and takes any of our integer types.
template <typename Tag>
void AppendNumber(StrongInt<Tag, int64_t> number, std::string* bytes) {
  AppendVarint(static_cast<uint64_t>(number.value()), bytes);
}

template <typename Tag>
bool TakeNumber(std::string_view* bytes, StrongInt<Tag, int64_t>* number) {
  uint64_t raw;
  if (!TakeVarint(bytes, &raw)) return false;
  *number = StrongInt<Tag, int64_t>(static_cast<int64_t>(raw));
  return true;
}

bool TakeNumber(std::string_view* bytes, int64_t* number) {
  uint64_t raw;
  if (!TakeVarint(bytes, &raw)) return false;
  *number = static_cast<int64_t>(raw);
  return true;
}

// What a current record and a put event have in common.
void AppendState(const KeyState& state, std::string* bytes) {
  AppendNumber(state.create_revision, bytes);
  AppendVarint(static_cast<uint64_t>(state.version), bytes);
  AppendNumber(state.lease, bytes);
}

// state->mod_revision is known already.
bool TakeState(std::string_view* bytes, KeyState* state) {
  return TakeNumber(bytes, &state->create_revision) && TakeNumber(bytes, &state->version) &&
         TakeNumber(bytes, &state->lease) && state->create_revision >= kFirstRevision &&
         state->version >= 1 && state->create_revision <= state->mod_revision;
}

void AppendEscaped(std::string_view key, std::string* bytes) {
  while (!key.empty()) {
    size_t zero = key.find('\0');
    bytes->append(key.substr(0, zero));
    if (zero == std::string_view::npos) return;
    bytes->append(kEscapedZero, sizeof(kEscapedZero));
    key.remove_prefix(zero + 1);
  }
}

// Unescapes up to the end of the key, which is taken off `bytes`.
bool TakeEscaped(std::string_view* bytes, std::string* key) {
  key->clear();
  while (true) {
    size_t zero = bytes->find('\0');
    if (zero == std::string_view::npos || zero + 1 >= bytes->size()) return false;
    key->append(bytes->substr(0, zero));
    char mark = (*bytes)[zero + 1];
    bytes->remove_prefix(zero + 2);
    if (mark == kKeyEnd[1]) return true;
    if (mark != kEscapedZero[1]) return false;
    key->push_back('\0');
  }
}

std::string HistoryPrefix(std::string_view key) {
  std::string bytes;
  bytes.reserve(1 + key.size() + sizeof(kKeyEnd) + sizeof(uint64_t) + sizeof(uint32_t));
  bytes.push_back(kHistoryPrefix);
  AppendEscaped(key, &bytes);
  return bytes;
}

bool TakePrefix(char prefix, std::string_view* bytes) {
  if (bytes->empty() || bytes->front() != prefix) return false;
  bytes->remove_prefix(1);
  return true;
}

// Takes the rest of a record's key, which must be an event's id.
std::optional<EventId> TakeEventId(std::string_view bytes, uint64_t main_mask, uint32_t sub_mask) {
  std::optional<uint64_t> main = TakeBigEndian<uint64_t>(&bytes);
  std::optional<uint32_t> sub = TakeBigEndian<uint32_t>(&bytes);
  if (!main || !sub || !bytes.empty()) return std::nullopt;
  return EventId{Revision(static_cast<int64_t>(*main ^ main_mask)), *sub ^ sub_mask};
}

std::optional<EventKind> ToEventKind(char byte) {
  switch (static_cast<EventKind>(byte)) {
    case EventKind::kPut:
    case EventKind::kDelete:
      return static_cast<EventKind>(byte);
  }
  return std::nullopt;
}

}  // namespace

std::string CurrentKey(std::string_view key) {
  std::string bytes;
  bytes.reserve(1 + key.size());
  bytes.push_back(kCurrentPrefix);
  bytes.append(key);
  return bytes;
}

std::optional<std::string_view> ParseCurrentKey(std::string_view record_key) {
  if (!TakePrefix(kCurrentPrefix, &record_key)) return std::nullopt;
  return record_key;
}

std::string EventKey(EventId id) {
  CHECK_GE(id.main, kFirstRevision);
  std::string bytes(1, kEventPrefix);
  AppendBigEndian(static_cast<uint64_t>(id.main.value()), &bytes);
  AppendBigEndian(id.sub, &bytes);
  return bytes;
}

std::optional<EventId> ParseEventKey(std::string_view record_key) {
  if (!TakePrefix(kEventPrefix, &record_key)) return std::nullopt;
  return TakeEventId(record_key, 0, 0);
}

std::string LeaseKey(LeaseId lease) {
  std::string bytes(1, kLeasePrefix);
  AppendFixed64(static_cast<uint64_t>(lease.value()), &bytes);
  return bytes;
}

std::optional<LeaseId> ParseLeaseKey(std::string_view record_key) {
  if (!TakePrefix(kLeasePrefix, &record_key)) return std::nullopt;
  const std::optional<uint64_t> lease = TakeFixed64(&record_key);
  if (!lease.has_value() || !record_key.empty()) return std::nullopt;
  return LeaseId(static_cast<int64_t>(*lease));
}

std::string AttachmentKey(LeaseId lease, std::string_view key) {
  std::string bytes(1, kAttachmentPrefix);
  AppendFixed64(static_cast<uint64_t>(lease.value()), &bytes);
  bytes.append(key);
  return bytes;
}

std::string OnceSessionKey(LeaseId lease) {
  std::string bytes(1, kOncePrefix);
  AppendFixed64(static_cast<uint64_t>(lease.value()), &bytes);
  return bytes;
}

std::string OnceDecisionKey(LeaseId lease, uint64_t sequence) {
  std::string bytes = OnceSessionKey(lease);
  AppendFixed64(sequence, &bytes);
  return bytes;
}

std::string HistoryKey(std::string_view key, EventId id) {
  CHECK_GE(id.main, kFirstRevision);
  std::string bytes = HistoryPrefix(key);
  bytes.append(kKeyEnd, sizeof(kKeyEnd));
  AppendBigEndian(~static_cast<uint64_t>(id.main.value()), &bytes);
  AppendBigEndian(~id.sub, &bytes);
  return bytes;
}

std::string HistoryEnd(std::string_view key) {
  std::string bytes = HistoryPrefix(key);
  bytes.append(kAfterKeyEnd, sizeof(kAfterKeyEnd));
  return bytes;
}

bool ParseHistoryKey(std::string_view record_key, std::string* key, EventId* id) {
  if (!TakePrefix(kHistoryPrefix, &record_key) || !TakeEscaped(&record_key, key)) return false;
  std::optional<EventId> parsed = TakeEventId(record_key, ~uint64_t{0}, ~uint32_t{0});
  if (!parsed) return false;
  *id = *parsed;
  return true;
}

std::string EncodeCurrent(EventId event, const KeyState& state) {
  CHECK_EQ(event.main, state.mod_revision);
  std::string bytes;
  AppendNumber(event.main, &bytes);
  AppendVarint(event.sub, &bytes);
  AppendState(state, &bytes);
  return bytes;
}

std::optional<CurrentRecord> DecodeCurrent(std::string_view bytes) {
  CurrentRecord record;
  uint64_t sub;
  if (!TakeNumber(&bytes, &record.event.main) || !TakeVarint(&bytes, &sub) || sub > kLastSub) {
    return std::nullopt;
  }
  record.event.sub = static_cast<uint32_t>(sub);
  record.state.mod_revision = record.event.main;
  if (!TakeState(&bytes, &record.state) || !bytes.empty()) return std::nullopt;
  return record;
}

std::string EncodeEvent(const Event& event) {
  constexpr size_t kNumbersBytesMax = 32;  // nearly always; else the string grows once more
  std::string bytes;
  bytes.reserve(kNumbersBytesMax + event.key.size() + event.state.value.size());
  bytes.push_back(static_cast<char>(event.kind));
  AppendVarint(event.key.size(), &bytes);
  bytes.append(event.key);
  if (event.kind == EventKind::kPut) {
    AppendState(event.state, &bytes);
    bytes.append(event.state.value);
  }
  return bytes;
}

std::optional<Event> DecodeEvent(EventId id, std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  std::optional<EventKind> kind = ToEventKind(bytes.front());
  bytes.remove_prefix(1);
  uint64_t key_size;
  if (!kind || !TakeVarint(&bytes, &key_size) || key_size > bytes.size()) return std::nullopt;

  Event event;
  event.kind = *kind;
  event.key = bytes.substr(0, key_size);
  event.state.mod_revision = id.main;
  bytes.remove_prefix(key_size);
  if (*kind == EventKind::kPut) {
    if (!TakeState(&bytes, &event.state)) return std::nullopt;
    event.state.value = bytes;
  } else if (!bytes.empty()) {
    return std::nullopt;
  }
  return event;
}

std::string EncodeHistory(EventKind kind) { return std::string(1, static_cast<char>(kind)); }

std::optional<EventKind> DecodeHistory(std::string_view bytes) {
  if (bytes.size() != 1) return std::nullopt;
  return ToEventKind(bytes.front());
}

void AppendFixed64(uint64_t number, std::string* bytes) { AppendBigEndian(number, bytes); }

std::optional<uint64_t> TakeFixed64(std::string_view* bytes) {
  return TakeBigEndian<uint64_t>(bytes);
}

void AppendVarint(uint64_t number, std::string* bytes) {
  while (number >= 0x80) {
    bytes->push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  bytes->push_back(static_cast<char>(number));
}

bool TakeVarint(std::string_view* bytes, uint64_t* number) {
  *number = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    uint8_t byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    *number |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace pontoon::kv
