#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "plugins/text/answer/language.h"
#include "text/language/associations.h"
#include "text/language/fluency.h"
#include "text/language/masked_model_training.h"
#include "text/language/ngram.h"
#include "text/language/packed_counts.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

using testing::read;
using testing::sample;

at::Tensor batch(const Ids& sentence) { return at::tensor(sentence, at::kLong).unsqueeze(0); }

ErrorCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_GT(std::string(error.what()).size(), 20u);
        return error.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::internal;
}

TEST(MaskedModel, ProbabilitiesSumToOneAndSpareTheStructuralWords) {
    const MaskedModel model(testing::small(), 1);
    const auto [left, right] = model->contexts(batch(read("the food was great .")));
    const auto p = model->between(left[0], right[0]).exp();
    EXPECT_EQ(p.sizes(), (std::vector<int64_t>{6, testing::size()}));
    EXPECT_TRUE(at::allclose(p.sum(1), at::ones({6}), 1e-4));
    EXPECT_LT(p.slice(1, pad_id, eos_id).max().item<double>(), 1e-30);
}

TEST(MaskedModel, NeverSeesTheWordItPredicts) {
    const MaskedModel model(testing::small(), 1);
    const auto mask = [&](const std::string& sentence) {
        const auto [left, right] = model->contexts(batch(read(sentence)));
        return model->between(left[0].slice(0, 0, 5), right[0].slice(0, 1));
    };
    const auto a = mask("the food was great ."), b = mask("the food was bad .");
    for (int64_t t = 0; t < 5; ++t) EXPECT_EQ(at::equal(a[t], b[t]), t == 3) << "position " << t;
}

TEST(MaskedModel, NextWordProbabilitiesDependOnThePrefixAlone) {
    const MaskedModel model(testing::small(), 2);
    const Sentences sentences{
        read("the food was great ."), read("the food"), read("the food was bad !"), read("our staff"), {}, read("the food")};
    const auto together = model->next_log_probabilities(sentences);
    for (size_t i = 0; i < sentences.size(); ++i) {
        const auto alone = model->next_log_probabilities({sentences[i]})[0];
        ASSERT_EQ(together[i].size(), sentences[i].size() + 1);
        for (size_t t = 0; t < alone.size(); ++t) EXPECT_NEAR(together[i][t], alone[t], 1e-5);
    }
    EXPECT_NEAR(together[0][2], together[2][2], 1e-6);
    EXPECT_TRUE(model->next_log_probabilities({}).empty());
}

TEST(MaskedModel, NextWordProbabilitiesSumToOne) {
    const MaskedModel model(testing::small(), 2);
    double sum = 0;
    for (int64_t word = 0; word < testing::size(); ++word) {
        Ids sentence = read("the food was");
        sentence.push_back(word);
        sum += std::exp(word == eos_id ? model->next_log_probabilities({read("the food was")})[0].back()
                                       : model->next_log_probabilities({sentence})[0][3]);
    }
    EXPECT_NEAR(sum, 1, 1e-4);
}

TEST(MaskedModel, LearnsAndTheMaskSeesWhatComesAfter) {
    const auto development = sample(100, 77);
    const auto before = perplexities(MaskedModel(testing::small(), 1), development);
    const auto model = testing::trained();
    const auto after = perplexities(model, development);
    EXPECT_LT(after.next, 0.25 * before.next);
    EXPECT_LT(after.mask, 0.25 * before.mask);
    EXPECT_LT(after.next, 2.4) << "the language's own perplexity is about 2";

    // Whether it is "the" or "our" only the next word tells.
    EXPECT_NEAR(std::exp(model->next_log_probabilities({read("the food was bad .")})[0][0]), 0.33, 0.15);
    const auto [left, right] = model->contexts(batch(read("the food was bad .")));
    EXPECT_GT(std::exp(model->between(left[0].slice(0, 0, 1), right[0].slice(0, 1, 2))[0][testing::id("the")].item<double>()), 0.9);
}

TEST(MaskedModel, SameSeedSameWeightsAndTheGlobalGeneratorIsLeftAlone) {
    const auto global = at::globalContext().defaultGenerator(at::kCPU);
    const auto state = global.get_state();
    const auto a = testing::trained(true, 3, 1), b = testing::trained(true, 3, 1), c = testing::trained(true, 4, 1);
    EXPECT_TRUE(at::equal(global.get_state(), state));
    const auto parameters = b->named_parameters();
    for (const auto& parameter : a->named_parameters())
        EXPECT_TRUE(at::equal(parameter.value(), parameters[parameter.key()])) << parameter.key();
    EXPECT_FALSE(at::equal(a->output(), c->output()));
}

