#include "drawing/drawing.h"

#include <cairo.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "base/format.h"
#include "drawing/image_file.h"
#include "whynot/error.h"

namespace whynot::drawing {
namespace {

[[noreturn]] void bad_request(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

/// [0, 1] to a byte; what is no number is black.
uint8_t to_byte(double value) { return value > 0 ? static_cast<uint8_t>(std::min(value, 1.0) * 255 + 0.5) : 0; }

using Colour = std::array<double, 3>;
constexpr Colour lighter = {0.95, 0.15, 0.15};
constexpr Colour darker = {0.20, 0.45, 1.00};

/// A change, -1 to 1, laid over a grey.
Colour tinted(double grey, double change) {
    const double opacity = std::min(std::abs(change), 1.0);
    const Colour& tint = change > 0 ? lighter : darker;
    Colour colour;
    for (size_t c = 0; c < colour.size(); ++c) colour[c] = grey * (1 - opacity) + tint[c] * opacity;
    return colour;
}

/// Hundredths with a point, whatever the locale says.
std::string two_digits(double value) {
    const auto hundredths = std::lround(value * 100);
    return std::to_string(hundredths / 100) + "." + std::to_string(hundredths / 10 % 10) + std::to_string(hundredths % 10);
}

// The sheet, in pixels.
constexpr double margin = 28;
constexpr double gap = 28;
constexpr double panel_side = 260;
constexpr size_t most_in_row = 6;       ///< panels: a page is no wider
constexpr double narrowest_cell = 240;  ///< for the lines under a narrow picture
constexpr double title_size = 19;
constexpr double title_space = 44;
constexpr double text_size = 14;
constexpr double line_height = 21;
constexpr double bar_height = 12;
constexpr double bar_space = 48;
constexpr double black = 0.13;  ///< of letters
constexpr double frame_grey = 0.72;
constexpr double grid_grey = 0.88;
constexpr double matrix_square = 20;
constexpr double row_name_width = 150;

// A chart.
constexpr double chart_width = 560;
constexpr double chart_height = 320;
constexpr double numbers_width = 44;  ///< of those beside the axis that stands
constexpr double curve_name_width = 170;
constexpr double to_name = 18;  ///< from the end of a line to its name
constexpr double curve_name_height = 18;
/// Colours that the colour-blind tell apart, too, as far as ten can be (Tableau's ten, a little darker).
constexpr std::array<Colour, 10> curve_colours{{{0.12, 0.42, 0.66},
                                                {0.85, 0.40, 0.00},
                                                {0.13, 0.55, 0.13},
                                                {0.80, 0.12, 0.14},
                                                {0.48, 0.30, 0.68},
                                                {0.48, 0.29, 0.25},
                                                {0.82, 0.36, 0.66},
                                                {0.42, 0.42, 0.42},
                                                {0.58, 0.58, 0.05},
                                                {0.05, 0.60, 0.68}}};

/// Round numbers from low to high, about five of them.
std::vector<double> ticks(const Axis& axis) {
    const double rough = (axis.high - axis.low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
    const double step = (rough > 5 * power ? 10 : rough > 2 * power ? 5 : rough > power ? 2 : 1) * power;
    std::vector<double> all;
    for (double i = std::ceil(axis.low / step - 1e-9); i * step <= axis.high + 1e-9 * step; ++i) all.push_back(i * step + 0.0);  // no -0
    return all;
}

/// Moves names that would stand upon one another apart: heights, in ascending order, at least `apart` from one another and none below `lowest`.
void spread(std::vector<double>& heights, double apart, double lowest) {
    for (size_t i = 1; i < heights.size(); ++i) heights[i] = std::max(heights[i], heights[i - 1] + apart);
    double limit = lowest;
    for (size_t i = heights.size(); i-- > 0; limit = heights[i] - apart) heights[i] = std::min(heights[i], limit);
}

/// How many times larger a picture is drawn: whole numbers for small ones, so that their pixels are squares.
double magnification(const Picture& picture) {
    const auto longer = static_cast<double>(std::max(picture.width, picture.height));
    return longer > 1.5 * panel_side ? panel_side / longer : std::max(1.0, std::round(panel_side / longer));
}

double drawn_width(const Panel& panel) { return std::round(static_cast<double>(panel.picture.width) * magnification(panel.picture)); }
double drawn_height(const Panel& panel) { return std::round(static_cast<double>(panel.picture.height) * magnification(panel.picture)); }

class Canvas {
public:
    Canvas(int width, int height)
        : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), cairo_surface_destroy),
          cairo_(cairo_create(surface_.get()), cairo_destroy) {
        check();
        cairo_set_source_rgb(cairo_.get(), 1, 1, 1);
        cairo_paint(cairo_.get());
        // Grey edges at their true places: the same picture on every screen.
        const std::unique_ptr<cairo_font_options_t, decltype(&cairo_font_options_destroy)> options(cairo_font_options_create(),
                                                                                                   cairo_font_options_destroy);
        cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
        cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
        cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
        cairo_set_font_options(cairo_.get(), options.get());
    }

    /// A line with its baseline at y, beginning, centred or ending at x (align 0, 0.5, 1) and at most `width` wide: first made smaller
    /// down to three fifths, then cut.
    void text(std::string line, double x, double y, double align, double width, double size, bool bold,
              const Colour& colour = {black, black, black}) {
        constexpr double smallest = 0.6;
        constexpr size_t longest = 400;  // more bytes than ever fit
        cairo_select_font_face(cairo_.get(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                               bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
        cairo_set_font_size(cairo_.get(), size);
        cairo_set_source_rgb(cairo_.get(), colour[0], colour[1], colour[2]);
        if (line.size() > longest) line = shorter(line, longest);
        double needed = extent(line);
        while (needed * smallest > width && line.size() > 4) {
            line = shorter(line, line.size() - 1);
            needed = extent(line);
        }
        const double factor = std::min(1.0, width / std::max(needed, 1.0));
        cairo_set_font_size(cairo_.get(), size * factor);
        cairo_move_to(cairo_.get(), x - align * needed * factor, y);
        cairo_show_text(cairo_.get(), line.c_str());
    }

    void picture(const Picture& picture, double x, double y, double width, double height) {
        const auto columns = static_cast<int>(picture.width), rows = static_cast<int>(picture.height);
        const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> image(
            cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows), cairo_surface_destroy);
        auto* pixels = cairo_image_surface_get_data(image.get());
        if (!pixels) fail(cairo_surface_status(image.get()));
        const int stride = cairo_image_surface_get_stride(image.get());
        const uint8_t* byte = picture.bytes.data();
        for (int row = 0; row < rows; ++row) {
            for (int column = 0; column < columns; ++column, byte += picture.channels) {
                const size_t step = picture.channels == 1 ? 0 : 1;
                const uint32_t colour = static_cast<uint32_t>(byte[0]) << 16 | static_cast<uint32_t>(byte[step]) << 8 | byte[2 * step];
                std::memcpy(pixels + int64_t{row} * stride + int64_t{column} * 4, &colour, 4);
            }
        }
        cairo_surface_mark_dirty(image.get());
        cairo_save(cairo_.get());
        cairo_translate(cairo_.get(), x, y);
        cairo_scale(cairo_.get(), width / columns, height / rows);
        cairo_set_source_surface(cairo_.get(), image.get(), 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cairo_.get()), width >= columns ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BEST);
        cairo_pattern_set_extend(cairo_get_source(cairo_.get()), CAIRO_EXTEND_PAD);
        cairo_rectangle(cairo_.get(), 0, 0, columns, rows);
        cairo_fill(cairo_.get());
        cairo_restore(cairo_.get());
        frame(x, y, width, height);
    }

    /// Light lines between squares of that side.
    void grid(double x, double y, size_t columns, size_t rows, double side) {
        cairo_set_source_rgb(cairo_.get(), grid_grey, grid_grey, grid_grey);
        cairo_set_line_width(cairo_.get(), 1);
        const double width = static_cast<double>(columns) * side, height = static_cast<double>(rows) * side;
        for (size_t i = 1; i < columns; ++i) line(x + static_cast<double>(i) * side - 0.5, y, 0, height);
        for (size_t i = 1; i < rows; ++i) line(x, y + static_cast<double>(i) * side - 0.5, width, 0);
        cairo_stroke(cairo_.get());
    }

    /// What the colours of a difference mean: as many steps as pixels, and the words below.
    void colour_bar(const Panel& panel, double x, double y, double width) {
        const auto steps = static_cast<int64_t>(width);
        Picture bar{steps, 1, 3, {}};
        for (int64_t i = 0; i < steps; ++i) {
            const double change = 2 * (static_cast<double>(i) + 0.5) / static_cast<double>(steps) - 1;
            for (const double part : tinted(0.22, change)) bar.bytes.push_back(to_byte(part));
        }
        picture(bar, x, y, width, bar_height);
        const double below = y + bar_height + 16, size = text_size * 0.85;
        const auto end = [&](const char* sign, const std::string& name) {
            std::string words = sign;
            words += two_digits(panel.scale);
            words += ' ';
            return words += name;
        };
        text(end("\u2212", panel.low.empty() ? "remove" : panel.low), x, below, 0, width * 0.45, size, false);
        text("0", x + width / 2, below, 0.5, width * 0.1, size, false);
        text(end("+", panel.high.empty() ? "add" : panel.high), x + width, below, 1, width * 0.45, size, false);
    }

    using Point = std::pair<double, double>;

    /// From point to point, inside a box.
    void curve(const std::vector<Point>& points, const Colour& colour, bool bold, bool dashed, Point corner, Point size) {
        constexpr double dash = 6;
        cairo_save(cairo_.get());
        cairo_rectangle(cairo_.get(), corner.first, corner.second, size.first, size.second);
        cairo_clip(cairo_.get());
        cairo_set_source_rgb(cairo_.get(), colour[0], colour[1], colour[2]);
        cairo_set_line_width(cairo_.get(), bold ? 3 : 1.5);
        cairo_set_line_join(cairo_.get(), CAIRO_LINE_JOIN_ROUND);
        if (dashed) cairo_set_dash(cairo_.get(), &dash, 1, 0);
        for (const auto& [x, y] : points) cairo_line_to(cairo_.get(), x, y);
        cairo_stroke(cairo_.get());
        cairo_restore(cairo_.get());
    }

    /// A thin straight line.
    void rule(Point from, Point to, const Colour& colour) {
        cairo_set_source_rgb(cairo_.get(), colour[0], colour[1], colour[2]);
        cairo_set_line_width(cairo_.get(), 1);
        line(from.first, from.second, to.first - from.first, to.second - from.second);
        cairo_stroke(cairo_.get());
    }

    Picture result() {
        check();
        cairo_surface_flush(surface_.get());
        const auto* pixels = cairo_image_surface_get_data(surface_.get());
        const int stride = cairo_image_surface_get_stride(surface_.get());
        Picture picture{cairo_image_surface_get_width(surface_.get()), cairo_image_surface_get_height(surface_.get()), 3, {}};
        picture.bytes.reserve(picture.width * picture.height * 3);
        for (int64_t y = 0; y < picture.height; ++y) {
            for (int64_t x = 0; x < picture.width; ++x) {
                uint32_t colour = 0;
                std::memcpy(&colour, pixels + y * stride + x * 4, 4);
                for (const int shift : {16, 8, 0}) picture.bytes.push_back(static_cast<uint8_t>(colour >> shift));
            }
        }
        return picture;
    }

private:
    double extent(const std::string& line) {
        cairo_text_extents_t extents = {};
        cairo_text_extents(cairo_.get(), line.c_str(), &extents);
        return extents.x_advance;
    }

    /// The line cut to at most `size` bytes of its own, at a code point, with three dots.
    static std::string shorter(std::string line, size_t size) {
        static const std::string dots = "\u2026";
        if (line.size() > dots.size() && line.compare(line.size() - dots.size(), dots.size(), dots) == 0) {
            line.resize(line.size() - dots.size());
            size = std::min(size, line.size() - 1);
        }
        while (size > 0 && (line[size] & 0xC0) == 0x80) --size;
        return line.substr(0, size) + dots;
    }

    void line(double x, double y, double width, double height) {
        cairo_move_to(cairo_.get(), x, y);
        cairo_rel_line_to(cairo_.get(), width, height);
    }

    void frame(double x, double y, double width, double height) {
        cairo_set_source_rgb(cairo_.get(), frame_grey, frame_grey, frame_grey);
        cairo_set_line_width(cairo_.get(), 1);
        cairo_rectangle(cairo_.get(), x - 0.5, y - 0.5, width + 1, height + 1);
        cairo_stroke(cairo_.get());
    }

    [[noreturn]] static void fail(cairo_status_t status) {
        if (status == CAIRO_STATUS_INVALID_STRING) bad_request("expected texts in UTF-8 for a sheet of pictures, found one that is not");
        if (status == CAIRO_STATUS_INVALID_SIZE)
            bad_request("expected a sheet within 32767 pixels a side, found a larger one; give fewer pictures");
        throw Error(ErrorCode::internal, std::string("cairo could not draw: ") + cairo_status_to_string(status));
    }
    void check() const {
        if (const auto status = cairo_status(cairo_.get()); status != CAIRO_STATUS_SUCCESS) fail(status);
    }

    std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
    std::unique_ptr<cairo_t, decltype(&cairo_destroy)> cairo_;
};

}  // namespace

Difference draw_difference(const std::vector<float>& input, const std::vector<float>& boundary, int64_t channels, int64_t height,
                           int64_t width) {
    if ((channels != 1 && channels != 3) || height < 1 || width < 1 || input.size() != static_cast<uint64_t>(channels * height * width) ||
        boundary.size() != input.size()) {
        bad_request("expected two images of 1 or 3 channels and the same size, found " + std::to_string(input.size()) + " and " +
                    std::to_string(boundary.size()) + " values for " + std::to_string(channels) + " x " + std::to_string(height) + " x " +
                    std::to_string(width));
    }
    const int64_t pixels = height * width;
    const auto luminance = [&](const std::vector<float>& image, int64_t i) -> double {
        if (channels == 1) return image[i];
        return 0.299 * image[i] + 0.587 * image[i + pixels] + 0.114 * image[i + 2 * pixels];  // ITU-R BT.601, as fit()
    };
    Difference difference{{width, height, 3, {}}, 0.2};
    for (int64_t i = 0; i < pixels; ++i) {
        difference.scale = std::max(difference.scale, std::abs(luminance(boundary, i) - luminance(input, i)));
    }
    for (int64_t i = 0; i < pixels; ++i) {
        const double before = luminance(input, i);
        const double change = (luminance(boundary, i) - before) / difference.scale;
        for (const double part : tinted(0.45 * std::clamp(before, 0.0, 1.0), change)) difference.picture.bytes.push_back(to_byte(part));
    }
    return difference;
}

Picture draw_sheet(const std::string& title, const std::string& sentence, const std::vector<Panel>& panels) {
    if (panels.empty()) bad_request("expected at least one picture for a sheet, found none");
    double cell = narrowest_cell, picture_height = 0, below = 0;
    for (const auto& panel : panels) {
        check_picture(panel.picture);
        if (panel.picture.channels % 2 == 0) bad_request("expected pictures without opacity for a sheet, found one with");
        cell = std::max(cell, drawn_width(panel));
        picture_height = std::max(picture_height, drawn_height(panel));
        below = std::max(below, static_cast<double>(panel.lines.size()) * line_height + (panel.scale > 0 ? bar_space : 0));
    }
    const size_t rows = (panels.size() + most_in_row - 1) / most_in_row, columns = (panels.size() + rows - 1) / rows;
    const double width = 2 * margin + static_cast<double>(columns) * (cell + gap) - gap;
    const double head = margin + title_space + (sentence.empty() ? 0 : line_height), row_height = picture_height + 8 + below + margin;
    Canvas canvas(static_cast<int>(width), static_cast<int>(head + static_cast<double>(rows) * row_height));

    canvas.text(title, margin, margin + title_size, 0, width - 2 * margin, title_size, true);
    canvas.text(sentence, margin, margin + title_size + line_height + 4, 0, width - 2 * margin, text_size, false);
    for (size_t p = 0; p < panels.size(); ++p) {
        const Panel& panel = panels[p];
        const double left = margin + static_cast<double>(p % columns) * (cell + gap),
                     top = head + static_cast<double>(p / columns) * row_height;
        const double panel_width = drawn_width(panel), panel_height = drawn_height(panel);
        const double x = left + std::floor((cell - panel_width) / 2), y = top + std::floor((picture_height - panel_height) / 2);
        canvas.picture(panel.picture, x, y, panel_width, panel_height);
        double baseline = top + picture_height + 8 + text_size;
        for (size_t i = 0; i < panel.lines.size(); ++i, baseline += line_height) {
            canvas.text(panel.lines[i], left + cell / 2, baseline, 0.5, cell, text_size, i == 0);
        }
        if (panel.scale > 0) canvas.colour_bar(panel, x, baseline - text_size + 6, panel_width);
    }
    return canvas.result();
}

Picture draw_matrix(const std::string& title, const std::vector<std::string>& rows, const std::vector<std::string>& columns,
                    const std::vector<double>& darkness) {
    if (rows.empty() || columns.empty() || darkness.size() != rows.size() * columns.size()) {
        bad_request("expected a number for each row and column of a table to draw, found " + std::to_string(darkness.size()) + " for " +
                    std::to_string(rows.size()) + " x " + std::to_string(columns.size()));
    }
    Picture squares{static_cast<int64_t>(columns.size()), static_cast<int64_t>(rows.size()), 1, {}};
    for (const double value : darkness) squares.bytes.push_back(to_byte(1 - value));
    const double width = static_cast<double>(columns.size()) * matrix_square, height = static_cast<double>(rows.size()) * matrix_square;
    const double left = margin + row_name_width + 8, top = margin + title_space + line_height;
    Canvas canvas(static_cast<int>(left + width + margin), static_cast<int>(top + height + margin));
    canvas.text(title, margin, margin + title_size, 0, left + width - margin, title_size, true);
    canvas.picture(squares, left, top, width, height);
    canvas.grid(left, top, columns.size(), rows.size(), matrix_square);
    for (size_t i = 0; i < columns.size(); ++i)
        canvas.text(columns[i], left + (static_cast<double>(i) + 0.5) * matrix_square, top - 6, 0.5, matrix_square, text_size, false);
    for (size_t i = 0; i < rows.size(); ++i)
        canvas.text(rows[i], left - 8, top + (static_cast<double>(i) + 0.5) * matrix_square + 5, 1, row_name_width, text_size, false);
    return canvas.result();
}

namespace {

/// Where a chart's lines are drawn, and what lies there.
struct Plot {
    double left, top, width, height;
    const Axis &x, &y;

