#include "explaining.h"

#include <torch/torch.h>

#include <algorithm>

namespace whynot::text {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<const LabelledSentence*> in_order_of_hash(const std::vector<LabelledSentence>& sentences) {
    std::vector<const LabelledSentence*> order;
    for (const LabelledSentence& sentence : sentences) order.push_back(&sentence);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return sentence_hash(a->words) < sentence_hash(b->words); });
    return order;
}

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
