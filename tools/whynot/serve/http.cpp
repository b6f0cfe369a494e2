#include "serve/http.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <list>

#include "whynot/error.h"
#include "whynot/version.h"

namespace whynot::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using Failure = beast::error_code;
using Clock = std::chrono::steady_clock;

Clock::duration seconds(double number) { return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(number)); }

/// "a%20b+c" as "a b c".
std::string decoded(std::string_view text) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    };
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
            result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            result += text[i] == '+' ? ' ' : text[i];
        }
    }
    return result;
}

std::map<std::string, std::string> query_of(std::string_view text) {
    std::map<std::string, std::string> query;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('&', begin), text.size());
        const std::string_view one = text.substr(begin, end - begin);
        const size_t equals = std::min(one.find('='), one.size());
        query[decoded(one.substr(0, equals))] = equals < one.size() ? decoded(one.substr(equals + 1)) : "";
        begin = end + 1;
    }
    return query;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 32);
    return result;
}

HttpRequest head_of(const http::header<true>& header) {
    HttpRequest request;
    request.method = std::string(header.method_string());
    const std::string_view target(header.target().data(), header.target().size());
    const size_t question = std::min(target.find('?'), target.size());
    request.path = std::string(target.substr(0, question));
    if (question < target.size()) request.query = query_of(target.substr(question + 1));
    for (const auto& field : header)
        request.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}),
                                     std::string(field.value().data(), field.value().size()));
    return request;
}

/// What a request is told that cannot be read.
std::optional<HttpResponse> refusal_of(const Failure& failure) {
    const auto say = [](int status, const std::string& code, const std::string& message) {
        return HttpResponse{status, "application/json", R"({"error": {"code": ")" + code + R"(", "message": ")" + message + "\"}}\n"};
    };
    if (failure == http::error::header_limit) return say(431, "invalid-argument", "the header of this request is too long");
    if (failure == http::error::body_limit) return say(413, "invalid-argument", "the body of this request is too large");
    // Of a request that was cut off there is nobody left to tell; all else of this kind is no HTTP.
    if (failure == http::error::end_of_stream || failure == http::error::partial_message) return std::nullopt;
    if (failure.category() == make_error_code(http::error::bad_method).category())
        return say(400, "invalid-argument", "this is no request that HTTP/1.1 knows");
    return std::nullopt;
}

struct Shared;

/// One connection, and the request that it is at.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {}

    void read();
    void send(HttpResponse response);
    void close();
    bool is_silent() const { return silent_; }

private:
    friend class Turn;
    void read_body();
    void write(HttpResponse response, bool then_close);
    void watch(uint64_t turn);
    void linger();

    beast::tcp_stream stream_;
    Shared& shared_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    std::function<void()> gone_;
    uint64_t turn_ = 0;       // which request of this connection
    bool answered_ = true;    // that one
    bool silent_ = true;      // between requests
    bool keeps_open_ = true;  // after its answer
    char rest_[512] = {};
};

/// What connections share.
struct Shared {
    Shared(const HttpLimits& all, HttpServer::Check may, HttpServer::Handle then)
        : limits(all), check(std::move(may)), handle(std::move(then)) {}

    void add(const std::shared_ptr<Session>& session) {
        sessions.remove_if([](const std::weak_ptr<Session>& each) { return each.expired(); });
        if (sessions.size() >= limits.connections) {
            const auto silent = std::find_if(sessions.begin(), sessions.end(), [](const std::weak_ptr<Session>& each) {
                const auto there = each.lock();
                return there && there->is_silent();
            });
            if (silent != sessions.end()) silent->lock()->close();
        }
        sessions.push_back(session);
    }

    const HttpLimits limits;
    const HttpServer::Check check;
    const HttpServer::Handle handle;
    asio::io_context context{1};
    std::list<std::weak_ptr<Session>> sessions;  // oldest first
};

/// The reply to one request of a connection: later ones of the same connection are others.
class Turn : public HttpReply {
public:
    Turn(std::shared_ptr<Session> session, uint64_t turn) : session_(std::move(session)), turn_(turn) {}
    void send(HttpResponse response) override {
        asio::post(session_->stream_.get_executor(), [keep = session_, turn = turn_, response = std::move(response)]() mutable {
            if (keep->turn_ == turn) keep->send(std::move(response));
        });
    }
    void when_gone(std::function<void()> gone) override {
        if (session_->turn_ == turn_ && !session_->answered_) session_->gone_ = std::move(gone);
    }

private:
    const std::shared_ptr<Session> session_;
    const uint64_t turn_;
};

void Session::read() {
    silent_ = true;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.header));
    parser_->body_limit(shared_.limits.body);
    stream_.expires_after(seconds(shared_.limits.silent));
    http::async_read_header(stream_, buffer_, *parser_, [keep = shared_from_this()](Failure failure, size_t) {
        Session& self = *keep;
        self.silent_ = false;
        ++self.turn_;
        self.answered_ = false;
        if (failure) {
            if (auto refusal = refusal_of(failure)) return self.write(std::move(*refusal), true);
            return self.close();
        }
        self.keeps_open_ = self.parser_->get().keep_alive();
        if (auto refusal = self.shared_.check(head_of(self.parser_->get()))) {
            const bool has_body = self.parser_->content_length().value_or(0) > 0 || self.parser_->chunked();
            return self.write(std::move(*refusal), has_body);
        }
        self.read_body();
    });
}

