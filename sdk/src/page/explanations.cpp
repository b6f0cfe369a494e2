// Pages of explanations.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/base64.h"
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "page/markup.h"
#include "whynot/edits.h"
#include "whynot/error.h"

namespace whynot {

namespace {

using namespace internal;

constexpr const char* save_buttons =
    "<button type=\"button\" id=\"records\">save the records</button>\n<button type=\"button\" id=\"csv\">save as CSV</button>\n"
    "<button type=\"button\" id=\"latex\">save as LaTeX</button>\n";
constexpr size_t most_in_full = 8;               // answers; more are a list
constexpr size_t most_with_way = 100;            // answers whose every step is in the page
constexpr size_t most_bytes = 64 * 1000 * 1000;  // of a page

double foil_in(const ClassProbabilities& probabilities, const std::string& foil) {
    for (const auto& [name, probability] : probabilities)
        if (name == foil) return probability;
    return -1;
}

bool has_edits(const std::string& lines, const std::string& typed) {
    const std::vector<EditPart> parts = edit_parts(lines, typed);
    return std::any_of(parts.begin(), parts.end(), [](const EditPart& part) { return part.kind != EditPart::Kind::kept; });
}

/// What a list is filtered by.
std::string pair_of(const Explanation& record) { return record.question.fact + " \u2192 " + record.question.foil; }

/// The answer, where it is a text.
std::string text_of_answer(const Answer& answer) {
    if (answer.record.rendering.empty() || !answer.pictures.empty()) return "";
    const base::Json section = base::parse_own_json(answer.record.rendering);
    const auto found = section.find("answer");
    return found != section.end() && found->is_string() ? found->get<std::string>() : "";
}

/// A row of a table for LaTeX: what a name or a sentence has of its signs is no markup.
std::string latex_line(const std::vector<std::string>& cells) {
    const std::map<char, std::string> names{{'\\', "textbackslash"}, {'~', "textasciitilde"}, {'^', "textasciicircum"},
                                            {'<', "textless"},       {'>', "textgreater"},    {'|', "textbar"}};
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
        line += i > 0 ? " & " : "";
        for (const char c : cells[i]) {
            const auto name = names.find(c);
            if (name != names.end())
                line += "\\" + name->second + "{}";
            else if (std::string_view("{}$&#_%").find(c) != std::string_view::npos)
                line += std::string("\\") + c;
            else
                line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
        }
    }
    return line + " \\\\\n";
}

std::string each_line(const std::string& text, const std::string& typed, const char* css_class) {
    std::string html;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        if (end > begin)
            html += "<p class=\"" + std::string(css_class) + "\">" + with_edits(std::string_view(text).substr(begin, end - begin), typed) +
                    "</p>\n";
        begin = end + 1;
    }
    return html;
}

std::string panels(const Answer& answer) {
    if (answer.pictures.empty()) return "";
    std::string html = "<div class=\"panels\">\n";
    for (const NamedPicture& named : answer.pictures) {
        const std::string& caption = named.name;
        const std::string says = said_of(answer.record, caption);
        html += "<figure><img alt=\"" + escaped(caption + (says.empty() ? "" : ": " + says)) + "\" src=\"" + data_uri(named.picture) +
                "\"><figcaption><b>" + shown(caption) + "</b>" + (says.empty() ? "" : "<br>" + shown(says)) + "</figcaption></figure>\n";
    }
    return html + "</div>\n";
}

std::string figures_of(const Explanation& record) {
    std::vector<std::string> parts;
    if (record.gap) parts.push_back("gap " + base::number(*record.gap) + " nats");
    if (record.distance) {
        parts.push_back("distance " + base::number(record.distance->latent));
        const base::Json distances = base::parse_own_json(record.distance->modality);
        for (const auto& [key, value] : distances.items()) {
            std::string name = key;
            std::replace(name.begin(), name.end(), '_', ' ');
            if (value.is_number()) parts.push_back(name + " " + base::number(value.get<double>()));
        }
    }
    if (record.max_third)
        parts.push_back("next class " + record.max_third->name + " " + base::number(record.max_third->margin) + " nats from both");
    std::string text = base::joined(parts, " \u00b7 ");
    return text.empty() ? "" : "<p class=\"soft\">" + std::string(record.edge ? "edge: " : "boundary: ") + shown(text) + "</p>\n";
}

