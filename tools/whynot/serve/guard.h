#pragma once

/// Who may ask: whoever has the token, on this machine, and no page of another site.

#include <cstdint>
#include <optional>
#include <string>

#include "serve/http.h"

namespace whynot::cli {

/// So many random bytes as hexadecimal digits, from the system. Throws `io`.
std::string random_name(size_t bytes);

/// Whether a host with its port is this machine, by a name that no other can have.
bool is_this_machine(const std::string& host, uint16_t port);

class Guard {
public:
    /// @param port on which the server listens
    explicit Guard(uint16_t port);

    const std::string& token() const { return token_; }

    /// A name to enter by once, for the address that a browser is started with: other users see the command lines of programs.
    std::string ticket();

    /// The answer to a request that may not go on; nothing: it may. Sees the header only.
    std::optional<HttpResponse> check(const HttpRequest& request);

private:
    std::optional<HttpResponse> enter(const HttpRequest& request);
    bool has_token(const HttpRequest& request) const;

    const uint16_t port_;
    const std::string token_, cookie_;
    std::string ticket_;  // empty: used up
};

/// {"error": {"code", "message"}}
HttpResponse refusal(int status, const std::string& code, const std::string& message);

}  // namespace whynot::cli
