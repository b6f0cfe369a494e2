#pragma once

/// A small HTTP/1.1 server for the loopback, on Boost.Beast: bounded in whatever a stranger can make large or slow.
///
/// One thread does all input and output: whoever calls `run`. A request is answered through its `HttpReply`, at once or later and from any
/// thread: a request that waits for something takes no thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace whynot::cli {

/// Ports that are tried after the one that was asked for.
constexpr int further_ports = 10;

struct HttpLimits {
    size_t header = 8 * 1024;        ///< bytes; more: 431
    size_t body = 16 * 1024 * 1024;  ///< bytes; more: 413, before it is read where its length is said
    double silent = 20;              ///< seconds until a request's header must be there
    double body_seconds = 10;        ///< seconds from there to the end of its body
    size_t connections = 400;        ///< at once; beyond, those that have been silent longest are closed
};

struct HttpRequest {
    std::string method;
    std::string path;                                          ///< without the query, as it was sent
    std::map<std::string, std::string> query;                  ///< decoded
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in order
    std::string body;

    /// All values of a header. @param name in lower case
    std::vector<std::string> header(const std::string& name) const;
};

struct HttpResponse {
    int status = 200;
    std::string type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Where the answer to one request goes. Threads: any.
class HttpReply {
public:
    virtual ~HttpReply() = default;
    /// The first one counts. Nothing happens where the client has gone.
    virtual void send(HttpResponse response) = 0;
    /// Calls `gone`, in the server's thread, if the client goes before it has its answer. To be called from that thread.
    virtual void when_gone(std::function<void()> gone) = 0;
};

class HttpServer {
public:
    /// Sees the header of a request before its body is read; a response refuses it.
    using Check = std::function<std::optional<HttpResponse>(const HttpRequest&)>;
    using Handle = std::function<void(HttpRequest, const std::shared_ptr<HttpReply>&)>;

    HttpServer(const HttpLimits& limits, Check check, Handle handle);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Listens on 127.0.0.1. @param tries so many ports from the first one on; port 0: any @return the port
    /// Throws `io` where none of them is free.
    uint16_t listen(uint16_t port, int tries);

    /// Answers until one of the descriptors becomes readable, such as `interruption()`.
    void run(const std::vector<int>& until_readable);

    /// Calls later, in the server's thread. Threads: any.
    void after(double seconds, std::function<void()> call);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace whynot::cli
