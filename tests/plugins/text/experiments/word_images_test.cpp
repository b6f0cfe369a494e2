// Sentences as pictures of letters, and the convolution that reads them.
#include "text/experiments/word_images.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <random>

#include "support/temporary_folder.h"
#include "training/random.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Words = std::vector<std::string>;

/// The characters that a row counts, each as often as it does.
std::string seen(const std::string& word) {
    const std::vector<float> counts = letter_counts(word);
    EXPECT_EQ(counts.size(), static_cast<size_t>(word_image_columns));
    const std::string columns = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string letters;
    for (size_t i = 0; i < counts.size(); ++i) letters += std::string(static_cast<size_t>(counts[i]), columns[i]);
    return letters;
}

TEST(LetterCounts, AreOfLettersAndDigitsAndOfNothingElse) {
    EXPECT_EQ(seen("food"), "dfoo");
    EXPECT_EQ(seen("FooD"), "dfoo");
    EXPECT_EQ(seen("az09"), "az09");
    EXPECT_EQ(seen("24/7"), "247");
    EXPECT_EQ(seen("n't"), "nt");
    EXPECT_EQ(seen("_num_"), "mnu");
    EXPECT_EQ(seen("caf\u00e9"), "acf");
    for (const char* blank : {"", ".", "!?", "\u732b", "@[`{/:"}) EXPECT_EQ(seen(blank), "") << blank;
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    EXPECT_EQ(seen(all), "aabbccddeeffgghhiijjkkllmmnnooppqqrrssttuuvvwwxxyyzz0123456789");
}

TEST(WordImages, KeepEachRowOnce) {
    WordImages images;
    EXPECT_TRUE(at::equal(images.rows(), at::zeros({1, 36}))) << "the blank row that is of no word";
    EXPECT_THAT(images.add({"was", "it", "saw", "it"}), ElementsAre(1, 2, 1, 2));
    EXPECT_THAT(images.add({".", "it", ","}), ElementsAre(3, 2, 3)) << "a word of signs is blank, yet a word";
    EXPECT_THAT(images.add({}), IsEmpty());
    EXPECT_EQ(images.distinct_rows(), 3u);
    EXPECT_EQ(images.distinct_words(), 5u);
    EXPECT_EQ(images.ambiguous_words(), 4u) << "was, saw, full stop and comma";
    const at::Tensor rows = images.rows();
    ASSERT_EQ(rows.sizes(), at::IntArrayRef({4, 36}));
    EXPECT_EQ(rows[2].sum().item<float>(), 2);
    EXPECT_EQ(rows[2]['t' - 'a'].item<float>(), 1);
    EXPECT_EQ(rows[3].abs().sum().item<float>(), 0);
}

/// A few words, and a small network that has not learned.
struct Toy {
    WordImages images;
    Sentences sentences;
    at::Tensor rows;
    WordImageOptions options;

    explicit Toy(int64_t width = 3) {
        for (const Words& words : {Words{"the", "food", "was", "good"}, Words{"bad"}, Words{"so", "so"},
                                   Words{"what", "a", "nice", "place", "to", "be", "24/7", "!"}})
            sentences.push_back(images.add(words));
        rows = images.rows();
        options.width = width;
        options.filters = 7;
    }
    WordImageNetwork network(uint64_t seed = 1) const { return {options, 2, seed}; }
};

TEST(WordImageNetwork, IsTheFormulaOfItsHeader) {
    for (const int64_t width : {1, 2, 3, 5}) {
        const Toy toy(width);
        const WordImageNetwork network = toy.network();
        const training::NamedTensors& p = network.parameters();
        const at::Tensor logits = network.logits(toy.rows, toy.sentences);
        for (size_t i = 0; i < toy.sentences.size(); ++i) {
            // Every window with at least one word in it, blank beyond the sentence.
            const Ids& sentence = toy.sentences[i];
            const auto m = static_cast<int64_t>(sentence.size());
            at::Tensor largest = at::zeros({toy.options.filters});
            for (int64_t begin = 1 - width; begin < m; ++begin) {
                at::Tensor answer = p.at("filters_bias").clone();
                for (int64_t k = 0; k < width; ++k)
                    if (begin + k >= 0 && begin + k < m)
                        answer += at::mv(p.at("filters").select(2, k), toy.rows[sentence[static_cast<size_t>(begin + k)]]);
                largest = at::max(largest, answer);
            }
            const at::Tensor expected = at::mv(p.at("weight"), largest) + p.at("bias");
            EXPECT_TRUE(at::allclose(logits[static_cast<int64_t>(i)], expected, 1e-5, 1e-6)) << width << " " << i;
        }
    }
}

TEST(WordImageNetwork, GivesASentenceTheSameWhateverBatchItStandsIn) {
    const Toy toy;
    const WordImageNetwork network = toy.network();
    const at::Tensor together = network.logits(toy.rows, toy.sentences);
    for (size_t i = 0; i < toy.sentences.size(); ++i)
        EXPECT_TRUE(at::allclose(together[static_cast<int64_t>(i)], network.logits(toy.rows, {toy.sentences[i]})[0], 1e-5, 1e-6)) << i;
    // More than go at once.
    Sentences many;
    for (size_t i = 0; i < 1003; ++i) many.push_back(toy.sentences[i % toy.sentences.size()]);
    const WordImagePredictions predictions = predict(network, toy.rows, many);
    ASSERT_EQ(predictions.classes.size(), many.size());
    const at::Tensor probabilities = together.softmax(1);
    for (size_t i = 0; i < many.size(); ++i) {
        const at::Tensor expected = probabilities[static_cast<int64_t>(i % toy.sentences.size())];
        EXPECT_EQ(predictions.classes[i], expected.argmax().item<int64_t>());
        EXPECT_NEAR(predictions.probabilities[i], expected.max().item<double>(), 1e-6);
    }
    EXPECT_TRUE(predict(network, toy.rows, {}).classes.empty());
}

