// The networks of the text plugin, and the plugin's way from a trained pack to an explanation, on a toy language.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "plugins/text/toy.h"
#include "support/graphics_card.h"
#include "support/points_pack.h"
#include "support/temporary_folder.h"
#include "text/measuring/evaluator.h"
#include "text/model/modality.h"
#include "text/model/model.h"
#include "text/model/relaxation.h"
#include "text/networks/autoencoder_training.h"
#include "text/networks/classifier.h"
#include "text/pack/likeness.h"
#include "text/services/explaining.h"
#include "text/services/held_out.h"
#include "text/services/importer.h"
#include "text/services/recipe.h"
#include "text/services/trainer.h"
#include "training/random.h"
#include "whynot/error.h"
#include "whynot/gradient_check.h"
#include "whynot/solver.h"

namespace {

using namespace whynot;
using namespace whynot::text;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int64_t vocabulary = 40;

struct Nets {
    Classifier classifier;
    std::unique_ptr<Autoencoder> autoencoder;
};

// Untrained networks: what holds of the architecture holds for any weights.
Nets random_networks(uint64_t seed = 3) {
    auto random = training::make_generator(seed);
    Nets nets;
    nets.classifier.embedding = at::empty({vocabulary, 16}).normal_(0, 0.3, random);
    nets.classifier.embedding.slice(0, 0, unk_id).zero_();
    nets.classifier.weight = at::empty({2, 16}).normal_(0, 1, random);
    nets.classifier.bias = at::empty({2}).normal_(0, 1, random);
    nets.autoencoder = std::make_unique<Autoencoder>(nets.classifier.embedding, AutoencoderSizes{24, 10, 20, 4});
    nets.autoencoder->initialise(random);
    nets.autoencoder->freeze();
    return nets;
}

const Sentences sentences = {{5, 9, 30, 12}, {7, 3, 8}, {20, 21, 22, 23, 24, 25, 4}, {39}};

TEST(Classifier, AddsUpItsWords) {
    const Nets nets = random_networks();
    const at::Tensor words = nets.classifier.word_logits();
    const at::Tensor logits = nets.classifier.logits(sentences);
    for (size_t i = 0; i < sentences.size(); ++i) {
        const at::Tensor sum = words.index_select(0, at::tensor(sentences[i], at::kLong)).sum(0) + nets.classifier.bias;
        EXPECT_TRUE(at::allclose(logits[static_cast<int64_t>(i)], sum, 1e-4, 1e-5));
    }
    EXPECT_EQ(words.slice(0, 0, unk_id).abs().max().item<float>(), 0);
}

// Three words each; the one in the middle says the class.
ClassifierData data_with_a_telling_word() {
    ClassifierData data;
    std::mt19937 random(1);
    for (int i = 0; i < 400; ++i) {
        data.train.labels.push_back(i % 2);
        data.train.sentences.push_back({4 + static_cast<int64_t>(random() % 8), i % 2 ? 20 : 21, 4 + static_cast<int64_t>(random() % 8)});
    }
    data.development = data.train;
    data.vocabulary = vocabulary;
    data.classes = 2;
    return data;
}

TEST(Classifier, LearnsAndKeepsItsSpecialRowsZero) {
    const ClassifierData data = data_with_a_telling_word();
    const Classifier classifier = train_classifier(data, {16, 12}, 5, {}, {});
    EXPECT_EQ(accuracy(classifier, data.train.sentences, data.train.labels), 1.0);
    EXPECT_EQ(classifier.embedding.slice(0, 0, unk_id).abs().max().item<float>(), 0);
    const Classifier again = train_classifier(data, {16, 12}, 5, {}, {});
    EXPECT_TRUE(at::equal(classifier.embedding, again.embedding));
}

TEST(Classifier, TrainedInPiecesIsTheSame) {
    const TemporaryFolder folder;
    const training::Checkpoint checkpoint(folder / "checkpoint", "run");
    const ClassifierData data = data_with_a_telling_word();
    const ClassifierOptions options{16, 3};  // 7 batches an epoch
    const Classifier whole = train_classifier(data, options, 5, {}, {});

    // Stopped in the middle of the first epoch, and again in the middle of the second.
    for (const int steps : {4, 6}) {
        int polls = 0;
        Observer stopping;
        stopping.cancelled = [&] { return ++polls > steps; };
        EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { train_classifier(data, options, 5, checkpoint, stopping); }),
                    HasSubstr("goes on from there"));
        EXPECT_EQ(polls, steps + 1);
    }
    int done = 0;
    std::vector<std::string> log;
    Observer counting;
    counting.cancelled = [&] { return ++done < 0; };
    counting.log = [&](const std::string& line) { log.push_back(line); };
    const Classifier resumed = train_classifier(data, options, 5, checkpoint, counting);
    EXPECT_EQ(done, 3 * 7 - 10);
    EXPECT_TRUE(at::equal(resumed.embedding, whole.embedding));
    EXPECT_TRUE(at::equal(resumed.weight, whole.weight));
    EXPECT_TRUE(at::equal(resumed.bias, whole.bias));

    // A run that is done is not done again.
    done = 0;
    const Classifier taken = train_classifier(data, options, 5, checkpoint, counting);
    EXPECT_EQ(done, 0);
    EXPECT_EQ(log.back(), "classifier: taken from its checkpoint");
    EXPECT_TRUE(at::equal(taken.embedding, whole.embedding));
    // Data that make another network are refused.
    ClassifierData other = data;
    other.classes = 3;
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { train_classifier(other, options, 5, checkpoint, {}); }),
                HasSubstr("weights.weight"));
}

