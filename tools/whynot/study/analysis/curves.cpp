#include "study/analysis/curves.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/text.h"

namespace whynot::cli::study {
namespace {

constexpr double figure_width = 760, edge = 24, letters = 13;

/// How an arm is drawn. Greys of the colours differ too, and more arms than these begin again.
struct Look {
    const char *colour, *dashes, *marker;
};
constexpr Look looks[] = {
    {"#1c1e21", "", "circle"},          {"#1f5fa8", "7 4", "square"},        {"#a1500a", "2 3", "triangle"},
    {"#5b8a3a", "10 3 2 3", "diamond"}, {"#8a5aa8", "4 2 1 2 1 2", "cross"}, {"#6b7078", "14 5", "plus"},
};
constexpr size_t many_looks = sizeof looks / sizeof looks[0];

const Look& look_of(size_t arm) { return looks[arm % many_looks]; }

std::string place(double value) { return base::fixed(value, 2); }

/// Text as XML: no markup in it, nothing that steers a reader.
std::string xml_text(const std::string& text) {
    std::string result;
    for (const char c : base::escape_controls(text)) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&#39;"; break;
            default: result += c;
        }
    }
    return result;
}

std::string written_at(double x, double y, const std::string& text, const char* anchor = "start", const char* colour = "#1c1e21",
                       double size = letters) {
    return "<text x=\"" + place(x) + "\" y=\"" + place(y) + "\" font-size=\"" + base::number(size) + "\" text-anchor=\"" + anchor +
           "\" fill=\"" + colour + "\">" + xml_text(text) + "</text>\n";
}

std::string stroke(double x1, double y1, double x2, double y2, const char* colour, double width, const char* dashes = "") {
    return "<line x1=\"" + place(x1) + "\" y1=\"" + place(y1) + "\" x2=\"" + place(x2) + "\" y2=\"" + place(y2) + "\" stroke=\"" + colour +
           "\" stroke-width=\"" + base::number(width) + "\"" + (*dashes ? " stroke-dasharray=\"" + std::string(dashes) + "\"" : "") +
           "/>\n";
}

std::string marker_at(double x, double y, const Look& look) {
    const std::string kind = look.marker, fill = "fill=\"#fff\" stroke=\"" + std::string(look.colour) + "\" stroke-width=\"1.6\"";
    const auto path = [&](const std::vector<std::pair<double, double>>& points, bool closed) {
        std::string d;
        for (const auto& [dx, dy] : points) d += (d.empty() ? "M" : "L") + place(x + dx) + " " + place(y + dy);
        return "<path d=\"" + d + (closed ? "Z" : "") + "\" " + fill + "/>\n";
    };
    if (kind == "square") return path({{-3.2, -3.2}, {3.2, -3.2}, {3.2, 3.2}, {-3.2, 3.2}}, true);
    if (kind == "triangle") return path({{0, -4.2}, {4, 3}, {-4, 3}}, true);
    if (kind == "diamond") return path({{0, -4.6}, {4.6, 0}, {0, 4.6}, {-4.6, 0}}, true);
    if (kind == "cross") return path({{-3.2, -3.2}, {3.2, 3.2}}, false) + path({{-3.2, 3.2}, {3.2, -3.2}}, false);
    if (kind == "plus") return path({{-4, 0}, {4, 0}}, false) + path({{0, -4}, {0, 4}}, false);
    return "<circle cx=\"" + place(x) + "\" cy=\"" + place(y) + "\" r=\"3.4\" " + fill + "/>\n";
}

std::string whole_svg(const std::string& title, double height, const std::string& body) {
    const std::string w = place(figure_width), h = place(height);
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + w + " " + h +
           "\" width=\"" + w + "\" height=\"" + h + "\" role=\"img\" font-family=\"'DejaVu Sans', Verdana, sans-serif\">\n<title>" +
           xml_text(title) + "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + body + "</svg>\n";
}

/// The part of a figure that numbers lie in.
struct PlotFrame {
    double left, top, right, bottom;

    double x(double share) const { return left + share * (right - left); }
    double y(double share) const { return bottom - std::clamp(share, 0.0, 1.0) * (bottom - top); }
};

