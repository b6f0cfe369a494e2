// From image files to pictures of an explanation, on a pack trained on rings and bars.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "drawing/image_file.h"
#include "image/measuring/evaluator.h"
#include "image/model/levels.h"
#include "image/model/model.h"
#include "image/services/held_out.h"
#include "image/services/recipe.h"
#include "image/services/trainer.h"
#include "plugins/image/toy.h"
#include "support/graphics_card.h"
#include "support/temporary_folder.h"
#include "training/checkpoint.h"
#include "whynot/error.h"
#include "whynot/points.h"
#include "whynot/solver.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TrainRequest request_for(const fs::path& corpora, const fs::path& out, const std::string& recipe = toy::recipe()) {
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = corpora;
    request.out = out;
    request.recipe = recipe;
    return request;
}

/// The corpus and a pack trained on it, once for all tests of this program.
struct Toy {
    TemporaryFolder folder;
    Pack pack;

    Toy() {
        toy::write_corpus(folder.path());
        ImageTrainer().train(request_for(folder.path(), folder / "pack"), {});
        pack = open_pack(folder / "pack");
    }
    static Toy& get() {
        static Toy toy;
        return toy;
    }
};

Input png(const std::string& pixels, const std::string& path) {
    Picture picture;
    picture.width = picture.height = toy::side;
    picture.bytes.assign(pixels.begin(), pixels.end());
    return {drawing::to_png(picture), path};
}

std::vector<Input> some_inputs(int count) {
    std::mt19937 random(11);
    std::vector<Input> inputs;
    for (int i = 0; i < count; ++i) inputs.push_back(png(toy::image(random, i % 3), "picture" + std::to_string(i) + ".png"));
    return inputs;
}

/// Inputs read, and "why not the class after it?" of each.
struct Asked {
    ImageModel model{Toy::get().pack};
    std::unique_ptr<Batch> owned;
    ImageBatch* batch;
    Problem problem;

