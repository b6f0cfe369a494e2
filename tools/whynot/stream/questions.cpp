#include "stream/questions.h"

#include <csv.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "stream/inputs.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

using base::Json;

/// A question is an object of texts and numbers: what a line holds beyond that must not fill the memory.
constexpr base::JsonLimits question_limits{2, 64};

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::invalid_input, why); }

std::string decode_base64(const std::string& text) {
    if (text.empty() || text.size() % 4 != 0)
        refuse("expected 'image_base64' to be base64, found " + std::to_string(text.size()) + " letters");
    const std::optional<std::string> bytes = base::from_base64(text);
    if (!bytes) refuse("expected 'image_base64' to be base64, found other letters");
    if (bytes->empty()) refuse("expected 'image_base64' to hold a picture, found nothing");
    return *bytes;
}

/// A field that is text or a number, as text; null is a field that is not there.
std::string text_of(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "";
    if (found->is_number_integer()) return found->dump();
    if (!found->is_string()) refuse(std::string("expected '") + key + "' to be a text, found " + base::kind_of(*found));
    return *found;
}

/// As the record has it.
std::string readable(const std::string& text) { return base::is_utf8(text) ? text : base::escape_controls(text); }

void set_input(StreamedQuestion& question, const Json& object) {
    static const std::set<std::string> keys{"id", "input", "image_path", "image_base64", "fact", "foil"};
    std::vector<std::string> inputs;
    for (const auto& [key, value] : object.items()) {
        if (keys.count(key) == 0) refuse("expected id, input, image_path, image_base64, fact and foil, found " + base::in_quotes(key));
        if (key.compare(0, 2, "im") == 0 || key == "input") inputs.push_back(key);
    }
    if (inputs.size() != 1)
        refuse("expected one of input, image_path and image_base64, found " + (inputs.empty() ? "none" : base::joined(inputs, " and ")));
    const std::string value = text_of(object, inputs[0].c_str());
    question.image = inputs[0] != "input";
    question.shown = value;
    if (inputs[0] == "image_base64") {
        question.shown = inputs[0];
        question.input = {decode_base64(value), inputs[0]};  // not empty: it names no file
    } else if (question.image) {
        if (value.empty()) refuse("expected 'image_path' to name a file, found nothing");
        question.in_file = true;
        question.input.path = value;
    } else {
        question.input.content = value;
    }
}

/// A row, all fields in quotes.
std::string csv_text(const std::vector<std::string>& row) {
    std::string text;
    for (const std::string& field : row) {
        if (!text.empty()) text += ',';
        std::string quoted(2 * field.size() + 2, '\0');
        quoted.resize(csv_write(quoted.data(), quoted.size(), field.data(), field.size()));
        text += quoted;
    }
    return text + '\n';
}

}  // namespace

StreamedQuestion question_from_json(const std::string& line) {
    StreamedQuestion question;
    question.shown = readable(line.substr(0, 200));
    try {
        if (!base::is_utf8(line)) refuse("expected text in UTF-8, found other bytes");
        const Json object = base::parse_json_object(line, ErrorCode::invalid_input, "the question", question_limits);
        question.question.id = text_of(object, "id");
        set_input(question, object);
        question.question.fact = text_of(object, "fact");
        question.question.foil = text_of(object, "foil");
    } catch (const Error& error) {
        question.problem = error.what();
    }
    return question;
}

void read_image_of(StreamedQuestion& question) {
    if (!question.problem.empty() || !question.in_file || !question.input.content.empty()) return;
    try {
        question.input = read_image(question.input.path);
    } catch (const Error& error) {
        question.problem = error.what();
    }
}

/// Rows of a CSV file (RFC 4180), fed line by line: a field in quotes may hold line ends.
struct Questions::Csv {
    explicit Csv(std::string wanted) : column(std::move(wanted)) {
        if (csv_init(&parser, 0) != 0) throw Error(ErrorCode::internal, "the CSV reader could not start");
    }
    ~Csv() { csv_free(&parser); }
    Csv(const Csv&) = delete;
    Csv& operator=(const Csv&) = delete;

