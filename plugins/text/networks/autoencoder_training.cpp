#include "text/networks/autoencoder_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>

#include "training/optimiser.h"
#include "training/random.h"
#include "training/run.h"

namespace whynot::text {

namespace {

enum Stream : uint64_t { epoch_stream = 11, step_stream = 12 };

// The batches of one epoch, each of sentences of one length, in the order they are trained on.
std::vector<Sentences> plan_epoch(const Sentences& sentences, const AutoencoderTraining& options, uint64_t seed, int64_t epoch) {
    std::mt19937_64 random(training::mix_seed(seed, epoch_stream, static_cast<uint64_t>(epoch)));
    std::map<size_t, Sentences> by_length;
    for (const Ids& sentence : sentences) by_length[sentence.size()].push_back(sentence);
    const auto joins = static_cast<size_t>(options.joined * static_cast<double>(sentences.size()));
    for (size_t i = 0; i < joins; ++i) {
        Ids joined = sentences[random() % sentences.size()];
        const Ids& second = sentences[random() % sentences.size()];
        joined.insert(joined.end(), second.begin(), second.end());
        if (joined.size() <= static_cast<size_t>(options.longest)) by_length[joined.size()].push_back(std::move(joined));
    }
    std::vector<Sentences> batches;
    for (auto& [length, group] : by_length) {
        training::shuffle(group, random);
        for (size_t i = 0; i < group.size(); i += options.batch)
            batches.emplace_back(group.begin() + i, group.begin() + std::min(group.size(), i + options.batch));
    }
    training::shuffle(batches, random);
    return batches;
}

at::Tensor rectangle(const Sentences& batch) {
    at::Tensor words = at::empty({static_cast<int64_t>(batch.size()), static_cast<int64_t>(batch[0].size())}, at::kLong);
    auto* out = words.data_ptr<int64_t>();
    for (const Ids& sentence : batch) out = std::copy(sentence.begin(), sentence.end(), out);
    return words;
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

void train_autoencoder(Autoencoder& autoencoder, const Sentences& sentences, const Sentences& development,
                       const AutoencoderTraining& options, uint64_t seed, const training::Checkpoint& checkpoint,
                       const Observer& observer) {
    const int64_t vocabulary = autoencoder.vocabulary();
    // The two matrices that write words into the code and read them out of it serve every position at once: they want small steps.
    std::vector<at::Tensor> dense, linear;
    for (auto& [name, tensor] : autoencoder.dense())
        (name == "write" || name == "read" ? linear : dense).push_back(tensor->set_requires_grad(true));
    training::DenseAdam dense_adam(dense, options.clip), linear_adam(linear, options.clip);
    at::Tensor extra = *autoencoder.tables()[0].second, bias = *autoencoder.tables()[1].second;
    training::RowAdam extra_adam(extra), bias_adam(bias);

    training::TrainingRun run("the autoencoder", checkpoint, observer);
    for (auto& [name, tensor] : autoencoder.dense()) run.keep("weights." + name, *tensor);
    for (auto& [name, tensor] : autoencoder.tables()) run.keep("weights." + name, *tensor);
    run.keep("dense", dense_adam);
    run.keep("linear", linear_adam);
    run.keep("extra", extra_adam);
    run.keep("bias", bias_adam);
    run.resume();

    int64_t step = 0;
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        const std::vector<Sentences> batches = plan_epoch(sentences, options, seed, epoch);
        // Epochs differ by a few batches (joined pairs are drawn); the schedule takes each to be as long as this one.
        const auto steps = static_cast<int64_t>(batches.size()) * options.epochs;
        double loss_sum = 0;
        int64_t words_seen = 0;
        const auto began = std::chrono::steady_clock::now();
        for (size_t b = 0; b < batches.size(); ++b, ++step) {
            if (!run.begins(step, steps)) continue;
            at::Generator random = training::make_generator(training::mix_seed(seed, step_stream, static_cast<uint64_t>(step)));
            const auto chance = [&](at::IntArrayRef shape) { return at::empty(shape).uniform_(0, 1, random); };
            const at::Tensor words = rectangle(batches[b]);
            const int64_t n = words.size(0), m = words.size(1);
            const at::Tensor encoder_keep = (chance({n, m, 1}) >= options.hide_encoder * chance({n, 1, 1})).to(at::kFloat);
            const at::Tensor decoder_keep = (chance({n, m + 1, 1}) >= options.hide_decoder).to(at::kFloat);
            const at::Tensor z = autoencoder.encode(words, encoder_keep);
            const at::Tensor disturbed = z + at::empty_like(z.detach()).normal_(0, options.noise, random);
            const at::Tensor inputs = at::cat({at::full({n, 1}, go_id, at::kLong), words}, 1);
            const at::Tensor features = autoencoder.features(disturbed, inputs, decoder_keep).flatten(0, 1);
            const at::Tensor targets = at::cat({words, at::full({n, 1}, eos_id, at::kLong)}, 1).flatten();

            // Sampled softmax: the batch's own words, and others drawn evenly, each standing for as many as it was drawn from.
            const auto [own, index] = at::_unique(targets, true, true);
            at::Tensor drawn = std::get<0>(at::_unique(at::randint(eos_id, vocabulary, {options.negatives}, random, at::kLong), true));
            drawn = drawn.masked_select(at::isin(drawn, own).logical_not());
            const at::Tensor rows = at::cat({own, drawn});
            at::Tensor weight = at::zeros({rows.size(0)});
            weight.slice(0, own.size(0))
                .fill_(std::log(static_cast<double>(vocabulary - eos_id - own.size(0)) / static_cast<double>(drawn.size(0))));
            const at::Tensor extra_rows = extra.index_select(0, rows).requires_grad_();
            const at::Tensor bias_rows = bias.index_select(0, rows).requires_grad_();
            const at::Tensor matrix = at::cat({autoencoder.embedded().index_select(0, rows), extra_rows}, 1);
            const at::Tensor loss = at::cross_entropy_loss(at::linear(features, matrix, bias_rows + weight), index);
            (loss + options.code_weight * z.square().mean()).backward();

            const double rate = training::cosine_rate(options.learning_rate, step, steps);
            dense_adam.step(rate);
            linear_adam.step(options.linear_rate * rate);
            extra_adam.step(rows, extra_rows.grad(), rate);
            bias_adam.step(rows, bias_rows.grad(), rate);

            loss_sum += loss.item<double>() * static_cast<double>(n * (m + 1));
            words_seen += n * (m + 1);
            if (run.speaks()) {
                char detail[64];
                std::snprintf(detail, sizeof detail, "loss %.3f", loss_sum / static_cast<double>(words_seen));
                run.tell("autoencoder, epoch " + std::to_string(epoch + 1) + " of " + std::to_string(options.epochs), step, steps, detail);
            }
        }
        if (words_seen == 0) continue;
        run.save(step);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        const at::Tensor codes = autoencoder.encode(development);
        const Reconstruction back = reconstruction(autoencoder, development, codes);
        char line[200];
        std::snprintf(line, sizeof line,
                      "autoencoder epoch %lld: loss %.3f, development sentences back exactly %.3f, words %.3f, |z| %.1f, %.0f words/s",
                      static_cast<long long>(epoch + 1), loss_sum / static_cast<double>(words_seen), back.exact, back.tokens,
                      codes.norm(2, 1).median().item<double>(), static_cast<double>(words_seen) / seconds);
        run.log(line);
    }
}

}  // namespace whynot::text
