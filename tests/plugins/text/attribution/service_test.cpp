// The service `whynot.attribution/1` for text: from a person's text to a map over its words.
#include "text/attribution/service.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "support/temporary_folder.h"
#include "text/model/model.h"
#include "training/random.h"
#include "whynot/explainer.h"
#include "whynot/interruption.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr int64_t columns = 6;

/// A classifier over WordPiece that has no generator: "[PAD]" is not the first piece, and not zeros.
Networks networks_of(const std::string& kind) {
    PieceSource source{"wordpiece", {{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\n[PAD]\nthe\nfood\nwas\ngros\n##s\ngood\n.\nsoup\n"}}, {}, {}, {}};
    Reader reader;
    reader.pieces = make_piece_reader(source);
    reader.source = std::move(source);
    auto random = training::make_generator(5);
    Classifier& classifier = reader.classifier;
    classifier.embedding = at::empty({reader.pieces->size(), columns}).normal_(0, 1, random);
    classifier.bias = at::zeros({3});
    if (kind == "sum") {
        classifier.weight = at::empty({3, columns}).normal_(0, 1, random);
    } else {
        const auto network = make_sentence_network({kind, 8, 1, 2, 0}, columns, 3);
        network->initialise(random);
        classifier.own_network = network;
    }
    return Networks{std::move(reader), {}};
}

TextModel model_of(const std::string& kind) { return TextModel({"negative", "positive", "neither"}, networks_of(kind)); }

const std::vector<std::string> pieced{"The food was gross.", "good soup",
                                      "the food was zorky and the soup was good .\n\nThe food was gross ."};

std::unique_ptr<Batch> read(TextModel& model, const std::vector<std::string>& texts) {
    std::vector<Input> inputs;
    for (const std::string& text : texts) inputs.push_back({text, ""});
    std::vector<ReadNotes> notes;
    std::unique_ptr<Batch> batch = model.read(inputs, notes);
    EXPECT_EQ(batch->size(), static_cast<int64_t>(texts.size()));
    return batch;
}

std::vector<std::string> names(const std::vector<AttributionMethod>& methods) {
    std::vector<std::string> names;
    for (const AttributionMethod& method : methods) names.push_back(method.name);
    return names;
}

AttributionRequest request_of(const std::string& method, std::vector<AttributionQuestion> questions, uint64_t seed = 1) {
    return {method, std::move(questions), false, seed, ""};
}

AttributionMap map_of(TextModel& model, const std::string& text, const std::string& method, int64_t foil = 1, uint64_t seed = 1) {
    const auto batch = read(model, {text});
    return TextAttribution().attribute(model, *batch, request_of(method, {{0, 0, foil, "a"}}, seed)).at(0);
}

const std::vector<std::string> asking{"gradient-x-input", "integrated-gradients", "occlusion", "lime"};

TEST(TextAttribution, ListsItsMethodsThePlainestFirst) {
    const std::vector<AttributionMethod> methods = TextAttribution().methods();
    EXPECT_THAT(names(methods), ElementsAre("gradient-x-input", "integrated-gradients", "occlusion", "lime", "rarity"));
    for (const AttributionMethod& method : methods) {
        EXPECT_EQ(method.asks_classifier, method.name != "rarity");
        EXPECT_EQ(method.needs.empty(), method.name != "rarity");
        EXPECT_NE(method.title, "");
        EXPECT_NE(method.source, "");
    }
}

class OfPieces : public ::testing::TestWithParam<const char*> {};

TEST_P(OfPieces, HasOneScoreAWordOfTheText) {
    TextModel model = model_of(GetParam());
    for (const std::string& method : asking)
        for (const std::string& text : pieced) {
            const AttributionMap map = map_of(model, text, method);
            EXPECT_EQ(map.failure, "");
            EXPECT_EQ(map.parts, texts(split_words(text)));
            EXPECT_THAT(map.shape, ElementsAre(static_cast<int64_t>(map.parts.size())));
            EXPECT_EQ(map.scores.size(), map.parts.size());
            EXPECT_EQ(map.unit, method == "lime" ? "probability" : "nats");
            EXPECT_THAT(map.terminal, AllOf(HasSubstr("for negative (▇) and for positive (░), in " + map.unit), HasSubstr("\n  ")));
        }
}

TEST_P(OfPieces, GivesABatchWhatEachTextGetsAlone) {
    TextModel model = model_of(GetParam());
    const auto batch = read(model, pieced);
    const AttributionRequest request = request_of("", {{2, 1, 0, "a"}, {0, 0, -1, "b"}, {1, 2, 0, "c"}, {0, 0, 1, "d"}}, 7);
    for (const std::string& method : asking) {
        AttributionRequest asked = request;
        asked.method = method;
        const std::vector<AttributionMap> together = TextAttribution().attribute(model, *batch, asked);
        ASSERT_EQ(together.size(), 4u);
        for (size_t q = 0; q < together.size(); ++q) {
            const AttributionQuestion& question = request.questions[q];
            const auto alone = read(model, {pieced[static_cast<size_t>(question.row)]});
            asked.questions = {{0, question.fact, question.foil, "z"}};
            EXPECT_EQ(TextAttribution().attribute(model, *alone, asked)[0].scores, together[q].scores) << method << " " << q;
        }
    }
    EXPECT_NE(map_of(model, pieced[0], "lime", 1, 7).scores, map_of(model, pieced[0], "lime", 1, 8).scores) << "another seed";
}

TEST_P(OfPieces, IsCompleteOverWords) {
    TextModel model = model_of(GetParam());
    const Classifier& classifier = model.networks().classifier();
    for (const std::string& text : pieced) {
        const PieceSentence sentence = static_cast<TextBatch&>(*read(model, {text})).reading(0).read;
        PieceSentence none = sentence;
        const int64_t pad = *model.networks().reader.pieces->id_of("[PAD]");
        for (Ids& word : none.words) word.assign(word.size(), pad);
        const at::Tensor fell = classifier.logits(Sentences{sentence.all()})[0] - classifier.logits(Sentences{none.all()})[0];
        for (const int64_t foil : {-1, 2}) {
            const std::vector<double> found = map_of(model, text, "integrated-gradients", foil).scores;
            const double expected = fell[0].item<double>() - (foil < 0 ? 0 : fell[foil].item<double>());
            EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), expected, 0.02 * std::abs(expected) + 1e-3) << text;
        }
    }
}

TEST_P(OfPieces, OcclusionTakesAWordAway) {
    TextModel model = model_of(GetParam());
    const Classifier& classifier = model.networks().classifier();
    const AttributionMap map = map_of(model, "The food was gross.", "occlusion");
    const auto gap = [&](const Ids& ids) {
        const at::Tensor logits = classifier.logits(Sentences{ids})[0];
        return logits[0].item<double>() - logits[1].item<double>();
    };
    // [CLS] the food was gros ##s . [SEP]
    EXPECT_NEAR(map.scores[3], gap({1, 4, 5, 6, 7, 8, 10, 2}) - gap({1, 4, 5, 6, 3, 3, 10, 2}), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Classifiers, OfPieces, ::testing::Values("sum", "recurrent", "attention"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(TextAttribution, OfAWordUnknownIsOfItsPieceForThat) {
    TextModel model = model_of("sum");
    const AttributionMap first = map_of(model, "the zorky food", "occlusion"), second = map_of(model, "the blip food", "occlusion");
    EXPECT_EQ(first.scores, second.scores);
    EXPECT_NE(first.scores[1], 0);
}

TEST(TextAttribution, RefusesWhatItCannot) {
    TextModel model = model_of("sum");
    const auto batch = read(model, {"the food was good ."});
    const auto refused = [&](Model& by, Batch& of, const AttributionRequest& request) {
        return message_of(ErrorCode::invalid_argument, [&] { TextAttribution().attribute(by, of, request); });
    };
    const std::vector<AttributionQuestion> questions{{0, 0, 1, "a"}};
    EXPECT_THAT(refused(model, *batch, request_of("saliency", questions)),
                AllOf(HasSubstr("gradient-x-input"), HasSubstr("found 'saliency'")));
    AttributionRequest sweep = request_of("occlusion", questions);
    sweep.sweep = true;
    EXPECT_THAT(refused(model, *batch, sweep), HasSubstr("cannot be added to a sentence"));
    EXPECT_THAT(refused(model, *batch, request_of("occlusion", {{1, 0, 1, "a"}})), HasSubstr("a row of 1, found 1"));
    EXPECT_THAT(refused(model, *batch, request_of("occlusion", {{0, 3, 1, "a"}})), HasSubstr("the class 3"));
    EXPECT_THAT(refused(model, *batch, request_of("rarity", questions)), HasSubstr("needs a pack with a generator"));
    EXPECT_TRUE(TextAttribution().attribute(model, *batch, request_of("occlusion", {})).empty());

    struct OtherModel : Model {
        const ModelInfo& info() const override { return info_; }
        std::unique_ptr<Batch> read(const std::vector<Input>&, std::vector<ReadNotes>&) override { return nullptr; }
        ModelInfo info_;
    } other_model;
    struct OtherBatch : Batch {
        int64_t size() const override { return 1; }
        at::Tensor classify() override { return {}; }
        at::Tensor start(const at::Tensor&, uint64_t) override { return {}; }
        at::Tensor log_likelihood(const at::Tensor&, const at::Tensor&) override { return {}; }
        std::vector<Rendering> render(const std::vector<RenderRequest>&, uint64_t) override { return {}; }
    } other_batch;
    EXPECT_THAT(refused(other_model, *batch, request_of("occlusion", questions)), HasSubstr("found a model of another"));
    EXPECT_THAT(refused(model, other_batch, request_of("occlusion", questions)), HasSubstr("found a batch of another"));
}

TEST(TextAttribution, CanBeEndedBetweenQuestions) {
    TextModel model = model_of("sum");
    const auto batch = read(model, {"the food was good ."});
    struct Ended {};
    const InterruptionScope scope([] { throw Ended(); });
    EXPECT_THROW(TextAttribution().attribute(model, *batch, request_of("rarity", {{0, 0, 1, "a"}})), Ended);
}

TEST(ScoreBars, ShowTheWordsThatMatterMost) {
    EXPECT_EQ(score_bars("title", {"the", "food", "süß", "."}, {0.4, -2, 4, 0.1}),
              "title\n"
              "  süß    4.00  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇\n"
              "  food  -2.00  ░░░░░░░░░░░░\n"
              "  the    0.40  ▇▇\n");
    const std::string many = score_bars("title", std::vector<std::string>(200, "word"), std::vector<double>(200, 1));
    EXPECT_EQ(std::count(many.begin(), many.end(), '\n'), 13);
    EXPECT_THAT(score_bars("title", {"a", "b"}, {0, -0.001}), HasSubstr("no word of it"));
}

// The whole way: the plugin as it is installed, and a pack that ships.
class Shipped : public ::testing::Test {
protected:
    Explainer explainer(const std::string& pack) {
        PluginSearch search;
        search.environment = false;
        if (!host_) host_ = std::make_unique<Host>(search);
        return Explainer(*host_, open_pack(std::filesystem::path(WHYNOT_BUILT_PACKS) / pack));
    }
    std::unique_ptr<Host> host_;
};

TEST_F(Shipped, FindsTheWord) {
    Explainer sum = explainer("yelp-sum");
    const std::vector<Ask> asks{
        {{"the food was gross .", ""}, {}}, {{"", ""}, {}}, {{"The staff's friendly, but the SOUP was cold!", ""}, {}}};
    ASSERT_EQ(names(sum.attribution_methods()).size(), 5u);
    for (const AttributionMethod& method : sum.attribution_methods())
        for (const bool alone : {false, true}) {
            AttributionOptions options;
            options.method = method.name;
            options.alone = alone;
            options.times = false;
            const std::vector<Attributed> found = sum.attribute(asks, options);
            ASSERT_EQ(found.size(), 3u);
            EXPECT_NE(found[1].reason, "") << "one bad input leaves its neighbours alone";
            for (const size_t q : {0u, 2u}) {
                const Json record = Json::parse(to_json(found[q])), &map = record["map"];
                EXPECT_EQ(record["status"], "found") << record["reason"];
                EXPECT_EQ(map["shape"], Json::array({map["scores"].size()}));
                EXPECT_EQ(map["parts"].size(), map["scores"].size());
                EXPECT_EQ(map["parts"], Json(texts(split_words(asks[q].input.content))));
                EXPECT_EQ(record["question"]["foil"].is_null(), alone);
            }
            const std::vector<double>& scores = found[0].map.scores;
            const auto loudest = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
            EXPECT_EQ(found[0].map.parts[loudest], "gross") << method.name;
            EXPECT_THAT(found[0].map.terminal, HasSubstr("\n  gross"));
            EXPECT_EQ(to_json(sum.attribute({asks[2]}, options)[0]), to_json(found[2])) << "alone as among others";
        }
}

TEST_F(Shipped, SaysAllTheSameOfASumOfWords) {
    Explainer sum = explainer("yelp-sum");
    const auto scores_by = [&](const char* method) {
        AttributionOptions options;
        options.method = method;
        return sum.attribute({{{"the zorky food was gross .", ""}, {}}}, options)[0].map.scores;
    };
    const std::vector<double> occluded = scores_by("occlusion");
    EXPECT_THAT(scores_by("gradient-x-input"), Pointwise(DoubleNear(1e-3), occluded));
    EXPECT_THAT(scores_by("integrated-gradients"), Pointwise(DoubleNear(1e-3), occluded));
}

TEST_F(Shipped, AttributesTextsOfSeveralSentences) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += "The food was gross and the waiter was rude to us. ";
    for (const char* pack : {"yelp", "yelp-sum"}) {
        Explainer by = explainer(pack);
        AttributionOptions options;
        options.method = "occlusion";
        const Attributed found = by.attribute({{{text, ""}, {}}}, options)[0];
        EXPECT_EQ(found.reason, "");
        EXPECT_EQ(found.map.parts, texts(split_words(text)));
        EXPECT_EQ(found.map.scores.size(), 12u * 12);
        EXPECT_LE(std::count(found.map.terminal.begin(), found.map.terminal.end(), '\n'), 13);
    }
}

TEST_F(Shipped, RefusesTheSweepAndWhatIsNoMethod) {
    Explainer sum = explainer("yelp-sum");
    const std::vector<Ask> asks{{{"the food was gross .", ""}, {}}};
    AttributionOptions options;
    options.sweep = true;
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { sum.attribute(asks, options); }), HasSubstr("cannot be added to a sentence"));
    options.sweep = false;
    options.method = "magic";
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { sum.attribute(asks, options); }),
                AllOf(HasSubstr("occlusion, lime, rarity"), HasSubstr("'magic'")));
}

}  // namespace
