#pragma once

// A language of a few words with two classes, small enough to train everything on in a second or two.

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace toy {

/// "the food was good today .": subject, verb, judgement, sometimes a tail; the judgement decides the class.
inline std::string sentence(std::mt19937& random, bool positive) {
    static const std::vector<std::string> subjects = {"food", "service", "pizza", "waiter", "place", "soup"};
    static const std::vector<std::string> good = {"good", "great", "lovely", "superb"}, bad = {"bad", "gross", "rude", "awful"};
    static const std::vector<std::string> tails = {"", "today ", "here ", "last night "};
    const auto pick = [&](const std::vector<std::string>& words) { return words[random() % words.size()]; };
    return "the " + pick(subjects) + (random() % 2 ? " was " : " is ") + (random() % 3 ? "" : "really ") + pick(positive ? good : bad) +
           " " + pick(tails) + ".";
}

/// Writes a corpus of that language as `folder`/toy. @param measured sentences for development and to hold out: a training ends with
/// measuring what it made, which takes longer than the training itself
inline void write_corpus(const std::filesystem::path& folder, int sentences = 600, int measured = 600) {
    std::filesystem::create_directories(folder / "toy");
    std::mt19937 random(7);
    for (const char* split : {"train", "dev"})
        for (const bool positive : {false, true}) {
            std::ofstream file(folder / "toy" / (std::string(split) + (positive ? ".pos.txt" : ".neg.txt")));
            for (int i = 0; i < (split == std::string("train") ? sentences : measured) / 2; ++i) file << sentence(random, positive) << '\n';
        }
    std::ofstream(folder / "toy" / "corpus.json") << R"({"schema": "whynot.corpus/1", "name": "toy", "kind": "labelled-sentences",
        "title": "Toy reviews", "home": "made by the tests", "licence": "none needed", "classes": ["negative", "positive"], "tokenised": true,
        "files": [{"name": "train.neg.txt", "split": "train", "class": "negative"}, {"name": "train.pos.txt", "split": "train", "class": "positive"},
                  {"name": "dev.neg.txt", "split": "dev", "class": "negative"}, {"name": "dev.pos.txt", "split": "dev", "class": "positive"}]})";
}

/// A recipe that suits it.
inline std::string recipe() {
    return R"({"tokenizer": {"min_count": 2}, "classifier": {"dimension": 16, "epochs": 6},
        "autoencoder": {"latent": 32, "encoder": 12, "decoder": 32, "output_extra": 4, "epochs": 8, "negatives": 10, "noise": 0.3, "hide_encoder": 0.3,
                        "code_weight": 0.05, "learning_rate": 0.01, "longest": 20},
        "masked_model": {"embedding": 12, "hidden": 16, "head": 12, "epochs": 6, "negatives": 10, "learning_rate": 0.01}})";
}

}  // namespace toy
