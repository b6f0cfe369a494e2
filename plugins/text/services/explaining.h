#pragma once

/// Many sentences explained at a time, for measuring: what the evaluator and the experiments share.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "text/model/model.h"
#include "text/reading/corpus.h"
#include "whynot/solver.h"

namespace whynot::text {

/// Sentences led to their boundaries as one batch: fact the predicted class, foil the runner-up, from z0 and one extra start.
struct Boundaries {
    std::unique_ptr<TextBatch> batch;
    std::vector<size_t> index;     ///< which of the sentences a row of the batch is; one that could not be read has no row
    at::Tensor log_probabilities;  ///< of the sentences, [B, C]
    Problem problem;               ///< refers to the batch
    SolverOptions options;
    Summary summary;
};

/// @param sentences at least one
Boundaries find_boundaries(TextModel& model, const std::vector<std::string>& sentences, uint64_t seed);

/// What the classifier says of a text read afresh: log-probabilities [C], undefined where it cannot be read.
at::Tensor ask(TextModel& model, const std::string& text);

}  // namespace whynot::text
