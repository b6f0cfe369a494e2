#include "text/experiments/word_images.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "training/loop.h"
#include "training/optimiser.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

enum Stream : uint64_t { weights_stream = 1, epoch_stream = 2, dropout_stream = 3 };

using training::Places;

}  // namespace

std::vector<float> letter_counts(const std::string& word) {
    std::vector<float> counts(word_image_columns, 0.0f);
    for (const char c : word) {
        if (c >= 'a' && c <= 'z') ++counts[static_cast<size_t>(c - 'a')];
        if (c >= 'A' && c <= 'Z') ++counts[static_cast<size_t>(c - 'A')];
        if (c >= '0' && c <= '9') ++counts[static_cast<size_t>(26 + c - '0')];
    }
    return counts;
}

Ids WordImages::add(const std::vector<std::string>& words) {
    Ids sentence;
    for (const std::string& word : words) {
        const auto [known, is_new] = words_.emplace(word, 0);
        if (is_new) {
            const std::vector<float> counts = letter_counts(word);
            const std::string key(reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(float));
            const auto next = static_cast<int64_t>(index_.size()) + 1;
            auto& [row, sharing] = index_.emplace(key, std::pair(next, size_t{0})).first->second;
            if (sharing++ == 0) values_.insert(values_.end(), counts.begin(), counts.end());
            known->second = row;
        }
        sentence.push_back(known->second);
    }
    return sentence;
}

at::Tensor WordImages::rows() const { return at::tensor(values_, at::kFloat).view({-1, word_image_columns}); }

size_t WordImages::ambiguous_words() const {
    size_t count = 0;
    for (const auto& [key, row] : index_)
        if (row.second > 1) count += row.second;
    return count;
}

WordImageNetwork::WordImageNetwork(const WordImageOptions& options, int64_t classes, uint64_t seed) : options_(options) {
    if (std::min({options.width, options.filters, options.epochs, options.batch}) < 1 || !(options.learning_rate > 0) ||
        !(options.dropout >= 0 && options.dropout < 1))
        throw Error(ErrorCode::invalid_argument,
                    "word images: expected width, filters, epochs and batch of at least 1, a positive learning rate and dropout in [0, 1)");
    at::Generator random = training::make_generator(training::mix_seed(seed, weights_stream));
    const auto uniform = [&](at::IntArrayRef sizes, int64_t inputs) {
        const double bound = 1 / std::sqrt(static_cast<double>(inputs));
        return at::empty(sizes).uniform_(-bound, bound, random);
    };
    const int64_t seen = word_image_columns * options.width;
    parameters_["filters"] = uniform({options.filters, word_image_columns, options.width}, seen);
    parameters_["filters_bias"] = uniform({options.filters}, seen);
    parameters_["weight"] = uniform({classes, options.filters}, options.filters);
    parameters_["bias"] = uniform({classes}, options.filters);
}

at::Tensor WordImageNetwork::logits(const at::Tensor& rows, const Sentences& sentences, const at::Generator* dropout) const {
    const auto count = static_cast<int64_t>(sentences.size());
    const int64_t margin = options_.width - 1;
    int64_t longest = 0;
    for (const Ids& sentence : sentences) longest = std::max(longest, static_cast<int64_t>(sentence.size()));
    const at::Tensor ids = at::zeros({count, longest + 2 * margin}, at::kLong);
    const at::Tensor beyond = at::zeros({count, 1, longest + margin}, at::kBool);  // windows without a word
    for (int64_t i = 0; i < count; ++i) {
        const Ids& sentence = sentences[static_cast<size_t>(i)];
        const auto length = static_cast<int64_t>(sentence.size());
        if (length == 0)
            throw Error(ErrorCode::invalid_argument, "word images: expected sentences of at least one word, found an empty one");
        ids[i].slice(0, margin, margin + length).copy_(at::tensor(sentence, at::kLong));
        beyond[i].slice(1, length + margin).fill_(true);
    }
    const at::Tensor images = rows.index_select(0, ids.flatten()).view({count, ids.size(1), word_image_columns}).transpose(1, 2);
    const at::Tensor answers = at::conv1d(images, parameters_.at("filters"), parameters_.at("filters_bias")).relu();
    at::Tensor largest = std::get<0>(answers.masked_fill(beyond, 0).max(2));  // answers are at least 0, so that 0 wins nothing
    if (dropout && options_.dropout > 0)
        largest = largest * at::empty_like(largest).bernoulli_(1 - options_.dropout, *dropout).div_(1 - options_.dropout);
    return at::linear(largest, parameters_.at("weight"), parameters_.at("bias"));
}

void WordImageNetwork::train(const at::Tensor& rows, const Sentences& sentences, const std::vector<int64_t>& labels, uint64_t seed,
                             const Observer& observer, const training::Checkpoint& checkpoint) {
    if (sentences.empty() || sentences.size() != labels.size())
        throw Error(ErrorCode::invalid_argument, "word images: expected sentences with a label each, found " +
                                                     std::to_string(sentences.size()) + " and " + std::to_string(labels.size()));
    const std::string name = "word images, filters " + std::to_string(options_.width) + " words wide";
    std::vector<at::Tensor> all;
    training::TrainingRun run(name, checkpoint, observer);
    for (auto& [key, tensor] : parameters_) {
        run.keep("weights." + key, tensor);
        all.push_back(tensor.requires_grad_());
    }
    training::DenseAdam adam(all, 0);
    run.keep("adam", adam);

    const auto step = [&](const Places& batch, training::Step now) {
        Sentences some;
        std::vector<int64_t> targets;
        for (const size_t i : batch) {
            some.push_back(sentences[i]);
            targets.push_back(labels[i]);
        }
        const at::Generator dropout = training::make_generator(training::mix_seed(seed, dropout_stream, now.seed()));
        const at::Tensor loss = at::cross_entropy_loss(logits(rows, some, &dropout), at::tensor(targets, at::kLong));
        loss.backward();
        adam.step(options_.learning_rate);
        return training::BatchLoss{loss.item<double>(), static_cast<double>(batch.size())};
    };
    training::train_in_batches(
        run, {name, options_.epochs},
        [&](int64_t epoch) {
            Places order(sentences.size());
            std::iota(order.begin(), order.end(), size_t{0});
            return training::shuffled_batches(order, options_.batch, training::mix_seed(seed, epoch_stream, static_cast<uint64_t>(epoch)));
        },
        step, [&](const training::EpochLoss& epoch) { run.log(epoch.stage + ": loss " + std::to_string(epoch.loss).substr(0, 6)); });
    for (auto& [key, tensor] : parameters_) tensor.requires_grad_(false);
}

WordImagePredictions predict(const WordImageNetwork& network, const at::Tensor& rows, const Sentences& sentences) {
    constexpr size_t at_once = 1000;
    const at::NoGradGuard no_grad;
    WordImagePredictions predictions;
    for (size_t i = 0; i < sentences.size(); i += at_once) {
        const Sentences some(sentences.begin() + static_cast<std::ptrdiff_t>(i),
                             sentences.begin() + static_cast<std::ptrdiff_t>(std::min(sentences.size(), i + at_once)));
        const auto [probability, index] = network.logits(rows, some).to(at::kDouble).softmax(1).max(1);
        for (int64_t j = 0; j < index.size(0); ++j) {
            predictions.classes.push_back(index[j].item<int64_t>());
            predictions.probabilities.push_back(probability[j].item<double>());
        }
    }
    return predictions;
}

}  // namespace whynot::text