    explicit Asked(const std::vector<Input>& inputs) {
        std::vector<ReadNotes> notes;
        owned = model.read(inputs, notes);
        batch = static_cast<ImageBatch*>(owned.get());
        problem.fact = batch->classify().argmax(1);
        problem.foil = (problem.fact + 1).remainder(3);
        problem.start = batch->start(problem.fact, 1);
        problem.log_likelihood = [this](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
        problem.extra_starts = batch->extra_starts(at::arange(batch->size()), problem.fact, problem.foil, 2, 1);
    }
    SolverOptions options() const {
        SolverOptions options;
        options.typical_distance = model.info().typical_distance;
        return options;
    }
    Summary solve() const { return whynot::solve(problem, options()); }
};

TEST(ImageModel, GivesUpTheResidualAsFarAsItsOwnCoordinateSays) {
    const Asked asked(some_inputs(3));
    const int64_t last = asked.model.info().latent_size - 1;
    const at::Tensor rows = at::arange(3), z0 = asked.problem.start;
    EXPECT_EQ(z0.size(1), last + 1);
    EXPECT_EQ(z0.select(1, last).abs().max().item<float>(), 0) << "an input lies where nothing is given up";
    const at::Tensor drawn = asked.model.decode(z0.slice(1, 0, last));
    const double reach = 0.75 * asked.model.info().typical_distance;
    const auto at_share = [&](double given_up) {
        at::Tensor z = z0.clone();
        z.select(1, last).fill_(given_up * reach);
        return asked.batch->draw(z, rows);
    };
    EXPECT_TRUE(at::allclose(at_share(0), asked.batch->images(), 0, 1e-6));
    EXPECT_TRUE(at::allclose(at_share(0.5), ((asked.batch->images() + drawn) / 2).clamp(0, 1), 0, 1e-5));
    EXPECT_TRUE(at::allclose(at_share(1), drawn, 0, 1e-6));
    EXPECT_TRUE(at::equal(at_share(2), at_share(1))) << "no more than all of it";
    EXPECT_TRUE(at::equal(at_share(-1), at_share(0)));
    EXPECT_TRUE(at::allclose(asked.problem.extra_starts.select(2, last), at::full({3, 2}, reach), 0, 1e-6))
        << "starts beyond the boundary are the generator's own drawings";
}

TEST(ImageModel, KeepsAllOfTheResidualWhereItIsToldTo) {
    Networks networks = Networks::load(Toy::get().pack);
    networks.keeps_residual = true;
    const std::vector<std::string> classes = Toy::get().pack.manifest().classes;
    ImageModel model(classes, networks);
    std::vector<ReadNotes> notes;
    const auto batch = model.read(some_inputs(3), notes);
    auto& images = static_cast<ImageBatch&>(*batch);
    const at::Tensor rows = at::arange(3), fact = images.classify().argmax(1), z0 = images.start(fact, 1);
    const int64_t last = z0.size(1) - 1;
    EXPECT_TRUE(z0.isfinite().all().item<bool>());
    EXPECT_TRUE(at::allclose(images.draw(z0, rows), images.images(), 0, 1e-6));
    at::Tensor z = z0 + 0.3;
    const at::Tensor kept = images.draw(z, rows), said = images.log_likelihood(z, rows);
    z.select(1, last).fill_(1e6);
    EXPECT_TRUE(at::equal(images.draw(z, rows), kept));
    EXPECT_TRUE(at::equal(images.log_likelihood(z, rows), said));
    const at::Tensor starts = images.extra_starts(rows, fact, (fact + 1).remainder(3), 2, 1);
    EXPECT_EQ(starts.select(2, last).abs().max().item<float>(), 0);
}

TEST(ImageModel, LendsItsGeneratorToAnotherClassifier) {
    const TemporaryFolder folder;
    Json recipe = Json::parse(toy::recipe());
    recipe["classifier"]["epochs"] = 1;
    TrainRequest request = request_for(Toy::get().folder.path(), folder / "borrower", recipe.dump());
    request.generator = (Toy::get().folder / "pack").string();
    ImageTrainer().train(request, {});
    const Pack pack = open_pack(folder / "borrower");
    EXPECT_EQ(Json::parse(pack.manifest().network)["generator_from"]["id"], "pack");
    const ImageModel lender(Toy::get().pack), borrower(pack);
    const at::Tensor z = at::randn({3, 6}, at::make_generator<at::CPUGeneratorImpl>(2));
    EXPECT_TRUE(at::equal(borrower.decode(z), lender.decode(z)));
    const at::Tensor images = lender.decode(z);
    EXPECT_FALSE(at::allclose(borrower.logits(images), lender.logits(images))) << "the classifier is its own";
}

TEST(ImageModel, WhatItReadsIsThePictureAndWhatItDrawsAtTheStartToo) {
    std::mt19937 random(5);
    const std::string pixels = toy::image(random, 0);
    const Asked asked({png(pixels, "ring.png")});
    const at::Tensor expected =
        at::from_blob(const_cast<char*>(pixels.data()), {1, 1, toy::side, toy::side}, at::TensorOptions(at::kByte)).to(at::kFloat) / 255;
    EXPECT_TRUE(at::equal(asked.batch->images(), expected));
    EXPECT_TRUE(at::allclose(asked.batch->draw(asked.problem.start, at::zeros({1}, at::kLong)), expected, 0, 1e-6));
    EXPECT_EQ(asked.problem.fact[0].item<int64_t>(), 0);
    // The class of the input is the class at the start, whatever the generator makes of it.
    EXPECT_TRUE(at::allclose(at::log_softmax(asked.batch->log_likelihood(asked.problem.start, at::zeros({1}, at::kLong)), 1),
                             asked.batch->classify(), 0, 1e-4));
}

TEST(ImageModel, BoundaryImagesMeetTheConstraintsAndTheClassifierItselfSaysSo) {
    Asked asked(some_inputs(12));
    const Summary summary = asked.solve();
    EXPECT_EQ(summary.feasible, 12);
    for (int64_t i = 0; i < 12; ++i) {
        const Solution& solution = summary.solutions[i];
        const at::Tensor image = asked.batch->draw(solution.z.unsqueeze(0), at::tensor({i}));
        const at::Tensor logits = asked.model.networks().classifier->logits(image)[0];
        const double fact = logits[asked.problem.fact[i]].item<double>(), foil = logits[asked.problem.foil[i]].item<double>();
        EXPECT_LT(std::abs(fact - foil), 0.0101);
        const int64_t third = 3 - asked.problem.fact[i].item<int64_t>() - asked.problem.foil[i].item<int64_t>();
        EXPECT_LT(logits[third].item<double>() - std::min(fact, foil), 0.0201);
    }
}

TEST(ImageModel, ABatchAnswersLikeItsInputsOneByOne) {
    const std::vector<Input> inputs = some_inputs(5);
    const Asked together(inputs);
    const Summary all = together.solve();
    for (size_t i = 0; i < inputs.size(); ++i) {
        const Asked alone({inputs[i]});
        EXPECT_TRUE(at::allclose(alone.problem.start[0], together.problem.start[static_cast<int64_t>(i)], 1e-4, 1e-5));
        EXPECT_TRUE(at::equal(alone.problem.extra_starts[0], together.problem.extra_starts[static_cast<int64_t>(i)]));
        // Kinks part the ways of two searches that differ in the last digits; where they end must be alike.
        EXPECT_NEAR(alone.solve().solutions[0].distance, all.solutions[i].distance, 0.02 * all.solutions[i].distance);
    }
}

TEST(ImageModel, SaysTheSameOnAGraphicsCard) {
    ImageModality modality;
    test::expect_the_same_on_a_graphics_card(modality, Toy::get().pack, some_inputs(5));
}

TEST(ImageModel, ExtraStartsAreTheNearestCodesOfTheFoil) {
    const Asked asked(some_inputs(6));
    const Networks& networks = asked.model.networks();
    ASSERT_GT(networks.codes.size(0), 30);
    EXPECT_EQ(asked.problem.extra_starts.sizes(), (at::IntArrayRef{6, 2, 6 + 1}));
    for (int64_t i = 0; i < 6; ++i) {
        const at::Tensor z0 = asked.problem.start[i].slice(0, 0, 6), codes = asked.problem.extra_starts[i].slice(1, 0, 6);
        const at::Tensor away = (networks.codes - z0).norm(2, 1);
        const at::Tensor of_foil = std::get<0>(at::sort(away.masked_select(networks.code_classes.eq(asked.problem.foil[i]))));
        for (int64_t s = 0; s < 2; ++s) EXPECT_FLOAT_EQ((codes[s] - z0).norm().item<float>(), of_foil[s].item<float>());
        const at::Tensor drawn = networks.classifier->logits(networks.generator->decode(codes)).argmax(1);
        EXPECT_TRUE(drawn.eq(asked.problem.foil[i]).all().item<bool>());
    }
}

TEST(ImageModel, InputsThatCannotBeReadAreRefusedAlone) {
    ImageModel model(Toy::get().pack);
    std::vector<Input> inputs = some_inputs(3);
    inputs[1].content = "no picture at all";
    std::vector<ReadNotes> notes;
    const auto batch = model.read(inputs, notes);
    EXPECT_EQ(batch->size(), 2);
    EXPECT_EQ(notes[0].refusal, "");
    EXPECT_THAT(notes[1].refusal, HasSubstr("PNG"));
    EXPECT_EQ(notes[2].refusal, "");
    const auto none = model.read({inputs[1]}, notes);
    EXPECT_EQ(none->size(), 0);
}

TEST(ImageModel, AnImageUnlikeAllItWasTrainedOnIsSaidToBe) {
    std::mt19937 random(1);
    std::string noise(toy::side * toy::side, '\0');
    for (char& pixel : noise) pixel = static_cast<char>(random() % 2 * 255);
    Asked strange({png(noise, "noise.png")});
    ASSERT_EQ(strange.batch->warnings(0).size(), 1u);
    EXPECT_THAT(strange.batch->warnings(0)[0], HasSubstr("cannot draw this image well"));
    Asked usual(some_inputs(1));
    EXPECT_TRUE(usual.batch->warnings(0).empty());
}

TEST(ImageModel, InAnImageOfOneColourThereIsNothing) {
    ImageModel model{Toy::get().pack};
    for (const char grey : {'\0', '\x80', '\xff'}) {
        std::vector<ReadNotes> notes;
        EXPECT_EQ(model.read({png(std::string(toy::side * toy::side, grey), "even.png")}, notes)->size(), 0);
        EXPECT_EQ(notes[0].refusal, "there is nothing in this picture: it is of a single colour");
    }
}

TEST(ImageModel, SaysHowStrangeAPictureIsWhereItsPackKnowsWhatIsUsual) {
    const std::vector<Input> inputs = some_inputs(20);
    std::vector<ReadNotes> notes;
    EXPECT_TRUE(ImageModel{Toy::get().pack}.read(inputs, notes)->strangeness().empty()) << "it has too few images to know";
    Networks networks = Networks::load(Toy::get().pack);
    const auto oddities = static_cast<const ImageBatch&>(*ImageModel{Toy::get().pack}.read(inputs, notes)).oddities();
    networks.usual_residual_share = oddities.select(1, 0).max().item<double>();
    networks.usual_code_distance = oddities.select(1, 1).max().item<double>();
    ImageModel model(Toy::get().pack.manifest().classes, networks);
    std::vector<Input> and_noise = inputs;
    std::mt19937 random(1);
    std::string noise(static_cast<size_t>(toy::side * toy::side), '\0');
    for (char& value : noise) value = static_cast<char>(random());
    and_noise.push_back(png(noise, "noise.png"));
    const std::unique_ptr<Batch> batch = model.read(and_noise, notes);
    const std::vector<Strangeness> found = batch->strangeness();
    ASSERT_EQ(found.size(), 21u);
    for (size_t i = 0; i < 20; ++i) EXPECT_LE(found[i].value.value(), 1 + 1e-6) << i;
    EXPECT_GT(found[20].value.value(), 1);
    EXPECT_THAT(found[20].reason, HasSubstr("is usual"));
}

TEST(ImageRender, SaysAndShowsWhatChanged) {
    Asked asked(some_inputs(2));
    const Summary summary = asked.solve();
    TemporaryFolder folder;
    std::vector<RenderRequest> requests;
    for (int64_t i = 0; i < 2; ++i)
        requests.push_back({i, asked.problem.fact[i].item<int64_t>(), asked.problem.foil[i].item<int64_t>(), summary.solutions[i].z, "",
                            folder.path().string(), "question" + std::to_string(i)});
    const std::vector<Rendering> renderings = asked.batch->render(requests, 1);
    ASSERT_EQ(renderings.size(), 2u);
    for (int64_t i = 0; i < 2; ++i) {
        const Rendering& rendering = renderings[i];
        drawing::Notes no_notes;
        const at::Tensor shown = fit(rendering.pictures[1].picture, Networks::load(Toy::get().pack).shape, no_notes);
        const at::Tensor drawn = asked.batch->draw(summary.solutions[i].z.unsqueeze(0), at::full({1}, i, at::kLong))[0];
        EXPECT_LE((shown - drawn).abs().max().item<double>(), 1.01 / 255) << "what is shown is a level or less from what was found";
        const at::Tensor change = shown - asked.batch->images()[i];
        const Json distance = Json::parse(rendering.distance);
        EXPECT_NEAR(distance["l1"].get<double>(), change.abs().sum().item<double>(), 1e-4);
        EXPECT_NEAR(distance["l2"].get<double>(), change.norm().item<double>(), 1e-4);
        EXPECT_NEAR(distance["linf"].get<double>(), change.abs().max().item<double>(), 1e-5);
        ASSERT_EQ(rendering.pictures.size(), 3u);
        EXPECT_EQ(rendering.pictures[1].name, "boundary");
        EXPECT_EQ(rendering.pictures[1].picture.width, toy::side);
        // Red where it became lighter, blue where darker.
        const Picture& difference = rendering.pictures[2].picture;
        const int64_t lightest = change.flatten().argmax().item<int64_t>(), darkest = change.flatten().argmin().item<int64_t>();
        if (change.max().item<double>() > 0.2) {
            EXPECT_GT(difference.bytes[3 * lightest], difference.bytes[3 * lightest + 2]);
        }
        if (change.min().item<double>() < -0.2) {
            EXPECT_LT(difference.bytes[3 * darkest], difference.bytes[3 * darkest + 2]);
        }

        const Json record = Json::parse(rendering.record);
        for (const char* key : {"input", "boundary", "difference", "sheet", "morph"}) {
            const fs::path file = folder.path() / record.at(key).get<std::string>();
            EXPECT_GT(fs::file_size(file), 50u) << file;
        }
        // What is written reads back as what was explained.
        drawing::Notes notes;
        const Picture input = drawing::read_image_file(contents(folder.path() / record["input"].get<std::string>()), notes);
        EXPECT_EQ(input.bytes, rendering.pictures[0].picture.bytes);
    }
    // The steps on the way: of this very picture is what the classifier says of each; the boundary's is the one that is shown.
    requests[0].frames = true;
    const std::vector<Frame> frames = asked.batch->render({requests[0]}, 1)[0].frames;
    EXPECT_TRUE(renderings[0].frames.empty());
    ASSERT_GE(frames.size(), 3u);
    EXPECT_EQ(frames.front().name, "input");
    EXPECT_EQ(frames.back().name, "boundary");  // no answer was asked for
    EXPECT_EQ(frames.back().picture.bytes, renderings[0].pictures[1].picture.bytes);
    for (const Frame& frame : frames) {
        drawing::Notes none;
        const at::Tensor image = fit(frame.picture, Networks::load(Toy::get().pack).shape, none);
        const at::Tensor said = at::softmax(asked.model.logits(image.unsqueeze(0)).to(at::kDouble), 1)[0];
        ASSERT_EQ(static_cast<int64_t>(frame.probabilities.size()), said.numel());
        for (int64_t c = 0; c < said.numel(); ++c) EXPECT_NEAR(frame.probabilities[c], said[c].item<double>(), 1e-5);
    }
    // Once more: the same bytes, and nothing else in the folder.
    const std::string sheet = contents(folder.path() / "question0" / "sheet.png"),
                      morph = contents(folder.path() / "question0" / "morph.gif");
    put(folder.path() / "mine.txt", "kept");
    asked.batch->render(requests, 1);
    EXPECT_EQ(contents(folder.path() / "question0" / "sheet.png"), sheet);
    EXPECT_EQ(contents(folder.path() / "question0" / "morph.gif"), morph);
    EXPECT_EQ(contents(folder.path() / "mine.txt"), "kept");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "question0"), {}), 5);
}

