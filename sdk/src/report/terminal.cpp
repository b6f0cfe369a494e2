#include <algorithm>
#include <cmath>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "report/columns.h"
#include "report/pictures.h"
#include "whynot/edits.h"
#include "whynot/report.h"

namespace whynot {
namespace {

// Marks inside a line, put where no control character of the input can be any more: those have been escaped.
constexpr char removed = '\1', added = '\2', strong = '\3', faint = '\4', notice = '\5', end = '\6';

/// A space between a name and its number, or a number and its unit, where a line is broken only if it cannot be elsewhere.
constexpr char tied = '\7';

std::string together(std::string text) {
    std::replace(text.begin(), text.end(), ' ', tied);
    return text;
}

std::string marked(char mark, const std::string& text) { return mark + text + end; }

std::string escape_code(char mark) {
    switch (mark) {
        case removed: return "\033[9;31m";  // struck out, red
        case added: return "\033[1;32m";    // bold, green
        case strong: return "\033[1m";
        case faint: return "\033[2m";
        case notice: return "\033[33m";  // yellow
        default: return "\033[0m";
    }
}

/// The modality's `-[...]-` and `+[...]+` become marks. @param typed the input, whose own are none
std::string with_marks(const std::string& line, const std::string& typed) {
    using Kind = EditPart::Kind;
    std::string result;
    for (const auto& [kind, text] : edit_parts(line, typed))
        result += kind == Kind::kept ? std::string(text) : marked(kind == Kind::deleted ? removed : added, std::string(text));
    return result;
}

/// Lines for one terminal: broken between words, indented, marks as colours or as brackets.
class Page {
public:
    explicit Page(const TerminalStyle& style) : style_(style) {}

    void blank() { text_ += '\n'; }

    /// A line that is ready for the terminal.
    void ready(const std::string& content) { text_ += content + '\n'; }

    void line(const std::string& content, int indent = 0) {
        const int room = std::max(style_.width, 20) - indent;
        size_t begin = 0;
        int width = 0;
        Break good, poor;
        for (size_t position = 0; position < content.size();) {
            const size_t at = position;
            const char32_t c = base::next_code_point(content, position);
            width += width_of(c);
            const bool space = c == ' ' || c == static_cast<char32_t>(tied);
            if (space) (c == ' ' && (after_dot(content, at) || !before_number(content, position)) ? good : poor) = {at, width};
            while (width > room && !space && (good.found() || poor.found())) {
                const Break taken = good.found() ? good : poor;
                put(content.substr(begin, taken.at - begin), indent);
                begin = taken.at + 1;
                width -= taken.width;
                if (good.found() && poor.found() && poor.at > taken.at)
                    poor.width -= taken.width;
                else
                    poor = {};
                good = {};
            }
        }
        put(content.substr(begin), indent);
        open_.clear();
    }

    const std::string& text() const { return text_; }

private:
    /// A place where a line may be broken.
    struct Break {
        size_t at = std::string::npos;
        int width = 0;  // of the line up to it
        bool found() const { return at != std::string::npos; }
    };

    /// Whether a number or a percent sign begins here: the modality's lines do not say what belongs together.
    static bool before_number(const std::string& content, size_t position) {
        const char* const signs = "\1\2\3\4\5\6(<>+-";
        const size_t begin = std::min(content.find_first_not_of(signs, position), content.size());
        const char first = begin < content.size() ? content[begin] : ' ';
        return (first >= '0' && first <= '9') || first == '%';
    }

    /// Whether a figure has ended here, and the dot behind it.
    static bool after_dot(const std::string& content, size_t at) {
        constexpr std::string_view dot = "·";
        return at >= dot.size() && content.compare(at - dot.size(), dot.size(), dot) == 0;
    }

    int width_of(char32_t c) const {
        if (c == static_cast<char32_t>(tied)) return 1;
        if (c == static_cast<char32_t>(removed) || c == static_cast<char32_t>(added)) return style_.colour ? 0 : 4;
        return c < ' ' ? 0 : internal::columns(c);
    }

    void put(const std::string& content, int indent) {
        if (!content.empty()) text_.append(static_cast<size_t>(indent), ' ');
        // A mark that runs on from the line before begins afresh, so that the indentation is not struck out.
        if (style_.colour)
            for (char mark : open_) text_ += escape_code(mark);
        for (char c : content) {
            if (c == tied) {
                text_ += ' ';
            } else if (c < removed || c > end) {
                text_ += c;
            } else if (c != end) {
                open_ += c;
                text_ += style_.colour ? escape_code(c) : c == removed ? "-[" : c == added ? "+[" : "";
            } else {
                const char mark = open_.back();
                open_.pop_back();
                text_ += style_.colour ? escape_code(end) : mark == removed ? "]-" : mark == added ? "]+" : "";
            }
        }
        if (style_.colour && !open_.empty()) text_ += escape_code(end);
        text_ += '\n';
    }

