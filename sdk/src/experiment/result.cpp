#include <set>

#include "base/json.h"
#include "base/text.h"
#include "experiment/plain_path.h"
#include "whynot/experiment.h"

namespace whynot {
namespace {

/// A value of the JSON and where it stands, so that messages can say so.
class Place {
public:
    Place(const base::Json& value, std::string where, const std::string& origin)
        : value_(value), where_(std::move(where)), origin_(origin) {}

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorCode::invalid_input, origin_ + (where_.empty() ? "" : ", " + where_) + ": " + what);
    }

    /// An object with these keys, perhaps some of those, and no others.
    const Place& object(const std::set<std::string>& keys, const std::set<std::string>& perhaps = {}) const {
        if (!value_.is_object()) refuse("expected an object, found " + base::kind_of(value_));
        for (const auto& [key, member] : value_.items())
            if (!keys.count(key) && !perhaps.count(key)) refuse("nothing is called " + base::in_quotes(key) + " here");
        for (const std::string& key : keys)
            if (!value_.contains(key)) refuse("'" + key + "' is missing");
        return *this;
    }

    Place at(const char* key) const { return {value_.at(key), (where_.empty() ? "" : where_ + "/") + key, origin_}; }

    std::vector<Place> items() const {
        if (!value_.is_array()) refuse("expected an array, found " + base::kind_of(value_));
        std::vector<Place> places;
        for (size_t i = 0; i < value_.size(); ++i) places.emplace_back(value_[i], where_ + "/" + std::to_string(i), origin_);
        return places;
    }

    std::string text() const {
        if (!value_.is_string()) refuse("expected a string, found " + base::kind_of(value_));
        return value_.get<std::string>();
    }

    std::string some_text() const {
        std::string found = text();
        if (found.empty()) refuse("expected some text, found none");
        return found;
    }

    bool flag() const {
        if (!value_.is_boolean()) refuse("expected true or false, found " + base::kind_of(value_));
        return value_.get<bool>();
    }

    uint64_t count() const {
        if (!value_.is_number_unsigned())
            refuse("expected a whole number of at least 0, found " + base::kind_of(value_) + ", " + value_.dump());
        return value_.get<uint64_t>();
    }

    std::optional<double> number() const {
        if (value_.is_null()) return std::nullopt;
        if (!value_.is_number()) refuse("expected a number or null, found " + base::kind_of(value_));
        return value_.get<double>();
    }

    ExperimentValue value() const {
        if (value_.is_null()) return {};
        if (value_.is_string()) return value_.get<std::string>();
        if (value_.is_number_float() || (value_.is_number_unsigned() && value_.get<uint64_t>() > INT64_MAX)) return value_.get<double>();
        if (value_.is_number()) return value_.get<int64_t>();
        refuse("expected a number, a string or null, found " + base::kind_of(value_));
    }

    const base::Json& json() const { return value_; }

private:
    const base::Json& value_;
    std::string where_;
    const std::string& origin_;
};

base::Json json_of(const ExperimentValue& value) {
    return std::visit(
        [](const auto& held) {
            if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
                return base::Json();
            else
                return base::Json(held);
        },
        value);
}