    void feed(const std::string& line) {
        if (csv_parse(&parser, line.data(), line.size(), &on_field, &on_row, this) != line.size())
            refuse(std::string("the CSV file cannot be read: ") + csv_strerror(csv_error(&parser)));
        if (parser.entry_pos > longest_line) refuse("a field of the CSV file is longer than 16 MB; a quote may be missing at its end");
    }
    void finish() {
        // What ends within quotes has swallowed all rows since.
        if (parser.quoted)
            refuse("the CSV file ends within a field in quotes that begins with " +
                   base::in_quotes({reinterpret_cast<const char*>(parser.entry_buf), parser.entry_pos}));
        csv_fini(&parser, &on_field, &on_row, this);
        finished = true;
    }

    static void on_field(void* text, size_t size, void* self) {
        static_cast<Csv*>(self)->row.emplace_back(static_cast<const char*>(text), size);
    }
    static void on_row(int, void* self) {
        Csv& csv = *static_cast<Csv*>(self);
        csv.rows.push_back(std::exchange(csv.row, {}));
    }

    /// Takes the first row for the heading.
    void read_heading() {
        heading = std::move(rows.front());
        rows.pop_front();
        if (std::find(heading.begin(), heading.end(), column) != heading.end()) return;
        refuse("the CSV file has no column '" + column + "'; its first line names " + base::escape_controls(base::joined(heading)));
    }

    csv_parser parser;
    const std::string column;
    std::vector<std::string> row, heading;
    std::deque<std::vector<std::string>> rows;
    bool finished = false;
};

Questions::Questions(const ExplainCommand& command, bool keep_text)
    : csv_(command.csv_column.empty() ? nullptr : std::make_unique<Csv>(command.csv_column)),
      json_(command.jsonl),
      keep_text_(keep_text),
      fact_(command.fact),
      foil_(command.foil) {}

Questions::~Questions() = default;

std::string Questions::heading() const { return csv_ ? csv_text(csv_->heading) : ""; }

Lines::Got Questions::next(StreamedQuestion& question, int timeout, int also) {
    Lines::Got got;
    if (csv_) {
        got = next_row(question, timeout, also);
    } else {
        std::string line;
        got = lines_.next(line, timeout, also);
        std::string text;
        if (keep_text_) {
            text = line;
            if (got == Lines::Got::too_long) text.resize(longest_line + 1, ' ');  // for the next reader it is too long as well
            text += "\r\n";                                                       // one is taken off
        }
        if (got == Lines::Got::line && json_) {
            question = question_from_json(line);
        } else {
            question = {};
            question.shown = readable(line);
            question.input.content = std::move(line);
            if (got == Lines::Got::too_long) question.problem = "a line is longer than 16 MB";
        }
        question.text = std::move(text);
        if (got == Lines::Got::too_long) got = Lines::Got::line;
    }
    if (got == Lines::Got::line) {
        question.number = ++number_;
        if (question.question.fact.empty()) question.question.fact = fact_;
        if (question.question.foil.empty()) question.question.foil = foil_;
    }
    return got;
}

Lines::Got Questions::next_row(StreamedQuestion& question, int timeout, int also) {
    while (csv_->rows.empty()) {
        if (csv_->finished) return Lines::Got::end;
        std::string line;
        switch (const Lines::Got got = lines_.next(line, timeout, also)) {
            case Lines::Got::none_yet: return got;
            case Lines::Got::too_long: refuse("a line of the CSV file is longer than 16 MB");
            case Lines::Got::line: csv_->feed(line + '\n'); break;
            case Lines::Got::end: csv_->finish();
        }
        if (csv_->heading.empty() && !csv_->rows.empty()) csv_->read_heading();
    }
    const std::vector<std::string> row = std::move(csv_->rows.front());
    csv_->rows.pop_front();
    const std::vector<std::string>& heading = csv_->heading;
    const auto cell = [&](const std::string& name) {
        const auto at = static_cast<size_t>(std::find(heading.begin(), heading.end(), name) - heading.begin());
        return at < row.size() ? row[at] : std::string();
    };
    question = {};
    question.input.content = cell(csv_->column);
    question.shown = readable(question.input.content);
    question.question = {cell("fact"), cell("foil"), cell("id")};
    if (keep_text_) question.text = csv_text(row);
    // A comma that stands in no quotes has cut the sentence.
    if (row.size() != heading.size())
        question.problem =
            "expected " + std::to_string(heading.size()) + " fields, as the heading has, found " + std::to_string(row.size());
    return Lines::Got::line;
}

}  // namespace whynot::cli
