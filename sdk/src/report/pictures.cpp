#include "report/pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "report/columns.h"
#include "whynot/error.h"

namespace whynot {
namespace {

constexpr int64_t left_margin = 4, gap = 2;  // columns
constexpr int64_t narrowest = 10;            // of the room for a picture: its name has to be legible
constexpr int64_t highest = 80;              // pixels, two a line: all of a picture is on the screen at once

using Colour = std::array<int, 3>;  // red, green, blue, 0 to 255

/// What one pixel of a smaller picture covers of the larger one: the pixels from `first` on, each by its share; the shares sum to one.
struct Span {
    int64_t first;
    std::vector<double> shares;
};

std::vector<Span> spans(int64_t size, int64_t smaller) {
    std::vector<Span> result;
    const double step = static_cast<double>(size) / static_cast<double>(smaller);
    for (int64_t i = 0; i < smaller; ++i) {
        const double begin = static_cast<double>(i) * step, end = std::min(static_cast<double>(i + 1) * step, static_cast<double>(size));
        Span span{static_cast<int64_t>(begin), {}};
        for (int64_t p = span.first; p < size && static_cast<double>(p) < end; ++p) {
            const auto pixel = static_cast<double>(p);
            span.shares.push_back((std::min(end, pixel + 1) - std::max(begin, pixel)) / step);
        }
        result.push_back(std::move(span));
    }
    return result;
}

/// A picture made smaller by averaging areas, over black where it is not opaque.
class Smaller {
public:
    Smaller(const Picture& picture, double factor)
        : width_(shrunk(picture.width, factor)), height_(shrunk(picture.height, factor)), colours_(width_ * height_) {
        const std::vector<Span> columns = spans(picture.width, width_), rows = spans(picture.height, height_);
        for (int64_t y = 0; y < height_; ++y)
            for (int64_t x = 0; x < width_; ++x) colours_[y * width_ + x] = average(picture, columns[x], rows[y]);
    }

    int64_t width() const { return width_; }
    int64_t height() const { return height_; }
    const Colour& at(int64_t x, int64_t y) const { return colours_[y * width_ + x]; }

private:
    static int64_t shrunk(int64_t size, double factor) { return std::max<int64_t>(1, std::llround(static_cast<double>(size) * factor)); }

    static Colour average(const Picture& picture, const Span& columns, const Span& rows) {
        const bool coloured = picture.channels > 2, opaque = picture.channels % 2 == 1;
        std::array<double, 3> sum{};
        for (size_t j = 0; j < rows.shares.size(); ++j) {
            const uint8_t* pixel = &picture.bytes[((rows.first + j) * picture.width + columns.first) * picture.channels];
            for (size_t i = 0; i < columns.shares.size(); ++i, pixel += picture.channels) {
                const double share = rows.shares[j] * columns.shares[i] * (opaque ? 1 : pixel[picture.channels - 1] / 255.0);
                for (size_t c = 0; c < 3; ++c) sum[c] += share * pixel[coloured ? c : 0];
            }
        }
        Colour colour;
        for (size_t c = 0; c < 3; ++c) colour[c] = std::clamp(static_cast<int>(std::lround(sum[c])), 0, 255);
        return colour;
    }

