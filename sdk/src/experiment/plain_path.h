#pragma once

#include <algorithm>
#include <string>

namespace whynot::internal {

/// A relative path of letters, digits and . _ - whose parts, joined by `/`, are none of "", "." and "..": it leads out of no folder, and a
/// page or a shell takes it as it is.
inline bool is_plain_path(const std::string& path) {
    const auto plain = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
    };
    if (!std::all_of(path.begin(), path.end(), plain)) return false;
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find('/', begin), path.size());
        const std::string part = path.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") return false;
        begin = end + 1;
    }
    return true;
}

}  // namespace whynot::internal
