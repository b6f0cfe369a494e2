#include "base/format.h"

#include <algorithm>
#include <charconv>

namespace whynot::base {
namespace {

std::string written(double value, std::chars_format format, int digits) {
    char buffer[400];  // the largest double has 309 digits before the point
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format, digits).ptr};
}

}  // namespace

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(separator, begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        const size_t first = part.find_first_not_of(' ');
        parts.push_back(first == std::string::npos ? "" : part.substr(first, part.find_last_not_of(' ') + 1 - first));
        begin = end + 1;
    }
    return parts;
}

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
