#pragma once

// A tiny language for tests: "the food was really great .", where "the" goes with food and "our" with the others.

#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "text/language/masked_model_training.h"
#include "text/reading/ids.h"

namespace whynot::text::testing {

inline const std::vector<std::string>& vocabulary() {
    static const std::vector<std::string> words{"<pad>",   "<go>",   "<eos>", "<unk>", "the",   "our",   "food",
                                                "service", "staff",  "was",   "is",    "great", "good",  "awful",
                                                "bad",     "really", "so",    ".",     "!",     "_num_", "food."};
    return words;
}

inline int64_t size() { return static_cast<int64_t>(vocabulary().size()); }

inline int64_t id(const std::string& word) {
    for (size_t i = 0; i < vocabulary().size(); ++i)
        if (vocabulary()[i] == word) return static_cast<int64_t>(i);
    return unk_id;
}

inline Ids read(const std::string& sentence) {
    std::istringstream words(sentence);
    Ids ids;
    for (std::string word; words >> word;) ids.push_back(id(word));
    return ids;
}

inline std::string show(const Ids& ids) {
    std::string text;
    for (const auto i : ids) text += (text.empty() ? "" : " ") + vocabulary().at(static_cast<size_t>(i));
    return text;
}

inline Sentences sample(int count, uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto one_of = [&](std::vector<std::string> words) { return words[random() % words.size()] + " "; };
    Sentences sentences;
    for (int i = 0; i < count; ++i) {
        const std::string noun = one_of({"food", "service", "staff"});
        sentences.push_back(read((noun == "food " ? "the " : "our ") + noun + one_of({"was", "is"}) +
                                 (random() % 3 == 0 ? one_of({"really", "so"}) : "") + one_of({"great", "good", "awful", "bad"}) +
                                 one_of({".", "!"})));
    }
    return sentences;
}

inline MaskedModelSizes small(bool both_sides = true) { return {size(), 12, 16, 12, both_sides}; }

inline MaskedModel trained(bool both_sides = true, uint64_t seed = 1, int64_t epochs = 10) {
    MaskedModel model(small(both_sides), seed);
    MaskedTraining training;
    training.epochs = epochs;
    training.learning_rate = 3e-2;
    training.batch = 16;
    training.dropout = 0;
    training.negatives = 10;
    train_masked_model(model, sample(500, 5), training, seed, {});
    return model;
}

}  // namespace whynot::text::testing