TEST(MaskedModel, IsItsNamedParameters) {
    const auto model = testing::trained(true, 1, 1);
    const MaskedModel copy(testing::small(), 9);
    const at::NoGradGuard guard;
    const auto from = model->named_parameters();
    for (auto& parameter : copy->named_parameters()) parameter.value().copy_(from[parameter.key()]);
    const auto sentences = sample(5, 3);
    EXPECT_EQ(copy->next_log_probabilities(sentences), model->next_log_probabilities(sentences));
    for (const auto& parameter : model->named_parameters()) EXPECT_FALSE(parameter.value().requires_grad()) << parameter.key();
}

TEST(MaskedModel, OfOneSideIsALanguageModelWithoutAMask) {
    const auto model = testing::trained(false);
    EXPECT_LT(perplexities(model, sample(100, 7)).next, 2.4);
    EXPECT_EQ(perplexities(model, sample(10, 7)).mask, 0);
    EXPECT_EQ(code_of([&] { model->between(at::zeros({1, 16}), at::zeros({1, 16})); }), ErrorCode::invalid_argument);
}

TEST(MaskedModel, TrainingReportsAndCanBeStopped) {
    MaskedModel model(testing::small(), 1);
    MaskedTraining training;
    training.epochs = 2;
    std::vector<std::string> lines;
    Observer observer;
    observer.log = [&](const std::string& line) { lines.push_back(line); };
    train_masked_model(model, sample(50, 1), training, 1, observer, sample(10, 2));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_NE(lines[1].find("epoch 2 of 2"), std::string::npos) << lines[1];
    EXPECT_NE(lines[1].find("masked"), std::string::npos) << lines[1];
    observer.cancelled = [] { return true; };
    EXPECT_EQ(code_of([&] { train_masked_model(model, sample(50, 1), training, 1, observer); }), ErrorCode::cancelled);
}

TEST(MaskedModel, StoppedAndResumedGivesTheSameWeights) {
    const auto file = std::filesystem::temp_directory_path() / ("whynot-masked-" + std::to_string(::getpid()) + ".checkpoint");
    const auto sentences = sample(300, 3);
    const auto train = [&](MaskedModel& model, const Observer& observer, const training::Checkpoint& checkpoint) {
        train_masked_model(model, sentences, {2, 1e-2, 16}, 5, observer, {}, checkpoint);
    };
    MaskedModel whole(testing::small(), 1), stopped(testing::small(), 1), resumed(testing::small(), 1);
    train(whole, {}, {});
    const training::Checkpoint checkpoint(file, "run");
    int polls = 0;
    Observer stopping;
    stopping.cancelled = [&] { return ++polls == 12; };
    EXPECT_EQ(code_of([&] { train(stopped, stopping, checkpoint); }), ErrorCode::cancelled);
    train(resumed, {}, checkpoint);
    std::filesystem::remove(file);
    const auto expected = whole->named_parameters(), found = resumed->named_parameters();
    for (const auto& item : expected) EXPECT_TRUE(at::equal(item.value(), found[item.key()])) << item.key();
}

