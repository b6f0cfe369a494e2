#include "stream/records.h"

#include <algorithm>

#include "base/text.h"
#include "stream/inputs.h"

namespace whynot::cli {

namespace {

/// @param is_edge the point is explained by the class that stands between (docs/record.md): that is an answer, though no boundary
bool is_answer(const std::string& status, bool is_edge, const ClassProbabilities& answer, const std::string& foil) {
    if (status == "found" || (status == "best-effort" && is_edge)) return true;
    if (status != "best-effort" || answer.empty()) return false;
    return std::max_element(answer.begin(), answer.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first == foil;
}

}  // namespace

bool has_answer(const Explanation& record) {
    return is_answer(record.status, record.edge.has_value(), record.probabilities.answer, record.question.foil);
}

bool has_answer(const base::Json& record) {
    ClassProbabilities answer;
    for (const auto& [name, probability] : record.at("probabilities").at("answer").items())
        answer.emplace_back(name, probability.get<double>());
    const base::Json& foil = record.at("question").at("foil");
    return is_answer(record.at("status").get<std::string>(), record.contains("edge"), answer,
                     foil.is_string() ? foil.get<std::string>() : "");
}

StreamedQuestion question_of(const Ask& ask) {
    StreamedQuestion question;
    question.image = !ask.input.path.empty();
    question.shown = question.image ? ask.input.path : ask.input.content;
    if (!base::is_utf8(question.shown)) question.shown = base::escape_controls(question.shown);
    question.question = ask.question;
    return question;
}

Explanation refused(const StreamedQuestion& question, const Pack& pack, const ExplainCommand& command, const std::string& reason) {
    const PackManifest& manifest = pack.manifest();
    const auto& [fact, foil, id] = question.question;
    Explanation record;
    record.question.modality = manifest.modality;
    record.question.input = question.shown;
    record.id = id.empty() ? question_id(manifest.modality, question.shown, fact, foil, pack.sha256()) : id;
    record.pack = {manifest.id, manifest.version, pack.sha256()};
    record.solver = {command.method, "{}", command.seed, 1, command.device};
    record.status = "refused";
    record.reason = reason;
    if (command.no_times) record.cost.seconds.reset();
    return record;
}

base::Json record_of(const Classification& said) {
    base::Json record{{"input", is_image(said.input) ? said.input.path : said.input.content},
                      {"class", nullptr},
                      {"probabilities", base::Json::object()}};
    if (said.refusal.empty()) record["class"] = said.predicted;
    for (const auto& [name, probability] : said.probabilities) record["probabilities"][name] = probability;
    if (said.strangeness) record["strangeness"] = *said.strangeness;
    if (!said.refusal.empty()) record["reason"] = said.refusal;
    if (!said.warnings.empty()) record["warnings"] = said.warnings;
    return record;
}

}  // namespace whynot::cli