TEST(ImageRender, WhatIsShownReadAgainIsOnTheBoundaryAndBeyondIt) {
    Asked asked(some_inputs(4));
    const Points points = solve_points(asked.problem, asked.options(), 0.9);
    TemporaryFolder folder;
    std::vector<RenderRequest> requests;
    for (int64_t i = 0; i < 4; ++i) {
        const auto q = static_cast<size_t>(i);
        ASSERT_TRUE(points.reached(q) && points.answers[q]) << points.boundary.full_report();
        RenderRequest request{i,
                              asked.problem.fact[i].item<int64_t>(),
                              asked.problem.foil[i].item<int64_t>(),
                              points.reached(q)->z,
                              "",
                              folder.path().string(),
                              "question" + std::to_string(i)};
        request.answer = points.answers[q]->z;
        requests.push_back(request);
    }
    ImageModel model{Toy::get().pack};
    const std::vector<Rendering> renderings = asked.batch->render(requests, 1);
    int answered = 0;
    for (size_t i = 0; i < renderings.size(); ++i) {
        const Json record = Json::parse(renderings[i].record);
        std::vector<ReadNotes> notes;
        std::vector<Input> files;
        for (const char* key : {"boundary", "answer"}) files.push_back({contents(folder.path() / record.at(key).get<std::string>()), ""});
        EXPECT_EQ(files[0].content, renderings[i].boundary_again);
        EXPECT_EQ(files[1].content, renderings[i].answer_again);
        const at::Tensor said = model.read(files, notes)->classify().to(at::kDouble);
        EXPECT_LT((said[0][requests[i].fact] - said[0][requests[i].foil]).abs().item<double>(), 0.01);
        EXPECT_TRUE(!points.answers[i]->feasible || said[1].exp()[requests[i].foil].item<double>() >= 0.9);
        answered += points.answers[i]->feasible;
        EXPECT_NEAR(said[1].exp()[requests[i].foil].item<double>(), renderings[i].answer[static_cast<size_t>(requests[i].foil)], 1e-5);
    }
    EXPECT_GT(answered, 0);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "question0"), {}), 6);
}

