#include "page/markup.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/base64.h"
#include "base/format.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "whynot/edits.h"
#include "whynot/error.h"
#include "whynot/version.h"

namespace whynot::internal {

namespace {

const char* const style_text =
#include "page_style.inc"
    ;
const char* const script_text =
#include "page_script.inc"
    ;

/// A control character that a page cannot show, save for the ends of lines.
bool is_control(unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }

std::string policy_hash(std::string_view text) {
    std::string bytes;
    const std::string hex = base::sha256_hex(text);
    for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return "'sha256-" + base::to_base64(bytes) + "'";
}

std::string packs_of(const PageInfo& info) {
    std::string text;
    for (const PackIdentity& pack : info.packs)
        text += "<p>pack " + shown(pack.id) + " " + shown(pack.version) + ", SHA-256 <code>" + escaped(pack.sha256) + "</code>" +
                (pack.licence.empty() ? "" : ": " + shown(pack.licence)) + "</p>\n";
    return text;
}

double probability_in(const ClassProbabilities& probabilities, const std::string& name) {
    for (const auto& [known, probability] : probabilities)
        if (known == name) return probability;
    return -1;
}

/// The likeliest class beside fact and foil, where it is looked at most: at the boundary.
std::string third_of(const Explanation& record) {
    const ClassProbabilities& there = record.probabilities.boundary.empty() ? record.probabilities.before : record.probabilities.boundary;
    std::string name;
    double most = -1;
    for (const auto& [known, probability] : there)
        if (known != record.question.fact && known != record.question.foil && probability > most) name = known, most = probability;
    return name;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&#39;"; break;
            default:
                if (is_control(static_cast<unsigned char>(c)))
                    result += base::escape_controls(std::string_view(&c, 1));
                else
                    result += c;
        }
    }
    return result;
}

std::string shown(std::string_view text) { return "<bdi>" + escaped(text) + "</bdi>"; }

std::string with_edits(std::string_view line, std::string_view typed) {
    using Kind = EditPart::Kind;
    std::string result;
    for (const auto& [kind, text] : edit_parts(line, typed)) {
        const std::string name = kind == Kind::deleted ? "del" : kind == Kind::inserted ? "ins" : "";
        result += name.empty() ? shown(text) : "<" + name + ">" + shown(text) + "</" + name + ">";
    }
    return result;
}

std::string table_begin(const std::string& label, const char* css_class) {
    return "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + escaped(label) + "\"><table" +
           (*css_class ? " class=\"" + std::string(css_class) + "\"" : "") + ">\n<thead><tr>";
}

std::string typed_in(const Explanation& record) { return record.question.input_sha256.empty() ? record.question.input : ""; }

std::string gzip(std::string_view bytes) {
    z_stream stream{};
    constexpr int with_gzip_header = 31;
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, with_gzip_header, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        throw Error(ErrorCode::internal, "zlib does not start");
    std::string result(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    const int ended = deflate(&stream, Z_FINISH);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END) throw Error(ErrorCode::internal, "zlib could not compress a page");
    return result;
}

std::string data_uri(const Picture& picture) { return "data:image/png;base64," + base::to_base64(to_png(picture)); }

std::string page(const PageInfo& info, const std::string& body, bool wide) {
    const std::string policy = "default-src 'none'; img-src data:; style-src " + policy_hash(style_text) + "; script-src " +
                               policy_hash(script_text) + "; base-uri 'none'; form-action 'none'";
    std::string html =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"" +
        policy +
        "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light "
        "dark\">\n"
        "<meta name=\"generator\" content=\"whynot " WHYNOT_VERSION "\">\n<title>" +
        escaped(info.title) + "</title>\n<style>" + style_text + "</style>\n</head>\n<body>\n<main" + (wide ? " class=\"wide\"" : "") +
        ">\n" + body + "</main>\n<footer>\n";
    if (!info.command.empty()) html += "<p>made by <code>" + escaped(info.command) + "</code></p>\n";
    html += packs_of(info) + "<p>whynot " WHYNOT_VERSION "; this page asks nobody for anything.</p>\n</footer>\n<script>" + script_text +
            "</script>\n</body>\n</html>\n";
    return html;
}

std::string question(const Explanation& record) {
    const Explanation::Question& asked = record.question;
    if (asked.fact.empty()) return "no answer";
    const auto named = [&](const char* kind, const std::string& name) {
        const double probability = probability_in(record.probabilities.before, name);
        return "<span class=\"" + std::string(kind) + "\">" + shown(name) + "</span>" +
               (probability < 0 ? "" : " <span class=\"soft\">(" + escaped(base::probability(probability)) + ")</span>");
    };
    return asked.foil.empty() ? "why " + named("fact", asked.fact) + "?"
                              : "why " + named("fact", asked.fact) + " and not " + named("foil", asked.foil) + "?";
}