TEST(Autoencoder, TakesEachPositionFromWhatComesBeforeItOnly) {
    const Nets nets = random_networks();
    const at::NoGradGuard no_grad;
    const at::Tensor z = at::randn({1, 24}, training::make_generator(1));
    const at::Tensor a = nets.autoencoder->features(z, at::tensor(std::vector<int64_t>{go_id, 5, 9, 30, 12}).unsqueeze(0));
    const at::Tensor b = nets.autoencoder->features(z, at::tensor(std::vector<int64_t>{go_id, 5, 9, 11, 4}).unsqueeze(0));
    EXPECT_TRUE(at::allclose(a.slice(1, 0, 3), b.slice(1, 0, 3), 1e-5, 1e-6));
    EXPECT_FALSE(at::allclose(a.slice(1, 3), b.slice(1, 3), 1e-5, 1e-6));
}

TEST(Autoencoder, GoesThroughPackedSentencesAsThroughEachAlone) {
    const Nets nets = random_networks();
    auto random = training::make_generator(8);
    for (auto& [name, tensor] : nets.autoencoder->dense())
        if (name.find("bias") != std::string::npos) tensor->normal_(0, 0.3, random);  // they begin as zeros
    at::Tensor z = at::empty({4, 24}).normal_(0, 1, random).requires_grad_();
    // The second row is the longest, 8 positions with <go>, then the fourth and the first with 5, and the third with 2.
    const Sentences said = {{5, 9, 30, 12}, {20, 21, 22, 23, 24, 25, 4}, {39}, {7, 3, 8, 11}};
    Packing packing{{4, 4, 3, 3, 3, 1, 1, 1}, {}, {}};
    const std::vector<int64_t> order = {1, 3, 0, 2}, begins = {0, 5, 13, 15};
    std::vector<int64_t> positions, rows;
    for (size_t t = 0; t < packing.counts.size(); ++t)
        for (int64_t i = 0; i < packing.counts[t]; ++i) {
            rows.push_back(order[i]);
            positions.push_back(begins[order[i]] + static_cast<int64_t>(t));
        }
    packing.positions = at::tensor(positions, at::kLong);
    packing.rows = at::tensor(rows, at::kLong);

    const at::Tensor together = nets.autoencoder->features(z, nets.autoencoder->given_words(said), packing);
    ASSERT_EQ(together.sizes(), (at::IntArrayRef{20, 20}));
    const at::Tensor weight = at::empty({20, 20}).normal_(0, 1, random);
    const at::Tensor gradient = torch::autograd::grad({(together * weight).sum()}, {z})[0];
    for (int64_t row = 0; row < 4; ++row) {
        std::vector<int64_t> inputs{go_id};
        inputs.insert(inputs.end(), said[row].begin(), said[row].end());
        at::Tensor code = z.detach().slice(0, row, row + 1).clone().requires_grad_();
        const at::Tensor alone = nets.autoencoder->features(code, at::tensor(inputs, at::kLong).unsqueeze(0))[0];
        const at::Tensor places = packing.rows.eq(row).nonzero().squeeze(1);
        EXPECT_TRUE(at::allclose(together.index_select(0, places), alone, 1e-4, 1e-5)) << row;
        const at::Tensor own = torch::autograd::grad({(alone * weight.index_select(0, places)).sum()}, {code})[0];
        EXPECT_TRUE(at::allclose(gradient[row], own[0], 1e-4, 1e-5)) << row;
    }
}

TEST(Autoencoder, EncodesABatchAsItEncodesEachSentence) {
    const Nets nets = random_networks();
    const at::Tensor together = nets.autoencoder->encode(sentences);
    for (size_t i = 0; i < sentences.size(); ++i)
        EXPECT_TRUE(at::allclose(together[static_cast<int64_t>(i)], nets.autoencoder->encode(Sentences{sentences[i]})[0], 1e-4, 1e-5));
}

TEST(Autoencoder, GreedyWordsAreTheLikeliestUnderTeacherForcing) {
    const Nets nets = random_networks();
    const at::NoGradGuard no_grad;
    const at::Tensor z = 3 * at::randn({5, 24}, training::make_generator(2));
    const Sentences said = nets.autoencoder->greedy(z, 12);
    for (int64_t i = 0; i < 5; ++i) {
        std::vector<int64_t> inputs{go_id};
        inputs.insert(inputs.end(), said[i].begin(), said[i].end());
        const at::Tensor features = nets.autoencoder->features(z.slice(0, i, i + 1), at::tensor(inputs, at::kLong).unsqueeze(0))[0];
        const at::Tensor likeliest = at::linear(features, nets.autoencoder->output_matrix(), nets.autoencoder->output_bias()).argmax(1);
        for (size_t t = 0; t < said[i].size(); ++t) EXPECT_EQ(likeliest[static_cast<int64_t>(t)].item<int64_t>(), said[i][t]);
        for (const int64_t word : said[i]) EXPECT_GT(word, go_id);
    }
}

