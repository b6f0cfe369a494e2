#include "text/networks/autoencoder_training.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "text/language/sampled_softmax_training.h"
#include "text/networks/batches.h"
#include "training/loop.h"
#include "training/optimiser.h"
#include "training/random.h"

namespace whynot::text {

namespace {

enum AutoencoderStream : uint64_t { autoencoder_epoch = 11, autoencoder_step = 12 };

// The batches of one epoch, each of sentences of one length, in the order they are trained on.
std::vector<Sentences> plan_epoch(const Sentences& sentences, const AutoencoderTraining& options, uint64_t seed, int64_t epoch) {
    std::mt19937_64 random(training::mix_seed(seed, autoencoder_epoch, static_cast<uint64_t>(epoch)));
    ByLength all = by_length(sentences);
    const auto joins = static_cast<size_t>(options.joined * static_cast<double>(sentences.size()));
    for (size_t i = 0; i < joins; ++i) {
        Ids joined = sentences[random() % sentences.size()];
        const Ids& second = sentences[random() % sentences.size()];
        joined.insert(joined.end(), second.begin(), second.end());
        if (joined.size() <= static_cast<size_t>(options.longest)) all[joined.size()].push_back(std::move(joined));
    }
    return batches_of_one_length(std::move(all), options.batch, random);
}

}  // namespace

Reconstruction reconstruction(const Autoencoder& autoencoder, const Sentences& sentences, const at::Tensor& codes) {
    size_t longest = 0;
    for (const Ids& sentence : sentences) longest = std::max(longest, sentence.size());
    const Sentences said = autoencoder.greedy(codes, static_cast<int64_t>(longest) + 1);
    int64_t exact = 0, tokens = 0, total = 0;
    for (size_t i = 0; i < sentences.size(); ++i) {
        exact += said[i] == sentences[i];
        total += static_cast<int64_t>(sentences[i].size());
        for (size_t t = 0; t < std::min(said[i].size(), sentences[i].size()); ++t) tokens += said[i][t] == sentences[i][t];
    }
    const double n = std::max<double>(1, static_cast<double>(sentences.size()));
    return {static_cast<double>(exact) / n, static_cast<double>(tokens) / std::max<double>(1, static_cast<double>(total))};
}

namespace {

/// What an autoencoder is trained with: its parameters in three kinds, each with its optimiser.
class AutoencoderLearner {
public:
    AutoencoderLearner(Autoencoder& autoencoder, const AutoencoderTraining& options)
        : autoencoder_(autoencoder),
          options_(options),
          dense_adam_(dense(autoencoder, false), options.clip),
          linear_adam_(dense(autoencoder, true), options.clip),
          extra_(*autoencoder.tables()[0].second),
          bias_(*autoencoder.tables()[1].second),
          extra_adam_(extra_),
          bias_adam_(bias_) {}

    void keep_in(training::TrainingRun& run) {
        for (auto& [name, tensor] : autoencoder_.dense()) run.keep("weights." + name, *tensor);
        for (auto& [name, tensor] : autoencoder_.tables()) run.keep("weights." + name, *tensor);
        run.keep("dense", dense_adam_);
        run.keep("linear", linear_adam_);
        run.keep("extra", extra_adam_);
        run.keep("bias", bias_adam_);
    }

