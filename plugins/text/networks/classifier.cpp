#include "text/networks/classifier.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <map>
#include <numeric>

#include "training/optimiser.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

enum Stream : uint64_t { weights_stream = 1, epoch_stream = 2 };

// The words of sentences one after another, and where each sentence begins, as at::embedding_bag takes them.
std::pair<at::Tensor, at::Tensor> bag(const Sentences& sentences) {
    Ids words, begins;
    for (const Ids& sentence : sentences) {
        begins.push_back(static_cast<int64_t>(words.size()));
        words.insert(words.end(), sentence.begin(), sentence.end());
    }
    return {at::tensor(words, at::kLong), at::tensor(begins, at::kLong)};
}

at::Tensor sums(const at::Tensor& table, const at::Tensor& words, const at::Tensor& begins) {
    return std::get<0>(at::embedding_bag(table, words, begins));
}

}  // namespace

at::Tensor Classifier::word_logits() const { return at::linear(embedding, weight); }

at::Tensor Classifier::logits(const at::Tensor& embedded) const {
    if (additive()) return at::linear(embedded.sum(1), weight, bias);
    const at::Tensor outputs = (*network)(embedded);
    if (outputs.sizes() != at::IntArrayRef{embedded.size(0), classes()})
        throw Error(ErrorCode::invalid_input, network->file().filename().string() + ": expected it to give " +
                                                  training::shape_text({embedded.size(0), classes()}) + ", found " +
                                                  training::shape_text(outputs.sizes()));
    return training::log_likelihoods(outputs, emits);
}

at::Tensor Classifier::logits(const Sentences& sentences) const {
    const at::NoGradGuard no_grad;
    if (additive()) {
        const auto [words, begins] = bag(sentences);
        return at::linear(sums(embedding, words, begins), weight, bias);
    }
    std::map<size_t, std::vector<int64_t>> by_length;
    for (size_t i = 0; i < sentences.size(); ++i) by_length[sentences[i].size()].push_back(static_cast<int64_t>(i));
    at::Tensor result = at::empty({static_cast<int64_t>(sentences.size()), classes()});
    for (const auto& [length, rows] : by_length) {
        Ids words;
        for (const int64_t row : rows) words.insert(words.end(), sentences[row].begin(), sentences[row].end());
        const at::Tensor embedded = embedding.index_select(0, at::tensor(words, at::kLong));
        result.index_copy_(0, at::tensor(rows), logits(embedded.view({static_cast<int64_t>(rows.size()), -1, dimension()})));
    }
    return result;
}

Classifier Classifier::on(at::Device device) const {
    Classifier copy = *this;
    if (device == bias.device()) return copy;
    for (at::Tensor* tensor : {&copy.embedding, &copy.weight, &copy.bias})
        if (tensor->defined()) *tensor = tensor->to(device);
    if (network) {
        auto there = std::make_shared<training::ScriptNetwork>(network->file());
        there->to(device);
        copy.network = std::move(there);
    }
    return copy;
}

double accuracy(const Classifier& classifier, const Sentences& sentences, const std::vector<int64_t>& labels) {
    if (sentences.empty()) return 0;
    return classifier.logits(sentences).argmax(1).eq(at::tensor(labels, at::kLong)).to(at::kDouble).mean().item<double>();
}

Classifier train_classifier(const Sentences& sentences, const std::vector<int64_t>& labels, const Sentences& development,
                            const std::vector<int64_t>& development_labels, int64_t vocabulary, int64_t classes,
                            const ClassifierOptions& options, uint64_t seed, const Observer& observer) {
    at::Generator random = training::make_generator(training::mix_seed(seed, weights_stream));
    Classifier classifier;
    classifier.embedding = at::empty({vocabulary, options.dimension}).normal_(0, options.deviation, random);
    classifier.embedding.slice(0, 0, unk_id).zero_();
    const double bound = 1.0 / std::sqrt(static_cast<double>(options.dimension));
    classifier.weight = at::empty({classes, options.dimension}).uniform_(-bound, bound, random).requires_grad_();
    classifier.bias = at::zeros({classes}).requires_grad_();
    training::RowAdam rows_adam(classifier.embedding);
    training::DenseAdam adam({classifier.weight, classifier.bias}, 0);

    std::vector<size_t> order(sentences.size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        std::mt19937_64 shuffler(training::mix_seed(seed, epoch_stream, static_cast<uint64_t>(epoch)));
        training::shuffle(order, shuffler);
        double loss_sum = 0;
        for (size_t i = 0; i < order.size(); i += options.batch) {
            if (observer.cancelled && observer.cancelled()) throw Error(ErrorCode::cancelled, "training the classifier was stopped");
            Sentences batch;
            std::vector<int64_t> targets;
            for (size_t j = i; j < std::min(order.size(), i + options.batch); ++j) {
                batch.push_back(sentences[order[j]]);
                targets.push_back(labels[order[j]]);
            }
            const auto [words, begins] = bag(batch);
            const auto [rows, index] = at::_unique(words, true, true);
            const at::Tensor table = classifier.embedding.index_select(0, rows).requires_grad_();
            const at::Tensor logits = at::linear(sums(table, index, begins), classifier.weight, classifier.bias);
            const at::Tensor loss = at::cross_entropy_loss(logits, at::tensor(targets, at::kLong));
            loss.backward();
            rows_adam.step(rows, table.grad(), options.learning_rate);
            adam.step(options.learning_rate);
            loss_sum += loss.item<double>() * static_cast<double>(batch.size());
            if (observer.progress && i / options.batch % 64 == 0)
                observer.progress({"classifier, epoch " + std::to_string(epoch + 1) + " of " + std::to_string(options.epochs),
                                   (static_cast<double>(epoch) + static_cast<double>(i) / static_cast<double>(order.size())) /
                                       static_cast<double>(options.epochs),
                                   ""});
        }
        if (observer.log) {
            char line[120];
            std::snprintf(line, sizeof line, "classifier epoch %lld: loss %.4f, development accuracy %.4f",
                          static_cast<long long>(epoch + 1), loss_sum / static_cast<double>(sentences.size()),
                          accuracy(classifier, development, development_labels));
            observer.log(line);
        }
    }
    classifier.weight = classifier.weight.detach();
    classifier.bias = classifier.bias.detach();
    return classifier;
}

}  // namespace whynot::text
