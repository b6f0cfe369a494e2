#pragma once

/// The one training loop: over epochs and batches, saved and resumed by `TrainingRun`, told to whoever observes it.
///
///     TrainingRun run("the classifier", checkpoint, observer);
///     run.keep("adam", adam);                                             // and all that the steps change
///     train_in_batches(
///         run, {"classifier", epochs}, [&](int64_t epoch) { return batches_of(seed, epoch); },
///         [&](const Sentences& batch, Step step) {
///             const at::Tensor loss = loss_of(batch, mix_seed(seed, dropout_stream, step.seed()));
///             loss.backward();
///             adam.step(cosine_rate(rate, step.number, step.of));
///             return BatchLoss{loss.item<double>(), batch.size()};
///         },
///         [&](const EpochLoss& epoch) { run.log(epoch.stage + ": loss " + base::fixed(epoch.loss, 3)); });
///
/// Batches of an epoch must follow from the seed and the number of the epoch (or from those of the epochs before): a run that goes on draws
/// them anew, also for epochs that are done, and leaves out the steps that an earlier run did. Steps draw from numbers mixed of seed and
/// step only. Then a run that was stopped and goes on ends with the same bytes as one that was not.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/stopwatch.h"
#include "training/random.h"
#include "training/run.h"

namespace whynot::training {

/// What is trained, and how often the data are gone through.
struct Epochs {
    std::string name;  ///< in messages: "classifier"
    int64_t count = 1;
};

/// One step: its number from 0, of about so many.
struct Step {
    int64_t number = 0;
    int64_t of = 0;
    /// For `mix_seed`.
    uint64_t seed() const { return static_cast<uint64_t>(number); }
};

/// What a step reports.
struct BatchLoss {
    double mean = 0;    ///< of the batch
    double weight = 1;  ///< what it counts in the mean of the epoch: 1, its samples or its words
};

/// An epoch, as far as this run did it.
struct EpochLoss {
    std::string stage;   ///< "classifier, epoch 2 of 6"
    int64_t number = 0;  ///< from 1
    double loss = 0;     ///< weighted mean of its batches
    double weight = 0;   ///< of all of them
    double seconds = 0;
};

/// Samples, by their places in the training data.
using Places = std::vector<size_t>;

/// Shuffles the order in place, and cuts it into batches; the last may be smaller.
inline std::vector<Places> shuffled_batches(Places& order, int64_t batch, uint64_t seed) {
    std::mt19937_64 random(seed);
    shuffle(order, random);
    std::vector<Places> batches;
    for (auto begin = order.begin(); begin != order.end();) {
        const auto end = begin + std::min<std::ptrdiff_t>(batch, order.end() - begin);
        batches.emplace_back(begin, end);
        begin = end;
    }
    return batches;
}

/// Resumes the run and trains to the end.
/// @param batches_of the batches of epoch 0, 1, ...: a container, each time of about the same size. Called for every epoch in turn
/// @param step (batch, Step) -> BatchLoss: one step of learning
/// @param after (EpochLoss): after each epoch of which this run did a step, when it is saved
/// @throws Error cancelled, after saving, when the observer says so
template <class BatchesOf, class StepOn, class After>
void train_in_batches(TrainingRun& run, const Epochs& epochs, BatchesOf&& batches_of, StepOn&& step_on, After&& after) {
    run.resume();
    int64_t next = 0;
    bool did_any = false;
    for (int64_t number = 1; number <= epochs.count; ++number) {
        EpochLoss epoch;
        epoch.stage = epochs.name + ", epoch " + std::to_string(number) + " of " + std::to_string(epochs.count);
        epoch.number = number;
        const auto batches = batches_of(number - 1);
        const int64_t of = static_cast<int64_t>(batches.size()) * epochs.count;
        const base::Stopwatch watch;
        double sum = 0;
        bool did_some = false;
        for (const auto& batch : batches) {
            const Step step{next++, of};
            if (!run.begins(step.number, step.of)) continue;
            const BatchLoss loss = step_on(batch, step);
            did_some = true;
            sum += loss.mean * loss.weight;
            epoch.weight += loss.weight;
            epoch.loss = sum / epoch.weight;
            if (run.speaks()) run.tell(epoch.stage, step.number, step.of, "loss " + base::fixed(epoch.loss, 3));
        }
        if (!did_some) continue;
        did_any = true;
        epoch.seconds = watch.seconds();
        run.save(next);
        after(epoch);
    }
    if (!did_any) run.log(epochs.name + ": taken from its checkpoint");
}

}  // namespace whynot::training
