#include "text/networks/classifier_training.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>

#include "base/format.h"
#include "training/loop.h"
#include "training/optimiser.h"
#include "training/random.h"

namespace whynot::text {

namespace {

enum ClassifierStream : uint64_t { classifier_weights = 1, classifier_epoch = 2 };

Classifier untrained(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed) {
    at::Generator random = training::make_generator(training::mix_seed(seed, classifier_weights));
    Classifier classifier;
    classifier.embedding = at::empty({data.vocabulary, options.dimension}).normal_(0, options.deviation, random);
    classifier.embedding.slice(0, 0, unk_id).zero_();
    const double bound = 1.0 / std::sqrt(static_cast<double>(options.dimension));
    classifier.weight = at::empty({data.classes, options.dimension}).uniform_(-bound, bound, random);
    classifier.bias = at::zeros({data.classes});
    return classifier;
}

}  // namespace

Classifier train_classifier(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed,
                            const training::Checkpoint& checkpoint, const Observer& observer) {
    Classifier classifier = untrained(data, options, seed);
    training::RowAdam rows_adam(classifier.embedding);
    training::DenseAdam adam({classifier.weight.requires_grad_(), classifier.bias.requires_grad_()}, 0);
    training::TrainingRun run("the classifier", checkpoint, observer);
    run.keep("weights.embedding", classifier.embedding);
    run.keep("weights.weight", classifier.weight);
    run.keep("weights.bias", classifier.bias);
    run.keep("rows", rows_adam);
    run.keep("adam", adam);

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
    training::train_in_batches(run, {"classifier", options.epochs}, batches_of, step, [&](const training::EpochLoss& epoch) {
        if (!observer.log) return;
        run.log("classifier epoch " + std::to_string(epoch.number) + ": loss " + base::fixed(epoch.loss, 4) + ", development accuracy " +
                base::fixed(accuracy(classifier, data.development.sentences, data.development.labels), 4));
    });
    classifier.weight = classifier.weight.detach();
    classifier.bias = classifier.bias.detach();
    return classifier;
}

}  // namespace whynot::text
