#pragma once

/// What is asked of a model, and how it is written down: the same for explanations and attributions.

#include <cstdint>
#include <string>

#include "explainer/open_model.h"
#include "whynot/explanation.h"
#include "whynot/question.h"

namespace whynot::internal {

/// The input of a question, as a record has it; its classes are not known yet.
Explanation::Question recorded(const Input& input, const std::string& modality);

/// Fact and foil of a question, -1 where it has none.
struct ClassChoice {
    int64_t fact = -1, foil = -1;
    std::string refusal;  ///< why they make no question, a sentence; empty: they do
};

/// The classes that are named, or else the likeliest and the likeliest other.
/// @param before log-probabilities of the input, [C] @param alone there is no foil
ClassChoice choose_classes(const OpenModel& model, const at::Tensor& before, const Question& question, bool alone);

/// How the files of a question are called: what people recognise, and enough of the hash that no other question has the name, one about a file of
/// the same name least of all.
std::string file_name(const OpenModel& model, const Input& input, int64_t fact, int64_t foil, const std::string& hash);

}  // namespace whynot::internal
