#include "text/services/word_model.h"

#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "text/language/masked_model_training.h"
#include "text/pack/networks.h"
#include "text/services/given_sentences.h"
#include "text/services/recipe.h"
#include "training/checkpoint.h"
#include "training/pack_contents.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

constexpr uint64_t word_model_stage = 7;

/// Of a sentence of another corpus at most this share of words may be unknown here: it would teach what stands beside no word.
constexpr double most_unknown = 0.15;

struct Known {
    Sentences train, development;
    int64_t passed_over = 0;
};

Known known_of(const GivenSentences& given, const Tokenizer& tokenizer, int64_t own_corpus) {
    Known known;
    const auto mostly_known = [](const Ids& ids) {
        return static_cast<double>(std::count(ids.begin(), ids.end(), unk_id)) <= most_unknown * static_cast<double>(ids.size());
    };
    for (const LabelledSentence& sentence : given.train) {
        const bool own = sentence.label == own_corpus;
        Ids ids = tokenizer.encode(sentence.words).ids;
        if ((own && !is_search_half(sentence.words)) || (!own && !mostly_known(ids)))
            ++known.passed_over;
        else
            known.train.push_back(std::move(ids));
    }
    for (const auto& words : given.development) known.development.push_back(tokenizer.encode(words).ids);
    known.development.resize(std::min<size_t>(known.development.size(), 500));
    return known;
}

}  // namespace

void train_word_model(const GeneratorRequest& request, const Observer& observer) {
    const Recipe recipe = Recipe::from_json(request.recipe);
    training::check_folder(request.out);
    PackWriter writer(request.out, {words_checkpoint});
    Networks networks = Networks::load(*request.pack);
    if (!networks.named)
        throw Error(ErrorCode::invalid_argument,
                    "a word model of a pack's own stands in the place of that of the generator that it names; the pack '" +
                        request.pack->manifest().id + "' " + (networks.generator ? "has a generator of its own" : "has no generator"));
    const Tokenizer& tokenizer = networks.generator->tokenizer;
    const GivenSentences given = read_sentences(request, recipe.autoencoder.longest);
    const auto own = std::find(request.corpora.begin(), request.corpora.end(), request.pack->manifest().corpus);
    const Known known = known_of(given, tokenizer, own - request.corpora.begin());
    training::say(observer, std::to_string(known.train.size()) + " sentences to learn from; " + std::to_string(known.passed_over) +
                                " passed over: the half that measures, and what has too many words that the vocabulary lacks");

    const Json run{{"recipe", base::parse_own_json(recipe.to_json())},
                   {"seed", request.seed},
                   {"data", given.sha256},
                   {"pack", request.pack->sha256()}};
    const training::CheckpointFolder checkpoints(request.out, run.dump());
    MaskedModelSizes sizes = recipe.masked_sizes;
    sizes.vocabulary = tokenizer.size();
    const uint64_t seed = training::mix_seed(request.seed, word_model_stage);
    MaskedModel words(sizes, seed);
    train_masked_model(words, known.train, recipe.masked, training::mix_seed(seed, 1), observer, known.development,
                       checkpoints.at(words_checkpoint));
    for (auto& item : words->named_parameters()) training::round_to_half(item.value());
    networks.generator->fluency = FluencyModel(words, networks.generator->fluency.ngram());
    networks.own_words = true;

    PackManifest manifest = request.pack->manifest();
    manifest.id = training::manifest_for(request.out, "text", manifest.classes, request.seed).id;
    networks.save(writer, manifest, "");
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::text
