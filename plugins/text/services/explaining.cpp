#include "text/services/explaining.h"

#include <ATen/ATen.h>

namespace whynot::text {

Boundaries find_boundaries(TextModel& model, const std::vector<std::string>& sentences, uint64_t seed) {
    Boundaries found;
    std::vector<Input> inputs;
    for (const std::string& sentence : sentences) inputs.push_back({sentence, ""});
    std::vector<ReadNotes> notes;
    found.batch.reset(static_cast<TextBatch*>(model.read(inputs, notes).release()));
    for (size_t i = 0; i < sentences.size(); ++i)
        if (notes[i].refusal.empty()) found.index.push_back(i);
    if (found.index.empty()) return found;

    TextBatch* const batch = found.batch.get();
    found.log_probabilities = batch->classify();
    const at::Tensor order = found.log_probabilities.argsort(1, true);
    Problem& problem = found.problem;
    problem.fact = order.select(1, 0).contiguous();
    problem.foil = order.select(1, 1).contiguous();
    problem.start = batch->start(problem.fact, seed);
    problem.log_likelihood = [batch](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
    problem.extra_starts = batch->extra_starts(at::arange(batch->size()), problem.fact, problem.foil, 1, seed);
    found.options.typical_distance = model.info().typical_distance;
    found.summary = solve(problem, found.options);
    return found;
}

at::Tensor ask(TextModel& model, const std::string& text) {
    std::vector<ReadNotes> notes;
    const std::unique_ptr<Batch> batch = model.read({{text, ""}}, notes);
    return batch->size() == 0 ? at::Tensor() : batch->classify()[0];
}

}  // namespace whynot::text
