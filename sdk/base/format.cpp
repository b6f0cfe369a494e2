#include "base/format.h"

#include <charconv>

namespace whynot::base {
namespace {

std::string written(double value, std::chars_format format, int digits) {
    char buffer[400];  // the largest double has 309 digits before the point
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format, digits).ptr};
}

}  // namespace

std::string number(double value, int digits) { return written(value, std::chars_format::general, digits); }

std::string fixed(double value, int digits) { return written(value, std::chars_format::fixed, digits); }

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

std::string probability(double value) {
    if (value < 0.0005) return "<0.1 %";
    if (value >= 0.9995) return ">99.9 %";
    return percent(value);
}

std::string expected(std::string_view what, std::string_view found) {
    return "expected " + std::string(what) + ", found " + std::string(found);
}

}  // namespace whynot::base