std::string remarks(const Explanation& record) {
    std::string html;
    const auto note = [&](const std::string& what, const std::string& text) {
        html += "<p class=\"note\"><b>" + what + "</b>: " + shown(text) + "</p>\n";
    };
    if (!record.reason.empty()) note(escaped(record.status), record.reason);
    if (record.answer && !record.answer->reason.empty() && record.answer->reason != record.reason)
        note("answer " + escaped(record.answer->status), record.answer->reason);
    for (const std::string& warning : record.warnings) note("note", warning);
    return html;
}

/// One answer in full, below its heading.
std::string article(const Answer& answer) {
    const Explanation& record = answer.record;
    const auto [edits, rest] = answer_and_rest(answer.terminal);
    const std::string bars = contribution_bars(record);
    std::string html;
    if (!record.question.input_sha256.empty() || edits.empty()) html += "<p class=\"soft\">" + shown(record.question.input) + "</p>\n";
    html += each_line(edits, typed_in(record), has_edits(edits, typed_in(record)) || answer.pictures.empty() ? "words" : "soft") +
            panels(answer) + way(answer);
    if (!bars.empty())
        html += "<h2>What gave way</h2>\n" + bars;
    else if (!rest.empty())
        html += "<pre>" + escaped(rest) + "</pre>\n";
    html += extras(record) + probabilities(record) + figures_of(record) + remarks(record);
    return html;
}

std::string record_of(const Explanation& record) {
    const std::string json = to_json(record);
    return "<details><summary>the record</summary>\n<pre>" + escaped(base::parse_own_json(json).dump(2)) +
           "</pre>\n<p class=\"download\"><a download=\"" + escaped(record.id) + ".json\" href=\"data:application/json;base64," +
           base::to_base64(json + "\n") + "\">save it</a></p>\n</details>\n";
}

}  // namespace

namespace internal {

std::pair<std::string, std::string> answer_and_rest(const std::string& terminal) {
    size_t end = terminal.find("\n\n");
    if (end == std::string::npos) end = terminal.size();
    std::string rest = end < terminal.size() ? terminal.substr(end + 2) : "";
    while (!rest.empty() && rest.back() == '\n') rest.pop_back();
    std::string answer = terminal.substr(0, end);
    while (!answer.empty() && answer.back() == '\n') answer.pop_back();
    return {answer, rest};
}

std::string said_of(const Explanation& record, const std::string& picture) {
    if (picture == "difference") return "red is added, blue is removed";
    const std::map<std::string, const ClassProbabilities*> of{{"input", &record.probabilities.before},
                                                              {"boundary", &record.probabilities.boundary},
                                                              {"edge", &record.probabilities.boundary},
                                                              {"answer", &record.probabilities.answer}};
    const auto found = of.find(picture);
    std::string says;
    if (found == of.end()) return says;
    for (const std::string& name : {record.question.fact, record.question.foil})
        if (const double p = foil_in(*found->second, name); p >= 0) says += (says.empty() ? "" : ", ") + name + " " + base::probability(p);
    return says;
}

}  // namespace internal

AnswerPieces answer_pieces(const Answer& answer, size_t number) {
    const Explanation& record = answer.record;
    const double p = foil_in(record.probabilities.answer, record.question.foil);
    const std::string edits = answer_and_rest(answer.terminal).first;
    std::string text = has_edits(edits, typed_in(record))
                           ? with_edits(std::string_view(edits).substr(0, edits.find('\n')), typed_in(record))
                           : shown(record.question.input);
    if (!answer.pictures.empty())
        text += " <img width=\"28\" height=\"28\" alt=\"input\" src=\"" + data_uri(answer.pictures.front().picture) + "\">";
    const std::string place = std::to_string(number);
    const std::vector<std::string> cells{place,
                                         record.question.fact,
                                         record.question.foil,
                                         record.status,
                                         p < 0 ? "" : base::fixed(p, 4),
                                         record.question.input,
                                         text_of_answer(answer)};
    return {question(record), article(answer),
            "<tr data-pair=\"" + escaped(pair_of(record)) + "\" data-status=\"" + escaped(record.status) + "\"><td data-value=\"" + place +
                "\">" + place + "</td><td>" + shown(record.question.fact) + "</td><td>" + shown(record.question.foil) + "</td><td>" +
                escaped(record.status) + "</td><td class=\"n\" data-value=\"" + base::number(p) + "\">" +
                (p < 0 ? "" : escaped(base::probability(p))) + "</td><td class=\"text\">" + text + "</td></tr>\n",
            base::csv_line(cells), latex_line(cells)};
}

