// Attribution on classifiers whose scores can be worked out by hand.
#include "text/attribution/attribution.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "support/temporary_folder.h"
#include "text/pack/reader.h"
#include "training/random.h"
#include "whynot/interruption.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pointwise;

constexpr int64_t vocabulary = 10, pad = 0;
using Scores = std::vector<double>;

/// What a word says for class 0, less than nothing at all (<pad>) would say: words 4 to 9, and <unk> 3.
double says(int64_t word) {
    static const Scores values{0, 0, 0, 0.5, 2, -1, 0.25, 0, 4, -3};
    return values[static_cast<size_t>(word)];
}

/// In three columns: what a word says, something that no class looks at, and what only the third class does. Even <pad> is not zero.
at::Tensor embedding() {
    const at::Tensor rows = at::zeros({vocabulary, 3});
    for (int64_t word = 0; word < vocabulary; ++word) {
        rows[word][0] = says(word) + 0.125;
        rows[word][1] = static_cast<double>(word % 3) - 1;
        rows[word][2] = static_cast<double>(word % 4);
    }
    return rows;
}

/// Logits of three classes: class 0 has f of the sum of what the words say, class 1 nothing, class 2 looks elsewhere.
AttributedClassifier classifier(const std::function<at::Tensor(const at::Tensor&)>& f) {
    return {embedding(), [f](const at::Tensor& embedded) {
                const at::Tensor sums = (embedded - embedding()[pad]).sum(1);
                return at::stack({f(sums.select(1, 0)), at::zeros({sums.size(0)}), sums.select(1, 2)}, 1);
            }};
}

/// h = the sum and a constant.
AttributedClassifier additive(double constant = 0) {
    return classifier([constant](const at::Tensor& sum) { return sum + constant; });
}
AttributedClassifier squared() {
    return classifier([](const at::Tensor& sum) { return sum * sum; });
}

Scores of_words(const Ids& sentence, const std::function<double(double)>& f) {
    Scores scores;
    for (const int64_t word : sentence) scores.push_back(f(says(word)));
    return scores;
}

/// What each word says in `sentence`, all together.
double sum(const Scores& scores) { return std::accumulate(scores.begin(), scores.end(), 0.0); }
double sum_of(const Ids& sentence) {
    return sum(of_words(sentence, [](double s) { return s; }));
}

auto near(const Scores& expected, double tolerance = 1e-4) { return Pointwise(DoubleNear(tolerance), expected); }

const std::vector<Ids> sentences{{4, 5, 6, 8, 7}, {8}, {4, 4, 9}, {3, 6, 3, 4, 5, 9, 8, 7}, {7, 7}};

TEST(Attribution, ReadsTheWordsOfAClassifierThatAddsThemUp) {
    for (const Ids& sentence : sentences) {
        const Scores expected = of_words(sentence, [](double s) { return s; });
        EXPECT_THAT(occlusion(additive(7), sentence, 0, 1), near(expected));
        EXPECT_THAT(gradient_times_embedding(additive(7), sentence, 0, 1), near(expected));
        EXPECT_THAT(integrated_gradients(additive(7), sentence, 0, 1, 3), near(expected));
        // The other way round, against.
        const Scores against = of_words(sentence, [](double s) { return -s; });
        EXPECT_THAT(occlusion(additive(7), sentence, 1, 0), near(against));
        EXPECT_THAT(gradient_times_embedding(additive(7), sentence, 1, 0), near(against));
        EXPECT_THAT(integrated_gradients(additive(7), sentence, 1, 0), near(against));
    }
}

TEST(Attribution, DiffersByMethodWhereWordsWorkTogether) {
    for (const Ids& sentence : sentences) {
        const double all = sum_of(sentence);
        EXPECT_THAT(occlusion(squared(), sentence, 0, 1), near(of_words(sentence, [&](double s) { return 2 * s * all - s * s; })));
        EXPECT_THAT(gradient_times_embedding(squared(), sentence, 0, 1), near(of_words(sentence, [&](double s) { return 2 * s * all; })));
        EXPECT_THAT(integrated_gradients(squared(), sentence, 0, 1), near(of_words(sentence, [&](double s) { return s * all; })));
    }
}

