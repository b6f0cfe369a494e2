#include "text/measuring/yardstick.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "text/language/masked_model_training.h"
#include "training/checkpoint.h"
#include "training/run.h"

namespace whynot::text {

namespace {

// The vocabulary decides what the indices mean, the corpus what was read, the epochs how often.
std::string identity(const Tokenizer& tokenizer, const Corpus& corpus, const MaskedTraining& training) {
    std::string text;
    for (int64_t id = 0; id < tokenizer.size(); ++id) text += tokenizer.piece(id) + "\n";
    return text + corpus.sha256 + std::to_string(training.epochs);
}

MaskedModel reader_from_the_left(int64_t vocabulary, uint64_t seed) {
    MaskedModelSizes sizes;
    sizes.vocabulary = vocabulary;
    sizes.hidden = 256;
    sizes.head = 192;
    sizes.both_sides = false;
    return MaskedModel(sizes, seed);
}

}  // namespace

FluencyModel yardstick(const Tokenizer& tokenizer, const Corpus& corpus, const std::filesystem::path& cache, const Observer& observer) {
    constexpr uint64_t seed = 1;
    const MaskedTraining training;
    const int64_t vocabulary = tokenizer.size();
    Sentences sentences;
    for (const auto& words : language_model_halves(corpus.train).yardstick) sentences.push_back(tokenizer.encode(words).ids);

    MaskedModel network = reader_from_the_left(vocabulary, seed);
    const std::string name = training::cache_name("yardstick", identity(tokenizer, corpus, training));
    const training::Checkpoint kept(cache.empty() ? std::filesystem::path() : cache / name, name);
    if (training::NamedTensors saved = kept.load(); !saved.empty()) {
        const at::NoGradGuard no_grad;
        for (auto& item : network->named_parameters()) item.value().copy_(saved.at(item.key()));
    } else {
        training::say(observer, "training the language model that measures naturalness" +
                                    (cache.empty() ? std::string() : ", kept in " + cache.string()));
        train_masked_model(network, sentences, training, seed, observer);
        training::NamedTensors weights;
        for (auto& item : network->named_parameters()) weights[item.key()] = item.value();
        if (!cache.empty()) std::filesystem::create_directories(cache);
        kept.save(weights);
    }
    for (auto& item : network->named_parameters()) item.value().set_requires_grad(false);
    return FluencyModel(network, NGram(sentences, vocabulary, 3));
}

double Naturalness::nll_per_token() const { return nll / std::max(1.0, tokens); }

Naturalness naturalness(const FluencyModel& model, const Sentences& sentences) {
    Naturalness result;
    const std::vector<double> log_likelihood = model.log_likelihood(sentences);
    const std::vector<double>& unigram = model.ngram().unigram();
    for (size_t i = 0; i < sentences.size(); ++i) {
        double words = unigram[eos_id];
        for (const int64_t word : sentences[i]) words += unigram[word];
        const auto tokens = static_cast<double>(sentences[i].size() + 1);
        result.nll -= log_likelihood[i];
        result.tokens += tokens;
        result.rarity_free.push_back((-log_likelihood[i] + words) / tokens);
    }
    return result;
}

NGramClassifier opinion_of_half(const Corpus& corpus, const Tokenizer& tokenizer, bool search_half, uint64_t seed) {
    Sentences sentences;
    std::vector<int64_t> labels;
    for (const LabelledSentence& sentence : corpus.train) {
        if (is_search_half(sentence.words) != search_half) continue;
        sentences.push_back(tokenizer.encode(sentence.words).ids);
        labels.push_back(sentence.label);
    }
    return train_ngram_classifier(sentences, labels, static_cast<int64_t>(corpus.classes().size()), tokenizer.pieces(), {}, seed);
}

}  // namespace whynot::text
