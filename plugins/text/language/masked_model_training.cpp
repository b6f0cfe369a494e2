#include "text/language/masked_model_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "text/language/packed_counts.h"
#include "training/optimiser.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

/// What the random numbers of a training run are drawn for.
enum Stream : uint64_t { order_of_batches = 102, step_of_training, negatives_of_step };

at::Tensor dropout(const at::Tensor& x, double share, at::Generator& generator) {
    if (share <= 0) return x;
    return x * at::empty_like(x, x.options().requires_grad(false)).bernoulli_(1 - share, generator).div_(1 - share);
}

at::Tensor as_tensor(const Sentences& sentences) {
    const auto length = static_cast<int64_t>(sentences.front().size());
    auto tensor = at::empty({static_cast<int64_t>(sentences.size()), length}, at::kLong);
    auto* to = tensor.data_ptr<int64_t>();
    for (const auto& sentence : sentences) to = std::copy(sentence.begin(), sentence.end(), to);
    return tensor;
}

/// Batches of equal length, in an order drawn with `random`.
std::vector<Sentences> batches_of(const Sentences& sentences, int64_t size, std::mt19937_64& random) {
    std::map<size_t, Sentences> by_length;
    for (const auto& sentence : sentences) by_length[sentence.size()].push_back(sentence);
    std::vector<Sentences> batches;
    for (auto& [length, group] : by_length) {
        training::shuffle(group, random);
        for (size_t i = 0; i < group.size(); i += static_cast<size_t>(size))
            batches.emplace_back(group.begin() + static_cast<int64_t>(i),
                                 group.begin() + static_cast<int64_t>(std::min(group.size(), i + static_cast<size_t>(size))));
    }
    training::shuffle(batches, random);
    return batches;
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

/// Requires gradients of some parameters for as long as it lives.
class WithGradients {
public:
    explicit WithGradients(std::vector<at::Tensor> parameters) : parameters_(std::move(parameters)) { set(true); }
    ~WithGradients() { set(false); }
    WithGradients(const WithGradients&) = delete;
    WithGradients& operator=(const WithGradients&) = delete;
    const std::vector<at::Tensor>& parameters() const { return parameters_; }

private:
    void set(bool required) {
        for (auto& parameter : parameters_) parameter.set_requires_grad(required);
    }
    std::vector<at::Tensor> parameters_;
};

}  // namespace

