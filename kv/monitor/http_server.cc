#include "kv/monitor/http_server.h"

#include <civetweb.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "raft/env/log.h"

namespace pontoon::kv {
namespace {

constexpr size_t kErrorTextBytes = 256;
constexpr std::chrono::milliseconds kWakeInterval(10);

// civetweb's own words go to the log of events, not to the standard error.
int LogMessage(const mg_connection* /*connection*/, const char* message) {
  LogWarn("HTTP server", {{"message", message}});
  return 1;  // done with it
}

// Connects to "host:port", and hangs up.
void Touch(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) return;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  std::array<char, kErrorTextBytes> text{};
  mg_connection* const connection =
      mg_connect_client(host.c_str(), port, 0, text.data(), text.size());
  if (connection != nullptr) mg_close_connection(connection);
}

void SendHeader(mg_connection* connection, const HttpResponse& response) {
  mg_response_header_start(connection, response.code);
  mg_response_header_add(connection, "Content-Type", response.content_type.c_str(), -1);
  if (response.next_piece == nullptr) {
    mg_response_header_add(connection, "Content-Length", absl::StrCat(response.body.size()).c_str(),
                           -1);
  } else {
    mg_response_header_add(connection, "Transfer-Encoding", "chunked", -1);
  }
  mg_response_header_add(connection, "Cache-Control", "no-store", -1);
  mg_response_header_add(connection, "Content-Security-Policy",
                         "default-src 'self'; frame-ancestors 'none'", -1);
  mg_response_header_add(connection, "X-Content-Type-Options", "nosniff", -1);
  mg_response_header_send(connection);
}

// False: the client is gone.
bool SendPiece(mg_connection* connection, const std::string& piece) {
  if (piece.empty()) return true;  // an empty chunk would end the answer
  return mg_send_chunk(connection, piece.data(), static_cast<unsigned>(piece.size())) > 0;
}

void SendWithoutEnd(mg_connection* connection, const HttpResponse& response) {
  if (!SendPiece(connection, response.body)) return;
  while (const std::optional<std::string> piece = response.next_piece()) {
    if (!SendPiece(connection, *piece)) return;
  }
  mg_send_chunk(connection, "", 0);
}

void Send(mg_connection* connection, const HttpResponse& response, bool with_body) {
  SendHeader(connection, response);
  if (!with_body) return;
  if (response.next_piece != nullptr) return SendWithoutEnd(connection, response);
  mg_write(connection, response.body.data(), response.body.size());
}

}  // namespace

bool HttpRequest::Has(absl::string_view parameter, absl::string_view value) const {
  const std::vector<absl::string_view> pieces = absl::StrSplit(query, '&');
  return std::find(pieces.begin(), pieces.end(), absl::StrCat(parameter, "=", value)) !=
         pieces.end();
}

bool HttpRequest::Has(absl::string_view parameter) const {
  for (const absl::string_view piece : absl::StrSplit(query, '&')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(piece, absl::MaxSplits('=', 1));
    if (pair.first == parameter) return pair.second != "false" && pair.second != "0";
  }
  return false;
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const std::vector<std::string>& addresses, Routes routes) {
  std::unique_ptr<HttpServer> server(new HttpServer(addresses.front(), std::move(routes)));
  const std::string ports = absl::StrJoin(addresses, ",");
  const std::string threads = absl::StrCat(kThreads);
  const std::string timeout = absl::StrCat(kRequestTimeoutMs);
  std::vector<const char*> settings;
  const auto set = [&](const char* name, const char* value) {
    settings.insert(settings.end(), {name, value});
  };
  set("listening_ports", ports.c_str());
  set("num_threads", threads.c_str());
  set("request_timeout_ms", timeout.c_str());
  set("enable_keep_alive", "yes");
  // Header and body are written one after the other: with a delay, the second would wait for the
  // client's acknowledgement of the first, 40 ms, on a connection that is kept.
  set("tcp_nodelay", "1");
  settings.push_back(nullptr);
  mg_callbacks callbacks{};
  callbacks.log_message = LogMessage;
  mg_init_data init{};
  init.callbacks = &callbacks;
  init.user_data = server.get();
  init.configuration_options = settings.data();
  unsigned code = 0;
  std::array<char, kErrorTextBytes> text{};
  mg_error_data error{};
  error.code = &code;
  error.text = text.data();
  error.text_buffer_size = text.size();

  mg_init_library(MG_FEATURES_DEFAULT);
  server->context_ = mg_start2(&init, &error);
  if (server->context_ == nullptr) {
    mg_exit_library();
    return absl::UnavailableError(absl::StrCat("cannot listen on ", ports, ": ", text.data()));
  }
  mg_set_request_handler(server->context_, "/", OnRequest, server.get());
  return server;
}

HttpServer::~HttpServer() {
  if (context_ == nullptr) return;
  // civetweb's listening thread looks only every two seconds whether it is to stop, but for each
  // connection.
  std::atomic<bool> stopped = false;
  std::thread waking([&] {
    for (; !stopped; std::this_thread::sleep_for(kWakeInterval)) Touch(address_);
  });
  mg_stop(context_);
  stopped = true;
  waking.join();
  mg_exit_library();
}

int HttpServer::OnRequest(mg_connection* connection, void* self) {
  const mg_request_info* const info = mg_get_request_info(connection);
  HttpRequest request{.path = info->local_uri, .query = {}};
  if (info->query_string != nullptr) request.query = info->query_string;
  const std::string method = info->request_method;
  const HttpResponse response = static_cast<const HttpServer*>(self)->Answer(method, request);
  Send(connection, response, method != "HEAD");
  return response.code;  // anything but 0: answered
}

const HttpServer::Handler* HttpServer::Find(const std::string& path) const {
  if (const auto exact = routes_.find(path); exact != routes_.end()) return &exact->second;
  for (const auto& [route, handler] : routes_) {
    const bool is_folder = route.size() > 1 && route.back() == '/';
    if (is_folder && absl::StartsWith(path, route)) return &handler;
  }
  return nullptr;
}

HttpResponse HttpServer::Answer(const std::string& method, const HttpRequest& request) const {
  if (method != "GET" && method != "HEAD") {
    return {.code = 405, .body = "only GET and HEAD are served here\n"};
  }
  const Handler* const handler = Find(request.path);
  if (handler == nullptr) {
    std::string body = absl::StrCat("nothing is at ", request.path, "; there is:\n");
    for (const auto& [route, unused] : routes_) absl::StrAppend(&body, "  ", route, "\n");
    return {.code = 404, .body = std::move(body)};
  }
  return (*handler)(request);
}

}  // namespace pontoon::kv