void Session::read_body() {
    stream_.expires_after(seconds(shared_.limits.body_seconds));
    http::async_read(stream_, buffer_, *parser_, [keep = shared_from_this()](Failure failure, size_t) {
        Session& self = *keep;
        if (failure) {
            if (auto refusal = refusal_of(failure)) return self.write(std::move(*refusal), true);
            return self.close();
        }
        self.stream_.expires_never();  // the answer may take its time
        HttpRequest request = head_of(self.parser_->get());
        request.body = std::move(self.parser_->get().body());
        self.watch(self.turn_);
        self.shared_.handle(std::move(request), std::make_shared<Turn>(keep, self.turn_));
    });
}

/// Notices when the client goes while its answer is being made.
void Session::watch(uint64_t turn) {
    stream_.socket().async_wait(tcp::socket::wait_read, [keep = shared_from_this(), turn](Failure failure) {
        Session& self = *keep;
        if (failure || self.turn_ != turn || self.answered_) return;
        char byte = 0;
        Failure ended;
        self.stream_.socket().non_blocking(true, ended);
        self.stream_.socket().receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ended);
        if (!ended || ended == asio::error::would_block) return;  // it sends its next request already
        if (self.gone_) std::exchange(self.gone_, nullptr)();
        self.close();
    });
}

void Session::send(HttpResponse response) {
    if (answered_) return;
    write(std::move(response), !keeps_open_);
}

void Session::write(HttpResponse response, bool then_close) {
    answered_ = true;
    gone_ = nullptr;
    response_.emplace(static_cast<http::status>(response.status), 11);
    response_->set(http::field::server, "whynot/" WHYNOT_VERSION);
    response_->set(http::field::content_type, response.type);
    for (const auto& [name, value] : response.headers) response_->insert(name, value);
    response_->keep_alive(!then_close);
    response_->body() = std::move(response.body);
    response_->prepare_payload();
    if (parser_->get().method() == http::verb::head) response_->body().clear();
    stream_.expires_after(seconds(shared_.limits.body_seconds));
    http::async_write(stream_, *response_, [keep = shared_from_this(), then_close](Failure failure, size_t) {
        if (failure) return keep->close();
        if (then_close) return keep->linger();
        keep->read();
    });
}

/// A connection that is closed while its client still sends loses the answer on the way; so what comes is read and thrown away for a while.
void Session::linger() {
    Failure ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(seconds(1));
    stream_.async_read_some(asio::buffer(rest_), [keep = shared_from_this()](Failure failure, size_t) {
        if (failure) return keep->close();
        keep->stream_.async_read_some(asio::buffer(keep->rest_), [keep](Failure, size_t) { keep->close(); });
    });
}

void Session::close() {
    Failure ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
}

}  // namespace

std::vector<std::string> HttpRequest::header(const std::string& name) const {
    std::vector<std::string> values;
    for (const auto& [known, value] : headers)
        if (known == name) values.push_back(value);
    return values;
}

struct HttpServer::State : Shared {
    using Shared::Shared;

    void accept() {
        acceptor.async_accept([this](Failure failure, tcp::socket socket) {
            if (failure == asio::error::operation_aborted) return;
            if (failure) {  // too many open files, say: others will be closed
                retry.expires_after(std::chrono::milliseconds(100));
                retry.async_wait([this](Failure ended) {
                    if (!ended) accept();
                });
                return;
            }
            Failure ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            const auto session = std::make_shared<Session>(std::move(socket), *this);
            add(session);
            session->read();
            accept();
        });
    }

    tcp::acceptor acceptor{context};
    asio::steady_timer retry{context};
};

HttpServer::HttpServer(const HttpLimits& limits, Check check, Handle handle)
    : state_(std::make_unique<State>(limits, std::move(check), std::move(handle))) {}
HttpServer::~HttpServer() = default;

uint16_t HttpServer::listen(uint16_t port, int tries) {
    tcp::acceptor& acceptor = state_->acceptor;
    Failure failure;
    for (int i = 0; i < tries && port + i <= 65535; ++i) {
        const tcp::endpoint place(asio::ip::address_v4::loopback(), static_cast<uint16_t>(port + i));
        acceptor.open(place.protocol(), failure);
        // A port that was just closed can be had again; one that is in use cannot: that would take another option.
        if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
        if (!failure) acceptor.bind(place, failure);
        if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
        if (!failure) {
            const uint16_t found = acceptor.local_endpoint().port();
            state_->accept();
            return found;
        }
        Failure ignored;
        acceptor.close(ignored);
    }
    const std::string ports = tries > 1 ? "the ports from " + std::to_string(port) + " to " + std::to_string(port + tries - 1) + " are"
                                        : "the port " + std::to_string(port) + " is";
    throw Error(ErrorCode::io,
                "cannot listen on 127.0.0.1: " + ports + " not free (" + failure.message() + "); name another one with --port");
}

void HttpServer::run(const std::vector<int>& until_readable) {
    std::list<asio::posix::stream_descriptor> watched;
    for (const int descriptor : until_readable) {
        watched.emplace_back(state_->context, ::dup(descriptor));
        watched.back().async_wait(asio::posix::stream_descriptor::wait_read, [this](Failure) { state_->context.stop(); });
    }
    state_->context.run();
}

void HttpServer::after(double delay, std::function<void()> call) {
    asio::post(state_->context, [this, delay, call = std::move(call)]() mutable {
        if (delay <= 0) return call();
        auto timer = std::make_shared<asio::steady_timer>(state_->context, seconds(delay));
        timer->async_wait([timer, call = std::move(call)](Failure failure) {
            if (!failure) call();
        });
    });
}

}  // namespace whynot::cli
