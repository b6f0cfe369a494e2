#include "text/language/masked_model_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "base/format.h"
#include "text/language/packed_counts.h"
#include "text/language/sampled_softmax_training.h"
#include "text/networks/batches.h"
#include "training/loop.h"
#include "training/optimiser.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

/// What the random numbers of a training run are drawn for.
enum MaskedStream : uint64_t { order_of_batches = 102, step_of_training, negatives_of_step };

at::Tensor dropout(const at::Tensor& x, double share, at::Generator& generator) {
    if (share <= 0) return x;
    return x * at::empty_like(x, x.options().requires_grad(false)).bernoulli_(1 - share, generator).div_(1 - share);
}

std::vector<at::Tensor> dense_parameters(const MaskedModel& model) {
    const MaskedModelImpl::Weights& net = model->weights();
    std::vector<at::Tensor> dense{net.next_weight, net.next_bias};
    dense.insert(dense.end(), net.forward.begin(), net.forward.end());
    if (model->sizes().both_sides) {
        dense.insert(dense.end(), {net.between_weight, net.between_bias});
        dense.insert(dense.end(), net.backward.begin(), net.backward.end());
    }
    return dense;
}

/// The model as it is being trained. Its dense parameters require gradients as long as this lives.
class MaskedLearner {
public:
    MaskedLearner(MaskedModel& model, const MaskedTraining& options)
        : model_(model),
          net_(model->weights()),
          sizes_(model->sizes()),
          options_(options),
          dense_(dense_parameters(model)),
          dense_adam_(requiring_gradients(dense_, true), options.clip),
          embedding_adam_(net_.embedding),
          output_adam_(net_.output),
          bias_adam_(net_.output_bias) {}
    ~MaskedLearner() { requiring_gradients(dense_, false); }
    MaskedLearner(const MaskedLearner&) = delete;
    MaskedLearner& operator=(const MaskedLearner&) = delete;

    void keep_in(training::TrainingRun& run) {
        for (const auto& item : model_->named_parameters()) run.keep("weights." + item.key(), item.value());
        run.keep("dense", dense_adam_);
        run.keep("embedding", embedding_adam_);
        run.keep("output", output_adam_);
        run.keep("bias", bias_adam_);
    }

    /// One step on words [n, m]. @returns the mean loss
    double step(const at::Tensor& words, at::Generator random, std::mt19937_64 draws, double rate) {
        const Read read = read_words(words);
        const at::Tensor embedding = net_.embedding.index_select(0, read.rows).requires_grad_();
        const auto [heads, targets] = predictions(read, embedding, random);

        const SampledWords sampled =
            with_drawn(read.own, draw_words(read.own, eos_id, sizes_.vocabulary, options_.negatives, draws), eos_id, sizes_.vocabulary);
        const at::Tensor output = net_.output.index_select(0, sampled.rows).requires_grad_();
        const at::Tensor bias = net_.output_bias.index_select(0, sampled.rows).requires_grad_();
        const at::Tensor loss = sampled_softmax_loss(dropout(heads, options_.dropout, random), output, bias, sampled, targets);
        loss.backward();

        embedding_adam_.step(read.rows, embedding.grad(), rate);
        output_adam_.step(sampled.rows, output.grad(), rate);
        bias_adam_.step(sampled.rows, bias.grad(), rate);
        dense_adam_.step(rate);
        return loss.item<double>();
    }

private:
    /// The words of a batch. Its own words and <eos> are targets; <go>, which only the embedding needs, stands before them.
    struct Read {
        at::Tensor own;    // [o], each word once
        at::Tensor rows;   // <go> and those
        at::Tensor local;  // [n, m], as indices into `own`
        at::Tensor end;    // [n, 1], <eos> likewise
    };

    static Read read_words(const at::Tensor& words) {
        const int64_t n = words.size(0), m = words.size(1);
        const auto [own, inverse] = at::_unique(at::cat({words.flatten(), at::full({1}, eos_id, at::kLong)}), true, true);
        return {own, at::cat({at::full({1}, go_id, at::kLong), own}), inverse.slice(0, 0, n * m).view({n, m}),
                inverse.slice(0, n * m).expand({n, 1})};
    }

    /// What stands before the softmax, [r, p], and what should come out of it, [r], as indices into `own`: first of the words that come
    /// next, then of the words between.
    std::pair<at::Tensor, at::Tensor> predictions(const Read& read, const at::Tensor& embedding, at::Generator& random) const {
        const int64_t n = read.local.size(0), m = read.local.size(1);
        const auto drop = [&](const at::Tensor& x) { return dropout(x, options_.dropout, random); };
        const auto embed = [&](const at::Tensor& ids) {
            return drop(embedding.index_select(0, ids.flatten()).view({n, m + 1, sizes_.embedding}));
        };
        const at::Tensor left = drop(run_lstm(embed(at::cat({at::zeros({n, 1}, at::kLong), read.local + 1}, 1)), net_.forward));
        const at::Tensor next = at::linear(left, net_.next_weight, net_.next_bias).tanh().view({n * (m + 1), sizes_.head});
        const at::Tensor targets = at::cat({read.local, read.end}, 1).flatten();
        if (!sizes_.both_sides) return {next, targets};
        const at::Tensor right = drop(run_lstm(embed(at::cat({read.end, read.local.flip(1)}, 1) + 1), net_.backward)).flip(1);
        const at::Tensor both = at::cat({left.slice(1, 0, m), right.slice(1, 1)}, 2);
        const at::Tensor between = at::linear(both, net_.between_weight, net_.between_bias).tanh().view({n * m, sizes_.head});
        return {at::cat({next, between}), at::cat({targets, read.local.flatten()})};
    }

