#include "broker/server.h"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace soter {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::seconds;

constexpr int kThreads = 4, kMaxRequests = 100;
constexpr size_t kMaxConnections = 256;
constexpr uint32_t kMaxHeaderBytes = 16 * 1024;
constexpr uint64_t kMaxBodyBytes = 256 * 1024;
constexpr seconds kHandshakeTime(5), kRequestTime(10), kAnswerTime(10), kGoodbyeTime(2), kFinishTime(5);

using Strand = asio::strand<asio::io_context::executor_type>;
using Stream = beast::ssl_stream<beast::tcp_stream>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

auto Into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

std::string Field(const Request& request, http::field field) {
  auto found = request.find(field);
  return found == request.end() ? std::string() : std::string(found->value());
}

Response ToBeast(const HttpResponse& answer, unsigned version, bool keep_alive) {
  Response response(static_cast<http::status>(answer.status), version);
  response.set(http::field::server, "soter-broker");
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  if (!answer.set_cookie.empty()) response.set(http::field::set_cookie, answer.set_cookie);
  response.keep_alive(keep_alive);
  response.body() = answer.body;
  response.prepare_payload();
  return response;
}

// What is said of bytes that are no request that we take; nothing where there is nobody to hear it.
std::optional<HttpResponse> AnswerTo(error_code error) {
  if (error == http::error::body_limit) return Problem(413, "HttpError", "a body has at most 256 KiB");
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return Problem(431, "HttpError", "a header has at most 16 KiB");
  bool is_http = error.category() == make_error_code(http::error::bad_method).category();
  if (is_http && error != http::error::end_of_stream && error != http::error::partial_message)
    return Problem(400, "HttpError", "not HTTP as it is understood here");
  return std::nullopt;
}

// Connection is one client's. Everything of it happens on its strand.
class Connection {
 public:
  Connection(asio::ip::tcp::socket socket, asio::ssl::context& tls, const HttpHandler& handler)
      : stream_(std::move(socket), tls), handler_(handler) {
    error_code error;
    auto peer = beast::get_lowest_layer(stream_).socket().remote_endpoint(error);
    if (!error) peer_ = peer.address().to_string();
  }

  asio::awaitable<void> Converse() {
    error_code error;
    Expire(kHandshakeTime);
    co_await stream_.async_handshake(asio::ssl::stream_base::server, Into(error));
    if (error) co_return;
    for (int i = 0; i < kMaxRequests; ++i) {
      bool goes_on = co_await AnswerOne(i + 1 < kMaxRequests);
      if (!goes_on) break;
    }
    Expire(kGoodbyeTime);
    co_await stream_.async_shutdown(Into(error));
  }

  // Stop ends the connection now if it only waits for a request, and else after the answer.
  void Stop() {
    is_stopping_ = true;
    if (is_idle_) beast::get_lowest_layer(stream_).cancel();
  }

  auto executor() { return stream_.get_executor(); }

 private:
  void Expire(seconds time) { beast::get_lowest_layer(stream_).expires_after(time); }

  asio::awaitable<bool> AnswerOne(bool may_go_on) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMaxHeaderBytes);
    parser.body_limit(kMaxBodyBytes);
    error_code error;
    Expire(kRequestTime);  // for the whole request: who sends it byte by byte gains nothing
    is_idle_ = !is_stopping_;
    if (!is_idle_) co_return false;
    co_await http::async_read(stream_, buffer_, parser, Into(error));
    is_idle_ = false;
    std::optional<HttpResponse> answer;
    bool keeps_alive = false;
    if (error) {
      answer = AnswerTo(error);
      if (!answer) co_return false;
    } else {
      // The answer to HEAD should have no body; ours has, so nothing may follow it.
      keeps_alive = may_go_on && parser.get().keep_alive() && !is_stopping_ && parser.get().method() != http::verb::head;
      answer = Answer(parser.get());
    }
    bool was_read = !error;
    Response response = ToBeast(*answer, parser.get().version(), keeps_alive);
    Expire(kAnswerTime);
    co_await http::async_write(stream_, response, Into(error));
    if (!was_read && !error) co_await Drain();
    co_return keeps_alive && !error;
  }

  // Reads on for a moment: closing over bytes that were not read would take the answer back from the client.
  asio::awaitable<void> Drain() {
    std::array<char, 4096> scratch;
    error_code error;
    Expire(kGoodbyeTime);
    for (uint64_t drained = 0; !error && drained < 4 * kMaxBodyBytes;)
      drained += co_await stream_.async_read_some(asio::buffer(scratch), Into(error));
  }

  HttpResponse Answer(const Request& request) const {
    HttpRequest plain = {.method = std::string(request.method_string()),
                         .target = std::string(request.target()),
                         .cookie = Field(request, http::field::cookie),
                         .authorization = Field(request, http::field::authorization),
                         .body = request.body(),
                         .peer = peer_};
    try {
      return handler_(plain);
    } catch (const std::exception&) {
      return Problem(503, "HttpError", "the broker cannot answer now; try again later");
    }
  }

  Stream stream_;
  const HttpHandler& handler_;
  beast::flat_buffer buffer_{kMaxHeaderBytes + kMaxBodyBytes};
  std::string peer_;
  bool is_idle_ = true, is_stopping_ = false;  // who shakes hands waits for a request too
};

