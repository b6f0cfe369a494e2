#include "explainer/attributing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/format.h"
#include "base/stopwatch.h"
#include "explainer/answering.h"
#include "explainer/questions.h"
#include "whynot/error.h"

namespace whynot::internal {
namespace {

/// The method that is asked for. Throws `invalid_argument`, with what there is.
AttributionMethod method_of(const OpenModel& model, const Attribution& service, const std::string& name) {
    const std::vector<AttributionMethod> methods = model.call("list its methods of attribution", [&] { return service.methods(); });
    std::vector<std::string> names;
    for (const AttributionMethod& method : methods) {
        if (name.empty() || method.name == name) return method;
        names.push_back(method.name);
    }
    throw Error(
        ErrorCode::invalid_argument,
        base::expected("a method of attribution of " + model.pack.manifest().modality + ": " + base::joined(names), "'" + name + "'"));
}

/// What is wrong with a map as a plugin gave it; empty: nothing.
std::string defect_of(const AttributionMap& map) {
    if (!map.failure.empty()) return "";
    int64_t parts = map.shape.empty() ? 0 : 1;
    for (const int64_t side : map.shape) parts *= side;
    const auto size = static_cast<int64_t>(map.scores.size());
    if (size == 0 || size != parts) return std::to_string(size) + " scores of a map of " + std::to_string(parts) + " parts";
    if (!map.parts.empty() && map.parts.size() != map.scores.size())
        return "names of " + std::to_string(map.parts.size()) + " of " + std::to_string(size) + " parts";
    return "";
}

bool is_finite(const AttributionMap& map) {
    return std::all_of(map.scores.begin(), map.scores.end(), [](double score) { return std::isfinite(score); });
}

/// What tells the maps of one question apart.
std::string manner(const AttributionRequest& request) { return "-" + request.method + (request.sweep ? "-sweep" : ""); }

/// Begins the record of one question. Its row of the batch is known already: -1 where it was refused.
Attributed begin_record(const OpenModel& model, const Ask& ask, const ReadNotes& notes, const AttributionRequest& request) {
    const auto& [input, question] = ask;
    const PackManifest& manifest = model.pack.manifest();
    Attributed record;
    record.id = question.id;
    if (record.id.empty())
        record.id = question_id(manifest.modality, input.content, question.fact, question.foil, model.pack.sha256()) + manner(request);
    record.question = recorded(input, manifest.modality);
    record.pack = {manifest.id, manifest.version, model.pack.sha256()};
    record.method = request.method;
    record.sweep = request.sweep;
    record.seed = request.seed;
    record.reason = notes.refusal;
    record.warnings = notes.warnings;
    return record;
}

void take(AttributionMap map, const OpenModel& model, Attributed& record) {
    if (const std::string defect = defect_of(map); !defect.empty())
        throw Error(ErrorCode::bad_plugin, "plugin '" + model.plugin + "' gave " + defect + "; this is a defect of the plugin");
    record.reason = map.failure;
    if (record.reason.empty() && !is_finite(map)) record.reason = "the method gave numbers that are not finite";
    for (const std::string& warning : map.warnings) record.warnings.push_back(warning);
    if (record.reason.empty() && std::all_of(map.scores.begin(), map.scores.end(), [](double score) { return score == 0; }))
        record.warnings.emplace_back("the map is zero everywhere: this method sees nothing that the decision rests on");
    if (record.reason.empty()) record.map = std::move(map);
}

}  // namespace

std::vector<Attributed> attribute(const OpenModel& model, Attribution& service, const std::vector<Ask>& questions,
                                  const AttributionOptions& options) {
    if (options.alone && options.sweep)
        throw Error(ErrorCode::invalid_argument, "the sweep contrasts two classes: it needs a foil, and the fact alone was asked for");
    const base::Stopwatch watch;
    AttributionRequest request{method_of(model, service, options.method).name, {}, options.sweep, options.seed, options.out};
    std::vector<Input> inputs;
    for (const Ask& ask : questions) inputs.push_back(ask.input);
    std::vector<ReadNotes> notes;
    const auto batch = model.call("read the input", [&] { return model.model->read(inputs, notes); });
    const at::Tensor before = batch->size() > 0 ? model.log_probabilities(*batch) : at::Tensor();

    std::vector<Attributed> records;
    std::vector<size_t> asked;  // the records that the plugin is asked for
    int64_t row = 0;
    for (size_t q = 0; q < questions.size(); ++q) {
        Attributed& record = records.emplace_back(begin_record(model, questions[q], notes.at(q), request));
        if (!record.reason.empty()) continue;
        const at::Tensor said = before[row++];
        if (!said.isfinite().all().item<bool>()) {
            record.reason = no_probabilities;
            continue;
        }
        record.probabilities = name_probabilities(model.classes(), said.exp());
        const ClassChoice chosen = choose_classes(model, said, questions[q].question, options.alone);
        if (chosen.fact >= 0) record.question.fact = model.classes()[static_cast<size_t>(chosen.fact)];
        if (chosen.foil >= 0) record.question.foil = model.classes()[static_cast<size_t>(chosen.foil)];
        record.reason = chosen.refusal;
        if (!record.reason.empty()) continue;
        const auto& [input, question] = questions[q];
        const std::string hash =
            question_id(model.pack.manifest().modality, input.content, record.question.fact, record.question.foil, model.pack.sha256());
        request.questions.push_back(
            {row - 1, chosen.fact, chosen.foil, file_name(model, input, chosen.fact, chosen.foil, hash) + manner(request)});
        asked.push_back(q);
    }
    if (asked.empty()) return records;
    std::vector<AttributionMap> maps =
        model.call("attribute by '" + request.method + "'", [&] { return service.attribute(*model.model, *batch, request); });
    if (maps.size() != asked.size())
        throw Error(ErrorCode::bad_plugin, "plugin '" + model.plugin + "' gave " + std::to_string(maps.size()) + " of " +
                                               std::to_string(asked.size()) + " maps; this is a defect of the plugin");
    for (size_t a = 0; a < asked.size(); ++a) take(std::move(maps[a]), model, records[asked[a]]);
    if (options.times)
        for (const size_t q : asked) records[q].seconds = watch.seconds() / static_cast<double>(asked.size());
    return records;
}

}  // namespace whynot::internal
