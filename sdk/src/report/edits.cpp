#include "whynot/edits.h"

namespace whynot {

std::vector<EditPart> edit_parts(std::string_view line, std::string_view typed) {
    std::vector<EditPart> parts;
    size_t kept = 0;
    const auto keep = [&](size_t end) {
        if (end > kept) parts.push_back({EditPart::Kind::kept, line.substr(kept, end - kept)});
    };
    for (size_t at = 0; at + 1 < line.size();) {
        const char sign = line[at];
        const char closing[] = {']', sign};
        const bool opens = (sign == '-' || sign == '+') && line[at + 1] == '[';
        const size_t close = opens ? line.find(std::string_view(closing, 2), at + 2) : std::string_view::npos;
        if (close == std::string_view::npos) {
            ++at;
            continue;
        }
        if (typed.find(line.substr(at, close + 2 - at)) != std::string_view::npos) {
            at = close + 2;
            continue;
        }
        keep(at);
        parts.push_back({sign == '-' ? EditPart::Kind::deleted : EditPart::Kind::inserted, line.substr(at + 2, close - at - 2)});
        at = kept = close + 2;
    }
    keep(line.size());
    return parts;
}

}  // namespace whynot
