#include "base/json.h"
#include "whynot/attribution.h"

namespace whynot {

std::string to_json(const Attributed& attributed) {
    const auto& [id, version, sha256] = attributed.pack;
    const Explanation::Question& question = attributed.question;
    const AttributionMap& map = attributed.map;
    const auto text_or_null = [](const std::string& text) { return text.empty() ? base::Json() : base::Json(text); };
    base::Json input = question.input;
    if (!question.input_sha256.empty()) input = {{"path", question.input}, {"sha256", question.input_sha256}};
    base::Json probabilities = base::Json::object();
    for (const auto& [name, probability] : attributed.probabilities) probabilities[name] = probability;
    base::Json json{
        {"schema", Attributed::schema},
        {"id", attributed.id},
        {"question",
         {{"modality", question.modality}, {"input", input}, {"fact", text_or_null(question.fact)}, {"foil", text_or_null(question.foil)}}},
        {"pack", {{"id", id}, {"version", version}, {"sha256", sha256}}},
        {"method", {{"name", attributed.method}, {"sweep", attributed.sweep}, {"seed", attributed.seed}}},
        {"status", attributed.reason.empty() ? "found" : "refused"},
        {"reason", text_or_null(attributed.reason)},
        {"probabilities", probabilities},
        {"map", nullptr}};
    if (attributed.reason.empty()) {
        json["map"] = {{"shape", map.shape}, {"unit", map.unit}, {"scores", map.scores}};
        if (!map.parts.empty()) json["map"]["parts"] = map.parts;
        for (const auto& [name, path] : map.files) json["map"]["files"][name] = path;
    }
    if (attributed.seconds) json["seconds"] = *attributed.seconds;
    json["warnings"] = attributed.warnings;
    return json.dump();
}

}  // namespace whynot
