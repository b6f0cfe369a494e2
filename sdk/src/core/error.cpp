#include "whynot/error.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace whynot {

namespace {

constexpr size_t max_message = 8000;  // bytes; a table of stamps has a thousand

/// Whatever found its way into a message, it drives no terminal and fills no screen: lines stay lines, all else is escaped.
std::string presentable(const std::string& message) {
    std::string text;
    for (size_t begin = 0; begin <= message.size() && text.size() <= max_message;) {
        const size_t end = std::min({message.find('\n', begin), message.size(), begin + max_message});
        if (begin > 0) text += '\n';
        text += base::escape_controls(std::string_view(message).substr(begin, end - begin));
        begin = end + 1;
    }
    if (text.size() <= max_message) return text;
    size_t end = max_message;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
    return text.substr(0, end) + "...";
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message) : std::runtime_error(presentable(message)), code_(code) {}

// Out of line, so that the type has one home and is the same on both sides of the plugin boundary.
Error::~Error() = default;

const char* to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_input: return "invalid-input";
        case ErrorCode::invalid_argument: return "invalid-argument";
        case ErrorCode::not_found: return "not-found";
        case ErrorCode::bad_pack: return "bad-pack";
        case ErrorCode::bad_plugin: return "bad-plugin";
        case ErrorCode::io: return "io";
        case ErrorCode::cancelled: return "cancelled";
        case ErrorCode::internal: return "internal";
    }
    return "internal";
}

}  // namespace whynot
