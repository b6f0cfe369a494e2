#pragma once

/// How lists, numbers and shares are written, in messages and for people. Independent of the locale.

#include <string>
#include <string_view>
#include <vector>

namespace whynot::base {

/// The parts with `between` between them: "a, b, c".
template <class Parts>
std::string joined(const Parts& parts, std::string_view between = ", ") {
    std::string text;
    bool first = true;
    for (const auto& part : parts) {
        if (!first) text += between;
        first = false;
        text += part;
    }
    return text;
}

/// The parts of a text between separators, without the blanks around each.
std::vector<std::string> split(const std::string& text, char separator);

/// A number with so many significant digits, as printf's %g writes it: "0.123", "1.2e-05".
std::string number(double value, int digits = 3);

/// A number with so many digits after the point: "0.25".
std::string fixed(double value, int digits);

/// A share of 1 as "12.5 %". 1 is "100.0 %".
std::string percent(double share);

/// A probability. As `percent`, but never certain: "<0.1 %" and ">99.9 %" stand for what would be rounded to 0 or 1.
std::string probability(double value);

/// "expected X, found Y".
std::string expected(std::string_view what, std::string_view found);

}  // namespace whynot::base
