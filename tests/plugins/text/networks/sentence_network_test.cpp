// Classifiers that see the order of words: each kind alone, in training, and in a pack that explains.

#include "text/networks/sentence_network.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "plugins/text/toy.h"
#include "support/temporary_folder.h"
#include "text/model/model.h"
#include "text/networks/classifier_training.h"
#include "text/services/trainer.h"
#include "training/random.h"
#include "whynot/error.h"
#include "whynot/gradient_check.h"
#include "whynot/solver.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using ::testing::HasSubstr;

constexpr int64_t vocabulary = 16, dimension = 12, classes = 2;

SentenceNetworkSizes sizes_of(const std::string& kind) { return {kind, 12, kind == "attention" ? 2 : 1, 4, 0.1}; }

std::shared_ptr<SentenceNetwork> drawn(const std::string& kind) {
    const auto network = make_sentence_network(sizes_of(kind), dimension, classes);
    network->initialise(training::make_generator(3));
    network->require_gradients(false);
    return network;
}

struct SentenceNetworks : ::testing::TestWithParam<std::string> {};

TEST_P(SentenceNetworks, ReadsSentencesOfAnyLengthEachAsIfItWereAlone) {
    const auto network = drawn(GetParam());
    for (const int64_t words : {1, 2, 3, 7}) {
        const at::Tensor embedded = at::randn({5, words, dimension}, training::make_generator(4));
        const at::Tensor logits = network->logits(embedded);
        ASSERT_EQ(logits.sizes(), (std::vector<int64_t>{5, classes}));
        for (int64_t i = 0; i < 5; ++i) EXPECT_TRUE(at::allclose(network->logits(embedded.slice(0, i, i + 1))[0], logits[i], 1e-5, 1e-6));
    }
}

TEST_P(SentenceNetworks, SeesTheOrderOfWords) {
    const auto network = drawn(GetParam());
    const at::Tensor embedded = at::randn({1, 6, dimension}, training::make_generator(5));
    EXPECT_GT((network->logits(embedded) - network->logits(embedded.flip(1))).abs().max().item<double>(), 1e-4);
}

TEST_P(SentenceNetworks, HasTheGradientsThatFiniteDifferencesSay) {
    const auto network = drawn(GetParam());
    network->to(at::kDouble);
    Problem problem;
    problem.start = at::randn({3, 5 * dimension}, training::make_generator(6), at::kDouble);
    problem.fact = at::zeros({3}, at::kLong);
    problem.foil = at::ones({3}, at::kLong);
    problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor&) { return network->logits(z.view({z.size(0), 5, dimension})); };
    const GradientCheck check = check_gradients(problem);
    EXPECT_TRUE(check.ok) << check.log;
}

TEST_P(SentenceNetworks, DropsOutInTrainingOnlyAndAsTheSeedSays) {
    const auto network = drawn(GetParam());
    const at::Tensor embedded = at::randn({2, 5, dimension}, training::make_generator(7));
    const auto trained = [&](uint64_t seed) { return network->logits(embedded, {true, training::make_generator(seed)}); };
    EXPECT_TRUE(at::equal(trained(1), trained(1)));
    EXPECT_FALSE(at::equal(trained(1), trained(2)));
    EXPECT_TRUE(at::equal(network->logits(embedded), network->logits(embedded)));
    const auto copy = network->on(at::kCPU);
    EXPECT_TRUE(at::equal(copy->logits(embedded), network->logits(embedded)));
}

// "a ... b" is one class, "b ... a" the other: no sum of words tells them apart.
ClassifierData ordered_data() {
    ClassifierData data;
    std::mt19937 random(1);
    for (int i = 0; i < 400; ++i) {
        Ids sentence{i % 2 ? 4 : 5};
        for (int k = static_cast<int>(random() % 3); k > 0; --k) sentence.push_back(6 + static_cast<int64_t>(random() % 8));
        sentence.push_back(i % 2 ? 5 : 4);
        data.train.sentences.push_back(sentence);
        data.train.labels.push_back(i % 2);
    }
    data.development = data.train;
    data.vocabulary = vocabulary;
    data.classes = classes;
    return data;
}

ClassifierOptions options_of(const std::string& kind, int64_t epochs) {
    ClassifierOptions options;
    options.dimension = dimension;
    options.epochs = epochs;
    options.batch = 20;
    options.learning_rate = 1e-2;
    options.network = sizes_of(kind);
    options.hide = 0.02;
    return options;
}