TEST(Attribution, IntegratedGradientsAddUpToTheDifference) {
    const auto curved = classifier([](const at::Tensor& sum) { return 3 * at::tanh(sum) + at::sin(sum) + 0.25; });
    const auto h = [](double s) { return 3 * std::tanh(s) + std::sin(s) + 0.25; };
    for (const Ids& sentence : sentences) {
        const double difference = h(sum_of(sentence)) - h(0);
        EXPECT_NEAR(sum(integrated_gradients(curved, sentence, 0, 1, 64)), difference, 1e-2);
        EXPECT_NEAR(sum(integrated_gradients(curved, sentence, 0, 1, 2000)), difference, 1e-4);
        if (std::abs(sum_of(sentence)) > 1) {
            EXPECT_GT(std::abs(sum(gradient_times_embedding(curved, sentence, 0, 1)) - difference), 0.1) << "the gradient alone does not";
        }
    }
}

TEST(Attribution, AsksManySentencesAtATimeAsItWouldOneByOne) {
    const auto curved = classifier([](const at::Tensor& sum) { return at::tanh(sum); });
    int64_t largest = 0;
    const AttributedClassifier counted{curved.embedding, [&](const at::Tensor& embedded) {
                                           largest = std::max(largest, embedded.size(0));
                                           return curved.logits(embedded);
                                       }};
    const AttributedClassifier one_by_one{curved.embedding, [&](const at::Tensor& embedded) {
                                              std::vector<at::Tensor> logits;
                                              for (const at::Tensor& row : embedded.split(1)) logits.push_back(curved.logits(row));
                                              return at::cat(logits);
                                          }};
    for (const Ids& sentence : sentences) {
        EXPECT_THAT(occlusion(counted, sentence, 0, 1), near(occlusion(one_by_one, sentence, 0, 1), 1e-6));
        EXPECT_EQ(largest, static_cast<int64_t>(sentence.size()) + 1);
        largest = 0;
        EXPECT_THAT(integrated_gradients(counted, sentence, 0, 1), near(integrated_gradients(one_by_one, sentence, 0, 1), 1e-5));
        EXPECT_THAT(lime(counted, sentence, 0, 1), near(lime(one_by_one, sentence, 0, 1), 1e-6));
        EXPECT_EQ(largest, 256) << "of 64 and of 1000";
        largest = 0;
    }
}

TEST(Attribution, AsksFewerLongSentencesAtATime) {
    const at::Tensor wide = at::ones({5, 1024});
    int64_t largest = 0;
    const AttributedClassifier counted{wide, [&](const at::Tensor& embedded) {
                                           largest = std::max(largest, embedded.numel());
                                           const at::Tensor sums = embedded.sum({1, 2});
                                           return at::stack({sums, at::zeros_like(sums)}, 1);
                                       }};
    lime(counted, Ids(300, 4), 0, 1, {20, 0.25, 1, 1});
    integrated_gradients(counted, Ids(300, 4), 0, 1, 20);
    EXPECT_LE(largest, int64_t{1} << 21);
}

TEST(Attribution, CanBeEndedWhileItAsks) {
    struct Ended {};
    for (const bool by_gradients : {false, true}) {
        int asked = 0;
        const AttributedClassifier counted{embedding(), [&](const at::Tensor& embedded) {
                                               asked += static_cast<int>(embedded.size(0));
                                               return additive().logits(embedded);
                                           }};
        const InterruptionScope scope([&] {
            if (asked > 0) throw Ended();
        });
        if (by_gradients)
            EXPECT_THROW(integrated_gradients(counted, {4, 5}, 0, 1, 1000000), Ended);
        else
            EXPECT_THROW(lime(counted, {4, 5}, 0, 1), Ended);
        EXPECT_LE(asked, 1 + 256);
    }
}

TEST(Attribution, OfTheFactAloneIsOfItsLogit) {
    // Class 2 looks elsewhere, which a gap would show.
    const auto third = [](int64_t word) { return static_cast<double>(word % 4); };
    for (const Ids& sentence : sentences) {
        Scores expected;
        for (const int64_t word : sentence) expected.push_back(third(word));
        EXPECT_THAT(occlusion(additive(), sentence, 2, -1), near(expected));
        EXPECT_THAT(gradient_times_embedding(additive(), sentence, 2, -1), near(expected));
        EXPECT_THAT(integrated_gradients(additive(), sentence, 2, -1, 3), near(expected));
        for (size_t t = 0; t < expected.size(); ++t) expected[t] -= says(sentence[t]);
        EXPECT_THAT(occlusion(additive(), sentence, 2, 0), near(expected)) << "and with a foil of both";

        const double all = sum_of(sentence);
        EXPECT_NEAR(sum(integrated_gradients(squared(), sentence, 0, -1)), all * all, 1e-3);
        EXPECT_NEAR(sum(integrated_gradients(squared(), sentence, 1, -1)), 0, 1e-6) << "its logit is constant";
    }
}

