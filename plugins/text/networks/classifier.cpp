#include "text/networks/classifier.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "whynot/error.h"

namespace whynot::text {

std::pair<at::Tensor, at::Tensor> bag_of(const Sentences& sentences) {
    Ids words, begins;
    for (const Ids& sentence : sentences) {
        begins.push_back(static_cast<int64_t>(words.size()));
        words.insert(words.end(), sentence.begin(), sentence.end());
    }
    return {at::tensor(words, at::kLong), at::tensor(begins, at::kLong)};
}

at::Tensor sums_of_rows(const at::Tensor& table, const at::Tensor& rows, const at::Tensor& begins) {
    return std::get<0>(at::embedding_bag(table, rows, begins));
}

at::Tensor Classifier::word_logits() const { return at::linear(embedding, weight); }

at::Tensor Classifier::logits(const at::Tensor& embedded) const {
    if (additive()) return at::linear(embedded.sum(1), weight, bias);
    if (own_network) return own_network->logits(embedded);
    const at::Tensor outputs = (*network)(embedded);
    if (outputs.sizes() != at::IntArrayRef{embedded.size(0), classes()})
        throw Error(ErrorCode::invalid_input, network->file().filename().string() + ": expected it to give " +
                                                  training::shape_text({embedded.size(0), classes()}) + ", found " +
                                                  training::shape_text(outputs.sizes()));
    return training::log_likelihoods(outputs, emits);
}

// A search that finds nothing asks about thousands of sentences at once: what the network needs for each of them stays small so.
constexpr size_t rows_at_a_time = 256;

at::Tensor Classifier::logits(const Sentences& sentences) const {
    const at::NoGradGuard no_grad;
    if (additive()) {
        const auto [words, begins] = bag_of(sentences);
        return at::linear(sums_of_rows(embedding, words, begins), weight, bias);
    }
    std::map<size_t, std::vector<int64_t>> by_length;
    for (size_t i = 0; i < sentences.size(); ++i) by_length[sentences[i].size()].push_back(static_cast<int64_t>(i));
    at::Tensor result = at::empty({static_cast<int64_t>(sentences.size()), classes()});
    for (const auto& [length, rows] : by_length)
        for (size_t first = 0; first < rows.size(); first += rows_at_a_time) {
            const std::vector<int64_t> some(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                            rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), first + rows_at_a_time)));
            Ids words;
            for (const int64_t row : some) words.insert(words.end(), sentences[row].begin(), sentences[row].end());
            const at::Tensor embedded = embedding.index_select(0, at::tensor(words, at::kLong));
            result.index_copy_(0, at::tensor(some), logits(embedded.view({static_cast<int64_t>(some.size()), -1, dimension()})));
        }
    return result;
}

Classifier Classifier::on(at::Device device) const {
    Classifier copy = *this;
    if (device == bias.device()) return copy;
    for (at::Tensor* tensor : {&copy.embedding, &copy.weight, &copy.bias})
        if (tensor->defined()) *tensor = tensor->to(device);
    if (own_network) copy.own_network = own_network->on(device);
    if (network) {
        auto on_device = std::make_shared<training::ScriptNetwork>(network->file());
        on_device->to(device);
        copy.network = std::move(on_device);
    }
    return copy;
}

double accuracy(const Classifier& classifier, const Sentences& sentences, const std::vector<int64_t>& labels) {
    if (sentences.empty()) return 0;
    return classifier.logits(sentences).argmax(1).eq(at::tensor(labels, at::kLong)).to(at::kDouble).mean().item<double>();
}

}  // namespace whynot::text