TEST_P(SentenceNetworks, LearnsWhatASumOfWordsCannot) {
    const ClassifierData data = ordered_data();
    const Classifier classifier = train_classifier(data, options_of(GetParam(), 12), 5, {}, {});
    EXPECT_GT(accuracy(classifier, data.train.sentences, data.train.labels), 0.98);
    EXPECT_EQ(classifier.embedding.slice(0, 0, unk_id).abs().max().item<float>(), 0);
    const Classifier sum = train_classifier(data, options_of("embedding-sum", 12), 5, {}, {});
    EXPECT_LT(accuracy(sum, data.train.sentences, data.train.labels), 0.7);
}

TEST_P(SentenceNetworks, TrainedInPiecesIsTheSame) {
    const TemporaryFolder folder;
    const training::Checkpoint checkpoint(folder / "checkpoint", "run");
    const ClassifierData data = ordered_data();
    const ClassifierOptions options = options_of(GetParam(), 2);
    const Classifier whole = train_classifier(data, options, 5, {}, {});
    for (const int steps : {4, 12}) {
        int polls = 0;
        Observer stopping;
        stopping.cancelled = [&] { return ++polls > steps; };
        EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { train_classifier(data, options, 5, checkpoint, stopping); }),
                    HasSubstr("goes on from there"));
    }
    const Classifier resumed = train_classifier(data, options, 5, checkpoint, {});
    EXPECT_TRUE(at::equal(resumed.embedding, whole.embedding));
    const training::NamedTensors expected = whole.own_network->tensors();
    for (const auto& [name, tensor] : resumed.own_network->tensors()) EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
}

// The whole way: a pack trained, read again, and sentences explained with it.
TEST_P(SentenceNetworks, MakesAPackThatExplains) {
    const TemporaryFolder folder;
    toy::write_corpus(folder / "corpora", 600, 40);
    auto recipe = nlohmann::json::parse(toy::recipe());
    recipe["classifier"] = {{"kind", GetParam()}, {"dimension", 16}, {"hidden", 16},
                            {"epochs", 15},       {"dropout", 0.1},  {"learning_rate", 0.01}};
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = folder / "corpora";
    request.out = folder / "pack";
    request.recipe = recipe.dump();
    TextTrainer().train(request, {});

    TextModel model(open_pack(request.out));
    EXPECT_FALSE(model.networks().classifier().additive());
    EXPECT_EQ(model.networks().classifier().own_network->sizes().kind, GetParam());
    std::vector<ReadNotes> notes;
    const auto batch =
        model.read({{"the food was gross .", ""}, {"the waiter is superb .", ""}, {"the soup was really bad today .", ""}}, notes);
    ASSERT_EQ(batch->size(), 3);
    Problem problem;
    problem.fact = batch->classify().argmax(1);
    EXPECT_TRUE(at::equal(problem.fact, at::tensor({0l, 1l, 0l})));
    problem.foil = 1 - problem.fact;
    problem.start = batch->start(problem.fact, 1);
    problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
    problem.extra_starts = batch->extra_starts(at::arange(3), problem.fact, problem.foil, 1, 1);
    ASSERT_EQ(problem.extra_starts.sizes(), (std::vector<int64_t>{3, 1, 32})) << "a classifier that does not add up has one too";
    const GradientCheck check = check_gradients(problem);
    EXPECT_TRUE(check.ok) << check.log;
    const Summary summary = solve(problem);
    for (int64_t row = 0; row < 3; ++row) {
        const int64_t foil = problem.foil[row].item<int64_t>();
        ASSERT_TRUE(summary.solutions[static_cast<size_t>(row)].feasible) << summary.solutions[static_cast<size_t>(row)].reason;
        const Rendering rendering = batch->render({{row, 1 - foil, foil, summary.solutions[static_cast<size_t>(row)].z, "", "", ""}}, 1)[0];
        ASSERT_EQ(rendering.failure, "");
        EXPECT_GT(rendering.answer[static_cast<size_t>(foil)], 0.5) << rendering.record;
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SentenceNetworks, ::testing::ValuesIn(sentence_network_kinds()));

TEST(SentenceNetworkSizes, RefusesWhatCannotBe) {
    const auto refused = [](const SentenceNetworkSizes& sizes) {
        return message_of(ErrorCode::invalid_argument, [&] { make_sentence_network(sizes, dimension, classes); });
    };
    EXPECT_THAT(refused({"recurent"}), HasSubstr("expected embedding-sum, convolution, recurrent, attention"));
    EXPECT_THAT(refused({"recurrent", 0}), HasSubstr("'classifier.hidden'"));
    EXPECT_THAT(refused({"recurrent", 8, 0}), HasSubstr("'classifier.layers'"));
    EXPECT_THAT(refused({"attention", 10, 1, 4}), HasSubstr("must divide"));
    EXPECT_THAT(refused({"convolution", 8, 1, 1, 1}), HasSubstr("'classifier.dropout'"));
}

}  // namespace