    int64_t width_, height_;
    std::vector<Colour> colours_;
};

/// The nearest of xterm's 256 colours, not counting the first 16, which every user sets otherwise: a cube of six levels a channel from 16
/// on, then 24 greys.
int palette_index(const Colour& colour) {
    constexpr std::array<int, 6> levels{0, 95, 135, 175, 215, 255};
    int cube = 0, cube_error = 0;
    for (const int value : colour) {
        const auto away = [value](int level) { return std::abs(level - value); };
        const auto nearest = std::min_element(levels.begin(), levels.end(), [&](int a, int b) { return away(a) < away(b); });
        cube = 6 * cube + static_cast<int>(nearest - levels.begin());
        cube_error += away(*nearest) * away(*nearest);
    }
    const int mean = (colour[0] + colour[1] + colour[2]) / 3;
    const int grey = std::clamp((mean - 3) / 10, 0, 23), level = 8 + 10 * grey;
    int grey_error = 0;
    for (const int value : colour) grey_error += (level - value) * (level - value);
    return grey_error < cube_error ? 232 + grey : 16 + cube;
}

std::string colour_code(const Colour& colour, bool background, Pictures pictures) {
    const std::string code = background ? "48;" : "38;";
    if (pictures == Pictures::palette) return code + "5;" + std::to_string(palette_index(colour));
    return code + "2;" + std::to_string(colour[0]) + ';' + std::to_string(colour[1]) + ';' + std::to_string(colour[2]);
}

/// Two rows of pixels, from `y` on, as one line: the upper half of a character in its colour, the lower in that behind it. Below a last
/// single row shows the terminal's own background.
std::string half_blocks(const Smaller& picture, int64_t y, Pictures pictures) {
    std::string line, last;
    for (int64_t x = 0; x < picture.width(); ++x) {
        std::string code = colour_code(picture.at(x, y), false, pictures);
        if (y + 1 < picture.height()) code += ';' + colour_code(picture.at(x, y + 1), true, pictures);
        if (code != last) line += "\033[" + code + 'm';
        line += "\u2580";
        last = std::move(code);
    }
    return line + "\033[0m";
}

int64_t width_of(const std::string& text) {
    int64_t width = 0;
    for (size_t position = 0; position < text.size();) width += internal::columns(base::next_code_point(text, position));
    return width;
}

/// As much of a name as fits.
std::string caption(const std::string& name, int64_t room) {
    const std::string text = base::escape_controls(name);
    size_t end = 0;
    int64_t width = 0;
    for (size_t next = 0; next < text.size(); end = next) {
        width += internal::columns(base::next_code_point(text, next));
        if (width > room) break;
    }
    return text.substr(0, end);
}

std::string spaces(int64_t count) { return std::string(static_cast<size_t>(std::max<int64_t>(0, count)), ' '); }

void check(const NamedPicture& named) {
    const Picture& picture = named.picture;
    const auto bytes = static_cast<int64_t>(picture.bytes.size());
    // By division: a size from a stranger could be anything.
    const bool fits = picture.width > 0 && picture.height > 0 && picture.channels >= 1 && picture.channels <= 4 &&
                      bytes % picture.width == 0 && bytes / picture.width % picture.height == 0 &&
                      bytes / picture.width / picture.height == picture.channels;
    if (fits) return;
    throw Error(ErrorCode::invalid_argument, "the picture " + base::in_quotes(named.name) +
                                                 " should have height * width * channels bytes, " + std::to_string(picture.height) + " * " +
                                                 std::to_string(picture.width) + " * " + std::to_string(picture.channels) +
                                                 " of 1 to 4; it has " + std::to_string(bytes));
}

}  // namespace

std::vector<std::string> internal::draw_pictures(const std::vector<NamedPicture>& pictures, const TerminalStyle& style) {
    const int64_t room = std::max(style.width, 20) - left_margin;
    const auto side_by_side = std::min(static_cast<int64_t>(pictures.size()), (room + gap) / (narrowest + gap));
    const int64_t share = (room - gap * (side_by_side - 1)) / side_by_side;
    double factor = 1;
    for (const NamedPicture& named : pictures) {
        check(named);
        factor = std::min({factor, static_cast<double>(share) / static_cast<double>(named.picture.width),
                           static_cast<double>(highest) / static_cast<double>(named.picture.height)});
    }

    std::vector<std::string> lines;
    for (size_t begin = 0; begin < pictures.size(); begin += static_cast<size_t>(side_by_side)) {
        const size_t end = std::min(begin + static_cast<size_t>(side_by_side), pictures.size());
        std::vector<Smaller> shown;
        std::vector<int64_t> widths;
        int64_t height = 0;
        std::string names = spaces(left_margin);
        for (size_t i = begin; i < end; ++i) {
            const std::string name = caption(pictures[i].name, share);
            shown.emplace_back(pictures[i].picture, factor);
            widths.push_back(std::max(shown.back().width(), width_of(name)));
            height = std::max(height, shown.back().height());
            const int64_t before = (widths.back() - width_of(name)) / 2;
            names += (i > begin ? spaces(gap) : "") + spaces(before) + name + spaces(widths.back() - width_of(name) - before);
        }
        names.erase(names.find_last_not_of(' ') + 1);
        if (begin > 0) lines.emplace_back();
        lines.push_back(names);
        for (int64_t y = 0; y < height; y += 2) {
            std::string line = spaces(left_margin);
            for (size_t i = 0; i < shown.size(); ++i) {
                const int64_t before = (widths[i] - shown[i].width()) / 2;
                const bool there = y < shown[i].height();
                line += (i > 0 ? spaces(gap) : "") + spaces(before) +
                        (there ? half_blocks(shown[i], y, style.pictures) : spaces(shown[i].width())) +
                        spaces(widths[i] - shown[i].width() - before);
            }
            line.erase(line.find_last_not_of(' ') + 1);
            lines.push_back(line);
        }
    }
    return lines;
}

}  // namespace whynot
