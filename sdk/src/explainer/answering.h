#pragma once

#include <vector>

#include "explainer/open_model.h"
#include "whynot/explainer.h"

namespace whynot::internal {

/// `Batch::strangeness`, one for each row.
std::vector<Strangeness> strangeness_of(const OpenModel& model, Batch& batch);

/// Probabilities [C] with the names of their classes.
ClassProbabilities name_probabilities(const std::vector<std::string>& classes, const at::Tensor& probabilities);

/// How the warning begins that an input is unlike what the model was made for.
constexpr const char* unlike = "this is unlike what the model was made for: ";

/// Begins the reason of a record that nobody could write.
constexpr const char* unfit_answer = "the model gave what cannot be an answer: ";

/// Why an input has no class: its refusal.
constexpr const char* no_probabilities =
    "the classifier gives no probabilities for it, but numbers that are not finite; the pack is damaged, or the input beyond all measure";

/// `Explainer::explain`: one answer a question, in order.
std::vector<Answer> answer(const OpenModel& model, const std::vector<Ask>& questions, const ExplainOptions& options);

}  // namespace whynot::internal
