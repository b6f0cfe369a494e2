#include "text/services/explaining.h"

#include <ATen/ATen.h>

#include "whynot/asking.h"

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

    found.log_probabilities = found.batch->classify();
    found.problem = whynot::ask(*found.batch, model.info(), default_questions(found.log_probabilities), {seed, 1, ""});
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