/// The arms' names beside their lines, in a column right of the frame.
std::string key_of_lines(const PlotFrame& frame, const std::vector<FigureLine>& lines) {
    std::string body;
    for (size_t i = 0; i < lines.size(); ++i) {
        const double y = frame.top + 10 + 24 * static_cast<double>(i);
        body += stroke(frame.right + 16, y, frame.right + 56, y, look_of(i).colour, 2, look_of(i).dashes) +
                marker_at(frame.right + 36, y, look_of(i)) + written_at(frame.right + 64, y + 4.5, lines[i].name);
    }
    return body;
}

std::string axes_of(const PlotFrame& frame, const CurveFigure& figure, size_t trials) {
    std::string body;
    for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0})
        body += stroke(frame.left, frame.y(share), frame.right, frame.y(share), "#d5d8dc", 1) +
                written_at(frame.left - 8, frame.y(share) + 4.5, base::fixed(share, 2), "end");
    body += stroke(frame.left, frame.y(figure.chance), frame.right, frame.y(figure.chance), "#5a6068", 1.2, "5 5") +
            written_at(frame.right - 2, frame.y(figure.chance) - 5, "chance", "end", "#5a6068", 11);
    const size_t apart = std::max<size_t>(1, (trials + 9) / 10);
    for (size_t trial = 1; trial <= trials; trial += apart) {
        const double x = trials > 1 ? frame.x(static_cast<double>(trial - 1) / static_cast<double>(trials - 1)) : frame.x(0.5);
        body +=
            stroke(x, frame.bottom, x, frame.bottom + 5, "#5a6068", 1) + written_at(x, frame.bottom + 20, std::to_string(trial), "middle");
    }
    return body + written_at((frame.left + frame.right) / 2, frame.bottom + 40, figure.across, "middle") +
           written_at(edge, frame.top - 12, figure.up);
}

/// Text in lines of so many letters, broken between words.
std::vector<std::string> in_lines(const std::string& text, size_t most) {
    std::vector<std::string> lines;
    for (const std::string& word : base::split(text, ' ')) {
        if (word.empty()) continue;
        if (lines.empty() || lines.back().size() + 1 + word.size() > most)
            lines.push_back(word);
        else
            lines.back() += " " + word;
    }
    return lines;
}

/// A hatching for each arm: bars are told apart without colours.
std::string hatchings(size_t arms) {
    std::string body = "<defs>\n";
    for (size_t i = 0; i < arms; ++i) {
        const size_t kind = i % many_looks;
        const std::string colour = look_of(i).colour, line = "\" stroke=\"#fff\" stroke-width=\"1.4\" fill=\"none\"/>";
        constexpr const char* lines[] = {"", "M0 8L8 0", "M0 4H8", "M0 0L8 8", "M4 0V8", "M0 4H8M4 0V8"};
        body += "<pattern id=\"arm" + std::to_string(i) +
                "\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\" height=\"8\" fill=\"" + colour +
                "\"/><path d=\"" + lines[kind] + line + "</pattern>\n";
    }
    return body + "</defs>\n";
}

/// One bar, from 1 to its mean, with its interval.
std::string bar_at(const PlotFrame& frame, double y, double thick, size_t arm, const FigureBar& bar, int64_t points) {
    const auto x_of = [&](double rating) { return frame.x(std::clamp((rating - 1) / static_cast<double>(points - 1), 0.0, 1.0)); };
    if (!bar.mean) return written_at(frame.left + 4, y + thick - 3, "nobody", "start", "#5a6068", 11);
    const double end = x_of(*bar.mean), middle = y + thick / 2;
    std::string body = "<rect x=\"" + place(frame.left) + "\" y=\"" + place(y) + "\" width=\"" + place(std::max(0.5, end - frame.left)) +
                       "\" height=\"" + place(thick) + "\" fill=\"url(#arm" + std::to_string(arm) + ")\" stroke=\"" + look_of(arm).colour +
                       "\"/>\n";
    double after = end;
    if (bar.interval) {
        const double low = x_of(bar.interval->low), high = x_of(bar.interval->high);
        // White below black: the line is seen on the bar and beside it.
        for (const auto& [colour, width] : {std::pair<const char*, double>{"#fff", 4}, std::pair<const char*, double>{"#000", 1.5}})
            body += stroke(low, middle, high, middle, colour, width) + stroke(low, middle - 4, low, middle + 4, colour, width) +
                    stroke(high, middle - 4, high, middle + 4, colour, width);
        after = std::max(end, high);
    }
    return body + written_at(after + 6, y + thick - 3, base::fixed(*bar.mean, 2), "start", "#1c1e21", 11);
}

}  // namespace

