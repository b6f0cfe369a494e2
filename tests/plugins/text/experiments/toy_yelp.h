#pragma once

// The toy language (plugins/text/toy.h) in the place of Yelp, for the experiments that ask for the corpus "yelp".

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

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

/// Writes sentences and reviews of the toy language with what people made of them, as `corpora`/yelp-human and /imdb-human. People say the
/// opposite in the same words but one; the third of four says nothing else at all.
inline void write_human(const std::filesystem::path& corpora, int count) {
    std::filesystem::create_directories(corpora / "yelp-human");
    std::filesystem::create_directories(corpora / "imdb-human");
    std::ofstream sentences(corpora / "yelp-human/pairs.tsv"), reviews(corpora / "imdb-human/reviews.tsv");
    sentences << "label\toriginal\tref0\tref1\tref2\tref3\n";
    reviews << "pair\tsentiment\ttext\n";
    std::mt19937 random(11);
    const auto opposite = [](std::string text, bool positive) {
        for (const auto& [good, bad] :
             {std::pair("good", "bad"), std::pair("great", "awful"), std::pair("lovely", "rude"), std::pair("superb", "gross")})
            for (const auto& [from, to] : {positive ? std::pair(good, bad) : std::pair(bad, good)})
                if (const size_t at = text.find(from); at != std::string::npos) return text.replace(at, std::string(from).size(), to);
        return text;
    };
    for (int i = 0; i < count; ++i) {
        const bool positive = i % 2 != 0;
        const char* const label = positive ? "positive" : "negative";
        const std::string text = sentence(random, positive), turned = opposite(text, positive);
        sentences << label << '\t' << text << '\t' << turned << '\t' << turned << '\t' << text << '\t' << "well , " << turned << '\n';
        const std::string review = text + ' ' + sentence(random, positive);
        reviews << i << '\t' << label << '\t' << review << '\n'
                << i << '\t' << (positive ? "negative" : "positive") << '\t' << turned << '\n';
    }
    const auto write_manifest = [&](const std::string& name, const std::string& file, const std::string& text, const std::string& label) {
        std::ofstream(corpora / name / "corpus.json")
            << nlohmann::json{{"schema", "whynot.corpus/1"},
                              {"name", name},
                              {"kind", "labelled-sentences"},
                              {"title", "Toy rewritings"},
                              {"licence", "none needed"},
                              {"tokenised", true},
                              {"classes", {"negative", "positive"}},
                              {"files", {{{"name", file}, {"split", "dev"}, {"table", {{"text", text}, {"label", label}}}}}}};
    };
    write_manifest("yelp-human", "pairs.tsv", "original", "label");
    write_manifest("imdb-human", "reviews.tsv", "text", "sentiment");
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
