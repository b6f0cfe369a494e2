// One answer as one figure, SVG: for papers and slides.
#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "page/markup.h"
#include "whynot/edits.h"

namespace whynot {

namespace {

using namespace internal;

constexpr double width = 760, margin = 24, text_size = 18, small_size = 14, panel = 164;
constexpr const char* style =
    "text{font-family:'DejaVu "
    "Sans',Verdana,sans-serif;fill:#1c1e21}.soft{fill:#5a6068}.fact{fill:#1f5fa8;font-weight:bold}.foil{fill:#a1500a;font-weight:"
    "bold}.gone{fill:#a4161a;text-decoration:line-through}.come{fill:#14652f;text-decoration:underline;font-weight:bold}image{image-"
    "rendering:pixelated}";

/// A place or a length.
std::string px(double value) { return base::number(value, 6); }

/// How wide a text will be at most, in ems: an estimate, as nobody knows the font that it will be drawn with.
double ems(std::string_view text) {
    double sum = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80)
            sum += 0.6;
        else if (byte >= 0xe3)  // the first byte of a wide character, of East Asia mostly
            sum += 1.1;
        else if (byte >= 0xc0)
            sum += 0.75;
    }
    return sum;
}

/// A figure, written from the top down.
class Drawing {
public:
    void line(const std::string& spans, double size, const char* css_class = "") {
        y_ += size * 1.45;
        body_ += "<text x=\"" + px(margin) + "\" y=\"" + px(y_) + "\" font-size=\"" + px(size) + "\" xml:space=\"preserve\"" +
                 (*css_class ? " class=\"" + std::string(css_class) + "\"" : "") + ">" + spans + "</text>\n";
    }
    void space(double height) { y_ += height; }
    double y() const { return y_; }
    void put(const std::string& elements) { body_ += elements; }

    std::string svg(const std::string& title) const {
        const std::string height = px(std::ceil(y_ + margin));
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + px(width) + " " +
               height + "\" width=\"" + px(width) + "\" height=\"" + height + "\" role=\"img\">\n<title>" + escaped(title) +
               "</title>\n<style>" + style + "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + body_ + "</svg>\n";
    }

private:
    double y_ = margin / 2;
    std::string body_;
};

std::string span(const std::string& css_class, std::string_view text) {
    return css_class.empty() ? escaped(text) : "<tspan class=\"" + css_class + "\">" + escaped(text) + "</tspan>";
}

std::string question_text(const Explanation& record) {
    const Explanation::Question& asked = record.question;
    if (asked.fact.empty()) return "no answer";
    return asked.foil.empty() ? "why " + asked.fact + "?" : "why " + asked.fact + " and not " + asked.foil + "?";
}

void draw_question(Drawing& drawing, const Explanation& record) {
    const Explanation::Question& asked = record.question;
    const bool both = !asked.fact.empty() && !asked.foil.empty();
    drawing.line(both ? "why " + span("fact", asked.fact) + " and not " + span("foil", asked.foil) + "?" : escaped(question_text(record)),
                 text_size * 1.2);
}

/// A line of the modality, its edits drawn, broken between words where it would be too long.
void draw_line(Drawing& drawing, std::string_view line, std::string_view typed, double size = text_size, const char* line_class = "") {
    const double most = (width - 2 * margin) / size;
    std::string spans;
    double used = 0;
    for (const auto& [kind, text] : edit_parts(line, typed)) {
        const char* const css_class = kind == EditPart::Kind::deleted ? "gone" : kind == EditPart::Kind::inserted ? "come" : "";
        for (size_t begin = 0; begin < text.size();) {
            size_t end = text.find(' ', begin);
            end = end == std::string_view::npos ? text.size() : end + 1;
            const std::string_view word = text.substr(begin, end - begin);
            if (used > 0 && used + ems(word) > most) {
                drawing.line(spans, size, line_class);
                spans.clear();
                used = 0;
            }
            spans += span(css_class, word);
            used += ems(word);
            begin = end;
        }
    }
    if (!spans.empty()) drawing.line(spans, size, line_class);
}

