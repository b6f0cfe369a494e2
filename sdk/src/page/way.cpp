// The way from an input to its answer, step by step: the pictures, which a script makes into one that is moved by hand, and the probabilities along it.
#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "page/markup.h"

namespace whynot::internal {

namespace {

constexpr double width = 420, height = 130, left = 10, right = 110, top = 10, bottom = 24;  // of the curves

/// The places of fact and foil among the classes; -1: not among them.
struct Asked {
    int64_t fact = -1, foil = -1;
};

Asked asked_in(const Explanation& record) {
    const auto place = [&](const std::string& name) {
        int64_t c = 0;
        for (const auto& [known, ignored] : record.probabilities.before) {
            if (known == name) return c;
            ++c;
        }
        return int64_t{-1};
    };
    return {place(record.question.fact), place(record.question.foil)};
}

double probability_of(const Frame& frame, int64_t c) { return frame.probabilities.at(static_cast<size_t>(c)); }

/// "boundary, 4: 49.9 %, 9: 49.9 %"
std::string says(const Explanation& record, const Frame& frame, const Asked& asked) {
    return (frame.name.empty() ? "" : frame.name + ", ") + record.question.fact + ": " +
           base::probability(probability_of(frame, asked.fact)) + ", " + record.question.foil + ": " +
           base::probability(probability_of(frame, asked.foil));
}

double x_of(size_t step, size_t steps) {
    return left + (width - left - right) * static_cast<double>(step) / static_cast<double>(steps - 1);
}
double y_of(double probability) { return top + (height - top - bottom) * (1 - std::clamp(probability, 0.0, 1.0)); }

std::string curve(const std::vector<Frame>& frames, int64_t c, const std::string& kind, const std::string& name, double name_y) {
    std::string points;
    for (size_t i = 0; i < frames.size(); ++i)
        points += (i > 0 ? " " : "") + base::number(x_of(i, frames.size())) + "," + base::number(y_of(probability_of(frames[i], c)));
    return "<polyline class=\"curve " + kind + "\" points=\"" + points + "\"/>\n<text class=\"" + kind + "\" x=\"" +
           base::number(width - right + 8) + "\" y=\"" + base::number(name_y) + "\">" + escaped(name) + "</text>\n";
}

/// What the classifier says along the way, with a line that a script moves.
std::string curves(const Explanation& record, const std::vector<Frame>& frames, const Asked& asked) {
    const double at_fact = y_of(probability_of(frames.back(), asked.fact)), at_foil = y_of(probability_of(frames.back(), asked.foil));
    // Names stand at the ends of their curves, and never over one another.
    const double apart = std::max(0.0, 8 - std::abs(at_fact - at_foil) / 2) * (at_fact > at_foil ? 1 : -1);
    std::string svg = "<svg class=\"curves\" viewBox=\"0 0 " + base::number(width) + " " + base::number(height) + "\" width=\"" +
                      base::number(width) + "\" height=\"" + base::number(height) +
                      "\" role=\"img\" aria-label=\"probabilities along the way\">\n" + "<path class=\"axis\" fill=\"none\" d=\"M" +
                      base::number(left) + " " + base::number(y_of(1)) + "V" + base::number(y_of(0)) + "H" + base::number(width - right) +
                      "\"/>\n";
    for (size_t i = 0; i < frames.size(); ++i) {
        if (frames[i].name.empty()) continue;
        const std::string x = base::number(x_of(i, frames.size()));
        const char* const anchor = i == 0 ? "start" : i + 1 == frames.size() ? "end" : "middle";
        svg += "<path class=\"axis\" d=\"M" + x + " " + base::number(y_of(1)) + "V" + base::number(y_of(0)) +
               "\"/><text class=\"small\" x=\"" + x + "\" y=\"" + base::number(height - 7) + "\" text-anchor=\"" + anchor + "\">" +
               escaped(frames[i].name) + "</text>\n";
    }
    return svg + curve(frames, asked.fact, "fact", record.question.fact, at_fact + 5 + apart) +
           curve(frames, asked.foil, "foil", record.question.foil, at_foil + 5 - apart) + "</svg>\n";
}

}  // namespace

std::string way(const Answer& answer) {
    const Explanation& record = answer.record;
    const std::vector<Frame>& frames = answer.frames;
    const Asked asked = asked_in(record);
    if (frames.size() < 2 || asked.fact < 0 || asked.foil < 0) return "";
    for (const Frame& frame : frames)
        if (frame.probabilities.size() != record.probabilities.before.size()) return "";
    std::string html = "<section class=\"way\">\n<h2>The way there</h2>\n<ol class=\"steps\">\n";
    for (size_t i = 0; i < frames.size(); ++i) {
        const std::string text =
            "step " + std::to_string(i + 1) + " of " + std::to_string(frames.size()) + ", " + says(record, frames[i], asked);
        html += "<li><img alt=\"" + escaped(text) + "\" src=\"" + data_uri(frames[i].picture) + "\"></li>\n";
    }
    return html + "</ol>\n" + curves(record, frames, asked) + "</section>\n";
}

}  // namespace whynot::internal
