// HttpServer: what operators and their tools read of a member over HTTP.

#ifndef PONTOON_KV_MONITOR_HTTP_SERVER_H_
#define PONTOON_KV_MONITOR_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct mg_connection;
struct mg_context;

namespace pontoon::kv {

struct HttpRequest {
  std::string path;   // as it was routed: "/readyz/leader"
  std::string query;  // what follows '?', as it came

  // Whether the query has this parameter, with a value other than "false" or "0", or without one.
  bool Has(absl::string_view parameter) const;
  // Whether the query has `parameter`=`value`, which may be one of several.
  bool Has(absl::string_view parameter, absl::string_view value) const;
};

struct HttpResponse {
  int code = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  // Of an answer without an end: gives what is to be sent after `body`, piece by piece, and waits
  // for it; nothing: it ends after all. Takes a thread of the server for as long as it goes on.
  std::function<std::optional<std::string>()> next_piece = nullptr;
};

// Serves GET and HEAD on a few threads of its own, one request at a time on each. Nothing may be
// changed through it: it knows no other method. Browsers are told to load nothing from elsewhere.
//
// Thread safety: one thread. Handlers are called from several at once, and may block.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  // By path. A path that ends with '/' serves all that begins with it, and "/" only itself.
  using Routes = std::map<std::string, Handler>;

  static constexpr int kThreads = 16;
  static constexpr int kRequestTimeoutMs = 10'000;

  // Listens on all of `addresses` ("host:port", as Url::HostPort gives it) or fails with
  // UNAVAILABLE and the reason. Serves from then on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const std::vector<std::string>& addresses, Routes routes);
  // Waits for the requests that are being answered; answers without an end must be ended before.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  HttpServer(std::string address, Routes routes)
      : address_(std::move(address)), routes_(std::move(routes)) {}

  static int OnRequest(mg_connection* connection, void* self);
  HttpResponse Answer(const std::string& method, const HttpRequest& request) const;
  const Handler* Find(const std::string& path) const;

  const std::string address_;  // the first one
  const Routes routes_;
  mg_context* context_ = nullptr;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_HTTP_SERVER_H_
