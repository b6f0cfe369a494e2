#include "text/pack/likeness.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace whynot::text {

namespace {

double excess(double sum, double words, double mean) { return (sum - words * mean) / std::sqrt(words); }

double quantile(std::vector<double> values, double share) {
    const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + place, values.end());
    return values[static_cast<size_t>(place)];
}

}  // namespace

Oddities oddities(const Generator& generator, const Ids& sentence) {
    Oddities found;
    found.words = static_cast<double>(sentence.size());
    found.unknown = static_cast<double>(std::count(sentence.begin(), sentence.end(), unk_id));
    for (const double log_probability : generator.fluency.ngram().log_probabilities(sentence)) found.surprise -= log_probability;
    return found;
}

void measure_usual(Generator& generator, const Sentences& sentences) {
    constexpr size_t enough = 200;
    constexpr double apart = 0.995, together = 0.992;
    if (sentences.size() < enough) return;
    std::vector<Oddities> all;
    Oddities sum;
    for (const Ids& sentence : sentences) {
        if (sentence.empty()) continue;
        const Oddities one = all.emplace_back(oddities(generator, sentence));
        sum.words += one.words;
        sum.unknown += one.unknown;
        sum.surprise += one.surprise;
    }
    const double mean_unknown = sum.unknown / sum.words, mean_surprise = sum.surprise / sum.words;
    std::vector<double> unknown, surprise, larger;
    for (const Oddities& one : all) {
        unknown.push_back(excess(one.unknown, one.words, mean_unknown));
        surprise.push_back(excess(one.surprise, one.words, mean_surprise));
    }
    // Where nearly nothing is unknown, one unknown word in a sentence of four is no reason yet.
    const double most_unknown = std::max(quantile(unknown, apart), excess(1, 4, mean_unknown));
    const double most_surprise = quantile(surprise, apart);
    for (size_t i = 0; i < all.size(); ++i) larger.push_back(std::max(unknown[i] / most_unknown, surprise[i] / most_surprise));
    const double scale = std::max(1e-6, quantile(larger, together));
    generator.usual_unknown = {mean_unknown, scale * most_unknown};
    generator.usual_surprise = {mean_surprise, scale * most_surprise};
}

Strangeness strangeness_of(const Generator& generator, const Ids& sentence) {
    const Usual &unknown = generator.usual_unknown, &surprise = generator.usual_surprise;
    if (unknown.excess <= 0 || surprise.excess <= 0 || sentence.empty()) return {};
    const Oddities found = oddities(generator, sentence);
    const double by_unknown = excess(found.unknown, found.words, unknown.mean) / unknown.excess,
                 by_surprise = excess(found.surprise, found.words, surprise.mean) / surprise.excess;
    Strangeness strangeness;
    strangeness.value = std::max({by_unknown, by_surprise, 0.0});
    strangeness.reason = by_unknown > std::min(1.0, by_surprise) ? "the model does not know " + base::number(found.unknown) + " of its " +
                                                                       base::number(found.words) + " words and marks"
                                                                 : "its words hardly ever follow one another there";
    return strangeness;
}

}  // namespace whynot::text
