#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace whynot::test {

struct HttpRequest {
    std::string path;
    size_t begin = 0;  ///< of "Range: bytes=<begin>-"
    bool ranged = false;
};

struct HttpAnswer {
    std::string bytes;  ///< headers and all
    bool hang = false;  ///< say no more, but do not hang up
};

/// 200 and all of it, whatever was asked for.
inline HttpAnswer whole(const std::string& body) {
    return {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

/// As a server answers that knows ranges.
inline HttpAnswer ranged(const std::string& body, const HttpRequest& request) {
    if (!request.ranged) return whole(body);
    const std::string size = std::to_string(body.size()), close = "\r\nConnection: close\r\nContent-Length: ";
    if (request.begin >= body.size()) return {"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */" + size + close + "0\r\n\r\n"};
    return {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(request.begin) + '-' +
            std::to_string(body.size() - 1) + '/' + size + close + std::to_string(body.size() - request.begin) + "\r\n\r\n" +
            body.substr(request.begin)};
}

inline HttpAnswer status(const std::string& line, const std::string& headers = "", const std::string& body = "") {
    return {"HTTP/1.1 " + line + "\r\nConnection: close\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body};
}

/// A server on the loopback for one test. It answers one request after the other, each on a connection of its own.
class HttpServer {
public:
    using Handler = std::function<HttpAnswer(const HttpRequest&)>;

    explicit HttpServer(Handler handler) : handler_(std::move(handler)), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(socket_, 8) != 0 ||
            getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::runtime_error("no server on the loopback");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~HttpServer() {
        shutdown(socket_, SHUT_RDWR);
        thread_.join();
        close(socket_);
        for (const int connection : hanging_) close(connection);
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

    std::vector<HttpRequest> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    void serve() {
        for (;;) {
            const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) return;
            std::string text;
            char bytes[4096];
            while (text.find("\r\n\r\n") == std::string::npos) {
                const ssize_t count = read(connection, bytes, sizeof bytes);
                if (count <= 0) break;
                text.append(bytes, static_cast<size_t>(count));
            }
            HttpRequest request;
            const size_t path = text.find(' ') + 1, range = text.find("Range: bytes=");
            request.path = text.substr(path, text.find(' ', path) - path);
            request.ranged = range != std::string::npos;
            if (request.ranged) request.begin = std::stoul(text.substr(range + 13));
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
            }
            const HttpAnswer answer = handler_(request);
            for (size_t sent = 0; sent < answer.bytes.size();) {
                const ssize_t count = send(connection, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
                if (count <= 0) break;
                sent += static_cast<size_t>(count);
            }
            if (answer.hang)
                hanging_.push_back(connection);
            else
                close(connection);
        }
    }

    const Handler handler_;
    const int socket_;
    int port_ = 0;
    std::vector<int> hanging_;
    mutable std::mutex mutex_;
    std::vector<HttpRequest> requests_;
    std::thread thread_;
};

}  // namespace whynot::test