    static std::vector<at::Tensor> requiring_gradients(const std::vector<at::Tensor>& parameters, bool required) {
        for (const at::Tensor& parameter : parameters) parameter.set_requires_grad(required);
        return parameters;
    }

    MaskedModel& model_;
    const MaskedModelImpl::Weights& net_;
    const MaskedModelSizes& sizes_;
    const MaskedTraining& options_;
    std::vector<at::Tensor> dense_;
    training::DenseAdam dense_adam_;
    training::RowAdam embedding_adam_, output_adam_, bias_adam_;
};

void check(const Sentences& sentences, const MaskedTraining& options, int64_t vocabulary) {
    check_sentences(sentences, vocabulary);
    if (sentences.empty() || std::any_of(sentences.begin(), sentences.end(), [](const Ids& s) { return s.empty(); }))
        throw Error(ErrorCode::invalid_argument, "masked model: expected sentences of at least one word to train on, found " +
                                                     std::string(sentences.empty() ? "none" : "an empty one"));
    if (options.epochs < 1 || options.batch < 1 || options.negatives < 0 || options.dropout < 0 || options.dropout >= 1)
        throw Error(ErrorCode::invalid_argument,
                    "masked model: expected epochs and batch of at least 1, negatives of at least 0 and dropout in [0, 1)");
}

}  // namespace

void train_masked_model(MaskedModel& model, const Sentences& sentences, const MaskedTraining& options, uint64_t seed,
                        const Observer& observer, const Sentences& development, const training::Checkpoint& checkpoint) {
    check(sentences, options, model->sizes().vocabulary);
    MaskedLearner learner(model, options);
    training::TrainingRun run("the masked model", checkpoint, observer);
    learner.keep_in(run);
    const auto batches = [&](int64_t epoch) {
        std::mt19937_64 random(training::mix_seed(seed, order_of_batches, static_cast<uint64_t>(epoch)));
        return batches_of_one_length(by_length(sentences), options.batch, random);
    };
    const auto step = [&](const Sentences& batch, training::Step now) {
        const at::Tensor words = rectangle(batch);
        const double rate = training::cosine_rate(options.learning_rate, now.number, now.of, std::min<int64_t>(200, now.of / 10));
        const double loss = learner.step(words, training::make_generator(training::mix_seed(seed, step_of_training, now.seed())),
                                         std::mt19937_64(training::mix_seed(seed, negatives_of_step, now.seed())), rate);
        return training::BatchLoss{loss, static_cast<double>(words.size(0) * (words.size(1) + 1))};
    };
    training::train_in_batches(run, {"masked model", options.epochs}, batches, step, [&](const training::EpochLoss& epoch) {
        if (!observer.log) return;
        std::string line =
            epoch.stage + ": loss " + base::fixed(epoch.loss, 3) + ", " + base::fixed(epoch.weight / epoch.seconds, 0) + " words/s";
        if (!development.empty()) {
            const Perplexities found = perplexities(model, development);
            line += ", development perplexity " + base::fixed(found.next, 1);
            if (model->sizes().both_sides) line += ", masked " + base::fixed(found.mask, 1);
        }
        run.log(line);
    });
}

Perplexities perplexities(const MaskedModel& model, const Sentences& sentences) {
    std::mt19937_64 random(0);
    double next = 0, mask = 0;
    int64_t next_words = 0, mask_words = 0;
    for (const auto& batch : batches_of_one_length(by_length(sentences), 64, random)) {
        for (const auto& words : model->next_log_probabilities(batch)) {
            next -= std::accumulate(words.begin(), words.end(), 0.0);
            next_words += static_cast<int64_t>(words.size());
        }
        if (!model->sizes().both_sides) continue;
        const auto x = rectangle(batch);
        const auto [left, right] = model->contexts(x);
        for (int64_t t = 0; t < x.size(1); ++t)
            mask -= model->between(left.select(1, t), right.select(1, t + 1)).gather(1, x.slice(1, t, t + 1)).sum().item<double>();
        mask_words += x.numel();
    }
    const auto perplexity = [](double sum, int64_t words) { return words > 0 ? std::exp(sum / static_cast<double>(words)) : 0.0; };
    return {perplexity(next, next_words), perplexity(mask, mask_words)};
}

}  // namespace whynot::text
