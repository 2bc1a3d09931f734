// Sends reads and writes to a member, as one call each.

#ifndef PONTOON_KV_CLIENT_KV_CALLS_H_
#define PONTOON_KV_CLIENT_KV_CALLS_H_

#include "kv/client/client_core.h"
#include "kv/client/kv.h"
#include "kv/client/retrying_call.h"
#include "proto/rpc.pb.h"

namespace pontoon {

void SendRange(ClientCore* core, etcdserverpb::RangeRequest request, const ReadOptions& options,
               Callback<etcdserverpb::RangeResponse> done);
// INVALID_ARGUMENT if the transaction may write: it would be sent again as reads are.
void SendReadTxn(ClientCore* core, etcdserverpb::TxnRequest request, const ReadOptions& options,
                 Callback<etcdserverpb::TxnResponse> done);

// `effect` is kRepeatable if the request names its write (write_options.once).
void SendPut(ClientCore* core, etcdserverpb::PutRequest request, const WriteOptions& options,
             Effect effect, Callback<etcdserverpb::PutResponse> done);
void SendDelete(ClientCore* core, etcdserverpb::DeleteRangeRequest request,
                const WriteOptions& options, Effect effect,
                Callback<etcdserverpb::DeleteRangeResponse> done);
void SendTxn(ClientCore* core, etcdserverpb::TxnRequest request, const WriteOptions& options,
             Effect effect, Callback<etcdserverpb::TxnResponse> done);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_KV_CALLS_H_