    /// One step on words [n, m]. @returns the loss per word, <eos> counted
    double step(const at::Tensor& words, at::Generator random, double rate) {
        const int64_t n = words.size(0), m = words.size(1), vocabulary = autoencoder_.vocabulary();
        const auto chance = [&](at::IntArrayRef shape) { return at::empty(shape).uniform_(0, 1, random); };
        const at::Tensor encoder_keep = (chance({n, m, 1}) >= options_.hide_encoder * chance({n, 1, 1})).to(at::kFloat);
        const at::Tensor decoder_keep = (chance({n, m + 1, 1}) >= options_.hide_decoder).to(at::kFloat);
        const at::Tensor z = autoencoder_.encode(words, encoder_keep);
        const at::Tensor disturbed = z + at::empty_like(z.detach()).normal_(0, options_.noise, random);
        const at::Tensor inputs = at::cat({at::full({n, 1}, go_id, at::kLong), words}, 1);
        const at::Tensor features = autoencoder_.features(disturbed, inputs, decoder_keep).flatten(0, 1);
        const at::Tensor targets = at::cat({words, at::full({n, 1}, eos_id, at::kLong)}, 1).flatten();

        const auto [own, index] = at::_unique(targets, true, true);
        const SampledWords sampled = with_drawn(own, draw_words(own, eos_id, vocabulary, options_.negatives, random), eos_id, vocabulary);
        const at::Tensor extra_rows = extra_.index_select(0, sampled.rows).requires_grad_();
        const at::Tensor bias_rows = bias_.index_select(0, sampled.rows).requires_grad_();
        const at::Tensor table = at::cat({autoencoder_.embedded().index_select(0, sampled.rows), extra_rows}, 1);
        const at::Tensor loss = sampled_softmax_loss(features, table, bias_rows, sampled, index);
        (loss + options_.code_weight * z.square().mean()).backward();

        dense_adam_.step(rate);
        linear_adam_.step(options_.linear_rate * rate);
        extra_adam_.step(sampled.rows, extra_rows.grad(), rate);
        bias_adam_.step(sampled.rows, bias_rows.grad(), rate);
        return loss.item<double>();
    }

private:
    // The two matrices that write words into the code and read them out of it serve every position at once: they want small steps.
    static std::vector<at::Tensor> dense(Autoencoder& autoencoder, bool linear_paths) {
        std::vector<at::Tensor> parameters;
        for (auto& [name, tensor] : autoencoder.dense())
            if ((name == "write" || name == "read") == linear_paths) parameters.push_back(tensor->set_requires_grad(true));
        return parameters;
    }

    Autoencoder& autoencoder_;
    const AutoencoderTraining& options_;
    training::DenseAdam dense_adam_, linear_adam_;
    at::Tensor extra_, bias_;
    training::RowAdam extra_adam_, bias_adam_;
};

}  // namespace

void train_autoencoder(Autoencoder& autoencoder, const Sentences& sentences, const Sentences& development,
                       const AutoencoderTraining& options, uint64_t seed, const training::Checkpoint& checkpoint,
                       const Observer& observer) {
    AutoencoderLearner learner(autoencoder, options);
    training::TrainingRun run("the autoencoder", checkpoint, observer);
    learner.keep_in(run);
    // Epochs differ by a few batches (joined pairs are drawn); the schedule takes each to be as long as the present one.
    const auto batches_of = [&](int64_t epoch) { return plan_epoch(sentences, options, seed, epoch); };
    const auto step = [&](const Sentences& batch, training::Step now) {
        const at::Tensor words = rectangle(batch);
        const double rate = training::cosine_rate(options.learning_rate, now.number, now.of);
        const double loss = learner.step(words, training::make_generator(training::mix_seed(seed, autoencoder_step, now.seed())), rate);
        return training::BatchLoss{loss, static_cast<double>(words.size(0) * (words.size(1) + 1))};
    };
    training::train_in_batches(run, {"autoencoder", options.epochs}, batches_of, step, [&](const training::EpochLoss& epoch) {
        const at::Tensor codes = autoencoder.encode(development);
        const Reconstruction back = reconstruction(autoencoder, development, codes);
        run.log("autoencoder epoch " + std::to_string(epoch.number) + ": loss " + base::fixed(epoch.loss, 3) +
                ", development sentences back exactly " + base::fixed(back.exact, 3) + ", words " + base::fixed(back.tokens, 3) + ", |z| " +
                base::fixed(codes.norm(2, 1).median().item<double>(), 1) + ", " + base::fixed(epoch.weight / epoch.seconds, 0) +
                " words/s");
    });
}

}  // namespace whynot::text
