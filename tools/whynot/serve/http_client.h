#pragma once

/// One connection to a server on this machine, which is kept and reused.

#include <cstdint>
#include <memory>
#include <string>

namespace whynot::cli {

class HttpClient {
public:
    struct Answer {
        int status = 0;
        std::string body;
    };

    explicit HttpClient(uint16_t port);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Waits for the answer. Throws `io` where there is none.
    Answer ask(const std::string& method, const std::string& path, const std::string& body = "");

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace whynot::cli