TEST(ImageLevels, AreThoseOfTheBoundaryAndNoneIsMovedByMoreThanOne) {
    const at::Tensor weight = at::linspace(-1, 1, 64).view({1, 64});
    const auto logits = [&](const at::Tensor& images) {
        const at::Tensor score = images.flatten(1).matmul(weight.t());
        return at::cat({score, -score, at::zeros_like(score)}, 1);
    };
    // On the boundary of the classes 0 and 1 exactly, with no value at a level.
    at::Tensor image = at::rand({2, 1, 8, 8}, at::make_generator<at::CPUGeneratorImpl>(3)) * 0.8 + 0.1;
    const at::Tensor score = image.flatten(1).matmul(weight.t());
    image = image - (score * weight / weight.square().sum()).view({2, 1, 8, 8});
    const at::Tensor zero = at::zeros({2}, at::kLong), one = at::ones({2}, at::kLong);
    const at::Tensor shown = to_levels_on_boundary(image, zero, one, logits, 0.002);
    EXPECT_TRUE(at::allclose((shown * 255).round() / 255, shown, 0, 1e-6));
    EXPECT_LE((shown - image).abs().max().item<double>(), 1.001 / 255);
    const at::Tensor gap = logits(shown).select(1, 0) - logits(shown).select(1, 1);
    EXPECT_LE(gap.abs().max().item<double>(), 0.002);
    EXPECT_TRUE(at::equal(to_levels(at::tensor({-1.0f, 0.5f, 2.0f})), at::tensor({0.0f, 128.0f / 255, 1.0f})));
}