TEST(Relaxation, MakesSentencesOfDistributions) {
    const Nets nets = random_networks();
    const Entrance entrance(nets.classifier);
    const Relaxation relaxation(*nets.autoencoder, entrance, sentences);
    const at::Tensor z = at::randn({4, 24}, training::make_generator(4));
    const at::Tensor logits = relaxation.logits(z, at::arange(4));
    for (int64_t row = 0; row < 4; ++row) {
        const at::Tensor d = relaxation.log_distributions(z.slice(0, row, row + 1), row)[0].exp();
        ASSERT_EQ(d.size(0), static_cast<int64_t>(sentences[row].size()));
        EXPECT_TRUE(at::allclose(d.sum(1), at::ones({d.size(0)}), 1e-4, 1e-5));
        EXPECT_LT(d.slice(1, 0, eos_id).max().item<float>(), 1e-20) << "<pad> and <go> are never said";
        const at::Tensor expected = at::mm(d, nets.classifier.embedding).sum(0);  // equation 4.3: the expected embedding
        EXPECT_TRUE(at::allclose(logits[row], at::linear(expected, nets.classifier.weight, nets.classifier.bias), 1e-3, 1e-4));
    }
}

TEST(Relaxation, AnswersRowsInAnyOrderAndNumber) {
    const Nets nets = random_networks();
    const Entrance entrance(nets.classifier);
    const Relaxation relaxation(*nets.autoencoder, entrance, sentences);
    const at::Tensor z = at::randn({3, 24}, training::make_generator(5));
    const at::Tensor rows = at::tensor({2l, 0l, 2l});
    const at::Tensor logits = relaxation.logits(z, rows);
    const InversionLoss loss = relaxation.likelihood(z, rows);
    for (int64_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(at::allclose(logits[i], relaxation.logits(z.slice(0, i, i + 1), rows.slice(0, i, i + 1))[0], 1e-4, 1e-5));
        EXPECT_NEAR(loss.loss[i].item<float>(), relaxation.likelihood(z.slice(0, i, i + 1), rows.slice(0, i, i + 1)).loss[0].item<float>(),
                    1e-3);
    }
}

TEST(Relaxation, HasTheGradientsThatFiniteDifferencesSay) {
    const Nets nets = random_networks();
    const Entrance entrance(nets.classifier);
    const Relaxation relaxation(*nets.autoencoder, entrance, sentences);
    const at::Tensor z = at::randn({4, 24}, training::make_generator(6));
    const at::Tensor rows = at::arange(4);
    const auto check = [&](const std::function<at::Tensor(const at::Tensor&)>& f) {
        at::Tensor point = z.clone().requires_grad_();
        const at::Tensor gradient = torch::autograd::grad({f(point).sum()}, {point})[0];
        const at::NoGradGuard no_grad;
        for (int64_t coordinate = 0; coordinate < 24; coordinate += 5) {
            at::Tensor step = at::zeros({4, 24});
            step.select(1, coordinate).fill_(1e-2);
            const at::Tensor difference = (f(z + step) - f(z - step)) / 2e-2;
            EXPECT_TRUE(at::allclose(gradient.select(1, coordinate), difference, 3e-2, 3e-3)) << coordinate;
        }
    };
    check([&](const at::Tensor& point) { return relaxation.logits(point, rows).select(1, 1); });
    check([&](const at::Tensor& point) { return relaxation.likelihood(point, rows).loss; });
}

TEST(Relaxation, SaysThatASentenceComesBackWhereItDoes) {
    const Nets nets = random_networks();
    const Entrance entrance(nets.classifier);
    const Relaxation relaxation(*nets.autoencoder, entrance, sentences);
    const InversionResult inverted = invert([&](const at::Tensor& z, const at::Tensor& rows) { return relaxation.likelihood(z, rows); },
                                            nets.autoencoder->encode(sentences),
                                            [] {
                                                InversionOptions o;
                                                o.max_steps = 300;
                                                return o;
                                            }());
    const Sentences said = nets.autoencoder->greedy(inverted.z, 20);
    int done = 0;
    for (size_t i = 0; i < sentences.size(); ++i) {
        if (!inverted.done[static_cast<int64_t>(i)].item<bool>()) continue;
        ++done;
        EXPECT_EQ(said[i], sentences[i]);
    }
    EXPECT_GT(done, 0);
}

TEST(AutoencoderTraining, StoppedAndResumedGivesTheSameWeights) {
    TemporaryFolder folder;
    Sentences data;
    std::mt19937 random(2);
    for (int i = 0; i < 300; ++i) {
        Ids sentence(2 + random() % 4);
        for (int64_t& word : sentence) word = first_word_id + static_cast<int64_t>(random() % (vocabulary - first_word_id));
        data.push_back(sentence);
    }
    AutoencoderTraining options;
    options.epochs = 2;
    options.batch = 32;
    options.negatives = 8;
    const auto fresh = [] {
        Nets nets = random_networks();
        nets.autoencoder = std::make_unique<Autoencoder>(nets.classifier.embedding, AutoencoderSizes{24, 10, 20, 4});
        nets.autoencoder->initialise(training::make_generator(9));
        return nets;
    };
    Nets whole = fresh(), parts = fresh();
    train_autoencoder(*whole.autoencoder, data, {}, options, 4, training::Checkpoint(), {});

    const training::Checkpoint checkpoint(folder / "checkpoint", "run");
    int polls = 0;
    Observer stopping;
    stopping.cancelled = [&] { return ++polls == 8; };
    EXPECT_THAT(
        message_of(ErrorCode::cancelled, [&] { train_autoencoder(*parts.autoencoder, data, {}, options, 4, checkpoint, stopping); }),
        HasSubstr("goes on from there"));
    Nets resumed = fresh();
    train_autoencoder(*resumed.autoencoder, data, {}, options, 4, checkpoint, {});
    for (size_t i = 0; i < whole.autoencoder->dense().size(); ++i)
        EXPECT_TRUE(at::equal(*whole.autoencoder->dense()[i].second, *resumed.autoencoder->dense()[i].second))
            << whole.autoencoder->dense()[i].first;
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { training::Checkpoint(folder / "checkpoint", "another run").load(); }),
                HasSubstr("another recipe"));
}

