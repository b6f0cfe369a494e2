#include "text/answer/cost.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace whynot::text {

namespace {

constexpr double most_of_a_conflict = 2;  // nats

}  // namespace

Cost::Cost(const AnswerModels& models, const AnswerProblem& problem, const AnswerOptions& options)
    : models_(models), problem_(problem), weights_(options.weights), words_only_(options.words_only) {
    const auto& x = problem.sentence;
    const auto largest = [&](const std::vector<double>& values) {
        double most = 1e-6;
        for (size_t t = 0; t < x.size(); ++t)
            if (open(t)) most = std::max(most, values[t]);
        return most;
    };
    falls_ = problem.falls;
    if (problem.opinion != nullptr && weights_.opinion > 0) {
        opinion_words_ = problem.opinion->word_gaps(problem.fact, problem.foil);
        const std::vector<double> heard = problem.opinion->contributions(x, problem.fact, problem.foil);
        const double most_own = largest(falls_), most_heard = largest(heard);
        for (size_t t = 0; t < x.size(); ++t) falls_[t] = falls_[t] / most_own + std::max(0.0, heard[t]) / most_heard;
    }
    max_fall_ = largest(falls_);

    const auto rows = at::tensor(x, at::kLong);
    likeness_ = at::mm(models.directions.index_select(0, rows), models.directions.t()).neg_().add_(1).mul_(weights_.likeness);
    if (weights_.turn > 0)
        for (size_t t = 0; t < x.size(); ++t) {
            float* const here = likeness_.data_ptr<float>() + static_cast<int64_t>(t) * likeness_.size(1);
            for (const auto& [word, counts] : models.lexicon.english.turns(x[t])) here[word] -= static_cast<float>(weights_.turn * counts);
        }
    if (problem.preference.defined()) {
        const auto p = problem.preference.to(at::kFloat);
        generator_ = (std::get<0>(p.max(1, true)) - p).clamp_max_(weights_.generator_cap).mul_(weights_.generator).contiguous();
    } else {
        generator_ = at::zeros(likeness_.sizes());
    }
}

bool Cost::open(size_t t) const {
    const int64_t word = problem_.sentence[t];
    if (!editable(word) || (!problem_.kept.empty() && problem_.kept[t] != 0)) return false;
    return !words_only_ || (!punctuation(word) && models_.lexicon.number[static_cast<size_t>(word)] == 0);
}

double Cost::opinion_gap(const Ids& y) const {
    std::vector<double> logits = problem_.opinion->logits(y);
    const double foil = std::exchange(logits[static_cast<size_t>(problem_.foil)], -INFINITY);
    return *std::max_element(logits.begin(), logits.end()) - foil;
}

double Cost::opinion(const Ids& y) const { return opinion_words_.empty() ? 0 : opinion_cost(opinion_gap(y)); }

double Cost::evidence_of(int64_t word, double nats) const {
    if (punctuation(word)) return 0;  // it stays
    const bool is_known = !models_.lexicon.english.turns(word).empty();
    return std::max(0.0, std::min(nats, weights_.evidence_cap) - (is_known ? weights_.evidence_free : weights_.evidence_free_else));
}

double Cost::evidence(const Ids& y) const {
    if (opinion_words_.empty()) return 0;
    const std::vector<double> heard = problem_.opinion->contributions(y, problem_.fact, problem_.foil);
    double left = 0;
    for (size_t t = 0; t < y.size(); ++t) left += evidence_of(y[t], heard[t]);
    return weights_.evidence * left;
}

double Cost::conflict(const Ids& y) const {
    if (opinion_words_.empty()) return 0;
    const English& english = models_.lexicon.english;
    double nats = 0, last = 0;
    bool joined = false;
    for (const int64_t word : y) {
        if (english.joins(word)) {
            joined = true;
        } else if (!english.stresses(word)) {
            const double now = opinion_words_[static_cast<size_t>(word)];
            if (joined && (now > 0) != (last > 0))
                nats += std::max(0.0, std::min({std::abs(now), std::abs(last), most_of_a_conflict}) - weights_.conflict_free);
            last = now;
            joined = false;
        }
    }
    return weights_.conflict * nats;
}

const float* Cost::row(const at::Tensor& table, size_t t) const {
    return table.data_ptr<float>() + static_cast<int64_t>(t) * table.size(1);
}

double Cost::position(size_t t) const {
    return weights_.position * std::clamp(1 - falls_[t] / max_fall_, 0.0, 2.0) +
           (punctuation(problem_.sentence[t]) ? weights_.punctuation : 0);
}

double Cost::surprise(const Ids& sentence, double log_likelihood) const {
    double sum = frequency(eos_id) - log_likelihood;
    for (const auto word : sentence) sum += frequency(word);
    return sum;
}

double Cost::most_surprising(const Ids& sentence, const std::vector<double>& log_likelihoods) const {
    double most = frequency(eos_id) - log_likelihoods.back();
    for (size_t t = 0; t < sentence.size(); ++t) most = std::max(most, frequency(sentence[t]) - log_likelihoods[t]);
    return most;
}

double Cost::fluency(double of_answer, double of_sentence) const {
    return weights_.fluency * std::max(-weights_.fluency_cap, of_answer - of_sentence);
}

double Cost::topic(const Ids& y) const { return -weights_.topic * belonging(y); }

double Cost::lower_bound(int64_t edits) const {
    return static_cast<double>(edits - 1) * weights_.edit - weights_.fluency * weights_.fluency_cap - weights_.topic * weights_.topic_cap;
}

double Cost::belonging(const Ids& y) const {
    if (models_.associations == nullptr || weights_.topic == 0) return 0;
    auto a = problem_.sentence, b = y;
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    Ids fresh, kept;
    std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(fresh));
    std::set_intersection(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(kept));
    double nats = 0;
    for (const auto word : fresh)
        for (const auto other : kept)
            if (other >= first_word_id && !punctuation(other) && models_.associations->share(other) < weights_.topic_share)
                nats += (*models_.associations)(word, other);
    return std::clamp(nats, -weights_.topic_cap, weights_.topic_cap);
}

}  // namespace whynot::text
