#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace whynot::base {
namespace {

struct Range {
    char32_t first, last;
};

/// Unicode's control characters (Cc), format characters (Cf) and separators of lines and paragraphs (Zl, Zp), version 15: what a terminal
/// obeys, what reorders the text around it, and what nobody sees. But not the Arabic, Syriac and Kaithi signs of numbers and abbreviations,
/// which are of Cf and are seen (Prepended_Concatenation_Mark).
constexpr Range unseen[] = {{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x61c, 0x61c},
                            {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x2064},
                            {0x2066, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x13430, 0x1343f},
                            {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}};

constexpr char32_t non_joiner = 0x200c, joiner = 0x200d, first_that_joins = 0x590;

bool is_unseen(char32_t c) {
    const Range* const range =
        std::lower_bound(std::begin(unseen), std::end(unseen), c, [](const Range& r, char32_t x) { return r.last < x; });
    return range != std::end(unseen) && range->first <= c;
}

/// Whether a character has to be shown as its number. Joiners are letters' own business between letters of scripts that use them, from
/// Hebrew on, and within emoji; nowhere else do they show.
bool is_escaped(char32_t c, char32_t before, char32_t after) {
    if (!is_unseen(c)) return false;
    const bool joins = c == joiner || c == non_joiner;
    const auto is_joined = [](char32_t other) { return other >= first_that_joins && other != not_utf8 && !is_unseen(other); };
    return !(joins && is_joined(before) && is_joined(after));
}

bool is_number(const std::string& text) {
    const size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
    if (sign == text.size() || !((text[sign] >= '0' && text[sign] <= '9') || text[sign] == '.')) return false;  // "-inf" is none here
    double value = 0;
    const auto [end, error] = std::from_chars(text.data() + sign, text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

std::string csv_cell(const std::string& text) {
    const std::string safe = not_a_formula(text);
    if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
    std::string quoted = "\"";
    for (const char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
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
    char32_t before = 0;
    for (size_t position = 0; position < text.size();) {
        const size_t begin = position;
        const char32_t c = next_code_point(text, position);
        size_t next = position;
        const char32_t after = c >= 0x80 && next < text.size() ? next_code_point(text, next) : 0;
        if (c == not_utf8) {
            result += hexadecimal("\\x%02x", static_cast<unsigned char>(text[begin]));
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (is_escaped(c, before, after)) {
            result += hexadecimal(c > 0xffff ? "\\U%08x" : "\\u%04x", c);
        } else {
            result += text.substr(begin, position - begin);
        }
        before = c;
    }
    return result;
}

std::string in_quotes(std::string_view text) {
    size_t position = 0;
    for (int characters = 0; characters < 80 && position < text.size(); ++characters) next_code_point(text, position);
    return "'" + escape_controls(text.substr(0, position)) + (position < text.size() ? "...'" : "'");
}

std::string not_a_formula(const std::string& text) {
    return !text.empty() && std::string("=+-@\t\r").find(text[0]) != std::string::npos && !is_number(text) ? "'" + text : text;
}

std::string csv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) line += (i > 0 ? "," : "") + csv_cell(cells[i]);
    return line + "\r\n";
}

}  // namespace whynot::base