TEST(Recipe, RoundTripsAndRefusesWhatItDoesNotKnow) {
    const std::string defaults = Recipe().to_json();
    EXPECT_EQ(Recipe::from_json(defaults).to_json(), defaults);
    EXPECT_EQ(Recipe::from_json(R"({"autoencoder": {"latent": 64}})").sizes.latent, 64);
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [] { Recipe::from_json(R"({"autoencoder": {"latnet": 64}})"); }),
                HasSubstr("autoencoder.latnet"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [] { Recipe::from_json(R"({"autoencoder": {"latent": "big"}})"); }),
                HasSubstr("'big'"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [] { Recipe::from_json("[1]"); }), HasSubstr("JSON object"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [] { Recipe::from_json(R"({"autoencoder": {"latent": 7}})"); }), HasSubstr("even"));
}

// One pack of the toy language, trained once for all tests below.
class ToyPack : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder = new TemporaryFolder;
        toy::write_corpus(folder->path() / "corpora");
        TrainRequest request;
        request.corpus = "toy";
        request.corpora = folder->path() / "corpora";
        request.out = folder->path() / "pack";
        request.recipe = toy::recipe();
        TextTrainer().train(request, {});
        model = new TextModel(open_pack(request.out));
    }
    static void TearDownTestSuite() {
        delete model;
        delete folder;
    }
    static TemporaryFolder* folder;
    static TextModel* model;
};
TemporaryFolder* ToyPack::folder = nullptr;
TextModel* ToyPack::model = nullptr;

/// One sentence explained, with what is asked of its answer.
struct Asked {
    std::unique_ptr<Batch> batch;
    RenderRequest request;

    Asked(TextModel& model, const std::string& text) {
        std::vector<ReadNotes> notes;
        batch = model.read({{text, ""}}, notes);
        Problem problem;
        problem.fact = batch->classify().argmax(1);
        problem.foil = 1 - problem.fact;
        problem.start = batch->start(problem.fact, 1);
        problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
        request.fact = problem.fact[0].item<int64_t>();
        request.foil = problem.foil[0].item<int64_t>();
        request.boundary = solve(problem).solutions[0].z;
    }
    Rendering render() const { return batch->render({request}, 1)[0]; }
};

Sentences toy_sentences(const Tokenizer& tokenizer, uint32_t seed, int count) {
    std::mt19937 random(seed);
    Sentences drawn;
    for (int i = 0; i < count; ++i) drawn.push_back(tokenizer.encode(texts(split_words(toy::sentence(random, i % 2 == 0)))).ids);
    return drawn;
}

TEST_F(ToyPack, LeavesNothingButThePack) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(*folder / "pack")) names.push_back(entry.path().filename().string());
    EXPECT_THAT(names, ::testing::UnorderedElementsAre("pack.json", "tokenizer.model", "weights.safetensors", "ngram.bin",
                                                       "associations.bin", "opinion.safetensors"));
}

TEST_F(ToyPack, KnowsWhatIsUnlikeWhatItWasMadeFrom) {
    Networks networks = Networks::load(open_pack(*folder / "pack"));
    const auto some = [&](uint32_t seed, int count) { return toy_sentences(networks.generator->tokenizer, seed, count); };
    networks.generator->usual_unknown = networks.generator->usual_surprise = {};
    measure_usual(*networks.generator, some(21, 50));
    EXPECT_EQ(strangeness_of(*networks.generator, some(1, 1)[0]).value, std::nullopt) << "too few to say what is usual";

    measure_usual(*networks.generator, some(21, 600));
    double strange = 0, strange_reversed = 0;
    const Sentences others = some(22, 600);
    for (Ids sentence : others) {
        strange += *strangeness_of(*networks.generator, sentence).value > 1;
        std::reverse(sentence.begin(), sentence.end());
        strange_reversed += *strangeness_of(*networks.generator, sentence).value > 1;
    }
    EXPECT_LE(strange / 600, 0.03);
    EXPECT_GT(strange_reversed, 10 * strange);
    const Strangeness unknown = strangeness_of(*networks.generator, Ids(6, unk_id));
    EXPECT_GT(*unknown.value, 1);
    EXPECT_THAT(unknown.reason, HasSubstr("does not know 6 of its 6 words"));

    // A pack keeps it.
    PackWriter writer(*folder / "again", {});
    PackManifest manifest = open_pack(*folder / "pack").manifest();
    networks.save(writer, manifest, contents(*folder / "pack" / "tokenizer.model"));
    writer.finish(manifest);
    const Networks again = Networks::load(open_pack(*folder / "again"));
    EXPECT_EQ(*strangeness_of(*again.generator, others[0]).value, *strangeness_of(*networks.generator, others[0]).value);
}

TEST_F(ToyPack, WarnsOfASentenceThatIsUnlikeIt) {
    measure_usual(*model->networks().generator, toy_sentences(model->networks().generator->tokenizer, 21, 600));
    std::vector<ReadNotes> notes;
    const auto batch = model->read({{"the food was gross .", ""}, {"Das ESSEN war nicht the", ""}}, notes);
    const std::vector<Strangeness> strangeness = batch->strangeness();
    ASSERT_EQ(strangeness.size(), 2u);
    EXPECT_LE(*strangeness[0].value, 1);
    EXPECT_GT(*strangeness[1].value, 1);
    EXPECT_THAT(notes[1].warnings, ::testing::Contains(HasSubstr("'Das', 'ESSEN', 'war', 'nicht'"))) << "as they were written";
}

