#include "base/text.h"

#include <cstdio>

namespace whynot::base {
namespace {

// What a terminal obeys or what reorders the text around it: C0, DEL, C1, line separators, explicit directions.
bool drives_terminal(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

std::string hexadecimal(const char* format, unsigned value) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, format, value);
    return buffer;
}

}  // namespace

char32_t next_code_point(std::string_view text, size_t& position) noexcept {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(position++);
    if (lead < 0x80) return lead;
    const size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - position < more) return not_utf8;
    char32_t c = lead & (0x3fu >> more);
    for (size_t i = 0; i < more; ++i) {
        if ((byte(position + i) & 0xc0) != 0x80) return not_utf8;
        c = (c << 6) | (byte(position + i) & 0x3f);
    }
    const char32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return not_utf8;
    position += more;
    return c;
}

bool is_utf8(std::string_view text) noexcept {
    for (size_t position = 0; position < text.size();)
        if (next_code_point(text, position) == not_utf8) return false;
    return true;
}

std::string escape_controls(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (size_t position = 0; position < text.size();) {
        const size_t begin = position;
        const char32_t c = next_code_point(text, position);
        if (c == not_utf8) {
            result += hexadecimal("\\x%02x", static_cast<unsigned char>(text[begin]));
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (drives_terminal(c)) {
            result += hexadecimal("\\u%04x", c);
        } else {
            result += text.substr(begin, position - begin);
        }
    }
    return result;
}

std::string in_quotes(std::string_view text) {
    size_t position = 0;
    for (int characters = 0; characters < 80 && position < text.size(); ++characters) next_code_point(text, position);
    return "'" + escape_controls(text.substr(0, position)) + (position < text.size() ? "...'" : "'");
}

}  // namespace whynot::base