std::string article_of(const Attributed& attributed) {
    constexpr size_t most_bars = 12;
    const auto note = [](const std::string& text) { return "<p class=\"note\"><b>note</b>: " + shown(text) + "</p>\n"; };
    std::string html = "<p class=\"soft\">" + shown(attributed.method) + " of " + shown(attributed.question.fact) +
                       (attributed.question.foil.empty() ? "" : " against " + shown(attributed.question.foil)) + "</p>\n";
    if (!attributed.reason.empty()) return html + note(attributed.reason);
    if (!attributed.map.pictures.empty()) {
        html += "<div class=\"panels\">\n";
        for (const NamedPicture& named : attributed.map.pictures)
            html += "<figure><img alt=\"" + escaped(named.name) + "\" src=\"" + data_uri(named.picture) + "\"><figcaption><b>" +
                    shown(named.name) + "</b></figcaption></figure>\n";
        html += "</div>\n";
    }
    std::vector<std::pair<std::string, double>> parts;
    for (size_t i = 0; i < std::min(attributed.map.parts.size(), attributed.map.scores.size()); ++i)
        parts.emplace_back(attributed.map.parts[i], attributed.map.scores[i]);
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return std::abs(a.second) > std::abs(b.second); });
    if (parts.size() > most_bars) parts.resize(most_bars);
    html += bars(parts, "what each part adds, in " + attributed.map.unit);
    for (const std::string& warning : attributed.warnings) html += note(warning);
    return html;
}

struct ExplanationPage::State {
    PageInfo info;
    std::string full;  ///< the first answers
    std::string rows;  ///< all of them, one a row
    base::Json packed = base::Json::array();
    std::set<std::string> pairs, states;  ///< to filter by
    size_t count = 0, bytes = 0;
};

ExplanationPage::ExplanationPage(PageInfo info) : state_(std::make_unique<State>()) { state_->info = std::move(info); }
ExplanationPage::~ExplanationPage() = default;

void ExplanationPage::add_pack(const PackIdentity& pack) {
    for (const PackIdentity& known : state_->info.packs)
        if (known.sha256 == pack.sha256) return;
    state_->info.packs.push_back(pack);
}

size_t ExplanationPage::size() const { return state_->count; }

void ExplanationPage::add(const Answer& answer) {
    if (state_->count >= most_with_way && !answer.frames.empty()) {
        Answer bare = answer;
        bare.frames.clear();
        return add(bare);
    }
    const Explanation& record = answer.record;
    ++state_->count;
    const AnswerPieces pieces = answer_pieces(answer, state_->count);
    if (state_->count <= most_in_full) {
        const std::string level = state_->count == 1 ? "h1" : "h2";
        state_->full +=
            "<article>\n<" + level + ">" + pieces.question + "</" + level + ">\n" + pieces.article + record_of(record) + "</article>\n";
    }
    state_->rows += pieces.row;
    if (!record.question.foil.empty()) state_->pairs.insert(pair_of(record));
    state_->states.insert(record.status);
    base::Json packed{{"title", pieces.question},
                      {"article", pieces.article},
                      {"record", base::parse_own_json(to_json(record))},
                      {"csv", pieces.csv},
                      {"latex", pieces.latex}};
    state_->bytes += pieces.article.size();
    state_->packed.push_back(std::move(packed));
    if (state_->bytes > most_bytes)
        throw Error(ErrorCode::invalid_argument,
                    "the page would be larger than 64 MB, which browsers do not open gladly; make one of fewer answers");
}

std::string ExplanationPage::html() const {
    if (state_->count <= most_in_full) return page(state_->info, state_->full, false);
    const auto options = [](const std::set<std::string>& values) {
        std::string html = "<option value=\"\">all</option>";
        for (const std::string& value : values) html += "<option>" + escaped(value) + "</option>";
        return html;
    };
    std::string body = "<h1>" + shown(state_->info.title) +
                       "</h1>\n<div class=\"filters needs-script\" hidden>\n<label>classes <select id=\"pair\">" + options(state_->pairs) +
                       "</select></label>\n<label>status <select id=\"status\">" + options(state_->states) +
                       "</select></label>\n<label>words <input type=\"search\" id=\"words\"></label>\n" + std::string(save_buttons) +
                       "<span id=\"count\" role=\"status\"></span>\n</div>\n" + table_begin("answers", "list");
    for (const char* head : {"no.", "fact", "foil", "status", "answer is foil", "answer"})
        body += "<th scope=\"col\"><button type=\"button\">" + std::string(head) + "</button></th>";
    body += "</tr></thead>\n<tbody>\n" + state_->rows + std::string(table_end) +
            "<script type=\"application/octet-stream\" id=\"answers\">" + base::to_base64(gzip(state_->packed.dump())) + "</script>\n";
    return page(state_->info, body, true);
}

}  // namespace whynot