TEST_F(ToyPack, LendsItsGeneratorToAnotherClassifier) {
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = *folder / "corpora";
    request.out = *folder / "borrower";
    request.generator = (*folder / "pack").string();
    auto recipe = nlohmann::json::parse(toy::recipe());
    recipe["classifier"] = {{"kind", "recurrent"}, {"dimension", 10}, {"hidden", 12}, {"epochs", 10}, {"learning_rate", 0.01}};
    request.recipe = recipe.dump();
    TextTrainer().train(request, {});
    const Pack pack = open_pack(request.out);
    EXPECT_EQ(nlohmann::json::parse(pack.manifest().network)["generator"]["sha256"], open_pack(*folder / "pack").sha256());
    EXPECT_FALSE(pack.has("ngram.bin")) << "it is named, not copied";

    TextModel borrower(pack);
    EXPECT_TRUE(borrower.networks().shared()) << "the corpus has the same words";
    const Sentences some = toy_sentences(model->networks().generator->tokenizer, 5, 4);
    EXPECT_TRUE(at::equal(borrower.networks().generator->autoencoder.encode(some), model->networks().generator->autoencoder.encode(some)))
        << "the same generator, on the embedding that it was trained on";
    EXPECT_EQ(borrower.networks().classifier().dimension(), 10);
    Asked asked(borrower, "the food was gross .");
    EXPECT_GT(asked.render().answer.at(static_cast<size_t>(asked.request.foil)), 0.5);

    test::write_points_pack(*folder / "points");
    request.generator = (*folder / "points").string();
    request.out = *folder / "none";
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { TextTrainer().train(request, {}); }),
                HasSubstr("'points' has no generator of sentences"));
}

TEST_F(ToyPack, RefusesAFolderThatHoldsSomethingElse) {
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = *folder / "corpora";
    request.out = *folder / "corpora";
    request.recipe = toy::recipe();
    message_of(ErrorCode::io, [&] { TextTrainer().train(request, {}); });
    EXPECT_TRUE(fs::exists(*folder / "corpora/toy/corpus.json"));
}

TEST_F(ToyPack, SaysTheSameOnAGraphicsCard) {
    TextModality modality;
    test::expect_the_same_on_a_graphics_card(modality, open_pack(*folder / "pack"),
                                             {{"The food was GROSS!", ""}, {"Soup is really lovely here", ""}});
}

TEST_F(ToyPack, ExplainsWithTheWordThatDecides) {
    std::vector<ReadNotes> notes;
    const std::vector<std::string> inputs = {"The food was GROSS!", "the waiter is superb today .", "Soup is really lovely here"};
    std::vector<Input> given;
    for (const std::string& text : inputs) given.push_back({text, ""});
    const auto batch = model->read(given, notes);
    ASSERT_EQ(batch->size(), 3);
    const at::Tensor before = batch->classify();
    EXPECT_TRUE(at::allclose(before.exp().sum(1), at::ones({3}), 1e-4));
    Problem problem;
    problem.fact = before.argmax(1);
    problem.foil = 1 - problem.fact;
    EXPECT_TRUE(at::equal(problem.fact, at::tensor({0l, 1l, 1l})));
    problem.start = batch->start(problem.fact, 1);
    problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
    const Summary summary = solve(problem);
    std::vector<RenderRequest> requests;
    for (int64_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(summary.solutions[i].feasible) << summary.solutions[i].reason;
        EXPECT_LT(std::abs(summary.solutions[i].gap), 0.01);
        requests.push_back({i, problem.fact[i].item<int64_t>(), problem.foil[i].item<int64_t>(), summary.solutions[i].z, "", "", ""});
    }
    const auto renderings = batch->render(requests, 1);
    for (size_t i = 0; i < renderings.size(); ++i) {
        ASSERT_EQ(renderings[i].failure, "");
        const auto record = nlohmann::json::parse(renderings[i].record);
        EXPECT_EQ(record["before"], inputs[i]);
        EXPECT_NE(record["answer"], inputs[i]);
        EXPECT_GT(renderings[i].answer[static_cast<size_t>(requests[i].foil)], 0.5) << record.dump();
        ASSERT_GE(record["edits"].size(), 1u);
        // What the record says adds up: contributions and bias give the gap before, and the boundary's give none.
        double sum_before = 0, sum_boundary = 0;
        for (const auto& contribution : record["contributions"]) {
            sum_before += contribution["before"].get<double>();
            sum_boundary += contribution["boundary"].get<double>();
        }
        const auto& bias = model->networks().classifier().bias;
        const double b = (bias[requests[i].fact] - bias[requests[i].foil]).item<double>();
        EXPECT_NEAR(sum_before + b,
                    (before[static_cast<int64_t>(i)][requests[i].fact] - before[static_cast<int64_t>(i)][requests[i].foil]).item<double>(),
                    1e-3);
        EXPECT_NEAR(sum_boundary + b, summary.solutions[i].gap, 1e-3);
    }
    EXPECT_EQ(nlohmann::json::parse(renderings[0].record)["edits"][0]["from"], "gross");
}

