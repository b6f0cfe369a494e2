// The second opinion: what it learns, that its parts add up, that it knows words by their spelling.

#include "text/networks/ngram_classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "support/temporary_folder.h"

namespace {

using namespace whynot;
using namespace whynot::text;

const std::vector<std::string> vocabulary{"<pad>", "<go>", "<eos>", "<unk>", "food", "was", "not", "good", "bad", "here", "."};

/// "food was (not) good|bad (here) ." with the class that a reader would give it.
struct Language {
    Sentences sentences;
    std::vector<int64_t> labels;
    Language() {
        for (int repeat = 0; repeat < 20; ++repeat)
            for (const bool negated : {false, true})
                for (const bool good : {false, true})
                    for (const bool tail : {false, true}) {
                        Ids sentence{4, 5};
                        if (negated) sentence.push_back(6);
                        sentence.push_back(good ? 7 : 8);
                        if (tail) sentence.push_back(9);
                        sentence.push_back(10);
                        sentences.push_back(sentence);
                        labels.push_back(good != negated);
                    }
    }
    NGramClassifier train(uint64_t seed = 1) const { return train_ngram_classifier(sentences, labels, 2, vocabulary, {}, seed); }
};

TEST(NGramClassifier, LearnsWhatPairsOfWordsSay) {
    const Language language;
    const NGramClassifier model = language.train();
    for (size_t i = 0; i < 8; ++i) {
        const std::vector<double> said = model.logits(language.sentences[i]);
        EXPECT_EQ(said[1] > said[0], language.labels[i] == 1) << i;
    }
}

TEST(NGramClassifier, ContributionsAddUpToTheGapWithoutTheBias) {
    const Language language;
    const NGramClassifier model = language.train();
    for (size_t i = 0; i < 8; ++i) {
        const Ids& sentence = language.sentences[i];
        const std::vector<double> said = model.logits(sentence), parts = model.contributions(sentence, 1, 0);
        ASSERT_EQ(parts.size(), sentence.size());
        const double bias = model.bias()[1].item<double>() - model.bias()[0].item<double>();
        EXPECT_NEAR(std::accumulate(parts.begin(), parts.end(), bias), said[1] - said[0], 1e-4);
    }
    EXPECT_EQ(model.word_gaps(1, 0).size(), vocabulary.size());
    EXPECT_NEAR(model.word_gaps(1, 0)[7], -model.word_gaps(0, 1)[7], 1e-9);
}

TEST(NGramClassifier, TheSameSentencesGiveTheSameWeightsAndTheyAreThoseOfSixteenBits) {
    const Language language;
    const NGramClassifier a = language.train(), b = language.train();
    EXPECT_TRUE(at::equal(a.table(), b.table()));
    EXPECT_TRUE(at::equal(a.table(), a.table().to(at::kHalf).to(at::kFloat)));
    EXPECT_FALSE(at::equal(a.table(), language.train(2).table()));
}

TEST(NGramClassifier, KnowsWordsByTheirSpellingNotTheirNumber) {
    const Language language;
    const NGramClassifier model = language.train();
    std::vector<std::string> turned = vocabulary;
    std::swap(turned[7], turned[8]);
    const NGramClassifier same(model.table(), model.bias(), turned);
    EXPECT_EQ(model.logits({4, 5, 7, 10}), same.logits({4, 5, 8, 10}));
}

TEST(NGramClassifier, RefusesATableThatDoesNotFit) {
    for (const auto& [table, bias] : {std::pair(at::zeros({12, 2}), at::zeros({2})), std::pair(at::zeros({16, 2}), at::zeros({3})),
                                      std::pair(at::zeros({16}), at::zeros({2})), std::pair(at::zeros({16, 1}), at::zeros({1}))})
        EXPECT_NE(message_of(ErrorCode::invalid_argument, [&, t = table, b = bias] { NGramClassifier(t, b, vocabulary); }), "");
}

}  // namespace
