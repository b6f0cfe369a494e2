#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "text/answer/answer.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// The terms of the cost J (answer.h) for one problem, weighted. Positions are those of the original sentence x.
class Cost {
public:
    /// Keeps references to all three.
    Cost(const AnswerModels& models, const AnswerProblem& problem, const AnswerOptions& options);

    bool punctuation(int64_t word) const { return models_.lexicon.punctuation[static_cast<size_t>(word)] != 0; }
    /// Unknown words stay where they are.
    static bool editable(int64_t word) { return word >= first_word_id; }
    /// Whether an edit may touch a position of the sentence.
    bool open(size_t t) const;
    /// D_t. Where a second opinion has a say, half of it is what that hears for the fact in the word: in a network that takes the loudest of
    /// several opinions each of them alone weighs little.
    double fall(size_t t) const { return falls_[t]; }
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
    /// How much each word adds to the surprise, and the most that one of them does.
    double most_surprising(const Ids& sentence, const std::vector<double>& log_likelihoods) const;
    /// How well the new words of `y` go with those that stay. Between bounds, for the topic may not pay for another edit.
    double topic(const Ids& y) const;

    /// What a second classifier says of a sentence: how far it is from the foil, and what of it still speaks for the fact.
    double opinion(const Ids& y) const;
    double evidence(const Ids& y) const;
    /// By how much words that are joined ("rude and professional") speak for different classes.
    double conflict(const Ids& y) const;
    /// Of one word that says so many nats for the fact.
    double evidence_of(int64_t word, double nats) const;
    /// What each word of the vocabulary adds to the second gap by itself, [V]; empty where nobody has a say.
    const std::vector<double>& opinion_words() const { return opinion_words_; }
    double opinion_gap(const Ids& y) const;
    double opinion_cost(double gap) const { return weights_.opinion * std::max(0.0, weights_.opinion_margin + gap); }

    /// No sentence of so many edits costs less.
    double lower_bound(int64_t edits) const;

private:
    const float* row(const at::Tensor& table, size_t t) const;
    double belonging(const Ids& y) const;

    const AnswerModels& models_;
    const AnswerProblem& problem_;
    const AnswerWeights& weights_;
    const bool words_only_;
    std::vector<double> opinion_words_, falls_;
    double max_fall_ = 1e-6;
    at::Tensor likeness_, generator_;  // [m, V]
};

}  // namespace whynot::text