TEST_F(ToyPack, LeavesWordsThatAreToBeKept) {
    Asked asked(*model, "The food was GROSS here .");
    ASSERT_EQ(nlohmann::json::parse(asked.render().record)["edits"][0]["from"], "gross");
    asked.request.keep = {"Gross", "somewhere else"};  // however it is spelled; what is not in the sentence does no harm
    const Rendering kept = asked.render();
    const auto record = nlohmann::json::parse(kept.record);
    for (const auto& edit : record["edits"]) EXPECT_NE(edit["from"], "gross") << record;
    if (record.contains("answer")) {
        EXPECT_THAT(record["answer"].get<std::string>(), HasSubstr("GROSS"));
        EXPECT_GT(kept.answer[static_cast<size_t>(asked.request.foil)], 0.5);
    }
    asked.request.keep = {"the food was gross here", "."};
    EXPECT_THAT(asked.render().failure, HasSubstr("are to be kept"));
    asked.request.keep = {"  "};
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { asked.render(); }), HasSubstr("expected words to keep, found '  '"));
}

TEST_F(ToyPack, GivesDifferentAnswersWhereSeveralAreWanted) {
    Asked asked(*model, "the food was gross .");
    const auto alone = nlohmann::json::parse(asked.render().record);
    EXPECT_FALSE(alone.contains("further"));
    asked.request.answers = 3;
    const Rendering several = asked.render();
    const auto record = nlohmann::json::parse(several.record);
    EXPECT_EQ(record["answer"], alone["answer"]) << "the best stays the best";
    ASSERT_EQ(record["further"].size(), 2u) << record;
    std::set<std::string> all{record["answer"].get<std::string>()};
    for (const auto& further : record["further"]) {
        const std::string text = further["answer"];
        EXPECT_TRUE(all.insert(text).second) << text;
        std::vector<ReadNotes> notes;
        const double foil = model->read({{text, ""}}, notes)->classify().exp()[0][asked.request.foil].item<double>();
        EXPECT_GT(foil, 0.5) << text;
        EXPECT_NEAR(further["probability"].get<double>(), foil, 1e-5) << "asked afresh";
        EXPECT_FALSE(further["edits"].empty());
        EXPECT_THAT(several.terminal, HasSubstr("\nor\n"));
    }
    asked.request.decode = "soft";
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { asked.render(); }), HasSubstr("expected edit, audit or nearest"));
}

TEST_F(ToyPack, GivesTheSameBytesTwice) {
    const auto run = [&] {
        std::vector<ReadNotes> notes;
        const auto batch = model->read({{"the pizza is really awful .", ""}}, notes);
        Problem problem;
        problem.fact = at::zeros({1}, at::kLong);
        problem.foil = at::ones({1}, at::kLong);
        problem.start = batch->start(problem.fact, 1);
        problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
        const Summary summary = solve(problem);
        return batch->render({{0, 0, 1, summary.solutions[0].z, "nearest", "", ""}}, 1)[0].record;
    };
    EXPECT_EQ(run(), run());
}

TEST_F(ToyPack, SoftlyDecodedAnUnknownWordStaysTheSentencesOwn) {
    std::vector<ReadNotes> notes;
    const auto batch = model->read({{"the zork was bad .", ""}, {"the soup was bad .", ""}}, notes);
    const at::Tensor start = batch->start(at::zeros({2}, at::kLong), 1);
    const auto said = [&](int64_t of, int64_t by) {  // the words of one sentence's code, as edits of another
        const Rendering rendering = batch->render({{by, 0, 1, start[of], "soft", "", ""}}, 1)[0];
        auto record = nlohmann::json::parse(rendering.record);
        record["p"] = rendering.answer;
        return record;
    };
    const auto own = said(0, 0), other = said(0, 1);
    EXPECT_EQ(own["answer"], "the zork was bad .");
    EXPECT_TRUE(own["edits"].empty()) << own["edits"];
    EXPECT_EQ(other["answer"], "the <unk> was bad .");
    EXPECT_EQ(other["edits"], nlohmann::json::parse(R"([{"position": 1, "from": "soup", "to": "<unk>"}])"));
    EXPECT_EQ(own["p"], other["p"]) << "one unknown word in both";
    EXPECT_NEAR(own["p"][0], batch->classify()[0][0].exp().item<double>(), 1e-6);
}