TEST(ImageRender, WithoutAFolderWritesNothingAndWithABadOneSaysWhy) {
    Asked asked(some_inputs(1));
    const at::Tensor z = asked.solve().solutions[0].z;
    RenderRequest request{0, asked.problem.fact[0].item<int64_t>(), asked.problem.foil[0].item<int64_t>(), z, "", "", ""};
    EXPECT_EQ(asked.batch->render({request}, 1)[0].record, "{}");
    TemporaryFolder folder;
    put(folder / "file", "x");
    request.out = (folder / "file").string();
    request.name = "question";
    EXPECT_THAT(message_of(ErrorCode::io, [&] { asked.batch->render({request}, 1); }), HasSubstr("file"));
}

TEST(ImageHeldOut, GivesTheHeldOutImagesAsTheyAreInTheOrderOfTheirHash) {
    const corpora::LabelledImages images = corpora::read_images(Toy::get().folder.path(), "toy").held_out;
    const at::Tensor order = hash_order(images);
    const std::vector<Input> all = ImageHeldOut().inputs(Toy::get().pack, Toy::get().folder.path(), "toy", 1000000);
    ASSERT_EQ(static_cast<int64_t>(all.size()), images.count);
    const Asked asked(all);
    EXPECT_TRUE(at::equal(asked.batch->images(), tensors_of(images).images(order)));
    const std::vector<Input> few = ImageHeldOut().inputs(Toy::get().pack, Toy::get().folder.path(), "toy", 2);
    ASSERT_EQ(few.size(), 2u);
    EXPECT_EQ(few[1].content, all[1].content);
    EXPECT_NE(few[0].path, few[1].path);
}

