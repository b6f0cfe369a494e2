#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "text/answer/answer.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// The terms of the cost J (answer.h) for one problem, weighted. Positions are those of the original sentence x.
class Cost {
public:
    /// Keeps references to all three.
    Cost(const AnswerModels& models, const AnswerProblem& problem, const AnswerWeights& weights);

    bool punctuation(int64_t word) const { return models_.lexicon.punctuation[static_cast<size_t>(word)] != 0; }
    /// Unknown words stay where they are.
    static bool editable(int64_t word) { return word >= first_word_id; }
    /// Whether an edit may touch a position of the sentence.
    bool open(size_t t) const { return editable(problem_.sentence[t]) && (problem_.kept.empty() || problem_.kept[t] == 0); }
    /// The largest fall of a word that may be edited.
    double max_fall() const { return max_fall_; }
    double frequency(int64_t word) const { return models_.frequency[static_cast<size_t>(word)]; }

    /// g_t(w) and 1 - cos(W_w, W_{x_t}) of every word w, [V].
    const float* generator(size_t t) const { return row(generator_, t); }
    const float* likeness(size_t t) const { return row(likeness_, t); }
    double position(size_t t) const;

    /// F: how surprising a sentence is for its words, from the log-likelihood of the whole; with it, what it costs to say y and not x.
    double surprise(const Ids& sentence, double log_likelihood) const;
    double fluency(double of_answer, double of_sentence) const;
    /// How well the new words of `y` go with those that stay. Between bounds, for the topic may not pay for another edit.
    double topic(const Ids& y) const;

    /// No sentence of so many edits costs less.
    double lower_bound(int64_t edits) const;

private:
    const float* row(const at::Tensor& table, size_t t) const;
    double belonging(const Ids& y) const;

    const AnswerModels& models_;
    const AnswerProblem& problem_;
    const AnswerWeights& weights_;
    double max_fall_ = 1e-6;
    at::Tensor likeness_, generator_;  // [m, V]
};

}  // namespace whynot::text
