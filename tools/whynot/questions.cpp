#include "questions.h"

#include <csv.h>
#include <openssl/evp.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "core/text.h"
#include "inputs.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::invalid_input, why); }

std::string decode_base64(const std::string& text) {
    if (text.empty() || text.size() % 4 != 0)
        refuse("expected 'image_base64' to be base64, found " + std::to_string(text.size()) + " letters");
    std::string bytes(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) refuse("expected 'image_base64' to be base64, found other letters");
    const auto padding = static_cast<size_t>(std::count(text.end() - 2, text.end(), '='));
    bytes.resize(static_cast<size_t>(size) - padding);
    return bytes;
}

/// A field that is text or a number, as text; null is a field that is not there.
std::string text_of(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "";
    if (found->is_number_integer()) return found->dump();
    if (!found->is_string()) refuse(std::string("expected '") + key + "' to be a text, found " + found->type_name());
    return *found;
}

void set_input(StreamedQuestion& question, const Json& object) {
    static const std::set<std::string> keys{"id", "input", "image_path", "image_base64", "fact", "foil"};
    std::vector<std::string> inputs;
    for (const auto& [key, value] : object.items()) {
        if (keys.count(key) == 0) refuse("expected id, input, image_path, image_base64, fact and foil, found " + in_quotes(key));
        if (key.compare(0, 2, "im") == 0 || key == "input") inputs.push_back(key);
    }
    if (inputs.size() != 1)
        refuse("expected one of input, image_path and image_base64, found " + (inputs.empty() ? "none" : inputs[0] + " and " + inputs[1]));
    const std::string value = text_of(object, inputs[0].c_str());
    question.image = inputs[0] != "input";
    question.shown = question.image ? (inputs[0] == "image_path" ? value : "image_base64") : value;
    if (inputs[0] == "image_base64") {
        question.ask.input = {decode_base64(value), "image_base64"};
    } else if (question.image) {
        question.ask.input = read_image(value);
    } else {
        question.ask.input = {value, ""};
    }
}

}  // namespace

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
    }
    void finish() { csv_fini(&parser, &on_field, &on_row, this); }

    static void on_field(void* text, size_t size, void* self) {
        static_cast<Csv*>(self)->row.emplace_back(static_cast<const char*>(text), size);
    }
    static void on_row(int, void* self) {
        Csv& csv = *static_cast<Csv*>(self);
        csv.rows.push_back(std::exchange(csv.row, {}));
    }

    csv_parser parser;
    const std::string column;
    std::vector<std::string> row, heading;
    std::deque<std::vector<std::string>> rows;
    bool finished = false;
};

Questions::Questions(const std::string& csv_column, std::string fact, std::string foil)
    : csv_(csv_column.empty() ? nullptr : std::make_unique<Csv>(csv_column)), fact_(std::move(fact)), foil_(std::move(foil)) {}

Questions::~Questions() = default;

StreamedQuestion Questions::from_json(const std::string& line) const {
    StreamedQuestion question;
    question.shown = line.substr(0, 200);
    question.ask.question = {fact_, foil_, ""};
    try {
        const Json object = Json::parse(line, nullptr, false);
        if (object.is_discarded()) refuse("expected a question as a JSON object on one line; this is no JSON");
        if (!object.is_object()) refuse(std::string("expected a question as a JSON object, found ") + object.type_name());
        question.ask.question.id = text_of(object, "id");
        set_input(question, object);
        if (std::string fact = text_of(object, "fact"); !fact.empty()) question.ask.question.fact = std::move(fact);
        if (std::string foil = text_of(object, "foil"); !foil.empty()) question.ask.question.foil = std::move(foil);
    } catch (const Error& error) {
        question.problem = error.what();
    }
    return question;
}

Lines::Got Questions::next(StreamedQuestion& question, int patience, int also) {
    std::string line;
    if (!csv_) {
        const Lines::Got got = lines_.next(line, patience, also);
        if (got == Lines::Got::line) {
            question = from_json(line);
            question.number = ++number_;
        }
        return got;
    }
    while (csv_->rows.empty() || csv_->heading.empty()) {
        if (!csv_->rows.empty()) {
            csv_->heading = std::move(csv_->rows.front());
            csv_->rows.pop_front();
            if (std::find(csv_->heading.begin(), csv_->heading.end(), csv_->column) == csv_->heading.end()) {
                std::string columns;
                for (const std::string& name : csv_->heading) columns += (columns.empty() ? "" : ", ") + escape_controls(name);
                refuse("the CSV file has no column '" + csv_->column + "'; its first line names " + columns);
            }
            continue;
        }
        if (csv_->finished) return Lines::Got::end;
        const Lines::Got got = lines_.next(line, patience, also);
        if (got == Lines::Got::none_yet) return got;
        if (got == Lines::Got::line) {
            csv_->feed(line + '\n');
        } else {
            csv_->finish();
            csv_->finished = true;
        }
    }
    const std::vector<std::string> row = std::move(csv_->rows.front());
    csv_->rows.pop_front();
    const auto cell = [&](const std::string& name) {
        const auto at = static_cast<size_t>(std::find(csv_->heading.begin(), csv_->heading.end(), name) - csv_->heading.begin());
        return at < row.size() ? row[at] : std::string();
    };
    question = {};
    question.number = ++number_;
    question.shown = cell(csv_->column);
    question.ask.input = {question.shown, ""};
    question.ask.question = {cell("fact").empty() ? fact_ : cell("fact"), cell("foil").empty() ? foil_ : cell("foil"), cell("id")};
    return Lines::Got::line;
}

}  // namespace whynot::cli