TEST(MaskedModel, RefusesWhatDoesNotFit) {
    EXPECT_EQ(code_of([] { MaskedModel(MaskedModelSizes{}, 1); }), ErrorCode::invalid_argument);
    MaskedModel model(testing::small(), 1);
    EXPECT_EQ(code_of([&] { train_masked_model(model, {{testing::size()}}, {}, 1, {}); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { train_masked_model(model, {{}}, {}, 1, {}); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { train_masked_model(model, {}, {}, 1, {}); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { model->next_log_probabilities({{-1}}); }), ErrorCode::invalid_argument);
}

/// Tuples by their counts, in the plainest way.
std::map<Ids, uint64_t> by_map(size_t width, const std::vector<uint32_t>& words) {
    std::map<Ids, uint64_t> counts;
    for (size_t i = 0; i < words.size(); i += width) ++counts[Ids(&words[i], &words[i] + width)];
    return counts;
}

std::map<Ids, uint64_t> as_map(const CountedTuples& tuples) {
    std::map<Ids, uint64_t> counts;
    for (size_t i = 0; i < tuples.size(); ++i)
        counts.emplace(Ids(&tuples.words[i * tuples.width], &tuples.words[i * tuples.width] + tuples.width), tuples.counts[i]);
    return counts;
}

class CountedWidths : public ::testing::TestWithParam<size_t> {};

TEST_P(CountedWidths, AreCountedSortedFoundAndStored) {
    const size_t width = GetParam();
    std::mt19937 random(3);
    std::vector<uint32_t> words(500 * width);
    for (auto& word : words) word = random() % 6;
    const auto tuples = CountedTuples::count(width, words);
    const auto expected = by_map(width, words);
    EXPECT_EQ(as_map(tuples), expected);
    Ids before;
    for (size_t i = 0; i < tuples.size(); ++i) {
        const Ids tuple(&tuples.words[i * width], &tuples.words[i * width] + width);
        EXPECT_LT(before, tuple);
        before = tuple;
    }

    const CountTree tree(tuples);
    EXPECT_EQ(as_map(tree.tuples()), expected);
    for (int i = 0; i < 300; ++i) {  // most of them were counted, some were not
        auto nodes = tree.first_words();
        Ids tuple;
        for (size_t depth = 0; depth + 1 < width; ++depth) {
            tuple.push_back(random() % 7);
            nodes = tree.after(depth, nodes, tuple.back());
        }
        uint64_t total = 0, different = 0;
        for (int64_t last = 0; last < 8; ++last) {
            tuple.push_back(last);
            const auto found = expected.find(tuple);
            const uint64_t count = found == expected.end() ? 0 : found->second;
            EXPECT_EQ(tree.count(nodes, last), count);
            total += count;
            different += count > 0;
            tuple.pop_back();
        }
        EXPECT_EQ(tree.total(nodes), total);
        EXPECT_EQ(nodes.size(), different);
    }

    EXPECT_EQ(as_map(read_columns(columns(tuples), tuples.size(), width, 6)), expected);
    EXPECT_EQ(code_of([&] { read_columns(columns(tuples), tuples.size(), width, 5); }), ErrorCode::bad_pack);
    if (width == 1) return;
    std::vector<uint32_t> rest;
    for (const auto& [tuple, count] : expected) rest.insert(rest.end(), tuple.begin() + 1, tuple.end());
    EXPECT_EQ(as_map(tuples.without_first()), by_map(width - 1, rest));
}

INSTANTIATE_TEST_SUITE_P(Widths, CountedWidths, ::testing::Values(1, 2, 3, 4));

TEST(CountTree, OfNothingFindsNothing) {
    const CountTree tree(CountedTuples::count(2, {}));
    EXPECT_TRUE(tree.first_words().empty());
    EXPECT_TRUE(tree.after(0, tree.first_words(), 1).empty());
    EXPECT_EQ(tree.count({}, 1), 0u);
    EXPECT_EQ(tree.total({}), 0u);
    EXPECT_EQ(tree.tuples().size(), 0u);
}

TEST(CountTree, RefusesTuplesThatDoNotAscend) {
    std::string twice = {0, 0};                                     // two tuples that share no word with the one before,
    for (const uint64_t number : {3, 0, 1, 1}) put(twice, number);  // the words 3 and 3 + 0, each once
    EXPECT_EQ(code_of([&] { read_columns(twice, 2, 1, 10); }), ErrorCode::bad_pack);
}

class NGramOrders : public ::testing::TestWithParam<int> {};

TEST_P(NGramOrders, ProbabilitiesSumToOneAfterKnownAndUnknownContexts) {
    const NGram model(sample(60, 1), testing::size(), GetParam());
    for (const auto* context : {"", "the", "the food was", "food food food", "! ! great our"}) {
        double sum = 0;
        for (int64_t word = 0; word < testing::size(); ++word) {
            Ids sentence = read(context);
            const auto position = sentence.size();
            if (word != eos_id) sentence.push_back(word);
            sum += std::exp(model.log_probabilities(sentence)[position]);
        }
        EXPECT_NEAR(sum, 1, 1e-9) << context;
    }
}

TEST_P(NGramOrders, SerialiseMakesARoundTrip) {
    const NGram model(sample(60, 1), testing::size(), GetParam());
    const auto bytes = model.serialise();
    const auto copy = NGram::deserialise(bytes, testing::size());
    EXPECT_EQ(copy.order(), GetParam());
    EXPECT_EQ(copy.counts(), model.counts());
    for (const auto& sentence : sample(30, 2)) EXPECT_EQ(copy.log_probabilities(sentence), model.log_probabilities(sentence));
    EXPECT_EQ(copy.serialise(), bytes);
}

TEST_P(NGramOrders, FollowTheFormulaByBruteForce) {
    const int order = GetParam();
    const auto sentences = sample(80, 4);
    const NGram model(sentences, testing::size(), order);
    const auto padded = [&](const Ids& sentence) {
        Ids ids(static_cast<size_t>(order - 1), go_id);
        ids.insert(ids.end(), sentence.begin(), sentence.end());
        ids.push_back(eos_id);
        return ids;
    };
    std::vector<std::map<Ids, uint64_t>> c(static_cast<size_t>(order));  // by the number of words before the last
    for (const auto& sentence : sentences) {
        const auto ids = padded(sentence);
        for (size_t i = 0; i + static_cast<size_t>(order) <= ids.size(); ++i) ++c.back()[Ids(&ids[i], &ids[i] + order)];
    }
    for (size_t k = c.size() - 1; k > 0; --k)
        for (const auto& [gram, count] : c[k]) ++c[k - 1][Ids(gram.begin() + 1, gram.end())];
    for (const auto& sentence : sample(40, 9)) {
        const auto ids = padded(sentence);
        const auto found = model.log_probabilities(sentence);
        for (size_t t = 0; t < found.size(); ++t) {
            const auto last = static_cast<int64_t>(t) + order - 1;
            double p = 1 / static_cast<double>(testing::size());
            for (int k = 0; k < order; ++k) {
                double count = 0, total = 0, different = 0;
                for (const auto& [gram, n] : c[static_cast<size_t>(k)]) {
                    if (!std::equal(gram.begin(), gram.end() - 1, ids.begin() + last - k)) continue;
                    total += static_cast<double>(n);
                    different += 1;
                    if (gram.back() == ids[static_cast<size_t>(last)]) count = static_cast<double>(n);
                }
                if (total == 0) break;
                p = (std::max(count - NGram::discount, 0.0) + NGram::discount * different * p) / total;
            }
            EXPECT_EQ(found[t], std::log(p));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Orders, NGramOrders, ::testing::Values(1, 2, 3, 5));

TEST(NGram, FollowsTheFormula) {
    // "the food", "the staff", "the food": bigrams <go> the (3), the food (2), the staff (1), food <eos> (2), staff <eos> (1).
    const NGram model({read("the food"), read("the staff"), read("the food")}, testing::size(), 2);
    const double d = NGram::discount, v = static_cast<double>(testing::size());
    // Unigrams count the words before: the 1, food 1, staff 1, <eos> 2; four different ones, five in all.
    const double food = (1 - d) / 5 + d * 4 / 5 / v, the = food, eos = (2 - d) / 5 + d * 4 / 5 / v;
    const auto found = model.log_probabilities(read("the food"));
    EXPECT_NEAR(std::exp(found[0]), (3 - d) / 3 + d * 1 / 3 * the, 1e-12);
    EXPECT_NEAR(std::exp(found[1]), (2 - d) / 3 + d * 2 / 3 * food, 1e-12);
    EXPECT_NEAR(std::exp(found[2]), (2 - d) / 2 + d * 1 / 2 * eos, 1e-12);
    EXPECT_NEAR(std::exp(model.log_probabilities(read("food food"))[1]), 0 + d * 1 / 2 * food, 1e-12);
    EXPECT_NEAR(std::exp(model.log_probabilities(read("great food"))[1]), food, 1e-12) << "a context never seen";
}

TEST(NGram, CountsWords) {
    const NGram model({read("the food"), read("the staff"), read("the food")}, testing::size());
    EXPECT_EQ(model.counts()[static_cast<size_t>(testing::id("the"))], 3);
    EXPECT_EQ(model.counts()[static_cast<size_t>(testing::id("food"))], 2);
    EXPECT_EQ(model.counts()[eos_id], 3);
    EXPECT_EQ(model.counts()[go_id], 0);
    double sum = 0;
    for (const auto p : model.unigram()) sum += std::exp(p);
    EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(NGram, PrefersTheLanguageToItsShuffle) {
    const NGram model(sample(300, 1), testing::size());
    const auto score = [&](const char* text) {
        const auto p = model.log_probabilities(read(text));
        return std::accumulate(p.begin(), p.end(), 0.0);
    };
    EXPECT_GT(score("our staff is really bad ."), score("bad our . staff really is") + 5);
}

TEST(NGram, RefusesDamagedBytes) {
    const auto bytes = NGram(sample(60, 1), testing::size()).serialise();
    for (size_t length = 0; length < bytes.size(); ++length)
        EXPECT_EQ(code_of([&] { NGram::deserialise(std::string_view(bytes).substr(0, length), testing::size()); }), ErrorCode::bad_pack)
            << length;
    EXPECT_EQ(code_of([&] { NGram::deserialise(bytes, testing::size() + 1); }), ErrorCode::bad_pack);
    for (size_t i = 0; i < bytes.size(); ++i) {  // whatever is altered, it ends in an error or in a model, never in a crash
        auto altered = bytes;
        altered[i] = static_cast<char>(altered[i] ^ 0x15);
        try {
            NGram::deserialise(altered, testing::size()).log_probabilities(read("the food was great ."));
        } catch (const Error& error) {
            EXPECT_TRUE(error.code() == ErrorCode::bad_pack) << error.what();
        }
    }
}

TEST(NGram, RefusesWhatDoesNotFit) {
    EXPECT_EQ(code_of([] { NGram(Sentences{}, testing::size(), 0); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([] { NGram(Sentences{}, 3, 2); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([] { NGram({{testing::size()}}, testing::size()); }), ErrorCode::invalid_argument);
    const NGram empty(Sentences{}, testing::size());
    EXPECT_NEAR(empty.log_probabilities(read("the"))[0], -std::log(static_cast<double>(testing::size())), 1e-12);
}

TEST(WordAssociations, FollowTheFormula) {
    const WordAssociations model({read("the food"), read("food the food"), read("the staff"), read("our staff")}, testing::size());
    const auto the = testing::id("the"), food = testing::id("food"), staff = testing::id("staff"), our = testing::id("our");
    EXPECT_NEAR(model(the, food), std::log((2 + 2) / (3.0 * 2 / 4 + 2)), 1e-12) << "a sentence counts once";
    EXPECT_NEAR(model(our, staff), std::log((0 + 2) / (1.0 * 2 / 4 + 2)), 1e-12) << "a single meeting is no evidence";
    EXPECT_EQ(model(the, food), model(food, the));
    EXPECT_LT(model(food, staff), 0);
    EXPECT_DOUBLE_EQ(model.share(the), 0.75);
    EXPECT_DOUBLE_EQ(model.share(testing::id("bad")), 0);
}

TEST(WordAssociations, SerialiseMakesARoundTripAndDamageIsNoticed) {
    const WordAssociations model(sample(60, 1), testing::size());
    const auto bytes = model.serialise();
    const auto copy = WordAssociations::deserialise(bytes, testing::size());
    for (int64_t v = 0; v < testing::size(); ++v) {
        EXPECT_EQ(copy.share(v), model.share(v));
        for (int64_t w = 0; w < testing::size(); ++w) EXPECT_EQ(copy(v, w), model(v, w));
    }
    EXPECT_EQ(copy.serialise(), bytes);
    for (size_t length = 0; length < bytes.size(); ++length)
        EXPECT_EQ(code_of([&] { WordAssociations::deserialise(std::string_view(bytes).substr(0, length), testing::size()); }),
                  ErrorCode::bad_pack);
    EXPECT_EQ(code_of([&] { WordAssociations::deserialise(bytes, testing::size() + 1); }), ErrorCode::bad_pack);
    EXPECT_EQ(code_of([&] { NGram::deserialise(bytes, testing::size()); }), ErrorCode::bad_pack);
}

TEST(FluencyModel, MixesWordByWord) {
    const MaskedModel network(testing::small(), 1);
    const NGram ngram(sample(60, 1), testing::size());
    const auto sentence = read("the food was great .");
    const auto a = network->next_log_probabilities({sentence})[0];
    const auto b = ngram.log_probabilities(sentence);
    double mixed = 0;
    for (size_t t = 0; t < a.size(); ++t) mixed += std::log(0.25 * std::exp(a[t]) + 0.75 * std::exp(b[t]));
    EXPECT_NEAR(FluencyModel(network, ngram, 0.25).log_likelihood({sentence})[0], mixed, 1e-9);
    EXPECT_NEAR(FluencyModel(network, ngram, 1).log_likelihood({sentence})[0], std::accumulate(a.begin(), a.end(), 0.0), 1e-9);
    EXPECT_NEAR(FluencyModel(network, ngram, 0).log_likelihood({sentence})[0], std::accumulate(b.begin(), b.end(), 0.0), 1e-9);
    EXPECT_EQ(code_of([&] { FluencyModel(network, NGram(Sentences{}, 50)); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { FluencyModel(network, ngram, 1.5); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace whynot::text