    double across(double value) const { return left + width * (value - x.low) / (x.high - x.low); }
    double down(double value) const { return top + height * (y.high - value) / (y.high - y.low); }
    double bottom() const { return top + height; }
    double right() const { return left + width; }
};

void check_curves(const Axis& x, const Axis& y, const std::vector<double>& places, const std::vector<Curve>& curves) {
    for (const Axis* axis : {&x, &y})
        if (!(axis->low < axis->high) || !std::isfinite(axis->high - axis->low))
            bad_request("expected an axis from a number to a larger one for '" + axis->name + "'");
    if (places.size() < 2 || !std::is_sorted(places.begin(), places.end()) || curves.empty())
        bad_request("expected a line and at least two places in ascending order for a chart, found " + std::to_string(curves.size()) +
                    " and " + std::to_string(places.size()));
    const auto is_number = [](double value) { return std::isfinite(value); };
    if (!std::all_of(places.begin(), places.end(), is_number))
        bad_request("expected places that are numbers for a chart, found one that is not");
    for (const Curve& curve : curves) {
        if (curve.values.size() != places.size() || !std::all_of(curve.values.begin(), curve.values.end(), is_number))
            bad_request("expected a number for each of " + std::to_string(places.size()) + " places of the line '" + curve.name +
                        "', found " + std::to_string(curve.values.size()));
    }
}

void draw_axes(Canvas& canvas, const Plot& plot) {
    constexpr Colour grid{grid_grey, grid_grey, grid_grey}, axis{frame_grey, frame_grey, frame_grey};
    constexpr double small = text_size * 0.85;
    for (const double value : ticks(plot.y)) {
        canvas.rule({plot.left, plot.down(value)}, {plot.right(), plot.down(value)}, grid);
        canvas.text(base::number(value, 6), plot.left - 8, plot.down(value) + 4, 1, numbers_width, small, false);
    }
    for (const double value : ticks(plot.x)) {
        canvas.rule({plot.across(value), plot.bottom()}, {plot.across(value), plot.bottom() + 5}, axis);
        canvas.text(base::number(value, 6), plot.across(value), plot.bottom() + line_height, 0.5, numbers_width, small, false);
    }
    canvas.rule({plot.left, plot.bottom()}, {plot.right(), plot.bottom()}, axis);
    canvas.rule({plot.left, plot.top}, {plot.left, plot.bottom()}, axis);
    canvas.text(plot.y.name, plot.left - numbers_width, plot.top - 12, 0, plot.width, small, false);
    canvas.text(plot.x.name, plot.left + plot.width / 2, plot.bottom() + 2 * line_height, 0.5, plot.width, small, false);
}

/// The names of the lines beside their ends.
void draw_names(Canvas& canvas, const Plot& plot, const std::vector<Curve>& curves) {
    std::vector<size_t> order(curves.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto end = [&](size_t i) { return std::clamp(plot.down(curves[i].values.back()), plot.top, plot.bottom()); };
    // Of lines that end within a pixel of one another, those to look at first.
    const auto rank = [&](size_t i) { return std::pair(std::lround(end(i)), !curves[i].bold); };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
    std::vector<double> heights;
    for (const size_t i : order) heights.push_back(end(i));
    spread(heights, curve_name_height, plot.bottom());
    for (size_t place = 0; place < order.size(); ++place) {
        const size_t i = order[place];
        const Colour& colour = curve_colours[i % curve_colours.size()];
        canvas.rule({plot.right() + 2, end(i)}, {plot.right() + to_name - 3, heights[place]}, colour);
        canvas.text(curves[i].name, plot.right() + to_name, heights[place] + 5, 0, curve_name_width, text_size, curves[i].bold, colour);
    }
}

}  // namespace

Picture draw_curves(const std::string& title, const std::string& sentence, const Axis& x, const Axis& y, const std::vector<double>& places,
                    const std::vector<Curve>& curves) {
    check_curves(x, y, places, curves);
    const Plot plot{margin + numbers_width,
                    margin + title_space + (sentence.empty() ? 1 : 2) * line_height,
                    chart_width,
                    std::max(chart_height, static_cast<double>(curves.size()) * curve_name_height),
                    x,
                    y};
    const double width = plot.right() + to_name + curve_name_width + margin;
    Canvas canvas(static_cast<int>(width), static_cast<int>(plot.bottom() + 2 * line_height + margin));
    canvas.text(title, margin, margin + title_size, 0, width - 2 * margin, title_size, true);
    canvas.text(sentence, margin, margin + title_size + line_height + 4, 0, width - 2 * margin, text_size, false);
    draw_axes(canvas, plot);
    // Those to look at lie on top.
    for (const bool bold : {false, true}) {
        for (size_t i = 0; i < curves.size(); ++i) {
            if (curves[i].bold != bold) continue;
            std::vector<Canvas::Point> points;
            for (size_t p = 0; p < places.size(); ++p) points.emplace_back(plot.across(places[p]), plot.down(curves[i].values[p]));
            // A line along an edge is not cut in half.
            canvas.curve(points, curve_colours[i % curve_colours.size()], bold, i >= curve_colours.size(), {plot.left, plot.top - 2},
                         {plot.width, plot.height + 4});
        }
    }
    draw_names(canvas, plot, curves);
    return canvas.result();
}

Picture stacked(const std::vector<Picture>& pictures) {
    if (pictures.empty()) bad_request("expected at least one picture to put below others, found none");
    Picture all{0, 0, 3, {}};
    for (const Picture& picture : pictures) {
        check_picture(picture);
        if (picture.channels % 2 == 0) bad_request("expected pictures without opacity to put below others, found one with");
        all.width = std::max(all.width, picture.width);
        all.height += picture.height;
    }
    all.bytes.assign(static_cast<size_t>(all.width * all.height * 3), 255);
    auto* to = all.bytes.data();
    for (const Picture& picture : pictures) {
        const auto* from = picture.bytes.data();
        for (int64_t y = 0; y < picture.height; ++y, to += all.width * 3)
            for (int64_t x = 0; x < picture.width; ++x, from += picture.channels)
                for (int64_t c = 0; c < 3; ++c) to[3 * x + c] = from[picture.channels == 1 ? 0 : c];
    }
    return all;
}

Picture enlarge(const Picture& picture, int64_t side) {
    check_picture(picture);
    const int64_t longer = std::max(picture.width, picture.height);
    const int64_t factor = std::max<int64_t>(1, (side + longer - 1) / longer);
    Picture large{picture.width * factor, picture.height * factor, picture.channels, {}};
    large.bytes.reserve(large.width * large.height * large.channels);
    for (int64_t y = 0; y < large.height; ++y) {
        for (int64_t x = 0; x < large.width; ++x) {
            const auto* pixel = &picture.bytes[(y / factor * picture.width + x / factor) * picture.channels];
            large.bytes.insert(large.bytes.end(), pixel, pixel + picture.channels);
        }
    }
    return large;
}

std::vector<Picture> draw_morph(const std::vector<Picture>& path, const std::vector<size_t>& stops, int64_t side,
                                std::vector<int>& hundredths) {
    constexpr int at_stops = 100, between = 8;
    if (path.empty()) bad_request("expected at least one picture for an animation, found none");
    std::vector<Picture> frames;
    hundredths.clear();
    const auto add = [&](size_t i) {
        frames.push_back(enlarge(path[i], side));
        hundredths.push_back(std::find(stops.begin(), stops.end(), i) != stops.end() ? at_stops : between);
    };
    for (size_t i = 0; i < path.size(); ++i) add(i);
    for (size_t i = path.size() - 1; i-- > 1;) add(i);
    return frames;
}

}  // namespace whynot::drawing
