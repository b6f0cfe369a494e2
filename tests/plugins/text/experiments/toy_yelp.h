#pragma once

// The toy language (plugins/text/toy.h) in the place of Yelp, for the experiments that ask for the corpus "yelp".

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/text/toy.h"
#include "text/services/trainer.h"

namespace toy {

/// Writes it as `corpora`/yelp.
inline void write_yelp(const std::filesystem::path& corpora, int sentences = 600, int measured = 600) {
    write_corpus(corpora, sentences, measured);
    std::filesystem::rename(corpora / "toy", corpora / "yelp");
    const std::filesystem::path manifest = corpora / "yelp/corpus.json";
    nlohmann::json corpus = nlohmann::json::parse(std::ifstream(manifest));
    corpus["name"] = "yelp";
    std::ofstream(manifest) << corpus;
}

/// Trains a pack on it. @param changes of `recipe`
inline void train_yelp(const std::filesystem::path& corpora, const std::filesystem::path& out, const nlohmann::json& changes) {
    nlohmann::json recipe = nlohmann::json::parse(toy::recipe());
    recipe.merge_patch(changes);
    whynot::TrainRequest training;
    training.corpus = "yelp";
    training.corpora = corpora;
    training.out = out;
    training.recipe = recipe.dump();
    whynot::text::TextTrainer().train(training, {});
}

}  // namespace toy