std::vector<std::pair<std::string, double>> falls_of(const Explanation& record) {
    constexpr size_t most_parts = 12;
    constexpr double least = 0.02;  // of the largest
    std::vector<std::pair<std::string, double>> falls;
    if (record.rendering.empty()) return falls;
    const base::Json section = base::parse_own_json(record.rendering);
    const auto found = section.find("contributions");
    if (found == section.end() || !found->is_array()) return falls;
    for (const base::Json& one : *found) {
        const base::Json word = one.value("word", base::Json()), before = one.value("before", base::Json()),
                         boundary = one.value("boundary", base::Json());
        if (!word.is_string() || !before.is_number() || !boundary.is_number()) return {};
        falls.emplace_back(word.get<std::string>(), before.get<double>() - boundary.get<double>());
    }
    std::stable_sort(falls.begin(), falls.end(), [](const auto& a, const auto& b) { return std::abs(a.second) > std::abs(b.second); });
    const double most = falls.empty() ? 0 : std::abs(falls.front().second);
    while (!falls.empty() && (falls.size() > most_parts || std::abs(falls.back().second) < least * most || most <= 0)) falls.pop_back();
    return falls;
}

std::string bars(const std::vector<std::pair<std::string, double>>& parts, const std::string& label) {
    constexpr double row = 26, name_width = 170, bar_width = 320;
    if (parts.empty()) return "";
    const auto larger = [](const auto& a, const auto& b) { return std::abs(a.second) < std::abs(b.second); };
    const double most = std::max(1e-12, std::abs(std::max_element(parts.begin(), parts.end(), larger)->second));
    const std::string height = base::number(row * static_cast<double>(parts.size()));
    std::string svg = "<svg viewBox=\"0 0 580 " + height + "\" width=\"580\" height=\"" + height + "\" role=\"img\" aria-label=\"" +
                      escaped(label) + "\">\n";
    for (size_t i = 0; i < parts.size(); ++i) {
        const auto& [word, amount] = parts[i];
        const double y = row * static_cast<double>(i);
        const std::string text_y = base::number(y + 17);
        svg += "<text x=\"" + base::number(name_width - 10) + "\" y=\"" + text_y + "\" text-anchor=\"end\">" + escaped(word) + "</text>" +
               "<rect class=\"" + (amount >= 0 ? "bar" : "gone") + "\" x=\"" + base::number(name_width) + "\" y=\"" + base::number(y + 4) +
               "\" width=\"" + base::number(std::max(1.0, bar_width * std::abs(amount) / most)) + "\" height=\"18\" rx=\"3\"/>" +
               "<text x=\"" + base::number(name_width + 8 + bar_width * std::abs(amount) / most) + "\" y=\"" + text_y + "\">" +
               base::number(amount) + "</text>\n";
    }
    return svg + "</svg>\n";
}

std::string contribution_bars(const Explanation& record) { return bars(falls_of(record), "what gave way, in nats"); }

std::string probabilities(const Explanation& record) {
    const Explanation::Probabilities& all = record.probabilities;
    if (all.before.empty()) return "";
    std::vector<std::pair<const char*, const ClassProbabilities*>> columns{{"input", &all.before}};
    if (!all.boundary.empty()) columns.emplace_back(record.edge ? "edge" : "boundary", &all.boundary);
    if (!all.answer.empty()) columns.emplace_back("answer", &all.answer);
    std::string html = table_begin("probabilities") + "<th scope=\"col\">class</th>";
    for (const auto& [name, ignored] : columns) html += "<th scope=\"col\" class=\"n\">" + std::string(name) + "</th>";
    html += "</tr></thead>\n<tbody>\n";
    std::set<std::string> done;
    for (const auto& [kind, name] :
         {std::pair<std::string, std::string>{"fact", record.question.fact}, {"foil", record.question.foil}, {"", third_of(record)}}) {
        if (name.empty() || !done.insert(name).second) continue;
        html += "<tr><th scope=\"row\"" + (kind.empty() ? "" : " class=\"" + kind + "\"") + ">" + shown(name) + "</th>";
        for (const auto& [ignored, values] : columns) {
            const double probability = probability_in(*values, name);
            html += "<td class=\"n\">" + (probability < 0 ? "" : escaped(base::probability(probability))) + "</td>";
        }
        html += "</tr>\n";
    }
    return html + table_end;
}

}  // namespace whynot::internal

namespace whynot {

std::string to_png(const Picture& picture) {
    constexpr png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
    if (picture.channels < 1 || picture.channels > 4 || picture.width < 1 || picture.height < 1 ||
        static_cast<int64_t>(picture.bytes.size()) != picture.width * picture.height * picture.channels)
        throw Error(ErrorCode::invalid_argument, "page: expected pictures whose bytes fit their size, found one whose bytes do not");
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.width);
    image.height = static_cast<png_uint_32>(picture.height);
    image.format = formats[picture.channels - 1];
    png_alloc_size_t size = 0;
    std::string bytes;
    bool written = png_image_write_to_memory(&image, nullptr, &size, 0, picture.bytes.data(), 0, nullptr) != 0;
    if (written) {
        bytes.resize(size);
        written = png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.bytes.data(), 0, nullptr) != 0;
        bytes.resize(size);
    }
    if (!written) throw Error(ErrorCode::internal, std::string("a picture cannot be written as PNG: ") + image.message);
    return bytes;
}

std::string page_style() { return internal::style_text; }
std::string page_script() { return internal::script_text; }

}  // namespace whynot
