// Holds the .proto files to etcd's wire contract, which the lists under testdata state line by
// line. The lists were made from etcd's definitions, not from the files here; when a test fails, it
// is the .proto file that is wrong.

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "proto/auth.grpc.pb.h"
#include "proto/kv.grpc.pb.h"
#include "proto/pontoon.grpc.pb.h"
#include "proto/rpc.grpc.pb.h"
#include "proto/v3election.grpc.pb.h"
#include "proto/v3lock.grpc.pb.h"

namespace pontoon {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::OneofDescriptor;

// Pontoon's own fields in etcd's messages begin here; etcd's stay far below.
constexpr int kOwnFieldNumberMin = 1000;

const FileDescriptor& Kv() { return *mvccpb::KeyValue::descriptor()->file(); }
const FileDescriptor& Auth() { return *authpb::User::descriptor()->file(); }
const FileDescriptor& Rpc() { return *etcdserverpb::RangeRequest::descriptor()->file(); }
const FileDescriptor& Lock() { return *v3lockpb::LockRequest::descriptor()->file(); }
const FileDescriptor& Election() { return *v3electionpb::LeaderKey::descriptor()->file(); }

std::vector<const FileDescriptor*> EtcdFiles() {
  return {&Kv(), &Auth(), &Rpc(), &Lock(), &Election()};
}

void VisitMessage(const Descriptor& message, const std::function<void(const Descriptor&)>& visit) {
  visit(message);
  for (int i = 0; i < message.nested_type_count(); ++i) {
    VisitMessage(*message.nested_type(i), visit);
  }
}

void VisitMessages(const FileDescriptor& file,
                   const std::function<void(const Descriptor&)>& visit) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    VisitMessage(*file.message_type(i), visit);
  }
}

void VisitEnums(const FileDescriptor& file,
                const std::function<void(const EnumDescriptor&)>& visit) {
  for (int i = 0; i < file.enum_type_count(); ++i) visit(*file.enum_type(i));
  VisitMessages(file, [&visit](const Descriptor& message) {
    for (int i = 0; i < message.enum_type_count(); ++i) visit(*message.enum_type(i));
  });
}

// "etcdserverpb.RequestOp.request_put etcdserverpb.PutRequest 2 oneof request"
std::string FieldLine(const FieldDescriptor& field) {
  std::string line = field.full_name() + (field.is_repeated() ? " repeated " : " ");
  if (field.message_type() != nullptr) {
    line += field.message_type()->full_name();
  } else if (field.enum_type() != nullptr) {
    line += field.enum_type()->full_name();
  } else {
    line += field.type_name();
  }
  line += " " + std::to_string(field.number());
  if (const OneofDescriptor* oneof = field.containing_oneof()) line += " oneof " + oneof->name();
  return line;
}

// "/etcdserverpb.Watch/Watch stream etcdserverpb.WatchRequest -> stream etcdserverpb.WatchResponse"
std::string MethodLine(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name() +
         (method.client_streaming() ? " stream " : " ") + method.input_type()->full_name() +
         " -> " + (method.server_streaming() ? "stream " : "") + method.output_type()->full_name();
}

std::set<std::string> MessageLines(const FileDescriptor& file) {
  std::set<std::string> lines;
  VisitMessages(file, [&lines](const Descriptor& message) { lines.insert(message.full_name()); });
  return lines;
}

// etcd's fields only.
std::set<std::string> FieldLines(const FileDescriptor& file) {
  std::set<std::string> lines;
  VisitMessages(file, [&lines](const Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      if (message.field(i)->number() < kOwnFieldNumberMin) {
        lines.insert(FieldLine(*message.field(i)));
      }
    }
  });
  return lines;
}

// A value's full_name() leaves the enum's name out, so the line is put together here.
std::set<std::string> EnumValueLines(const FileDescriptor& file) {
  std::set<std::string> lines;
  VisitEnums(file, [&lines](const EnumDescriptor& type) {
    for (int i = 0; i < type.value_count(); ++i) {
      lines.insert(type.full_name() + "." + type.value(i)->name() + " " +
                   std::to_string(type.value(i)->number()));
    }
  });
  return lines;
}

std::set<std::string> MethodLines(const FileDescriptor& file) {
  std::set<std::string> lines;
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      lines.insert(MethodLine(*file.service(i)->method(j)));
    }
  }
  return lines;
}

using LinesOfFile = std::set<std::string> (*)(const FileDescriptor&);

void ExpectGolden(const std::string& path, LinesOfFile lines_of_file) {
  std::ifstream golden(path);
  ASSERT_TRUE(golden.is_open()) << path;
  std::set<std::string> expected;
  for (std::string line; std::getline(golden, line);) expected.insert(line);

  std::set<std::string> actual;
  for (const FileDescriptor* file : EtcdFiles()) actual.merge(lines_of_file(*file));

  for (const std::string& line : expected) {
    EXPECT_TRUE(actual.contains(line)) << "etcd has, Pontoon lacks: " << line;
  }
  for (const std::string& line : actual) {
    EXPECT_TRUE(expected.contains(line)) << "Pontoon has, etcd lacks: " << line;
  }
}

TEST(EtcdApi, HasEtcdsMessages) {
  ExpectGolden("proto/testdata/etcd_v3_messages.txt", MessageLines);
}

TEST(EtcdApi, HasEtcdsFields) { ExpectGolden("proto/testdata/etcd_v3_fields.txt", FieldLines); }

