#include "serve/http_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "whynot/error.h"

namespace whynot::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

struct HttpClient::State {
    explicit State(uint16_t at) : port(at) {}

    void connect() {
        stream.emplace(context);
        buffer.clear();
        stream->connect({asio::ip::address_v4::loopback(), port});
    }

    HttpClient::Answer ask(const http::request<http::string_body>& request) {
        if (!stream) connect();
        http::write(*stream, request);
        http::response<http::string_body> response;
        http::read(*stream, buffer, response);
        if (!response.keep_alive()) stream.reset();
        return {static_cast<int>(response.result_int()), std::move(response.body())};
    }

    const uint16_t port;
    asio::io_context context;
    std::optional<beast::tcp_stream> stream;
    beast::flat_buffer buffer;
};

HttpClient::HttpClient(uint16_t port) : state_(std::make_unique<State>(port)) {}
HttpClient::~HttpClient() = default;

HttpClient::Answer HttpClient::ask(const std::string& method, const std::string& path, const std::string& body) {
    http::request<http::string_body> request(http::string_to_verb(method), path, 11);
    request.set(http::field::host, "127.0.0.1:" + std::to_string(state_->port));
    request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
    const bool kept = state_->stream.has_value();
    try {
        return state_->ask(request);
    } catch (const beast::system_error& error) {
        state_->stream.reset();
        if (!kept) throw Error(ErrorCode::io, "no answer from 127.0.0.1:" + std::to_string(state_->port) + ": " + error.code().message());
    }
    try {  // the server had closed what we kept
        return state_->ask(request);
    } catch (const beast::system_error& error) {
        state_->stream.reset();
        throw Error(ErrorCode::io, "no answer from 127.0.0.1:" + std::to_string(state_->port) + ": " + error.code().message());
    }
}

}  // namespace whynot::cli