void draw_panels(Drawing& drawing, const Answer& answer) {
    drawing.space(text_size);
    const double top = drawing.y();
    double x = margin, lowest = top;
    for (const NamedPicture& named : answer.pictures) {
        const double height =
            panel * static_cast<double>(named.picture.height) / static_cast<double>(std::max<int64_t>(1, named.picture.width));
        const std::string says = said_of(answer.record, named.name);
        drawing.put("<image x=\"" + px(x) + "\" y=\"" + px(top) + "\" width=\"" + px(panel) + "\" height=\"" + px(height) + "\" href=\"" +
                    data_uri(named.picture) + "\"/>\n");
        const auto caption = [&](double y, const char* css_class, const std::string& text) {
            drawing.put("<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" font-size=\"12\" class=\"" + css_class + "\">" + escaped(text) +
                        "</text>\n");
        };
        caption(top + height + 18, "", named.name);
        const size_t comma = says.find(", ");
        caption(top + height + 35, "soft", says.substr(0, comma));
        if (comma != std::string::npos) caption(top + height + 51, "soft", says.substr(comma + 2));
        lowest = std::max(lowest, top + height + 51);
        x += panel + 18;
    }
    drawing.space(lowest - top + 6);
}

void draw_falls(Drawing& drawing, const Explanation& record) {
    constexpr double row = 26, name_width = 180, bar_width = 380;
    const std::vector<std::pair<std::string, double>> falls = falls_of(record);
    if (falls.empty()) return;
    drawing.space(10);
    drawing.line("what gave way, in nats", small_size, "soft");
    drawing.space(8);
    for (const auto& [word, fall] : falls) {
        const double length = std::max(1.0, bar_width * std::abs(fall) / std::abs(falls.front().second)), y = drawing.y();
        const auto text = [&](double x, const char* anchor, const std::string& what) {
            drawing.put("<text x=\"" + px(x) + "\" y=\"" + px(y + 17) + "\" font-size=\"" + px(small_size) + "\" text-anchor=\"" + anchor +
                        "\">" + escaped(what) + "</text>\n");
        };
        text(name_width, "end", word);
        drawing.put("<rect x=\"" + px(name_width + 12) + "\" y=\"" + px(y + 4) + "\" width=\"" + px(length) + "\" height=\"18\" fill=\"" +
                    (fall >= 0 ? "#8aa4c4" : "#a4161a") + "\"/>\n");
        text(name_width + 20 + length, "start", base::number(fall));
        drawing.space(row);
    }
}

/// "negative 99.8 % → 50.0 % → 4.1 %, positive ...": before, at the boundary, of the answer.
std::string course_of(const Explanation& record, const std::string& name) {
    std::string text;
    for (const ClassProbabilities* each : {&record.probabilities.before, &record.probabilities.boundary, &record.probabilities.answer})
        for (const auto& [known, p] : *each)
            if (known == name) text += (text.empty() ? name + " " : " \u2192 ") + base::probability(p);
    return text;
}

}  // namespace

std::string to_svg(const Answer& answer) {
    const Explanation& record = answer.record;
    Drawing drawing;
    draw_question(drawing, record);
    drawing.space(6);
    const std::string edits = answer_and_rest(answer.terminal).first;
    if (answer.pictures.empty()) {
        for (size_t begin = 0; begin < edits.size();) {
            const size_t end = std::min(edits.find('\n', begin), edits.size());
            draw_line(drawing, std::string_view(edits).substr(begin, end - begin), typed_in(record));
            begin = end + 1;
        }
        if (edits.empty()) draw_line(drawing, record.question.input, typed_in(record));
    } else {
        draw_panels(drawing, answer);
    }
    draw_falls(drawing, record);
    drawing.space(8);
    std::string course = course_of(record, record.question.fact);
    if (const std::string foil = course_of(record, record.question.foil); !foil.empty()) course += "; " + foil;
    if (!course.empty()) draw_line(drawing, course, course, small_size, "soft");
    const std::string reason = record.status + ": " + record.reason;
    if (!record.reason.empty()) draw_line(drawing, reason, reason, small_size, "soft");
    return drawing.svg(question_text(record));
}

}  // namespace whynot