TEST(EtcdApi, HasEtcdsEnumValues) {
  ExpectGolden("proto/testdata/etcd_v3_enum_values.txt", EnumValueLines);
}

TEST(EtcdApi, HasEtcdsMethods) { ExpectGolden("proto/testdata/etcd_v3_methods.txt", MethodLines); }

// Guards the lists themselves against a lost line.
TEST(EtcdApi, HasEtcdsTotals) {
  const struct {
    const FileDescriptor& file;
    std::string package;
    size_t messages, fields, enum_values, methods;
  } totals[] = {
      {Kv(), "mvccpb", 2, 9, 2, 0},
      {Auth(), "authpb", 4, 10, 3, 0},
      {Rpc(), "etcdserverpb", 98, 219, 28, 42},
      {Lock(), "v3lockpb", 4, 6, 0, 2},
      {Election(), "v3electionpb", 9, 17, 0, 5},
  };
  size_t methods = 0;
  for (const auto& total : totals) {
    SCOPED_TRACE(total.package);
    EXPECT_EQ(total.file.package(), total.package);
    EXPECT_EQ(MessageLines(total.file).size(), total.messages);
    EXPECT_EQ(FieldLines(total.file).size(), total.fields);
    EXPECT_EQ(EnumValueLines(total.file).size(), total.enum_values);
    EXPECT_EQ(MethodLines(total.file).size(), total.methods);
    methods += MethodLines(total.file).size();
  }
  EXPECT_EQ(methods, 49u);
}

// Anything below the limit would have failed HasEtcdsFields; this names what lies above it.
TEST(EtcdApi, PontoonsOwnFieldsAreOutOfEtcdsWay) {
  std::set<std::string> own;
  for (const FileDescriptor* file : EtcdFiles()) {
    VisitMessages(*file, [&own](const Descriptor& message) {
      for (int i = 0; i < message.field_count(); ++i) {
        if (message.field(i)->number() >= kOwnFieldNumberMin) {
          own.insert(FieldLine(*message.field(i)));
        }
      }
    });
  }
  EXPECT_EQ(own,
            (std::set<std::string>{
                "etcdserverpb.DeleteRangeRequest.write_options pontoon.v1.WriteOptions 1001",
                "etcdserverpb.DeleteRangeResponse.write_report pontoon.v1.WriteReport 1001",
                "etcdserverpb.PutRequest.write_options pontoon.v1.WriteOptions 1001",
                "etcdserverpb.PutResponse.write_report pontoon.v1.WriteReport 1001",
                "etcdserverpb.RangeRequest.read_options pontoon.v1.ReadOptions 1000",
                "etcdserverpb.RangeResponse.read_report pontoon.v1.ReadReport 1000",
                "etcdserverpb.TxnRequest.read_options pontoon.v1.ReadOptions 1000",
                "etcdserverpb.TxnRequest.write_options pontoon.v1.WriteOptions 1001",
                "etcdserverpb.TxnResponse.read_report pontoon.v1.ReadReport 1000",
                "etcdserverpb.TxnResponse.write_report pontoon.v1.WriteReport 1001",
                "etcdserverpb.StatusResponse.last_log_index uint64 1001",
                "etcdserverpb.StatusResponse.followers repeated pontoon.v1.FollowerStatus 1002",
                "etcdserverpb.StatusResponse.pontoon_version string 1000",
                "etcdserverpb.StatusResponse.role pontoon.v1.Role 1003",
                "etcdserverpb.StatusResponse.log_bytes int64 1004",
                "etcdserverpb.StatusResponse.role_changes repeated pontoon.v1.RoleChange 1005",
                "etcdserverpb.StatusResponse.activity pontoon.v1.MemberActivity 1006",
            }));
}

// The paths that clients call are compiled into the stubs.
TEST(EtcdApi, StubsAreNamedAsClientsCallThem) {
  EXPECT_STREQ(etcdserverpb::KV::service_full_name(), "etcdserverpb.KV");
  EXPECT_STREQ(etcdserverpb::Watch::service_full_name(), "etcdserverpb.Watch");
  EXPECT_STREQ(etcdserverpb::Lease::service_full_name(), "etcdserverpb.Lease");
  EXPECT_STREQ(etcdserverpb::Cluster::service_full_name(), "etcdserverpb.Cluster");
  EXPECT_STREQ(etcdserverpb::Maintenance::service_full_name(), "etcdserverpb.Maintenance");
  EXPECT_STREQ(etcdserverpb::Auth::service_full_name(), "etcdserverpb.Auth");
  EXPECT_STREQ(v3lockpb::Lock::service_full_name(), "v3lockpb.Lock");
  EXPECT_STREQ(v3electionpb::Election::service_full_name(), "v3electionpb.Election");
}

// Two messages with odd field numbers, 11 and 64, against bytes computed by hand.
TEST(EtcdApi, BytesOnTheWire) {
  etcdserverpb::WatchResponse response;
  response.set_watch_id(7);
  response.add_events()->set_type(mvccpb::Event::DELETE);
  EXPECT_EQ(response.SerializeAsString(), std::string("\x10\x07\x5a\x02\x08\x01"));

  etcdserverpb::Compare compare;
  compare.set_key("k");
  compare.set_range_end("l");
  EXPECT_EQ(compare.SerializeAsString(), std::string("\x1a\x01k\x82\x04\x01l"));
}

}  // namespace
}  // namespace pontoon