TEST(Attribution, OfAWordIsTheSumOfItsPieces) {
    // Words of one, two, no and one piece, and a piece on either side that is of none.
    const PieceSentence read{{9}, {{4}, {5, 6}, {}, {8}}, {7, 5}};
    const double around = says(9) + says(7) + says(5), all = around + says(4) + says(5) + says(6) + says(8);
    const Scores expected{says(4), says(5) + says(6), 0, says(8)};
    EXPECT_THAT(occlusion(additive(), read, 0, 1), near(expected));
    EXPECT_THAT(gradient_times_embedding(additive(), read, 0, 1), near(expected));
    EXPECT_THAT(integrated_gradients(additive(), read, 0, 1), near(expected));

    // Where words work together: what is around them stays.
    const auto scores_of = [&](const std::function<double(double)>& f) {
        Scores scores;
        for (const double word : expected) scores.push_back(f(word));
        return scores;
    };
    EXPECT_THAT(occlusion(squared(), read, 0, 1), near(scores_of([&](double s) { return 2 * s * all - s * s; }))) << "whole words go";
    EXPECT_THAT(gradient_times_embedding(squared(), read, 0, 1), near(scores_of([&](double s) { return 2 * s * all; })));
    EXPECT_THAT(integrated_gradients(squared(), read, 0, 1), near(scores_of([&](double s) { return s * (all + around); })));
    for (const int64_t foil : {1, -1})
        EXPECT_NEAR(sum(integrated_gradients(squared(), read, 0, foil)), all * all - around * around, 1e-3) << "complete over words alone";
}

TEST(Attribution, PutsNothingWhereTheClassifierHasItSo) {
    AttributedClassifier other = additive();
    other.nothing = embedding()[4];  // which says a half itself
    EXPECT_THAT(occlusion(other, {8, 4}, 0, 1), near({says(8) - says(4), 0}));
    EXPECT_THAT(integrated_gradients(other, {8, 4}, 0, 1), near({says(8) - says(4), 0}));
}

TEST(Lime, FindsTheWordOfALinearModel) {
    const Scores scores = lime(additive(-2), {7, 4, 7, 7, 7, 7}, 0, 1);  // at one half with the word that says 2
    EXPECT_EQ(loudest(scores), 1u);
    EXPECT_GT(scores[1], 0.25);
    for (const size_t silent : {0u, 2u, 3u, 4u, 5u}) EXPECT_NEAR(scores[silent], 0, 0.02) << silent;

    const Scores mixed = lime(additive(), {6, 5, 8, 7, 9}, 0, 1);
    EXPECT_EQ(loudest(mixed), 2u);
    EXPECT_LT(mixed[4], mixed[1]) << "what speaks louder against";
    EXPECT_LT(mixed[1], 0);
    EXPECT_THAT(lime(additive(), {6, 5, 8, 7, 9}, 1, 0), near({-mixed[0], -mixed[1], -mixed[2], -mixed[3], -mixed[4]}, 1e-9));
}

TEST(Lime, IsNearTheTruthOfALinearModel) {
    // Where the words say little, the probability is 1/2 + h/4; a weak ridge and a wide kernel leave the linear model as it is.
    const auto faint = classifier([](const at::Tensor& sum) { return 0.01 * sum; });
    const Ids sentence{6, 5, 8, 7, 9};
    const auto quarter = [](double s) { return 0.01 * s / 4; };
    EXPECT_THAT(lime(faint, sentence, 0, 1, {1000, 10, 1e-6, 1}), near(of_words(sentence, quarter), 1e-5));
    // Of words, not of their pieces.
    const PieceSentence read{{9}, {{6}, {5, 8}, {}, {7}}, {9}};
    const Scores expected{quarter(says(6)), quarter(says(5) + says(8)), 0, quarter(says(7))};
    const Scores found = lime(faint, read, 0, 1, {1000, 10, 1e-6, 1});
    EXPECT_THAT(found, near(expected, 1e-5));
    EXPECT_EQ(found[2], 0) << "nothing to take away";
}

