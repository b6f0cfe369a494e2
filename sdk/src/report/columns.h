#pragma once

namespace whynot::internal {

/// Columns a character takes in a terminal. Rough on purpose: it only decides where lines are broken and captions stand.
inline int columns(char32_t c) {
    const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
    if (in(0x300, 0x36f) || in(0x200b, 0x200d) || in(0x20d0, 0x20ff) || in(0xfe00, 0xfe0f) || in(0xfe20, 0xfe2f)) return 0;
    if (in(0x1100, 0x115f) || in(0x2e80, 0xa4cf) || in(0xac00, 0xd7a3) || in(0xf900, 0xfaff) || in(0xfe30, 0xfe4f) || in(0xff00, 0xff60) ||
        in(0xffe0, 0xffe6) || in(0x1f300, 0x1f64f) || in(0x1f680, 0x1f6ff) || in(0x1f900, 0x1f9ff) || in(0x20000, 0x3fffd))
        return 2;
    return 1;
}

}  // namespace whynot::internal