TEST(WordImageNetwork, HasTheGradientsThatFiniteDifferencesSay) {
    const Toy toy;
    const WordImageNetwork network = toy.network(5);
    const at::Tensor weights = at::tensor({1.0, -2.0, 0.5, 1.5, -1.0, 0.25, 2.0, -0.5}, at::kFloat).view({4, 2});
    const auto value = [&] { return (network.logits(toy.rows, toy.sentences) * weights).sum(); };
    int checked = 0, kinks = 0;
    for (const auto& [name, parameter] : network.parameters()) {
        parameter.requires_grad_();
        const at::Tensor gradient = torch::autograd::grad({value()}, {parameter})[0].flatten();
        parameter.requires_grad_(false);
        EXPECT_GT(gradient.abs().max().item<float>(), 0) << name;
        float* const numbers = parameter.data_ptr<float>();
        for (int64_t i = 0; i < parameter.numel(); i += std::max<int64_t>(1, parameter.numel() / 40)) {
            const float was = numbers[i], step = 1e-3f;
            const double here = value().item<double>();
            numbers[i] = was + step;
            const double right = (value().item<double>() - here) / step;
            numbers[i] = was - step;
            const double left = (here - value().item<double>()) / step;
            numbers[i] = was;
            ++checked;
            if (std::abs(right - left) > 1e-2) {  // a maximum changes hands in between
                ++kinks;
                continue;
            }
            EXPECT_NEAR(gradient[i].item<double>(), (right + left) / 2, 5e-3) << name << " " << i;
        }
    }
    EXPECT_LT(kinks, checked / 10);
}

TEST(WordImageNetwork, RefusesWhatItCannotRead) {
    const Toy toy;
    const auto refused = [](const std::function<void()>& f) { return message_of(ErrorCode::invalid_argument, f); };
    EXPECT_THAT(refused([&] { toy.network().logits(toy.rows, {toy.sentences[0], {}}); }), HasSubstr("an empty one"));
    EXPECT_THAT(refused([&] { toy.network().train(toy.rows, {}, {}, 1, {}); }), HasSubstr("found 0 and 0"));
    EXPECT_THAT(refused([&] { toy.network().train(toy.rows, toy.sentences, {1}, 1, {}); }), HasSubstr("found 4 and 1"));
    for (const auto& spoil : std::vector<void (*)(WordImageOptions&)>{
             [](WordImageOptions& o) { o.width = 0; }, [](WordImageOptions& o) { o.filters = 0; },
             [](WordImageOptions& o) { o.epochs = 0; }, [](WordImageOptions& o) { o.batch = 0; },
             [](WordImageOptions& o) { o.learning_rate = NAN; }, [](WordImageOptions& o) { o.dropout = 1; }}) {
        WordImageOptions options;
        spoil(options);
        EXPECT_THAT(refused([&] { WordImageNetwork(options, 2, 1); }), HasSubstr("expected width, filters"));
    }
}

/// Sentences of two classes that one word tells apart, wherever it stands.
struct Labelled {
    WordImages images;
    Sentences sentences;
    std::vector<int64_t> labels;
    at::Tensor rows;
    WordImageOptions options;

    Labelled() {
        std::mt19937 random(3);
        const Words fillers{"the", "food", "here", "was", "it", "today"};
        for (int i = 0; i < 300; ++i) {
            Words words;
            for (size_t n = 1 + random() % 5; n > 0; --n) words.push_back(fillers[random() % fillers.size()]);
            words.insert(words.begin() + static_cast<std::ptrdiff_t>(random() % (words.size() + 1)), i % 2 ? "lovely" : "gross");
            sentences.push_back(images.add(words));
            labels.push_back(i % 2);
        }
        rows = images.rows();
        options.filters = 16;
        options.batch = 32;
        options.epochs = 12;
        options.learning_rate = 1e-2;
    }
    WordImageNetwork train(uint64_t seed = 1, const Observer& observer = {}, const training::Checkpoint& checkpoint = {}) const {
        WordImageNetwork network(options, 2, seed);
        network.train(rows, sentences, labels, seed, observer, checkpoint);
        return network;
    }
};

bool same(const WordImageNetwork& a, const WordImageNetwork& b) {
    for (const auto& [name, tensor] : a.parameters())
        if (!at::equal(tensor, b.parameters().at(name))) return false;
    return true;
}

TEST(WordImageNetwork, LearnsAndGivesTheSameForTheSameSeed) {
    const Labelled data;
    const WordImageNetwork network = data.train();
    EXPECT_EQ(predict(network, data.rows, data.sentences).classes, data.labels);
    for (const auto& [name, tensor] : network.parameters()) EXPECT_FALSE(tensor.requires_grad()) << name;
    EXPECT_TRUE(same(network, data.train()));
    EXPECT_FALSE(same(network, data.train(2)));
}

TEST(WordImageNetwork, StoppedAndResumedEndsAsIfItHadNeverStopped) {
    const Labelled data;
    const TemporaryFolder folder;
    const training::Checkpoint checkpoint(folder / "checkpoint", "run");
    Observer observer;
    observer.cancelled = [left = 50]() mutable { return left-- == 0; };
    EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { data.train(1, observer, checkpoint); }), HasSubstr("step 50"));
    EXPECT_TRUE(same(data.train(1, {}, checkpoint), data.train()));
}

}  // namespace
