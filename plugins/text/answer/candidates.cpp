#include "text/answer/candidates.h"

#include <ATen/ATen.h>

#include <cmath>

namespace whynot::text {

Cloze::Cloze(const MaskedModel& model, const Sentences& sentences) : model_(model) {
    auto ids = at::empty({static_cast<int64_t>(sentences.size()), static_cast<int64_t>(sentences.front().size())}, at::kLong);
    auto* to = ids.data_ptr<int64_t>();
    for (const auto& sentence : sentences) to = std::copy(sentence.begin(), sentence.end(), to);
    contexts_ = model->contexts(ids);
    gaps_ = ids.size(1) + 1;
}

void Cloze::about(size_t sentence) {
    first_ = static_cast<int64_t>(sentence) * gaps_;
    rows_.clear();
    lefts_.clear();
    rights_.clear();
}

void Cloze::ask(int64_t left, int64_t right) {
    if (!rows_.try_emplace({left, right}, static_cast<int64_t>(lefts_.size())).second) return;
    lefts_.push_back(first_ + left);
    rights_.push_back(first_ + right);
}

void Cloze::answer() {
    if (lefts_.empty()) return;
    const auto pick = [&](const at::Tensor& states, const std::vector<int64_t>& rows) {
        return states.reshape({-1, states.size(2)}).index_select(0, at::tensor(rows, at::kLong));
    };
    answers_ = model_->between(pick(contexts_.left, lefts_), pick(contexts_.right, rights_));
}

const float* Cloze::operator()(int64_t left, int64_t right) const {
    return answers_.data_ptr<float>() + rows_.at({left, right}) * answers_.size(1);
}

Field::Field(const std::vector<char>& kind, const Ids& except)
    : allowed(kind), language(kind.size(), 0), generator(kind.size(), 0), likeness(kind.size(), 0), gap(kind.size(), 0) {
    for (const auto word : except) allowed[static_cast<size_t>(word)] = 0;
}

Step Field::step(int64_t word) const {
    const auto w = static_cast<size_t>(word);
    return {gap[w], language[w], generator[w], likeness[w], edits, position};
}

double Field::score(size_t word, const AnswerWeights& weights) const {
    return weights.fluency * language[word] + generator[word] + likeness[word] + weights.boundary * std::abs(gap[word]) +
           (opinion.empty() ? 0 : opinion[word]);
}

Ids spliced(const Ids& ids, size_t position, size_t removed, const Ids& inserted) {
    Ids result(ids.begin(), ids.begin() + static_cast<int64_t>(position));
    result.insert(result.end(), inserted.begin(), inserted.end());
    result.insert(result.end(), ids.begin() + static_cast<int64_t>(position + removed), ids.end());
    return result;
}

}  // namespace whynot::text
