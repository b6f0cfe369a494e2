#include "serve/guard.h"

#include <sys/random.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

/// Takes as long for a text that is nearly right as for any other of its length.
bool same(const std::string& one, const std::string& other) {
    if (one.size() != other.size()) return false;
    unsigned char differs = 0;
    for (size_t i = 0; i < one.size(); ++i) differs |= static_cast<unsigned char>(one[i] ^ other[i]);
    return differs == 0;
}

/// The value of a cookie; empty: it was not sent.
std::string cookie_in(const HttpRequest& request, const std::string& name) {
    for (const std::string& header : request.header("cookie")) {
        for (size_t begin = 0; begin < header.size();) {
            const size_t end = std::min(header.find(';', begin), header.size());
            std::string one = header.substr(begin, end - begin);
            one.erase(0, one.find_first_not_of(' '));
            if (one.compare(0, name.size() + 1, name + "=") == 0) return one.substr(name.size() + 1);
            begin = end + 1;
        }
    }
    return "";
}

const char* const how_to_enter =
    "this server answers those who have its token: open the address that 'whynot serve' printed, or send the header 'Authorization: Bearer "
    "TOKEN'";

}  // namespace

std::string random_name(size_t bytes) {
    std::string raw(bytes, '\0'), name;
    if (getrandom(raw.data(), bytes, 0) != static_cast<ssize_t>(bytes)) throw Error(ErrorCode::io, "the system gives no random numbers");
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        name += "0123456789abcdef"[byte >> 4];
        name += "0123456789abcdef"[byte & 15];
    }
    return name;
}

HttpResponse refusal(int status, const std::string& code, const std::string& message) {
    return {
        status, "application/json",
        base::Json{{"error", {{"code", code}, {"message", message}}}}.dump(-1, ' ', false, base::Json::error_handler_t::replace) + "\n"};
}

Guard::Guard(uint16_t port) : port_(port), token_(random_name(24)), cookie_("whynot-" + std::to_string(port)) {}

std::string Guard::ticket() { return ticket_ = random_name(24); }

bool is_this_machine(const std::string& host, uint16_t port) {
    const std::string with_port = ":" + std::to_string(port);
    for (const char* name : {"localhost", "localhost.", "127.0.0.1", "[::1]"})
        if (host == name + with_port || (port == 80 && host == name)) return true;
    return false;
}

std::optional<HttpResponse> Guard::check(const HttpRequest& request) {
    const std::vector<std::string> hosts = request.header("host");
    if (hosts.size() != 1) return refusal(400, "invalid-argument", "expected one Host, found " + std::to_string(hosts.size()));
    if (!is_this_machine(hosts[0], port_))
        return refusal(403, "invalid-argument",
                       "this server is localhost or 127.0.0.1 with its own port, and not " + base::in_quotes(hosts[0]));
    for (const std::string& origin : request.header("origin"))
        if (origin.compare(0, 7, "http://") != 0 || !is_this_machine(origin.substr(7), port_))
            return refusal(403, "invalid-argument", "no page of another site may ask");
    for (const std::string& site : request.header("sec-fetch-site"))
        if (site != "same-origin" && site != "none") return refusal(403, "invalid-argument", "no page of another site may ask");
    if (request.method != "GET" && request.method != "HEAD" && request.method != "POST" && request.method != "DELETE")
        return refusal(405, "invalid-argument", "there are GET, HEAD, POST and DELETE");
    if (auto entered = enter(request)) return entered;
    if (!has_token(request)) {
        if (request.path.rfind("/api/", 0) == 0) return refusal(401, "invalid-argument", how_to_enter);
        return HttpResponse{401, "text/plain", std::string(how_to_enter) + "\n"};  // for a person
    }
    return std::nullopt;
}

/// The address that was printed: its token becomes a cookie, and goes from the address.
std::optional<HttpResponse> Guard::enter(const HttpRequest& request) {
    if (request.path != "/" || request.method != "GET") return std::nullopt;
    const auto token = request.query.find("token"), ticket = request.query.find("ticket");
    const bool by_token = token != request.query.end() && same(token->second, token_);
    const bool by_ticket = ticket != request.query.end() && !ticket_.empty() && same(ticket->second, ticket_);
    if (!by_token && !by_ticket) return std::nullopt;
    if (by_ticket) ticket_.clear();
    return HttpResponse{303,
                        "text/plain",
                        "",
                        {{"Location", "/"},
                         {"Set-Cookie", cookie_ + "=" + token_ + "; Path=/; HttpOnly; SameSite=Strict"},
                         {"Cache-Control", "no-store"},
                         {"Referrer-Policy", "no-referrer"}}};
}

bool Guard::has_token(const HttpRequest& request) const {
    for (const std::string& header : request.header("authorization"))
        if (header.compare(0, 7, "Bearer ") == 0 && same(header.substr(7), token_)) return true;
    return same(cookie_in(request, cookie_), token_);
}

}  // namespace whynot::cli