// Listener accepts connections and knows those that there are.
// What it does itself happens on its strand.
class Listener {
 public:
  Listener(TlsContext tls, const HttpHandler& handler)
      : tls_(tls.release()), handler_(handler) {}

  Status Listen(const ServerSettings& settings) {
    error_code error;
    asio::ip::address address = asio::ip::make_address(settings.host, error);
    if (error) return InvalidArgument(settings.host + " is not an address to listen on");
    asio::ip::tcp::endpoint endpoint(address, settings.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    std::string where = settings.host + ", port " + std::to_string(settings.port);
    if (error) return InvalidArgument("cannot listen on " + where + ": " + error.message());
    return {};
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void Run() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](error_code error, int) {
      if (!error) Stop();
    });
    asio::co_spawn(strand_, Accept(), asio::detached);
    std::vector<std::thread> threads;
    for (int i = 1; i < kThreads; ++i) threads.emplace_back([this] { io_.run(); });
    io_.run();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  asio::awaitable<void> Accept() {
    while (acceptor_.is_open()) {
      error_code error;
      asio::ip::tcp::socket socket = co_await acceptor_.async_accept(asio::make_strand(io_), Into(error));
      if (!error) {
        Begin(std::move(socket));
      } else if (acceptor_.is_open()) {  // no descriptors left: wait for some
        asio::steady_timer pause(strand_, std::chrono::milliseconds(100));
        co_await pause.async_wait(Into(error));
      }
    }
  }

  void Begin(asio::ip::tcp::socket socket) {
    auto connection = std::make_shared<Connection>(std::move(socket), tls_, handler_);
    {
      std::lock_guard lock(mutex_);
      if (is_stopping_ || connections_.size() >= kMaxConnections) return;  // closes it
      connections_.insert(connection);
    }
    asio::co_spawn(connection->executor(), connection->Converse(), [this, connection](std::exception_ptr) {
      std::lock_guard lock(mutex_);
      connections_.erase(connection);
      if (is_stopping_ && connections_.empty()) asio::post(strand_, [this] { finish_timer_.cancel(); });
    });
  }

  void Stop() {
    error_code error;
    acceptor_.close(error);
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    for (const std::shared_ptr<Connection>& connection : connections_)
      asio::post(connection->executor(), [connection] { connection->Stop(); });
    if (connections_.empty()) return;
    finish_timer_.expires_after(kFinishTime);
    finish_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) io_.stop();
    });
  }

  asio::io_context io_{kThreads};
  Strand strand_ = asio::make_strand(io_);  // of what follows, up to the mutex
  asio::ip::tcp::acceptor acceptor_{strand_};
  asio::signal_set signals_{strand_};
  asio::steady_timer finish_timer_{strand_};
  asio::ssl::context tls_;
  const HttpHandler& handler_;
  std::mutex mutex_;
  bool is_stopping_ = false;
  std::set<std::shared_ptr<Connection>> connections_;
};

}  // namespace

Status RunServer(const ServerSettings& settings, TlsContext tls, const HttpHandler& handler,
                 const std::function<void(uint16_t)>& on_ready) {
  Listener listener(std::move(tls), handler);
  TRY(listener.Listen(settings));
  on_ready(listener.port());
  listener.Run();
  return {};
}

}  // namespace soter