std::string to_svg(const CurveFigure& figure) {
    size_t trials = 0, longest = 0;
    for (const FigureLine& line : figure.lines)
        trials = std::max(trials, line.shares.size()), longest = std::max(longest, line.name.size());
    const double key = std::clamp(80 + 8.0 * static_cast<double>(longest), 130.0, 300.0);
    const PlotFrame frame{edge + 40, 76, figure_width - key, 380};
    std::string body = written_at(edge, 30, figure.title, "start", "#1c1e21", 16) + axes_of(frame, figure, trials);
    for (size_t i = 0; i < figure.lines.size(); ++i) {
        const auto& shares = figure.lines[i].shares;
        std::string points, markers, lines;
        const auto end_line = [&] {
            if (!points.empty())
                lines += "<polyline fill=\"none\" stroke=\"" + std::string(look_of(i).colour) + "\" stroke-width=\"2\"" +
                         (*look_of(i).dashes ? " stroke-dasharray=\"" + std::string(look_of(i).dashes) + "\"" : "") + " points=\"" +
                         points + "\"/>\n";
            points.clear();
        };
        for (size_t trial = 0; trial < shares.size(); ++trial) {
            if (!shares[trial]) {
                end_line();
                continue;
            }
            const double x = trials > 1 ? frame.x(static_cast<double>(trial) / static_cast<double>(trials - 1)) : frame.x(0.5),
                         y = frame.y(*shares[trial]);
            points += (points.empty() ? "" : " ") + place(x) + "," + place(y);
            markers += marker_at(x, y, look_of(i));
        }
        end_line();
        body += lines + markers;
    }
    return whole_svg(figure.title, frame.bottom + 60, body + key_of_lines(frame, figure.lines));
}

std::string to_svg(const BarFigure& figure) {
    constexpr double thick = 15, gap = 3, line_height = 18;
    const int64_t points = std::max<int64_t>(2, figure.points);
    PlotFrame frame{edge + 110, 56, figure_width - edge - 60, 0};
    std::string body = hatchings(figure.arms.size()) + written_at(edge, 30, figure.title, "start", "#1c1e21", 16), grid;
    double y = frame.top;
    for (const BarGroup& group : figure.groups) {
        for (const std::string& line : in_lines(group.label, 85)) body += written_at(edge, y += line_height, line);
        y += 7;
        for (size_t i = 0; i < group.bars.size(); ++i) {
            const std::string name = i < figure.arms.size() ? figure.arms[i] : "";
            body +=
                written_at(frame.left - 8, y + thick - 3, name, "end", "#1c1e21", 11) + bar_at(frame, y, thick, i, group.bars[i], points);
            y += thick + gap;
        }
        y += 10;
    }
    frame.bottom = y;
    for (int64_t point = 1; point <= points; ++point) {
        const double x = frame.x(static_cast<double>(point - 1) / static_cast<double>(points - 1));
        grid +=
            stroke(x, frame.bottom, x, frame.bottom + 5, "#5a6068", 1) + written_at(x, frame.bottom + 20, std::to_string(point), "middle");
    }
    grid += stroke(frame.left, frame.bottom, frame.right, frame.bottom, "#5a6068", 1) +
            written_at(frame.left, frame.bottom + 38, figure.low) + written_at(frame.right, frame.bottom + 38, figure.high, "end");
    return whole_svg(figure.title, frame.bottom + 56, body + grid);
}

}  // namespace whynot::cli::study
