#include "bench/page.h"

#include "base/format.h"

namespace whynot::cli {
namespace {

using base::Json;

/// The columns of a row that stand in the table's own heading.
bool is_of_all(const std::string& key) { return key == "pack" || key == "modality" || key == "inputs"; }

ExperimentValue value_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return value.get<int64_t>();
    if (value.is_number()) return value.get<double>();
    return {};
}

/// "questions_a_second" for people.
std::string in_words(std::string key) {
    for (char& c : key)
        if (c == '_') c = ' ';
    return key;
}

}  // namespace

std::string bench_page(const Json& result, const PageInfo& info) {
    ExperimentResult page;
    page.name = "bench";
    page.title = info.title;
    for (const Json& row : result.at("rows")) {
        const std::string title = row.at("pack").get<std::string>() + ", " + row.at("inputs").get<std::string>();
        if (page.tables.empty() || page.tables.back().title != title) {
            ExperimentTable& table = page.tables.emplace_back();
            table.title = title;
            for (const auto& [key, ignored] : row.items())
                if (!is_of_all(key)) table.columns.push_back(in_words(key));
        }
        std::vector<ExperimentValue>& values = page.tables.back().rows.emplace_back();
        for (const auto& [key, value] : row.items())
            if (!is_of_all(key)) values.push_back(value_of(value));
    }
    for (const auto& [key, value] : result.at("machine").items())
        page.notes.push_back(key + ": " + (value.is_string() ? value.get<std::string>() : value.dump()));
    for (const Json& one : result.at("left_out"))
        page.notes.push_back("left out: " + one.at("method").get<std::string>() + ", batch " + one.at("batch").dump() +
                             ", which would take " + base::fixed(one.at("expected_seconds").get<double>(), 0) + " s");
    return to_html(page, "", info);
}

}  // namespace whynot::cli