TEST(Lime, OfTheFactAloneIsOfItsProbabilityAmongAll) {
    // Three classes, of which two stay at 0: p = e^h / (e^h + 2), whose slope at 0 is 2/9.
    const AttributedClassifier three{embedding(), [](const at::Tensor& embedded) {
                                         const at::Tensor sums = 0.001 * (embedded - embedding()[pad]).sum(1).select(1, 0);
                                         return at::stack({sums, at::zeros_like(sums), at::zeros_like(sums)}, 1);
                                     }};
    const Ids sentence{6, 5, 8};
    EXPECT_THAT(lime(three, sentence, 0, -1, {1000, 10, 1e-6, 1}),
                near(of_words(sentence, [](double s) { return 0.001 * s * 2 / 9; }), 2e-6));
}

TEST(Lime, GivesTheSameForTheSameSeed) {
    const Ids sentence{4, 5, 6, 8, 7};
    LimeOptions options;
    options.samples = 100;
    const Scores first = lime(squared(), sentence, 0, 1, options);
    EXPECT_EQ(lime(squared(), sentence, 0, 1, options), first);
    options.seed = 2;
    EXPECT_NE(lime(squared(), sentence, 0, 1, options), first);
}

TEST(Lime, OfOneWordIsAFormula) {
    // The word is there once, with weight 1, and missing 999 times, at the distance 1: a ridge regression of two points.
    const double missing = 999 * std::exp(-0.5 / (0.25 * 0.25)), spread = missing / (1 + missing);
    const double difference = 1 / (1 + std::exp(-4.0)) - 0.5;
    EXPECT_THAT(lime(additive(), {8}, 0, 1), near({spread / (spread + 1) * difference}, 1e-6));
}

TEST(WordSwaps, TakeTheSwapThatSaysMost) {
    // 4 + 2 + 0.25: the first swap is of the 4 for the -3, and it does not do alone; the next is of the 2.
    const WordSwaps swaps = greedy_word_swap(additive(2), {6, 4, 8, 7}, 0, 1);
    EXPECT_TRUE(swaps.changed);
    EXPECT_THAT(swaps.positions, ElementsAre(2, 1));
    EXPECT_THAT(swaps.sentence, ElementsAre(6, 9, 9, 7));
}

TEST(WordSwaps, FlipAndCountWhatTheyChange) {
    for (const Ids& sentence : sentences) {
        const double constant = 1e-3 - std::min(0.0, sum_of(sentence));  // so that all of them begin as the fact
        const WordSwaps swaps = greedy_word_swap(additive(constant), sentence, 0, 1);
        ASSERT_TRUE(swaps.changed);
        EXPECT_LT(sum_of(swaps.sentence) + constant, 0);
        const std::set<size_t> swapped(swaps.positions.begin(), swaps.positions.end());
        EXPECT_EQ(swapped.size(), swaps.positions.size()) << "no position twice";
        for (size_t t = 0; t < sentence.size(); ++t) {
            EXPECT_EQ(swaps.sentence[t] != sentence[t], swapped.count(t) == 1) << t;
            EXPECT_TRUE(swapped.count(t) == 0 || swaps.sentence[t] >= first_word_id) << "a special word is none";
        }
    }
}

TEST(WordSwaps, EndWhereNothingIsToBeDone) {
    const WordSwaps already = greedy_word_swap(additive(-1), {6, 7}, 0, 1);
    EXPECT_TRUE(already.changed);
    EXPECT_THAT(already.positions, IsEmpty());
    EXPECT_THAT(already.sentence, ElementsAre(6, 7));

    const WordSwaps never = greedy_word_swap(additive(100), {6, 9, 4}, 0, 1);
    EXPECT_FALSE(never.changed);
    EXPECT_THAT(never.positions, ElementsAre(2, 0)) << "a 9 in the place of a 9 is no swap";
    EXPECT_THAT(never.sentence, ElementsAre(9, 9, 9));

    const WordSwaps one = greedy_word_swap(additive(2), {6, 4, 8, 7}, 0, 1, {}, 1);
    EXPECT_FALSE(one.changed);
    EXPECT_THAT(one.positions, ElementsAre(2));
}

TEST(WordSwaps, DoNotCountAWordInItsOwnPlace) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        auto random = training::make_generator(seed);
        const at::Tensor rows = at::empty({200, 48}).normal_(0, 1, random), direction = at::empty({48}).normal_(0, 1, random);
        const AttributedClassifier model{rows, [&](const at::Tensor& embedded) {
                                             const at::Tensor sums = at::mv(embedded.sum(1), direction) + 1e5;
                                             return at::stack({sums, at::zeros_like(sums)}, 1);
                                         }};
        const int64_t least = at::mv(rows, direction).slice(0, first_word_id).argmin().item<int64_t>() + first_word_id;
        const WordSwaps swaps = greedy_word_swap(model, Ids(9, least), 0, 1);  // rounding or not, there is nothing better
        EXPECT_THAT(swaps.positions, IsEmpty()) << seed;
    }
}