    const TerminalStyle style_;
    std::string text_;
    std::string open_;  // marks not yet ended
};

std::string percent(double probability) { return together(base::probability(probability)); }

std::string percent_of(const ClassProbabilities& probabilities, const std::string& name) {
    for (const auto& [known, probability] : probabilities)
        if (known == name) return percent(probability);
    return "";
}

/// "gap 0.003"
std::string figure(const std::string& name, double value) { return together(name + ' ' + base::number(value)); }

/// Figures with dots between them; a line may be broken after a dot.
std::string listed(const std::vector<std::string>& figures) { return base::joined(figures, tied + std::string("· ")); }

std::string headline(const Explanation& explanation) {
    const Explanation::Question& question = explanation.question;
    const auto& before = explanation.probabilities.before;
    if (question.fact.empty()) return "no answer";
    const std::string of_fact = percent_of(before, question.fact), of_foil = percent_of(before, question.foil);
    std::string text = marked(strong, base::escape_controls(question.fact)) + (of_fact.empty() ? "" : tied + ("(" + of_fact + ")"));
    if (!question.foil.empty())
        text += ", why not " + marked(strong, base::escape_controls(question.foil)) +
                (of_foil.empty() ? "" : tied + ("(" + of_foil + ")")) + "?";
    return text;
}

// What the classifier says of the discrete answer, and honestly so where it does not call it the foil.
std::string outcome(const Explanation& explanation) {
    const ClassProbabilities& answer = explanation.probabilities.answer;
    const auto best = std::max_element(answer.begin(), answer.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const bool is_point = explanation.answer && explanation.answer->distance;
    std::string text = is_point ? "answer: " : "with these changes: ";
    if (best->first == explanation.question.foil) {
        text += marked(strong, base::escape_controls(best->first)) + tied + percent(best->second);
    } else {
        text += best->first == explanation.question.fact ? "still " : "";
        text += base::escape_controls(best->first) + tied + percent(best->second);
        const std::string of_foil = percent_of(answer, explanation.question.foil);
        if (!of_foil.empty()) text += ", " + base::escape_controls(explanation.question.foil) + tied + of_foil;
    }
    return is_point ? listed({text, figure("distance", *explanation.answer->distance)}) : text;
}

std::string boundary(const Explanation& explanation) {
    std::vector<std::string> parts;
    if (explanation.gap) parts.push_back(figure("gap", *explanation.gap));
    if (explanation.max_third) {
        const auto& [name, margin] = *explanation.max_third;
        parts.push_back("next class " + base::escape_controls(name) + tied + base::number(margin < 0 ? -margin : margin) + tied +
                        (margin <= 0 ? "below" : "above"));
    }
    if (explanation.distance) {
        parts.push_back(figure("distance", explanation.distance->latent));
        const base::Json distances =
            base::parse_json_object(explanation.distance->modality, ErrorCode::invalid_argument, "the modality's distances");
        for (const auto& [key, value] : distances.items()) {
            if (!value.is_number()) continue;
            std::string name = base::escape_controls(key);
            std::replace(name.begin(), name.end(), '_', ' ');
            parts.push_back(figure(name, value.get<double>()));
        }
    }
    return listed(parts);
}

// What the figures of the boundary mean, where a reader might miss it.
std::vector<std::string> remarks(const Explanation& explanation) {
    constexpr double tie = 0.1;   // nats
    constexpr double half = 0.5;  // of the probability
    std::vector<std::string> lines;
    if (!explanation.max_third) return lines;
    const auto& [third, margin] = *explanation.max_third;
    if (!explanation.edge && std::abs(margin) < tie) lines.push_back(base::escape_controls(third) + " is as likely as both.");
    double held = 0;
    for (const auto& [name, probability] : explanation.probabilities.boundary)
        if (name == explanation.question.fact || name == explanation.question.foil) held += probability;
    if (!explanation.probabilities.boundary.empty() && held < half)
        lines.push_back(base::escape_controls(explanation.question.fact) + " and " + base::escape_controls(explanation.question.foil) +
                        " together have " + percent(held) + " there.");
    return lines;
}

std::string cost(const Explanation::Cost& spent) {
    const Explanation::Seconds times = spent.seconds.value_or(Explanation::Seconds{});
    const double seconds = times.load + times.start + times.solve + times.render;
    if (spent.forward == 0 && seconds <= 0) return "";
    std::vector<std::string> parts{together(std::to_string(spent.forward) + (spent.forward == 1 ? " evaluation" : " evaluations"))};
    if (spent.seconds) parts.push_back(together(base::number(seconds) + " s"));
    return listed(parts);
}

// As much of an input as tells which one it was, cut between code points: a refused one may have any length.
std::string beginning(const std::string& input) {
    constexpr size_t max = 200;
    if (input.size() <= max) return input;
    size_t cut = 0;
    for (size_t next = 0; next <= max; base::next_code_point(input, next)) cut = next;
    return input.substr(0, cut) + " ... (" + std::to_string(input.size()) + " bytes)";
}

void put_pictures(Page& page, const std::vector<NamedPicture>& pictures, const TerminalStyle& style) {
    if (!style.colour || style.pictures == Pictures::none || pictures.empty()) return;
    for (const std::string& line : internal::draw_pictures(pictures, style)) page.ready(line);
    page.blank();
}

/// The modality's own lines.
void put_lines(Page& page, std::string_view lines, std::string_view typed) {
    while (!lines.empty() && lines.back() == '\n') lines.remove_suffix(1);
    if (lines.empty()) return;
    for (size_t begin = 0; begin <= lines.size();) {
        const size_t stop = std::min(lines.find('\n', begin), lines.size());
        page.line(with_marks(base::escape_controls(lines.substr(begin, stop - begin)), base::escape_controls(typed)), 4);
        begin = stop + 1;
    }
    page.blank();
}

}  // namespace

std::string to_terminal(const Attributed& attributed, const TerminalStyle& style) {
    Page page(style);
    const Explanation::Question& question = attributed.question;
    const bool is_file = !question.input_sha256.empty();
    const auto named = [&](const std::string& name) {
        const std::string probability = percent_of(attributed.probabilities, name);
        return marked(strong, base::escape_controls(name)) + (probability.empty() ? "" : tied + ("(" + probability + ")"));
    };
    std::string head = is_file ? base::escape_controls(question.input) + ": " : "";
    head += question.fact.empty() ? "no map" : "what speaks for " + named(question.fact);
    if (!question.foil.empty()) head += " and not " + named(question.foil);
    page.line(head + (question.fact.empty() ? "" : "?"));
    page.blank();
    put_pictures(page, attributed.map.pictures, style);
    if (!is_file && attributed.map.terminal.empty()) put_lines(page, beginning(question.input), question.input);
    put_lines(page, attributed.map.terminal, is_file ? "" : question.input);
    std::string ending = attributed.method + (attributed.sweep ? ", sweep" : "");
    if (!attributed.map.unit.empty()) ending += ", in " + attributed.map.unit;
    if (!attributed.reason.empty())
        page.line(marked(notice, "refused") + ": " + base::escape_controls(attributed.reason));
    else
        page.line(marked(faint, attributed.seconds ? listed({ending, together(base::number(*attributed.seconds) + " s")}) : ending));
    for (const std::string& warning : attributed.warnings) page.line(marked(notice, "note: ") + base::escape_controls(warning));
    return page.text();
}

std::string to_terminal(const Explanation& explanation, const std::string& modality_terminal, const TerminalStyle& style,
                        const std::vector<NamedPicture>& pictures) {
    Page page(style);
    const Explanation::Question& question = explanation.question;
    const bool is_file = !question.input_sha256.empty();
    page.line((is_file ? base::escape_controls(question.input) + ": " : "") + headline(explanation));
    page.blank();

    put_pictures(page, pictures, style);
    const bool has_lines = modality_terminal.find_first_not_of('\n') != std::string::npos;
    put_lines(page, has_lines || is_file ? modality_terminal : beginning(question.input), is_file ? "" : question.input);

    const std::string figures = boundary(explanation);
    const std::string where = explanation.edge ? "edge: " : "boundary: ";
    const bool answer_is_beyond = explanation.answer && explanation.answer->distance;
    if (answer_is_beyond && !figures.empty()) page.line(marked(faint, where + figures));
    if (!explanation.probabilities.answer.empty()) page.line(outcome(explanation));
    if (!answer_is_beyond && !figures.empty()) page.line(marked(faint, where + figures));
    for (const std::string& remark : remarks(explanation)) page.line(remark);
    if (explanation.answer && !explanation.answer->reason.empty() && explanation.answer->reason != explanation.reason)
        page.line(marked(notice, "answer " + explanation.answer->status) + ": " + base::escape_controls(explanation.answer->reason));
    std::string ending = marked(explanation.status == "found" ? faint : notice, base::escape_controls(explanation.status));
    if (!explanation.reason.empty()) ending += ": " + base::escape_controls(explanation.reason);
    if (const std::string spent = cost(explanation.cost); !spent.empty()) ending += marked(faint, tied + std::string("· ") + spent);
    page.line(ending);
    for (const std::string& warning : explanation.warnings) page.line(marked(notice, "note: ") + base::escape_controls(warning));
    return page.text();
}

}  // namespace whynot