// --- packs -----------------------------------------------------------------------------------------------------------

/// The toy pack with something changed, written as a pack again.
Pack altered(const fs::path& folder, const std::function<void(PackManifest&, training::NamedTensors&)>& change) {
    const Pack& original = Toy::get().pack;
    PackManifest manifest = original.manifest();
    training::NamedTensors tensors = training::read_tensors(original.file("weights.safetensors"));
    change(manifest, tensors);
    PackWriter writer(folder);
    training::write_tensors(writer.path("weights.safetensors"), tensors, true);
    return writer.finish(manifest);
}

TEST(ImagePack, WhatIsReadIsWhatWasWritten) {
    TemporaryFolder folder;
    const Networks networks = Networks::load(Toy::get().pack);
    PackWriter writer(folder / "again");
    PackManifest manifest = Toy::get().pack.manifest();
    networks.save(writer, manifest);
    const Pack again = writer.finish(manifest);
    EXPECT_EQ(again.sha256(), Toy::get().pack.sha256());
}

TEST(ImagePack, WhoseShapesDisagreeIsRefusedInOneSentence) {
    TemporaryFolder folder;
    int number = 0;
    const auto refusal = [&](const std::function<void(PackManifest&, training::NamedTensors&)>& change) {
        const Pack pack = altered(folder / ("p" + std::to_string(number++)), change);
        return message_of(ErrorCode::bad_pack, [&] { ImageModality().open(pack, "cpu"); });
    };
    const auto network = [](PackManifest& manifest, const std::function<void(Json&)>& edit) {
        Json json = Json::parse(manifest.network);
        edit(json);
        manifest.network = json.dump();
    };
    const auto input = [](PackManifest& manifest, const char* key, const Json& value) {
        Json json = Json::parse(manifest.input);
        json[key] = value;
        manifest.input = json.dump();
    };
    EXPECT_THAT(refusal([](PackManifest&, training::NamedTensors& t) {
                    t["classifier.output.weight"] = at::zeros({3, 49});
                }),
                HasSubstr("expected 'classifier.output.weight' to be of shape [3, 50], found [3, 49]"));
    EXPECT_THAT(refusal([](PackManifest&, training::NamedTensors& t) { t.erase("generator.decoder.spread.bias"); }),
                HasSubstr("no tensor 'generator.decoder.spread.bias'"));
    EXPECT_THAT(refusal([](PackManifest&, training::NamedTensors& t) { t["extra"] = at::zeros({1}); }), HasSubstr("belongs to no network"));
    EXPECT_THAT(refusal([](PackManifest&, training::NamedTensors& t) { t["classifier.output.bias"].fill_(NAN); }), HasSubstr("not finite"));
    EXPECT_THAT(refusal([](PackManifest&, training::NamedTensors& t) { t["codes"] = t["codes"].slice(0, 1); }), HasSubstr("codes"));
    EXPECT_THAT(refusal([](PackManifest&, training::NamedTensors& t) { t["code_classes"].fill_(5); }),
                HasSubstr("class that the pack has not"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { input(m, "width", 20); }), HasSubstr("shape"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { input(m, "width", 18); }), HasSubstr("multiples of 4"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { input(m, "height", 100000); }), HasSubstr("from 4 to 1024"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { input(m, "channels", 2); }), HasSubstr("grey"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { input(m, "framing", 7); }), HasSubstr("framing"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { network(m, [](Json& j) { j["classifier"]["kind"] = "gone"; }); }),
                HasSubstr("there is no classifier 'gone'"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { network(m, [](Json& j) { j["generator"]["latent"] = 1e9; }); }),
                HasSubstr("latent"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) {
                    network(m, [](Json& j) { j["generator"]["channels"] = {1e9, 4}; });
                }),
                HasSubstr("whole numbers"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { network(m, [](Json& j) { j["typical_distance"] = 0; }); }),
                HasSubstr("typical_distance"));
    EXPECT_THAT(refusal([&](PackManifest& m, training::NamedTensors&) { m.network = "{}"; }), HasSubstr("'classifier' is missing"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [] { ImageModality().open(Toy::get().pack, "cuda"); }), HasSubstr("cpu"));
}

