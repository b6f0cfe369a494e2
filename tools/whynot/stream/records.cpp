#include "stream/records.h"

#include <algorithm>

namespace whynot::cli {

bool has_answer(const Explanation& record) {
    if (record.status == "found") return true;
    const ClassProbabilities& answer = record.probabilities.answer;
    if (record.status != "best-effort" || answer.empty()) return false;
    const auto likeliest = std::max_element(answer.begin(), answer.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return likeliest->first == record.question.foil;
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

}  // namespace whynot::cli
