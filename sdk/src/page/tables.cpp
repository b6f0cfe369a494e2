// Pages of figures and tables: experiments, evaluations.
#include "base/base64.h"
#include "base/file.h"
#include "base/format.h"
#include "base/json.h"
#include "page/markup.h"
#include "whynot/error.h"

namespace whynot {

namespace {

using namespace internal;

constexpr uint64_t largest_picture = 16 * 1000 * 1000;  // bytes

std::string cell(const ExperimentValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return "<td>" + shown(*text) + "</td>";
    if (const auto* whole = std::get_if<int64_t>(&value)) return "<td class=\"n\">" + std::to_string(*whole) + "</td>";
    if (const auto* real = std::get_if<double>(&value)) return "<td class=\"n\">" + base::number(*real) + "</td>";
    return "<td></td>";
}

std::string head(const std::string& label, const std::vector<std::string>& columns) {
    std::string html = table_begin(label);
    for (const std::string& column : columns) html += "<th scope=\"col\">" + shown(column) + "</th>";
    return html + "</tr></thead>\n<tbody>\n";
}

std::string figures_table(const std::vector<ExperimentFigure>& figures) {
    std::string html = head("figures", {"figure", "measured", "published", "n", "unit", "note"});
    for (const ExperimentFigure& figure : figures)
        html += "<tr><td>" + shown(figure.name) + "</td>" + (figure.value ? cell(*figure.value) : "<td></td>") + cell(figure.published) +
                "<td class=\"n\">" + (figure.n > 0 ? std::to_string(figure.n) : "") + "</td><td>" + shown(figure.unit) + "</td><td>" +
                shown(figure.note) + "</td></tr>\n";
    return html + table_end;
}

}  // namespace

std::string to_html(const ExperimentResult& result, const std::filesystem::path& folder, const PageInfo& about) {
    PageInfo info = about;
    info.packs.insert(info.packs.end(), result.packs.begin(), result.packs.end());
    std::string body = "<h1>" + shown(result.title) + "</h1>\n";
    if (!result.source.empty()) body += "<p class=\"soft\">" + shown(result.name) + "; published: " + shown(result.source) + "</p>\n";
    if (result.quick)
        body += "<p class=\"note\"><b>note</b>: a quick run: it shows the way, its figures are not those of the full experiment.</p>\n";
    if (!result.figures.empty()) body += figures_table(result.figures);
    for (const ExperimentTable& table : result.tables) {
        body += "<h2>" + shown(table.title) + "</h2>\n" + head(table.title, table.columns);
        for (const auto& row : table.rows) {
            body += "<tr>";
            for (const ExperimentValue& value : row) body += cell(value);
            body += "</tr>\n";
        }
        body += table_end;
    }
    if (!result.notes.empty()) {
        body += "<h2>Notes</h2>\n<ul>\n";
        for (const std::string& note : result.notes) body += "<li>" + shown(note) + "</li>\n";
        body += "</ul>\n";
    }
    for (const ExperimentPicture& picture : result.pictures) {
        const std::string bytes = base::read_file(folder / picture.file, largest_picture, ErrorCode::io);
        const std::string type = bytes.compare(0, 3, "GIF") == 0 ? "gif" : bytes.compare(0, 1, "<") == 0 ? "svg+xml" : "png";
        body += "<figure class=\"sheet\"><img alt=\"" + escaped(picture.caption) + "\" src=\"data:image/" + type + ";base64," +
                base::to_base64(bytes) + "\"><figcaption>" + shown(picture.caption) + "</figcaption></figure>\n";
    }
    return page(info, body, true);
}

std::string figures_to_html(const std::string& json, const PageInfo& info) {
    const base::Json figures =
        base::parse_json_object(json, ErrorCode::invalid_argument, "the figures of a page").value("figures", base::Json::array());
    std::vector<ExperimentFigure> list;
    for (const base::Json& one : figures) {
        const base::Json value = one.value("value", base::Json());
        ExperimentFigure figure;
        figure.name = one.value("name", "");
        if (value.is_number()) figure.value = value.get<double>();
        figure.n = one.value("n", int64_t{0});
        figure.unit = one.value("unit", "");
        list.push_back(std::move(figure));
    }
    std::string body = "<h1>" + shown(info.title) + "</h1>\n" + head("figures", {"figure", "measured", "n", "unit"});
    for (const ExperimentFigure& figure : list)
        body += "<tr><td>" + shown(figure.name) + "</td>" + (figure.value ? cell(*figure.value) : "<td></td>") + "<td class=\"n\">" +
                (figure.n > 0 ? std::to_string(figure.n) : "") + "</td><td>" + shown(figure.unit) + "</td></tr>\n";
    return page(info, body + table_end, true);
}

}  // namespace whynot