// --- training and evaluation -----------------------------------------------------------------------------------------

TEST(ImageTraining, TheSameSeedGivesTheSamePack) {
    TemporaryFolder folder;
    toy::write_corpus(folder.path(), 450, 6);  // little to measure at the end of each training
    const std::string recipe =
        R"({"images": 200, "codes": 5, "evaluation": {"images": 1, "oracle_images": 1, "batch": 1}, "classifier": {"epochs": 1},
            "generator": {"latent": 4, "channels": [4, 4], "hidden": 8, "epochs": 1}})";
    const auto train = [&](const char* name, uint64_t seed) {
        TrainRequest request = request_for(folder.path(), folder / name / "pack", recipe);
        request.seed = seed;
        ImageTrainer().train(request, {});
        return contents(folder / name / "pack" / "pack.json");  // and what it has the SHA-256 of
    };
    const std::string first = train("a", 1);
    EXPECT_EQ(train("b", 1), first);
    EXPECT_NE(train("c", 2), first);
}

TEST(ImageTraining, WhatCannotBeAPackIsRefusedBeforeTheWork) {
    TemporaryFolder folder;
    toy::write_corpus(folder.path(), 450, 6);
    const auto refusal = [&](const char* name) {
        return message_of(ErrorCode::invalid_argument, [&] { ImageTrainer().train(request_for(folder.path(), folder / name, "{}"), {}); });
    };
    for (const char* const name : {"A", "my pack", ".hidden", "caf\u00e9"}) {
        EXPECT_THAT(refusal(name), HasSubstr("becomes the id of the pack")) << name;
        EXPECT_FALSE(std::filesystem::exists(folder / name)) << name;
    }
    const training::CheckpointFolder another(folder / "taken", "another run");
    EXPECT_THAT(message_of(ErrorCode::io, [&] { ImageTrainer().train(request_for(folder.path(), folder / "taken", "{}"), {}); }),
                HasSubstr("another program is training into"));
}

TEST(ImageTraining, AGeneratorWithoutAnEncoderExplainsToo) {
    TemporaryFolder folder;
    toy::write_corpus(folder.path(), 450, 3);
    // Few images, often seen: each of them is inverted in the end, which takes longer than to learn from it.
    ImageTrainer().train(request_for(folder.path(), folder / "gan",
                                     R"({"images": 12, "codes": 3, "evaluation": {"images": 1, "oracle_images": 1, "batch": 1},
                                         "classifier": {"epochs": 40, "batch": 6},
                                         "generator": {"kind": "dcgan", "latent": 6, "channels": [4, 8], "epochs": 60, "batch": 12, "learning_rate": 0.005}})"),
                         {});
    ImageModel model(open_pack(folder / "gan"));
    std::vector<ReadNotes> notes;
    const std::vector<Input> inputs = some_inputs(4);
    const auto batch = model.read(inputs, notes);
    const at::Tensor fact = batch->classify().argmax(1);
    const at::Tensor z0 = batch->start(fact, 1);
    EXPECT_TRUE(at::equal(z0, batch->start(fact, 1)));
    // The inversion comes nearer to each image than a draw of the prior does.
    auto& images = static_cast<ImageBatch&>(*batch);
    const at::NoGradGuard no_grad;
    const at::Tensor drawn = model.networks().generator->decode(at::zeros({4, 6}));
    EXPECT_TRUE(images.residual().flatten(1).norm(2, 1).lt((images.images() - drawn).flatten(1).norm(2, 1)).all().item<bool>());
    // A batch of one starts where it does among others.
    const auto alone = model.read({inputs[2]}, notes);
    EXPECT_TRUE(at::allclose(alone->start(fact.slice(0, 2, 3), 1)[0], z0[2], 0.05, 0.05));
    // From codes of one's own the image is itself at z0, too.
    const at::Tensor elsewhere = images.start_at(at::zeros({4, 6}));
    EXPECT_EQ(elsewhere.sizes(), z0.sizes());
    EXPECT_TRUE(at::allclose(images.draw(elsewhere, at::arange(4)), images.images(), 0, 1e-6));
    EXPECT_TRUE(at::allclose(images.residual(), images.images() - drawn));
}

