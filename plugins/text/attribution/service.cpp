#include "text/attribution/service.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/format.h"
#include "text/attribution/attribution.h"
#include "text/model/model.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot::text {

namespace {

/// One text, and what is asked about it.
struct ScoreRequest {
    const TextModel& model;
    const AttributedClassifier& classifier;
    const Reading& reading;
    int64_t fact, foil;
    uint64_t seed;
};

/// Minus the log-probability of each word by the n-grams' first order. The pieces of a word count as if they were independent.
std::vector<double> rarity(const ScoreRequest& asked) {
    const std::optional<Generator>& generator = asked.model.networks().generator;
    if (!generator)
        throw Error(ErrorCode::invalid_argument,
                    "the method 'rarity' needs a pack with a generator, whose n-grams know how common words are; this pack has none. "
                    "Ask for another method");
    const Pieces pieces = generator->tokenizer.encode(texts(asked.reading.words));
    std::vector<double> scores(asked.reading.words.size(), 0.0);
    for (size_t i = 0; i < pieces.ids.size(); ++i)
        scores[static_cast<size_t>(pieces.word[i])] -= generator->fluency.ngram().unigram()[static_cast<size_t>(pieces.ids[i])];
    return scores;
}

struct ScoringMethod {
    AttributionMethod method;
    const char* unit;
    std::vector<double> (*scores)(const ScoreRequest& asked);
};

const std::vector<ScoringMethod>& scoring_methods() {
    static const std::vector<ScoringMethod> all{
        {{"gradient-x-input", "the gradient at each word, times what its embedding has beyond that of no word",
          "Shrikumar et al. 2016, arXiv:1605.01713", ""},
         "nats",
         [](const ScoreRequest& asked) { return gradient_times_embedding(asked.classifier, asked.reading.read, asked.fact, asked.foil); }},
        {{"integrated-gradients", "the same, averaged over the line from no words to these; adds up to the difference of the two",
          "Sundararajan, Taly, Yan 2017, arXiv:1703.01365", ""},
         "nats",
         [](const ScoreRequest& asked) { return integrated_gradients(asked.classifier, asked.reading.read, asked.fact, asked.foil); }},
        {{"occlusion", "how far the gap falls without the word", "Li, Monroe, Jurafsky 2016, arXiv:1612.08220", ""},
         "nats",
         [](const ScoreRequest& asked) { return occlusion(asked.classifier, asked.reading.read, asked.fact, asked.foil); }},
        {{"lime", "weights of a linear model of which words are there, fitted to the fact's probability in 1000 texts with words missing",
          "Ribeiro, Singh, Guestrin 2016, arXiv:1602.04938", ""},
         "probability",
         [](const ScoreRequest& asked) {
             LimeOptions options;
             options.seed = asked.seed;
             return lime(asked.classifier, asked.reading.read, asked.fact, asked.foil, options);
         }},
        {{"rarity", "a control: how rare each word is, whatever the classifier makes of it",
          "minus the logarithm of its share of the corpus", "a pack with a generator, whose n-grams know how common words are", false},
         "nats",
         rarity}};
    return all;
}

/// Throws `invalid_argument`, with what there is.
const ScoringMethod& scoring_method(const std::string& name) {
    std::vector<std::string> names;
    for (const ScoringMethod& one : scoring_methods()) {
        if (one.method.name == name) return one;
        names.push_back(one.method.name);
    }
    throw Error(ErrorCode::invalid_argument, base::expected("a method of attribution of text: " + base::joined(names), "'" + name + "'"));
}

std::string title_of(const ScoringMethod& method, const std::vector<std::string>& classes, const AttributionQuestion& question) {
    const std::string in_unit = std::string(", in ") + method.unit + ":";
    if (!method.method.asks_classifier) return "how rare its words are, whatever the model makes of them" + in_unit;
    const std::string fact = classes.at(static_cast<size_t>(question.fact));
    const std::string other = question.foil < 0 ? "against it" : "for " + classes.at(static_cast<size_t>(question.foil));
    return "what speaks for " + fact + " (▇) and " + other + " (░)" + in_unit;
}

/// How wide a terminal shows a word, near enough: its characters.
size_t characters_of(const std::string& word) {
    return static_cast<size_t>(std::count_if(word.begin(), word.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

AttributionMap map_of(const ScoringMethod& method, const ScoreRequest& asked, const AttributionQuestion& question) {
    AttributionMap map;
    const std::vector<Ids>& pieces = asked.reading.read.words;
    if (method.method.asks_classifier && std::all_of(pieces.begin(), pieces.end(), [](const Ids& word) { return word.empty(); })) {
        map.failure = "the classifier reads nothing of this text: its words have no pieces that could be attributed";
        return map;
    }
    map.scores = method.scores(asked);
    map.parts = texts(asked.reading.words);
    map.shape = {static_cast<int64_t>(map.scores.size())};
    map.unit = method.unit;
    map.terminal = score_bars(title_of(method, asked.model.info().classes, question), map.parts, map.scores);
    return map;
}

}  // namespace

std::string score_bars(const std::string& title, const std::vector<std::string>& words, const std::vector<double>& scores) {
    constexpr size_t most = 12;
    constexpr double least = 0.005;  // what would be shown as 0.00 is not
    constexpr double longest = 24;
    std::vector<size_t> order(words.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::abs(scores[a]) > std::abs(scores[b]); });
    const double largest = order.empty() ? 0 : std::abs(scores[order[0]]);
    size_t shown = 0, width = 0, number_width = 0;
    std::vector<std::string> numbers;
    for (; shown < std::min(most, order.size()) && std::abs(scores[order[shown]]) >= std::max(0.1 * largest, least); ++shown) {
        width = std::max(width, characters_of(words[order[shown]]));
        numbers.push_back(base::fixed(scores[order[shown]], 2));
        number_width = std::max(number_width, numbers.back().size());
    }
    if (shown == 0) return "no word of it has a score of 0.01 or more\n";
    std::string lines = title + "\n";
    for (size_t i = 0; i < shown; ++i) {
        const std::string& word = words[order[i]];
        const double score = scores[order[i]];
        lines += "  " + word + std::string(width - characters_of(word) + 2 + number_width - numbers[i].size(), ' ') + numbers[i] + "  ";
        for (int64_t bar = 0; bar < std::lround(longest * std::abs(score) / largest); ++bar) lines += score > 0 ? "▇" : "░";
        lines += "\n";
    }
    return lines;
}

std::vector<AttributionMethod> TextAttribution::methods() const {
    std::vector<AttributionMethod> methods;
    for (const ScoringMethod& one : scoring_methods()) methods.push_back(one.method);
    return methods;
}

std::vector<AttributionMap> TextAttribution::attribute(Model& model, Batch& batch, const AttributionRequest& request) {
    const auto* const text = dynamic_cast<const TextModel*>(&model);
    const auto* const read = dynamic_cast<const TextBatch*>(&batch);
    if (text == nullptr || read == nullptr)
        throw Error(ErrorCode::invalid_argument,
                    std::string("attribution of text: expected a model and a batch of the plugin 'text', found ") +
                        (text == nullptr ? "a model" : "a batch") + " of another");
    const ScoringMethod& method = scoring_method(request.method);
    if (request.sweep)
        throw Error(
            ErrorCode::invalid_argument,
            "the sweep adds a map to the input, and a map cannot be added to a sentence; ask for the map of fact and foil without it");
    const AttributedClassifier classifier = attributed(*text);
    std::vector<AttributionMap> maps;
    for (const AttributionQuestion& question : request.questions) {
        check_interruption();
        if (question.row < 0 || question.row >= read->size())
            throw Error(ErrorCode::invalid_argument,
                        "attribution of text: " + base::expected("a row of " + std::to_string(read->size()), std::to_string(question.row)));
        maps.push_back(
            map_of(method, {*text, classifier, read->reading(question.row), question.fact, question.foil, request.seed}, question));
    }
    return maps;
}

}  // namespace whynot::text