// Resident memory of this process, in megabytes.
double resident_megabytes() {
    std::ifstream statm("/proc/self/statm");
    double total = 0, resident = 0;
    statm >> total >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

TEST_F(ToyPack, DoesNotGrowWithEveryCall) {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
    const auto explain = [&] {
        std::vector<ReadNotes> notes;
        const auto batch = model->read({{"the pizza is really awful here .", ""}}, notes);
        Problem problem;
        problem.fact = at::zeros({1}, at::kLong);
        problem.foil = at::ones({1}, at::kLong);
        problem.start = batch->start(problem.fact, 1);
        problem.extra_starts = batch->extra_starts(at::zeros({1}, at::kLong), problem.fact, problem.foil, 1, 1);
        problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
        batch->render({{0, 0, 1, solve(problem).solutions[0].z, "", "", ""}}, 1);
    };
    for (int i = 0; i < 20; ++i) explain();
    const double before = resident_megabytes();
    for (int i = 0; i < 100; ++i) explain();
    EXPECT_LT(resident_megabytes() - before, 4);
}

TEST_F(ToyPack, RefusesWhatItCannotRead) {
    std::vector<ReadNotes> notes;
    std::string many;
    for (int i = 0; i < 1001; ++i) many += "the ";
    const auto batch = model->read({{"", ""},
                                    {"\xff\xfe", ""},
                                    {"zork blip quux", ""},
                                    {std::string(400, 'a') + " " + std::string(2000, 'b'), ""},
                                    {many, ""},
                                    {"the zork was bad .", ""}},
                                   notes);
    EXPECT_EQ(batch->size(), 1);
    for (size_t i = 0; i < 5; ++i) EXPECT_NE(notes[i].refusal, "") << i;
    EXPECT_THAT(notes[2].refusal, HasSubstr("none of its words"));
    EXPECT_THAT(notes[4].refusal, HasSubstr("up to 1000"));
    EXPECT_EQ(notes[5].refusal, "");
    ASSERT_EQ(notes[5].warnings.size(), 1u);
    EXPECT_THAT(notes[5].warnings[0], HasSubstr("'zork'"));
}

TEST_F(ToyPack, RefusesADecodingItDoesNotHave) {
    std::vector<ReadNotes> notes;
    const auto batch = model->read({{"the soup was bad .", ""}}, notes);
    const at::Tensor start = batch->start(at::zeros({1}, at::kLong), 1);
    EXPECT_THAT(message_of(ErrorCode::invalid_argument,
                           [&] {
                               batch->render({{0, 0, 1, start[0], "sing", "", ""}}, 1);
                           }),
                HasSubstr("edit, audit, soft, nearest"));
}

TEST_F(ToyPack, RefusesWeightsThatDoNotFit) {
    const auto altered = [&](const std::function<void(nlohmann::ordered_json&)>& change) {
        TemporaryFolder copy;
        const Pack good = open_pack(*folder / "pack");
        PackManifest manifest = good.manifest();
        auto network = nlohmann::ordered_json::parse(manifest.network);
        change(network);
        manifest.network = network.dump();
        PackWriter writer(copy / "pack");
        for (const PackFile& file : good.manifest().files) fs::copy_file(good.file(file.name), writer.path(file.name));
        writer.finish(manifest);
        return message_of(ErrorCode::bad_pack, [&] { TextModality().open(open_pack(copy / "pack"), "cpu"); });
    };
    EXPECT_THAT(altered([](auto& n) { n["autoencoder"]["latent"] = 64; }), HasSubstr("shape"));
    EXPECT_THAT(altered([](auto& n) { n["autoencoder"]["latent"] = int64_t{1} << 60; }), HasSubstr("4096"));
    EXPECT_THAT(altered([](auto& n) { n["classifier"]["kind"] = "oracle"; }), HasSubstr("embedding-sum"));
    EXPECT_THAT(altered([](auto& n) { n.erase("masked_model"); }), HasSubstr("'masked_model' is missing"));
    EXPECT_THAT(altered([](auto& n) { n["masked_model"].erase("embedding"); }), HasSubstr("'masked_model.embedding' is missing"));
    EXPECT_THAT(altered([](auto& n) { n["classifier"]["kind"] = 7; }), HasSubstr("expected 'classifier.kind' to be a text, found 7"));
    for (const char* const size : {"latent", "encoder", "decoder", "output_extra"})
        EXPECT_THAT(altered([&](auto& n) { n["autoencoder"][size] = 4096; }), HasSubstr("shape"))
            << size << ", without taking memory for it";
    EXPECT_THAT(altered([](auto& n) { n["typical_distance"] = -1; }), HasSubstr("typical_distance"));
    for (const int64_t rows : {int64_t{2}, int64_t{1} << 20})
        EXPECT_THAT(altered([&](auto& n) { n["opinion"]["rows"] = rows; }), HasSubstr("shape"));
    EXPECT_THAT(altered([](auto& n) { n["opinion"]["rows"] = int64_t{1} << 60; }), HasSubstr("opinion.rows"));
    EXPECT_THAT(altered([](auto& n) { n["opinion"] = 7; }), HasSubstr("opinion"));
}

TEST_F(ToyPack, GetsASecondOpinionAndStaysTheSameOtherwise) {
    TemporaryFolder out;
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = *folder / "corpora";
    request.out = out / "advised";
    request.recipe = "{}";
    request.opinion_for = (*folder / "pack").string();
    TextTrainer().train(request, {});
    const Pack before = open_pack(*folder / "pack"), after = open_pack(request.out);
    for (const PackFile& file : before.manifest().files)
        EXPECT_EQ(contents(before.file(file.name)), contents(after.file(file.name))) << file.name;
    const Networks networks = Networks::load(after);
    ASSERT_TRUE(networks.opinion);
    int right = 0;
    std::mt19937 random(41);
    for (int i = 0; i < 100; ++i) {
        const bool positive = i % 2 != 0;
        const Ids sentence = networks.generator->tokenizer.encode(texts(split_words(toy::sentence(random, positive)))).ids;
        const std::vector<double> said = networks.opinion->logits(sentence);
        right += (said[1] > said[0]) == positive;
    }
    EXPECT_GE(right, 98);
    EXPECT_EQ(TextModel(after).info().confidence, 0.9);

    request.out = out / "other";
    toy::write_corpus(out / "corpora", 20, 20);
    const std::string manifest = contents(out / "corpora/toy/corpus.json");
    std::string renamed = manifest;
    renamed.replace(renamed.find("\"negative\", \"positive\""), 22, "\"cold\", \"positive\"");
    for (size_t at; (at = renamed.find("\"negative\"")) != std::string::npos;) renamed.replace(at, 10, "\"cold\"");
    std::ofstream(out / "corpora/toy/corpus.json") << renamed;
    request.corpora = out / "corpora";
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { TextTrainer().train(request, {}); }),
                AllOf(HasSubstr("expected a corpus with the classes"), HasSubstr("cold")));
    request.opinion_for = "nobody";
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { TextTrainer().train(request, {}); }), HasSubstr("there is no pack 'nobody'"));
}