ExperimentResult result_from(const base::Json& json, const std::string& origin) {
    const Place top =
        Place(json, "", origin)
            .object({"schema", "name", "title", "source", "quick", "seed", "settings", "figures", "tables", "pictures", "notes"},
                    {"packs"});
    if (const std::string schema = top.at("schema").text(); schema != ExperimentResult::schema)
        top.at("schema").refuse("expected " + std::string(ExperimentResult::schema) + ", found " + base::in_quotes(schema));
    ExperimentResult result;
    result.name = top.at("name").some_text();
    result.title = top.at("title").some_text();
    result.source = top.at("source").text();
    result.quick = top.at("quick").flag();
    result.seed = top.at("seed").count();
    const Place settings = top.at("settings");
    if (!settings.json().is_object()) settings.refuse("expected an object, found " + base::kind_of(settings.json()));
    result.settings = settings.json().dump();

    std::set<std::string> names;
    for (const Place& place : top.at("figures").items()) {
        place.object({"name", "value", "n", "unit", "published", "note"});
        ExperimentFigure figure;
        figure.name = place.at("name").some_text();
        if (!names.insert(figure.name).second) place.at("name").refuse("two figures are called " + base::in_quotes(figure.name));
        figure.value = place.at("value").number();
        const uint64_t n = place.at("n").count();
        if (n > INT64_MAX) place.at("n").refuse("expected a count, found " + std::to_string(n));
        figure.n = static_cast<int64_t>(n);
        figure.unit = place.at("unit").text();
        figure.published = place.at("published").value();
        figure.note = place.at("note").text();
        result.figures.push_back(std::move(figure));
    }
    for (const Place& place : top.at("tables").items()) {
        place.object({"title", "columns", "rows"});
        ExperimentTable table;
        table.title = place.at("title").some_text();
        for (const Place& column : place.at("columns").items()) table.columns.push_back(column.text());
        if (table.columns.empty()) place.at("columns").refuse("expected at least one column, found none");
        for (const Place& row : place.at("rows").items()) {
            std::vector<ExperimentValue>& cells = table.rows.emplace_back();
            for (const Place& cell : row.items()) cells.push_back(cell.value());
            if (cells.size() != table.columns.size())
                row.refuse("expected a cell for each of " + std::to_string(table.columns.size()) + " columns, found " +
                           std::to_string(cells.size()));
        }
        result.tables.push_back(std::move(table));
    }
    for (const Place& place : top.at("pictures").items()) {
        place.object({"file", "caption"});
        const std::string file = place.at("file").text();
        if (!internal::is_plain_path(file))
            place.at("file").refuse("expected a path inside the experiment's folder, of letters, digits and . _ - /, found " +
                                    base::in_quotes(file));
        result.pictures.push_back({file, place.at("caption").text()});
    }
    for (const Place& note : top.at("notes").items()) result.notes.push_back(note.some_text());
    if (json.contains("packs"))
        for (const Place& pack : top.at("packs").items()) {
            pack.object({"id", "version", "sha256", "licence"});
            result.packs.push_back(
                {pack.at("id").some_text(), pack.at("version").text(), pack.at("sha256").text(), pack.at("licence").text()});
        }
    return result;
}

}  // namespace

ExperimentResult begin_result(const ExperimentInfo& info, const ExperimentRequest& request) {
    ExperimentResult result;
    result.name = info.name;
    result.title = info.title;
    result.source = info.source;
    result.quick = request.quick;
    result.seed = request.seed;
    return result;
}

std::string to_json(const ExperimentResult& result) {
    const std::string what = "the result of the experiment " + base::in_quotes(result.name);
    base::Json figures = base::Json::array(), tables = base::Json::array(), pictures = base::Json::array();
    for (const ExperimentFigure& figure : result.figures) {
        figures.push_back({{"name", figure.name},
                           {"value", figure.value ? base::Json(*figure.value) : base::Json()},
                           {"n", figure.n},
                           {"unit", figure.unit},
                           {"published", json_of(figure.published)},
                           {"note", figure.note}});
    }
    for (const ExperimentTable& table : result.tables) {
        base::Json rows = base::Json::array();
        for (const auto& row : table.rows) {
            base::Json& cells = rows.emplace_back(base::Json::array());
            for (const ExperimentValue& cell : row) cells.push_back(json_of(cell));
        }
        tables.push_back({{"title", table.title}, {"columns", table.columns}, {"rows", rows}});
    }
    for (const ExperimentPicture& picture : result.pictures) pictures.push_back({{"file", picture.file}, {"caption", picture.caption}});
    base::Json json{{"schema", ExperimentResult::schema},
                    {"name", result.name},
                    {"title", result.title},
                    {"source", result.source},
                    {"quick", result.quick},
                    {"seed", result.seed},
                    {"settings", base::parse_json_object(result.settings, ErrorCode::invalid_argument, what + ", settings")},
                    {"figures", figures},
                    {"tables", tables},
                    {"pictures", pictures},
                    {"notes", result.notes}};
    for (const PackIdentity& pack : result.packs)
        json["packs"].push_back({{"id", pack.id}, {"version", pack.version}, {"sha256", pack.sha256}, {"licence", pack.licence}});
    try {
        const std::string text = base::write_json(json, 2, ErrorCode::invalid_argument, what) + '\n';
        experiment_result_from_json(text, what);
        return text;
    } catch (const Error& error) {  // a mistake of whoever made it
        throw Error(ErrorCode::invalid_argument, error.what());
    }
}

ExperimentResult experiment_result_from_json(std::string_view text, const std::string& origin) {
    return result_from(base::parse_json_object(text, ErrorCode::invalid_input, origin), origin);
}

}  // namespace whynot
