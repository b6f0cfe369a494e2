// What a plugin brings to a page beside its lines and pictures: tables, bars and texts, declared as data in its own section of the record.
#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "page/markup.h"

namespace whynot::internal {

namespace {

using base::Json;

constexpr size_t most_extras = 20, most_rows = 200, most_columns = 20, most_bars = 40;

std::string text_in(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& list_in(const Json& object, const char* key) {
    static const Json none = Json::array();
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : none;
}

std::string json_cell(const Json& value) {
    if (value.is_number()) return "<td class=\"n\">" + base::number(value.get<double>(), 4) + "</td>";
    return "<td>" + (value.is_string() ? shown(value.get<std::string>()) : "") + "</td>";
}

std::string table_of(const Json& extra) {
    std::string html = table_begin(text_in(extra, "title"));
    const Json& columns = list_in(extra, "columns");
    const size_t width = std::min(columns.size(), most_columns);
    for (size_t c = 0; c < width; ++c)
        html += "<th scope=\"col\">" + (columns[c].is_string() ? shown(columns[c].get<std::string>()) : "") + "</th>";
    html += "</tr></thead>\n<tbody>\n";
    const Json& rows = list_in(extra, "rows");
    for (size_t r = 0; r < std::min(rows.size(), most_rows); ++r) {
        html += "<tr>";
        for (size_t c = 0; c < width; ++c) html += json_cell(rows[r].is_array() && c < rows[r].size() ? rows[r][c] : Json());
        html += "</tr>\n";
    }
    return html + table_end;
}

std::string bars_of(const Json& extra) {
    std::vector<std::pair<std::string, double>> parts;
    for (const Json& part : list_in(extra, "parts"))
        if (part.is_array() && part.size() == 2 && part[0].is_string() && part[1].is_number() && parts.size() < most_bars)
            parts.emplace_back(part[0].get<std::string>(), part[1].get<double>());
    return bars(parts, text_in(extra, "title") + (text_in(extra, "unit").empty() ? "" : ", in " + text_in(extra, "unit")));
}

/// Empty for a kind that is not known here: a later version's.
std::string content(const Json& extra) {
    const std::string kind = text_in(extra, "kind");
    if (kind == "text") return "<pre>" + escaped(text_in(extra, "text")) + "</pre>\n";
    if (kind == "table") return table_of(extra);
    return kind == "bars" ? bars_of(extra) : "";
}

}  // namespace

std::string extras(const Explanation& record) {
    if (record.rendering.empty()) return "";
    const Json section = base::parse_own_json(record.rendering);
    std::string html;
    if (!section.is_object()) return html;
    const Json& list = list_in(section, "show");
    for (size_t i = 0; i < std::min(list.size(), most_extras); ++i) {
        if (!list[i].is_object()) continue;
        const std::string made = content(list[i]), title = text_in(list[i], "title");
        if (!made.empty()) html += (title.empty() ? "" : "<h2>" + shown(title) + "</h2>\n") + made;
    }
    return html;
}

}  // namespace whynot::internal
