#include "text/answer/cost.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>

namespace whynot::text {

Cost::Cost(const AnswerModels& models, const AnswerProblem& problem, const AnswerWeights& weights)
    : models_(models), problem_(problem), weights_(weights) {
    const auto& x = problem.sentence;
    for (size_t t = 0; t < x.size(); ++t)
        if (open(t)) max_fall_ = std::max(max_fall_, problem.falls[t]);

    const auto rows = at::tensor(x, at::kLong);
    likeness_ = at::mm(models.directions.index_select(0, rows), models.directions.t()).neg_().add_(1).mul_(weights.likeness);
    if (problem.preference.defined()) {
        const auto p = problem.preference.to(at::kFloat);
        generator_ = (std::get<0>(p.max(1, true)) - p).clamp_max_(weights.generator_cap).mul_(weights.generator).contiguous();
    } else {
        generator_ = at::zeros(likeness_.sizes());
    }
}

const float* Cost::row(const at::Tensor& table, size_t t) const {
    return table.data_ptr<float>() + static_cast<int64_t>(t) * table.size(1);
}

double Cost::position(size_t t) const {
    return weights_.position * std::clamp(1 - problem_.falls[t] / max_fall_, 0.0, 2.0) +
           (punctuation(problem_.sentence[t]) ? weights_.punctuation : 0);
}

double Cost::surprise(const Ids& sentence, double log_likelihood) const {
    double sum = frequency(eos_id) - log_likelihood;
    for (const auto word : sentence) sum += frequency(word);
    return sum;
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