TEST(WordSwaps, BringInWhatIsAllowed) {
    std::vector<char> allowed(vocabulary, 0);
    allowed[5] = allowed[6] = 1;
    const WordSwaps swaps = greedy_word_swap(additive(-2), {4, 6}, 0, 1, allowed);
    EXPECT_TRUE(swaps.changed);
    EXPECT_THAT(swaps.sentence, ElementsAre(5, 6));
    const WordSwaps none = greedy_word_swap(additive(), {4, 6}, 0, 1, std::vector<char>(vocabulary, 0));
    EXPECT_FALSE(none.changed);
    EXPECT_THAT(none.positions, IsEmpty());
}

TEST(WordSwaps, LeaveTheModelAsItIs) {
    const AttributedClassifier model = additive();
    greedy_word_swap(model, {4, 8}, 0, 1);
    EXPECT_TRUE(at::equal(model.embedding, embedding()));
}

TEST(Attribution, NamesTheFirstOfEquals) {
    EXPECT_EQ(loudest({-3, 2, 1, 2}), 1u);
    EXPECT_EQ(loudest({-1}), 0u);
}

TEST(Attribution, RefusesWhatIsNoQuestion) {
    const std::vector<std::function<void(const Ids&, int64_t, int64_t)>> methods{
        [](const Ids& sentence, int64_t fact, int64_t foil) { occlusion(additive(), sentence, fact, foil); },
        [](const Ids& sentence, int64_t fact, int64_t foil) { gradient_times_embedding(additive(), sentence, fact, foil); },
        [](const Ids& sentence, int64_t fact, int64_t foil) { integrated_gradients(additive(), sentence, fact, foil); },
        [](const Ids& sentence, int64_t fact, int64_t foil) { lime(additive(), sentence, fact, foil); },
        [](const Ids& sentence, int64_t fact, int64_t foil) { greedy_word_swap(additive(), sentence, fact, foil); }};
    for (const auto& method : methods) {
        const auto refused = [&](const Ids& sentence, int64_t fact, int64_t foil) {
            return message_of(ErrorCode::invalid_argument, [&] { method(sentence, fact, foil); });
        };
        EXPECT_THAT(refused({}, 0, 1), HasSubstr("an empty one"));
        EXPECT_THAT(refused({4, 10}, 0, 1), HasSubstr("found 10"));
        EXPECT_THAT(refused({-1}, 0, 1), HasSubstr("found -1"));
        EXPECT_THAT(refused({4}, 3, 1), HasSubstr("the class 3"));
        EXPECT_THAT(refused({4}, 0, -2), HasSubstr("the class -2"));
        EXPECT_THAT(refused({4}, 2, 2), HasSubstr("the class 2 twice"));
        EXPECT_NO_THROW(method({4}, 2, 0));
    }
    const auto refused = [](const std::function<void()>& f) { return message_of(ErrorCode::invalid_argument, f); };
    EXPECT_THAT(refused([] { integrated_gradients(additive(), {4}, 0, 1, 0); }), HasSubstr("at least 1 step"));
    EXPECT_THAT(refused([] { lime(additive(), {4}, 0, 1, {1, 0.25, 1, 1}); }), HasSubstr("at least 2 samples"));
    EXPECT_THAT(refused([] { lime(additive(), {4}, 0, 1, {10, NAN, 1, 1}); }), HasSubstr("width"));
    EXPECT_THAT(refused([] { lime(additive(), {4}, 0, 1, {10, 1, 0, 1}); }), HasSubstr("ridge"));
    EXPECT_THAT(refused([] { greedy_word_swap(additive(), {4}, 0, 1, {1, 1}); }), HasSubstr("each of 10 words"));
    EXPECT_THAT(refused([] { greedy_word_swap(additive(), {4}, 0, -1); }), HasSubstr("a foil to swap words towards"));
    EXPECT_THAT(refused([] { occlusion(additive(), PieceSentence{{4}, {{}, {}}, {5}}, 0, 1); }), HasSubstr("an empty one"));
}

}  // namespace
