#pragma once

/// Text from strangers: is it UTF-8, and how to show it without letting it drive the reader's terminal or spreadsheet.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace whynot::base {

/// What `next_code_point` gives for bytes that are not UTF-8.
constexpr char32_t not_utf8 = 0xffffffff;

/// The code point that begins at `position`, which must lie in `text`, and moves `position` behind it; `not_utf8`, and one byte on,
/// where none begins (overlong forms, surrogates and cut sequences included).
char32_t next_code_point(std::string_view text, size_t& position) noexcept;

bool is_utf8(std::string_view text) noexcept;

/// The text with what nobody sees (Unicode's controls, format characters, separators of lines) as `\n`, `\u001b`, `\U000e0041`, and bytes
/// that are not UTF-8 as `\xff`. Joiners between letters that join, and in emoji, stay.
std::string escape_controls(std::string_view text);

/// The text escaped, in single quotes, cut after 80 characters: for messages.
std::string in_quotes(std::string_view text);

/// The text, after an apostrophe where a spreadsheet would take it for a formula.
std::string not_a_formula(const std::string& text);

/// A line of CSV (RFC 4180) with its end. No cell is a formula.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace whynot::base
