#pragma once

/// What splitting a text into words begins with: its characters, made alike.

#include <unicode/utypes.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace whynot::text {

/// The smallest thing the rules below look at: a normalised character, or an emoji however many code points it has.
struct Unit {
    std::string text;
    UChar32 c;  // the (first) code point
    bool emoji;
    size_t begin, end;  // bytes of the original
};
using Units = std::vector<Unit>;

/// The units of a text: NFKC and case folding character by character, plain signs for those that people and word processors write, without
/// control characters. Its words are still to be told apart. @throws Error invalid_input for text that is not UTF-8 or is too long
Units read_units(std::string_view utf8);

/// Throws Error `invalid_input` for text that is not UTF-8, naming the byte, or is too long.
void check_text(std::string_view utf8);

/// Throws Error `internal` where ICU failed to do something.
void check_icu(UErrorCode status, const char* what);

bool one_of(std::string_view word, std::initializer_list<std::string_view> list);

}  // namespace whynot::text