TEST_F(ToyPack, ThatNamesAGeneratorGetsWordsOfItsOwn) {
    TemporaryFolder out;
    const Pack plain = open_pack(*folder / "pack");
    Networks networks = Networks::load(plain);
    const FluencyModel before = networks.generator->fluency;
    networks.named = Networks::Named{plain.manifest().id, plain.sha256()};
    fs::copy(*folder / "pack", out / plain.manifest().id, fs::copy_options::recursive);
    PackManifest manifest = plain.manifest();
    manifest.id = "naming";
    manifest.files.clear();
    {
        PackWriter writer(out / "naming");
        networks.save(writer, manifest, "");
        writer.finish(manifest);
    }
    const Pack naming = open_pack(out / "naming");
    EXPECT_FALSE(Networks::load(naming).own_words);

    GeneratorRequest request{
        naming, {},      out / "own",         R"({"masked_model": {"embedding": 8, "hidden": 12, "head": 10, "epochs": 1}})",
        1,      {"toy"}, *folder / "corpora", true};
    TextImporter().train_generator(request, {});
    const Pack own = open_pack(out / "own");
    for (const PackFile& file : naming.manifest().files)
        EXPECT_EQ(contents(naming.file(file.name)), contents(own.file(file.name))) << file.name;
    const Networks after = Networks::load(own);
    EXPECT_TRUE(after.own_words);
    EXPECT_EQ(after.generator->fluency.network()->sizes().hidden, 12);
    EXPECT_EQ(after.generator->fluency.network()->sizes().vocabulary, before.network()->sizes().vocabulary);

    GeneratorRequest again = request;
    again.pack = own;
    again.out = out / "own2";
    TextImporter().train_generator(again, {});
    EXPECT_EQ(contents(own.file("words.safetensors")), contents(open_pack(again.out).file("words.safetensors"))) << "the same words again";

    request.pack = plain;
    request.out = out / "refused";
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { TextImporter().train_generator(request, {}); }),
                HasSubstr("has a generator of its own"));
}

TEST_F(ToyPack, IsEvaluatedWithFailuresInTheDenominator) {
    EvaluateRequest request;
    request.corpus = "toy";
    request.corpora = *folder / "corpora";
    request.cache = *folder / "cache";
    request.limit = 20;
    const auto result = nlohmann::json::parse(TextEvaluator().evaluate(open_pack(*folder / "pack"), request, {}));
    std::map<std::string, double> value;
    for (const auto& figure : result["figures"]) {
        value[figure["name"]] = figure["value"];
        EXPECT_GT(figure["n"].get<int>(), 0) << figure["name"];
    }
    EXPECT_GT(value["classifier: accuracy on the held-out half"], 0.95);
    EXPECT_EQ(value["solver: gap under 0.01 nats"], 1);
    EXPECT_EQ(value["answer: identical to the input"], 0);
    EXPECT_FALSE(result["examples"].empty());
    EXPECT_FALSE(fs::is_empty(*folder / "cache"));
}

TEST_F(ToyPack, HoldsSentencesOutInTheOrderOfTheirHash) {
    const Pack pack = open_pack(*folder / "pack");
    const Corpus corpus = read_corpus(*folder / "corpora", "toy");
    const std::vector<Input> all = TextHeldOut().inputs(pack, *folder / "corpora", "toy", 1000000);
    ASSERT_EQ(all.size(), corpus.held_out.size());
    const auto order = in_order_of_hash(corpus.held_out);
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].content, base::joined(order[i]->words, " "));
    EXPECT_EQ(TextHeldOut().inputs(pack, *folder / "corpora", "toy", 3).back().content, all[2].content);
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { TextHeldOut().inputs(pack, *folder / "corpora", "none", 3); }), HasSubstr("none"));
}

// Pieces of words instead of words: the same way from training to an answer in whole words.
class SubwordPack : public ::testing::TestWithParam<const char*> {};

TEST_P(SubwordPack, TrainsAndExplains) {
    TemporaryFolder folder;
    toy::write_corpus(folder / "corpora", 300, 30);
    auto recipe = nlohmann::json::parse(toy::recipe());
    recipe["tokenizer"] = {{"kind", GetParam()}, {"vocabulary", 48}};
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = folder / "corpora";
    request.out = folder / "pack";
    request.recipe = recipe.dump();
    TextTrainer().train(request, {});
    TextModel model(open_pack(request.out));
    std::vector<ReadNotes> notes;
    const auto batch = model.read({{"The food was GROSS!", ""}, {"the waiter is superb .", ""}}, notes);
    ASSERT_EQ(batch->size(), 2);
    Problem problem;
    problem.fact = batch->classify().argmax(1);
    problem.foil = 1 - problem.fact;
    problem.start = batch->start(problem.fact, 1);
    problem.extra_starts = batch->extra_starts(at::arange(2), problem.fact, problem.foil, 1, 1);
    problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
    const Summary summary = solve(problem);
    for (int64_t row = 0; row < 2; ++row) {
        const int64_t foil = problem.foil[row].item<int64_t>();
        ASSERT_TRUE(summary.solutions[row].feasible) << summary.solutions[row].reason;
        const Rendering rendering = batch->render({{row, 1 - foil, foil, summary.solutions[row].z, "", "", ""}}, 1)[0];
        const auto record = nlohmann::json::parse(rendering.record);
        if (!rendering.failure.empty()) continue;  // a reason is an answer too
        EXPECT_GT(rendering.answer[static_cast<size_t>(foil)], 0.5) << record.dump();
        EXPECT_FALSE(record["edits"].empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SubwordPack, ::testing::Values("unigram", "bpe"));

}  // namespace
