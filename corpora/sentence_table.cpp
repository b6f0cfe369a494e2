#include "corpora/sentence_table.h"

#include <csv.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "corpora/files.h"
#include "whynot/error.h"

namespace whynot::corpora {

namespace {

namespace fs = std::filesystem;
using Fields = std::vector<std::string>;

std::string at_line(int64_t line) { return "line " + std::to_string(line) + ": "; }

/// The lines of a content that are not empty, without their ends.
void for_each_line(std::string_view content, const std::function<void(std::string_view line, int64_t number)>& f) {
    int64_t number = 0;
    for (size_t begin = 0; begin < content.size();) {
        const size_t end = std::min(content.find('\n', begin), content.size());
        std::string_view line = content.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (!line.empty()) f(line, number);
    }
}

/// Rows of fields below a heading, to texts and labels.
class Rows {
public:
    Rows(const SentenceTable& table, const fs::path& path) : table_(table), path_(path) {}

    void add(Fields fields, int64_t line) {
        if (heading_.empty()) {
            heading_ = std::move(fields);
            text_ = column(table_.text, line);
            label_ = column(table_.label, line);
            return;
        }
        if (fields.size() != heading_.size())
            bad(path_, at_line(line) + "expected " + std::to_string(heading_.size()) + " fields as in the heading, found " +
                           std::to_string(fields.size()));
        rows_.push_back({std::move(fields[text_]), std::move(fields[label_]), line});
    }

    std::vector<LabelledText> take() {
        if (heading_.empty())
            bad(path_, "expected a heading with the columns " + table_.text + " and " + table_.label + ", found an empty file");
        return std::move(rows_);
    }

private:
    size_t column(const std::string& name, int64_t line) const {
        const auto found = std::find(heading_.begin(), heading_.end(), name);
        if (found == heading_.end())
            bad(path_, at_line(line) + "there is no column " + base::in_quotes(name) + " in the heading; it has " + base::joined(heading_));
        return static_cast<size_t>(found - heading_.begin());
    }

    const SentenceTable& table_;
    const fs::path& path_;
    Fields heading_;
    size_t text_ = 0, label_ = 0;
    std::vector<LabelledText> rows_;
};

void read_tsv(std::string_view content, Rows& rows) {
    for_each_line(content, [&](std::string_view line, int64_t number) {
        Fields fields;
        for (size_t begin = 0;; ++begin) {
            const size_t end = std::min(line.find('\t', begin), line.size());
            fields.emplace_back(line.substr(begin, end - begin));
            if (end == line.size()) break;
            begin = end;
        }
        rows.add(std::move(fields), number);
    });
}

/// What libcsv calls back.
struct CsvReader {
    Rows& rows;
    Fields fields;
    int64_t line = 1, row_begins = 1;

    static void on_field(void* bytes, size_t size, void* self) {
        static_cast<CsvReader*>(self)->fields.emplace_back(static_cast<const char*>(bytes), size);
    }
    static void on_row(int, void* self) {
        CsvReader& reader = *static_cast<CsvReader*>(self);
        Fields fields = std::exchange(reader.fields, {});
        // A blank line is a row of one empty field.
        if (fields.size() > 1 || !fields.front().empty()) reader.pending.emplace_back(std::move(fields), reader.row_begins);
    }
    // Rows wait until libcsv, which is C, has returned: what they throw may not pass through it.
    std::vector<std::pair<Fields, int64_t>> pending;

    void pass_on() {
        for (auto& [row, begins] : std::exchange(pending, {})) rows.add(std::move(row), begins);
    }
};

void read_csv(std::string_view content, Rows& rows, const fs::path& path) {
    csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw Error(ErrorCode::internal, "the CSV reader could not start");
    const std::unique_ptr<csv_parser, void (*)(csv_parser*)> freed(&parser, &csv_free);
    CsvReader reader{rows, {}, 1, 1, {}};
    const auto broken = [&] {
        bad(path, at_line(reader.row_begins) + "the row that begins there is broken (" + csv_strerror(csv_error(&parser)) +
                      "); a field with a quotation mark in it stands in quotes, with each mark twice");
    };
    bool quoted = false;  // whether a line begins within a quoted field: then it goes on with the row of the line before
    for (size_t begin = 0; begin < content.size(); ++reader.line) {
        const size_t end = std::min(content.find('\n', begin), content.size() - 1) + 1;
        if (!quoted) reader.row_begins = reader.line;
        quoted ^=
            std::count(content.begin() + static_cast<std::ptrdiff_t>(begin), content.begin() + static_cast<std::ptrdiff_t>(end), '"') % 2 !=
            0;
        if (csv_parse(&parser, content.data() + begin, end - begin, &CsvReader::on_field, &CsvReader::on_row, &reader) != end - begin)
            broken();
        reader.pass_on();
        begin = end;
    }
    if (csv_fini(&parser, &CsvReader::on_field, &CsvReader::on_row, &reader) != 0) broken();
    reader.pass_on();
}

std::vector<LabelledText> read_jsonl(std::string_view content, const SentenceTable& table, const fs::path& path) {
    std::vector<LabelledText> rows;
    for_each_line(content, [&](std::string_view line, int64_t number) {
        const std::string where = path.string() + ", line " + std::to_string(number);
        const base::Json object = base::parse_json_object(line, ErrorCode::invalid_input, where);
        const auto text_of = [&](const std::string& key) {
            const auto found = object.find(key);
            if (found == object.end() || !found->is_string())
                throw Error(ErrorCode::invalid_input, where + ": expected a text as " + base::in_quotes(key));
            return found->get<std::string>();
        };
        rows.push_back({text_of(table.text), text_of(table.label), number});
    });
    return rows;
}

}  // namespace

std::vector<LabelledText> parse_sentence_table(std::string_view content, const SentenceTable& table, const fs::path& path) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (content.substr(0, byte_order_mark.size()) == byte_order_mark) content.remove_prefix(byte_order_mark.size());
    if (table.format == "jsonl") return read_jsonl(content, table, path);
    Rows rows(table, path);
    if (table.format == "csv")
        read_csv(content, rows, path);
    else
        read_tsv(content, rows);
    return rows.take();
}

}  // namespace whynot::corpora
