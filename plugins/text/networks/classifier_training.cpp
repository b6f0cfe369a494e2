#include "text/networks/classifier_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "base/format.h"
#include "training/loop.h"
#include "training/optimiser.h"
#include "training/random.h"

namespace whynot::text {

namespace {

enum ClassifierStream : uint64_t { classifier_weights = 1, classifier_epoch = 2, classifier_dropout = 3, classifier_hiding = 4 };

/// M as it starts: <pad>, <go> and <eos> are zero and stay it.
at::Tensor untrained_embedding(const ClassifierData& data, const ClassifierOptions& options, const at::Generator& random) {
    at::Tensor embedding = at::empty({data.vocabulary, options.dimension}).normal_(0, options.deviation, random);
    embedding.slice(0, 0, unk_id).zero_();
    return embedding;
}

Classifier untrained_sum(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed) {
    at::Generator random = training::make_generator(training::mix_seed(seed, classifier_weights));
    Classifier classifier;
    classifier.embedding = untrained_embedding(data, options, random);
    const double bound = 1.0 / std::sqrt(static_cast<double>(options.dimension));
    classifier.weight = at::empty({data.classes, options.dimension}).uniform_(-bound, bound, random);
    classifier.bias = at::zeros({data.classes});
    return classifier;
}

int64_t epochs_of(const ClassifierOptions& options, const ClassifierData& data) {
    if (options.epochs > 0) return options.epochs;
    return std::clamp<int64_t>(500'000 / std::max<int64_t>(1, static_cast<int64_t>(data.train.sentences.size())), 4, 40);
}

/// The weights of the epoch that the development sentences like best, where nobody said how many there are to be.
class BestEpoch {
public:
    BestEpoch(training::TrainingRun& run, const ClassifierOptions& options, std::vector<at::Tensor> weights) : run_(run) {
        if (options.epochs > 0) return;
        weights_ = std::move(weights);
        for (const at::Tensor& tensor : weights_) {
            best_.push_back(tensor.detach().clone());
            run.keep("best." + std::to_string(best_.size()), best_.back());
        }
        run.keep("best accuracy", accuracy_);
    }

    /// After an epoch.
    void see(const training::EpochLoss& epoch, const Classifier& classifier, const LabelledIds& development) {
        const double found = accuracy(classifier, development.sentences, development.labels);
        run_.log("classifier epoch " + std::to_string(epoch.number) + ": loss " + base::fixed(epoch.loss, 4) + ", development accuracy " +
                 base::fixed(found, 4));
        if (found <= accuracy_.item<double>()) return;
        accuracy_.fill_(found);
        for (size_t i = 0; i < best_.size(); ++i) best_[i].copy_(weights_[i].detach());
    }

    /// At the end.
    void take() {
        const at::NoGradGuard no_grad;
        for (size_t i = 0; i < best_.size(); ++i) weights_[i].copy_(best_[i]);
    }

private:
    training::TrainingRun& run_;
    std::vector<at::Tensor> weights_, best_;
    at::Tensor accuracy_ = at::full({1}, -1.0, at::kDouble);
};

Classifier train_sum(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed, const training::Checkpoint& checkpoint,
                     const Observer& observer) {
    Classifier classifier = untrained_sum(data, options, seed);
    training::RowAdam rows_adam(classifier.embedding);
    training::DenseAdam adam({classifier.weight.requires_grad_(), classifier.bias.requires_grad_()}, 0);
    training::TrainingRun run("the classifier", checkpoint, observer);
    run.keep("weights.embedding", classifier.embedding);
    run.keep("weights.weight", classifier.weight);
    run.keep("weights.bias", classifier.bias);
    run.keep("rows", rows_adam);
    run.keep("adam", adam);
    BestEpoch best(run, options, {classifier.embedding, classifier.weight, classifier.bias});

    // Each epoch shuffles the order of the one before.
    training::Places order(data.train.sentences.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto batches_of = [&](int64_t epoch) {
        return training::shuffled_batches(order, options.batch, training::mix_seed(seed, classifier_epoch, static_cast<uint64_t>(epoch)));
    };
    const auto step = [&](const training::Places& batch, training::Step) {
        Sentences sentences;
        std::vector<int64_t> targets;
        for (const size_t i : batch) {
            sentences.push_back(data.train.sentences[i]);
            targets.push_back(data.train.labels[i]);
        }
        const auto [words, begins] = bag_of(sentences);
        const auto [rows, index] = at::_unique(words, true, true);
        const at::Tensor table = classifier.embedding.index_select(0, rows).requires_grad_();
        const at::Tensor logits = at::linear(sums_of_rows(table, index, begins), classifier.weight, classifier.bias);
        const at::Tensor loss = at::cross_entropy_loss(logits, at::tensor(targets, at::kLong));
        loss.backward();
        rows_adam.step(rows, table.grad(), options.learning_rate);
        adam.step(options.learning_rate);
        return training::BatchLoss{loss.item<double>(), static_cast<double>(batch.size())};
    };
    training::train_in_batches(run, {"classifier", epochs_of(options, data)}, batches_of, step,
                               [&](const training::EpochLoss& epoch) { best.see(epoch, classifier, data.development); });
    best.take();
    classifier.weight = classifier.weight.detach();
    classifier.bias = classifier.bias.detach();
    return classifier;
}

/// Batches of sentences of one length, all of them in a drawn order.
std::vector<training::Places> batches_of_one_length(const Sentences& sentences, int64_t size, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::map<size_t, training::Places> by_length;
    for (size_t i = 0; i < sentences.size(); ++i)
        if (!sentences[i].empty()) by_length[sentences[i].size()].push_back(i);
    std::vector<training::Places> batches;
    for (auto& [length, places] : by_length)
        for (training::Places& batch : training::shuffled_batches(places, size, random())) batches.push_back(std::move(batch));
    training::shuffle(batches, random);
    return batches;
}

Classifier train_network(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed,
                         const training::Checkpoint& checkpoint, const Observer& observer) {
    at::Generator random = training::make_generator(training::mix_seed(seed, classifier_weights));
    Classifier classifier;
    classifier.embedding = untrained_embedding(data, options, random);
    classifier.bias = at::zeros({data.classes});
    const auto network = make_sentence_network(options.network, options.dimension, data.classes);
    network->initialise(random);
    network->require_gradients(true);
    classifier.own_network = network;

    training::RowAdam rows_adam(classifier.embedding);
    std::vector<at::Tensor> parameters;
    for (const auto& [name, tensor] : network->parameters()) parameters.push_back(tensor);
    training::DenseAdam adam(parameters);
    training::TrainingRun run("the classifier", checkpoint, observer);
    run.keep("weights.embedding", classifier.embedding);
    for (const auto& [name, tensor] : network->parameters()) run.keep("weights." + name, tensor);
    run.keep("rows", rows_adam);
    run.keep("adam", adam);
    parameters.push_back(classifier.embedding);
    BestEpoch best(run, options, parameters);

    const auto batches_of = [&](int64_t epoch) {
        return batches_of_one_length(data.train.sentences, options.batch,
                                     training::mix_seed(seed, classifier_epoch, static_cast<uint64_t>(epoch)));
    };
    const auto step = [&](const training::Places& batch, training::Step now) {
        std::mt19937_64 hiding(training::mix_seed(seed, classifier_hiding, now.seed()));
        const auto often = static_cast<uint64_t>(options.hide * 1e6);
        Ids words;
        std::vector<int64_t> targets;
        for (const size_t i : batch) {
            for (const int64_t word : data.train.sentences[i]) words.push_back(hiding() % 1000000 < often ? unk_id : word);
            targets.push_back(data.train.labels[i]);
        }
        const auto [rows, index] = at::_unique(at::tensor(words, at::kLong), true, true);
        const at::Tensor table = classifier.embedding.index_select(0, rows).requires_grad_();
        const at::Tensor embedded = table.index_select(0, index).view({static_cast<int64_t>(batch.size()), -1, options.dimension});
        const training::Mode mode{true, training::make_generator(training::mix_seed(seed, classifier_dropout, now.seed()))};
        const at::Tensor loss = at::cross_entropy_loss(network->logits(embedded, mode), at::tensor(targets, at::kLong));
        loss.backward();
        const double rate = training::cosine_rate(options.learning_rate, now.number, now.of);
        rows_adam.step(rows, table.grad(), rate);
        adam.step(rate);
        return training::BatchLoss{loss.item<double>(), static_cast<double>(batch.size())};
    };
    training::train_in_batches(run, {"classifier", epochs_of(options, data)}, batches_of, step,
                               [&](const training::EpochLoss& epoch) { best.see(epoch, classifier, data.development); });
    best.take();
    network->require_gradients(false);
    return classifier;
}

}  // namespace

Classifier train_classifier(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed,
                            const training::Checkpoint& checkpoint, const Observer& observer) {
    return options.network.kind == "embedding-sum" ? train_sum(data, options, seed, checkpoint, observer)
                                                   : train_network(data, options, seed, checkpoint, observer);
}

}  // namespace whynot::text