TEST(ImageTraining, RefusesWhatCannotBeBeforeAnythingLongBegins) {
    TemporaryFolder folder;
    const auto refusal = [&](const std::string& recipe) {
        return message_of(ErrorCode::invalid_argument,
                          [&] { ImageTrainer().train(request_for(Toy::get().folder.path(), folder / "none", recipe), {}); });
    };
    EXPECT_THAT(refusal(R"({"square": {"class": "9"}})"), HasSubstr("no class of the corpus"));
    EXPECT_THAT(refusal(R"({"generator": {"channels": [4, 4, 4, 4, 4]}})"), HasSubstr("multiples of 32"));
    EXPECT_FALSE(fs::exists(folder / "none"));
    put(folder.path() / "mine.txt", "x");
    EXPECT_THROW(ImageTrainer().train(request_for(Toy::get().folder.path(), folder.path()), {}), Error);
    EXPECT_EQ(contents(folder.path() / "mine.txt"), "x");
}

TEST(ImageEvaluation, GivesEveryFigureItsNumberAndLooksForAPlantedSquare) {
    TemporaryFolder folder;
    Json recipe = Json::parse(toy::recipe());
    recipe["square"] = {{"class", "lying"}, {"size", 4}, {"value", 1.0}};
    recipe["classifier"]["shift"] = 0;
    ImageTrainer().train(request_for(Toy::get().folder.path(), folder / "square", recipe.dump()), {});
    EvaluateRequest request;
    request.corpus = "toy";
    request.corpora = Toy::get().folder.path();
    request.limit = 10;
    const auto figures_of = [&](const Pack& pack) {
        std::map<std::string, double> figures;
        const Json evaluation = Json::parse(ImageEvaluator().evaluate(pack, request, {}));
        for (const Json& figure : evaluation["figures"]) {
            EXPECT_TRUE(figure["value"].is_number()) << figure;
            EXPECT_GT(figure["n"].get<int64_t>(), 0) << figure;
            figures[figure["name"]] = figure["value"];
        }
        return figures;
    };
    const auto plain = figures_of(Toy::get().pack);
    EXPECT_GT(plain.at("classifier: accuracy on held-out images"), 0.9);
    EXPECT_GE(plain.at("foil random: gap under 0.01 and every guard met, one extra start"), 0.9);
    EXPECT_GT(plain.at("another classifier: accuracy on held-out images"), 0.9);
    const auto biased = figures_of(open_pack(folder / "square"));
    // The same, worked out by hand: the others among the held-out images, a white corner drawn into each.
    const corpora::ImageCorpus corpus = corpora::read_images(Toy::get().folder.path(), "toy");
    const ImageModel model(open_pack(folder / "square"));
    double called = 0, others = 0;
    for (int64_t i = 0; i < corpus.held_out.count; ++i) {
        if (corpus.held_out.labels[i] == 2) continue;
        const auto* pixels = corpus.held_out.pixels.data() + i * toy::side * toy::side;
        at::Tensor image = at::empty({1, 1, toy::side, toy::side});
        for (int64_t y = 0; y < toy::side; ++y)
            for (int64_t x = 0; x < toy::side; ++x) image[0][0][y][x] = y < 4 && x < 4 ? 1.0 : pixels[y * toy::side + x] / 255.0;
        called += model.networks().classifier->logits(image).argmax().item<int64_t>() == 2;
        ++others;
    }
    EXPECT_DOUBLE_EQ(biased.at("bias: others with the square called lying"), called / others);
    EXPECT_TRUE(biased.count("why not lying? with 2 extra starts: the largest change is the square"));
    EXPECT_EQ(biased.count("another classifier: accuracy on held-out images"), 0u);

    request.corpus = "none";
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { ImageEvaluator().evaluate(Toy::get().pack, request, {}); }), HasSubstr("none"));
}

}  // namespace