void train_masked_model(MaskedModel& model, const Sentences& sentences, const MaskedTraining& options, uint64_t seed,
                        const Observer& observer, const Sentences& development, const training::Checkpoint& checkpoint) {
    using Clock = std::chrono::steady_clock;
    const auto& net = model->weights();
    const auto& sizes = model->sizes();
    check_sentences(sentences, sizes.vocabulary);
    if (sentences.empty() || std::any_of(sentences.begin(), sentences.end(), [](const Ids& s) { return s.empty(); }))
        throw Error(ErrorCode::invalid_argument, "masked model: expected sentences of at least one word to train on, found " +
                                                     std::string(sentences.empty() ? "none" : "an empty one"));
    if (options.epochs < 1 || options.batch < 1 || options.negatives < 0 || options.dropout < 0 || options.dropout >= 1)
        throw Error(ErrorCode::invalid_argument,
                    "masked model: expected epochs and batch of at least 1, negatives of at least 0 and dropout in [0, 1)");

    std::vector<at::Tensor> dense{net.next_weight, net.next_bias};
    dense.insert(dense.end(), net.forward.begin(), net.forward.end());
    if (sizes.both_sides) {
        dense.insert(dense.end(), {net.between_weight, net.between_bias});
        dense.insert(dense.end(), net.backward.begin(), net.backward.end());
    }
    const WithGradients with_gradients(dense);
    training::DenseAdam dense_adam(dense, options.clip);
    training::RowAdam embedding_adam(net.embedding), output_adam(net.output), bias_adam(net.output_bias);

    int64_t steps = 0;
    {
        std::mt19937_64 random(0);
        steps = options.epochs * static_cast<int64_t>(batches_of(sentences, options.batch, random).size());
    }
    training::TrainingRun run("the masked model", checkpoint, observer);
    for (const auto& item : model->named_parameters()) run.keep("weights." + item.key(), item.value());
    run.keep("dense", dense_adam);
    run.keep("embedding", embedding_adam);
    run.keep("output", output_adam);
    run.keep("bias", bias_adam);
    run.resume();
    int64_t step = 0;
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        std::mt19937_64 random(training::mix_seed(seed, order_of_batches, static_cast<uint64_t>(epoch)));
        double loss_sum = 0;
        int64_t words = 0;
        const auto started = Clock::now();
        for (const auto& batch : batches_of(sentences, options.batch, random)) {
            if (!run.begins(step, steps)) {
                ++step;
                continue;
            }
            std::mt19937_64 draws(training::mix_seed(seed, negatives_of_step, static_cast<uint64_t>(step)));
            auto generator = training::make_generator(training::mix_seed(seed, step_of_training, static_cast<uint64_t>(step)));
            const auto drop = [&](const at::Tensor& x) { return dropout(x, options.dropout, generator); };
            const auto x = as_tensor(batch);
            const int64_t n = x.size(0), m = x.size(1);

            // The batch's own words and <eos> are targets; <go>, which only the embedding needs, stands before them.
            const auto [own, inverse] = at::_unique(at::cat({x.flatten(), at::full({1}, eos_id, at::kLong)}), true, true);
            const auto local = inverse.slice(0, 0, n * m).view({n, m});
            const auto end = inverse.slice(0, n * m).expand({n, 1});
            const auto read = at::cat({at::full({1}, go_id, at::kLong), own});
            const auto embedding = net.embedding.index_select(0, read).requires_grad_();
            const auto embed = [&](const at::Tensor& ids) {
                return drop(embedding.index_select(0, ids.flatten()).view({n, m + 1, sizes.embedding}));
            };
            const auto left = drop(run_lstm(embed(at::cat({at::zeros({n, 1}, at::kLong), local + 1}, 1)), net.forward));
            auto heads = at::linear(left, net.next_weight, net.next_bias).tanh().view({n * (m + 1), sizes.head});
            auto targets = at::cat({local, end}, 1).flatten();
            if (sizes.both_sides) {
                const auto right = drop(run_lstm(embed(at::cat({end, local.flip(1)}, 1) + 1), net.backward)).flip(1);
                const auto both = at::cat({left.slice(1, 0, m), right.slice(1, 1)}, 2);
                heads = at::cat({heads, at::linear(both, net.between_weight, net.between_bias).tanh().view({n * m, sizes.head})});
                targets = at::cat({targets, local.flatten()});
            }

            std::vector<char> taken(static_cast<size_t>(sizes.vocabulary), 0);
            const auto own_words = own.accessor<int64_t, 1>();
            for (int64_t i = 0; i < own_words.size(0); ++i) taken[static_cast<size_t>(own_words[i])] = 1;
            std::vector<int64_t> negatives;
            for (int64_t i = 0; i < options.negatives; ++i) {
                const auto word = eos_id + static_cast<int64_t>(draws() % static_cast<uint64_t>(sizes.vocabulary - eos_id));
                if (std::exchange(taken[static_cast<size_t>(word)], 1) == 0) negatives.push_back(word);
            }
            const auto candidates = at::cat({own, at::tensor(negatives, at::kLong)});
            auto correction = at::zeros({candidates.size(0)});
            if (!negatives.empty())
                correction.slice(0, own.size(0))
                    .fill_(std::log(static_cast<double>(sizes.vocabulary - eos_id - own.size(0)) / static_cast<double>(negatives.size())));
            const auto output = net.output.index_select(0, candidates).requires_grad_();
            const auto bias = net.output_bias.index_select(0, candidates).requires_grad_();
            const auto loss = at::cross_entropy_loss(at::linear(drop(heads), output, bias + correction), targets);
            loss.backward();

            const double rate = training::cosine_rate(options.learning_rate, step, steps, std::min<int64_t>(200, steps / 10));
            embedding_adam.step(read, embedding.grad(), rate);
            output_adam.step(candidates, output.grad(), rate);
            bias_adam.step(candidates, bias.grad(), rate);
            dense_adam.step(rate);

            loss_sum += loss.item<double>() * static_cast<double>(n * (m + 1));
            words += n * (m + 1);
            ++step;
            if (run.speaks())
                run.tell(format("masked model, epoch %d of %d", static_cast<int>(epoch + 1), static_cast<int>(options.epochs)), step, steps,
                         format("loss %.3f", loss_sum / static_cast<double>(words)));
        }
        if (words == 0) continue;  // an epoch of an earlier run
        run.save(step);
        if (!observer.log) continue;
        const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
        auto line = format("masked model, epoch %d of %d: loss %.3f, %.0f words/s", static_cast<int>(epoch + 1),
                           static_cast<int>(options.epochs), loss_sum / static_cast<double>(words), static_cast<double>(words) / seconds);
        if (!development.empty()) {
            const auto found = perplexities(model, development);
            line += format(", development perplexity %.1f", found.next);
            if (sizes.both_sides) line += format(", masked %.1f", found.mask);
        }
        observer.log(line);
    }
}

Perplexities perplexities(const MaskedModel& model, const Sentences& sentences) {
    std::mt19937_64 random(0);
    double next = 0, mask = 0;
    int64_t next_words = 0, mask_words = 0;
    for (const auto& batch : batches_of(sentences, 64, random)) {
        for (const auto& words : model->next_log_probabilities(batch)) {
            next -= std::accumulate(words.begin(), words.end(), 0.0);
            next_words += static_cast<int64_t>(words.size());
        }
        if (!model->sizes().both_sides) continue;
        const auto x = as_tensor(batch);
        const auto [left, right] = model->contexts(x);
        for (int64_t t = 0; t < x.size(1); ++t)
            mask -= model->between(left.select(1, t), right.select(1, t + 1)).gather(1, x.slice(1, t, t + 1)).sum().item<double>();
        mask_words += x.numel();
    }
    const auto perplexity = [](double sum, int64_t words) { return words > 0 ? std::exp(sum / static_cast<double>(words)) : 0.0; };
    return {perplexity(next, next_words), perplexity(mask, mask_words)};
}

}  // namespace whynot::text
