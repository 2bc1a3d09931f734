#include "kv/watch/watch_message.h"

#include <google/protobuf/io/coded_stream.h>

#include <cstring>
#include <vector>

#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchResponse;
using google::protobuf::io::CodedOutputStream;
using mvccpb::KeyValue;

constexpr uint32_t kVarint = 0;
constexpr uint32_t kLengthDelimited = 2;

constexpr uint32_t Tag(int field, uint32_t wire_type) {
  return static_cast<uint32_t>(field) << 3 | wire_type;
}

// Adds up what fields take. A number that is 0 and bytes that are empty are left out, as everywhere
// in proto3.
class SizeCounter {
 public:
  void Number(int field, uint64_t number) {
    if (number == 0) return;
    size_ += CodedOutputStream::VarintSize32(Tag(field, kVarint)) +
             CodedOutputStream::VarintSize64(number);
  }
  void Bytes(int field, std::string_view bytes) {
    if (!bytes.empty()) Message(field, bytes.size());
  }
  // A message of `size` bytes, which may be none.
  void Message(int field, size_t size) {
    size_ += CodedOutputStream::VarintSize32(Tag(field, kLengthDelimited)) +
             CodedOutputStream::VarintSize64(size) + size;
  }

  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
};

// Writes fields into memory that is large enough.
class Writer {
 public:
  explicit Writer(uint8_t* target) : target_(target) {}

  void Number(int field, uint64_t number) {
    if (number == 0) return;
    target_ = CodedOutputStream::WriteVarint32ToArray(Tag(field, kVarint), target_);
    target_ = CodedOutputStream::WriteVarint64ToArray(number, target_);
  }
  void Bytes(int field, std::string_view bytes) {
    if (bytes.empty()) return;
    BeginMessage(field, bytes.size());
    std::memcpy(target_, bytes.data(), bytes.size());
    target_ += bytes.size();
  }
  // The fields that follow, of `size` bytes, are those of a message.
  void BeginMessage(int field, size_t size) {
    target_ = CodedOutputStream::WriteVarint32ToArray(Tag(field, kLengthDelimited), target_);
    target_ = CodedOutputStream::WriteVarint64ToArray(size, target_);
  }

  const uint8_t* target() const { return target_; }

 private:
  uint8_t* target_;
};

// `To` is a SizeCounter or a Writer.
template <typename To>
void WriteKeyValue(const KeyContent& content, To* to) {
  const KeyState& state = content.state;
  to->Bytes(KeyValue::kKeyFieldNumber, content.key);
  to->Number(KeyValue::kCreateRevisionFieldNumber,
             static_cast<uint64_t>(state.create_revision.value()));
  to->Number(KeyValue::kModRevisionFieldNumber, static_cast<uint64_t>(state.mod_revision.value()));
  to->Number(KeyValue::kVersionFieldNumber, static_cast<uint64_t>(state.version));
  to->Bytes(KeyValue::kValueFieldNumber, state.value);
  to->Number(KeyValue::kLeaseFieldNumber, static_cast<uint64_t>(state.lease.value()));
}

size_t SizeOf(const KeyContent& content) {
  SizeCounter size;
  WriteKeyValue(content, &size);
  return size.size();
}

mvccpb::Event::EventType TypeOf(const Event& event) {
  return event.kind == EventKind::kPut ? mvccpb::Event::PUT : mvccpb::Event::DELETE;
}

}  // namespace

grpc::Slice EncodeEventField(const Event& event, const std::optional<KeyContent>& previous) {
  const KeyContent content{event.key, event.state};
  const size_t content_size = SizeOf(content);
  const size_t previous_size = previous ? SizeOf(*previous) : 0;

  SizeCounter event_size;
  event_size.Number(mvccpb::Event::kTypeFieldNumber, TypeOf(event));
  event_size.Message(mvccpb::Event::kKvFieldNumber, content_size);
  if (previous) event_size.Message(mvccpb::Event::kPrevKvFieldNumber, previous_size);
  SizeCounter size;
  size.Message(WatchResponse::kEventsFieldNumber, event_size.size());

  grpc::Slice slice(size.size());
  Writer writer(const_cast<uint8_t*>(slice.begin()));  // ours alone so far
  writer.BeginMessage(WatchResponse::kEventsFieldNumber, event_size.size());
  writer.Number(mvccpb::Event::kTypeFieldNumber, TypeOf(event));
  writer.BeginMessage(mvccpb::Event::kKvFieldNumber, content_size);
  WriteKeyValue(content, &writer);
  if (previous) {
    writer.BeginMessage(mvccpb::Event::kPrevKvFieldNumber, previous_size);
    WriteKeyValue(*previous, &writer);
  }
  CHECK(writer.target() == slice.end()) << "an event takes other bytes than were counted";
  return slice;
}

grpc::Slice EncodeHeaderField(const etcdserverpb::ResponseHeader& header) {
  WatchResponse response;
  *response.mutable_header() = header;
  return grpc::Slice(response.SerializeAsString());
}

grpc::ByteBuffer MakeEventsMessage(const grpc::Slice& header, int64_t watch_id, bool fragment,
                                   std::span<const grpc::Slice> events) {
  WatchResponse own;
  own.set_watch_id(watch_id);
  own.set_fragment(fragment);
  std::vector<grpc::Slice> slices;
  slices.reserve(events.size() + 2);
  slices.push_back(header);
  slices.emplace_back(own.SerializeAsString());
  slices.insert(slices.end(), events.begin(), events.end());
  return grpc::ByteBuffer(slices.data(), slices.size());
}

grpc::ByteBuffer MakeMessage(const WatchResponse& response) {
  const grpc::Slice slice(response.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace pontoon::kv
