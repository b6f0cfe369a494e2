// Texts of several sentences: what the generator says of them, and the rest, which is as it is.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "plugins/text/toy.h"
#include "support/temporary_folder.h"
#include "text/model/model.h"
#include "text/services/trainer.h"
#include "whynot/asking.h"
#include "whynot/gradient_check.h"
#include "whynot/solver.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// Packs of the toy language, made once: a sum of words, and a network that sees their order.
class LongTexts : public ::testing::TestWithParam<const char*> {
protected:
    static TextModel& model_of(const std::string& kind) {
        static const TemporaryFolder folder;
        static std::map<std::string, std::unique_ptr<TextModel>> models;
        std::unique_ptr<TextModel>& model = models[kind];
        if (model) return *model;
        toy::write_corpus(folder.path(), 600, 40);
        TrainRequest request;
        request.corpus = "toy";
        request.corpora = folder.path();
        request.out = folder / kind;
        Json recipe = Json::parse(toy::recipe());
        recipe["classifier"]["kind"] = kind;
        recipe["classifier"]["hidden"] = 12;
        request.recipe = recipe.dump();
        TextTrainer().train(request, {});
        model = std::make_unique<TextModel>(open_pack(request.out));
        return *model;
    }
    TextModel& model() { return model_of(GetParam()); }

    std::unique_ptr<Batch> read(const std::vector<std::string>& texts) {
        std::vector<Input> inputs;
        for (const std::string& text : texts) inputs.push_back({text, ""});
        std::vector<ReadNotes> notes;
        std::unique_ptr<Batch> batch = model().read(inputs, notes);
        EXPECT_EQ(batch->size(), static_cast<int64_t>(texts.size())) << notes[0].refusal;
        return batch;
    }
};

const std::string long_text =
    "The FOOD was gross! The service is rude today .\n\nThe waiter was awful, the soup is bad here. The place was really awful last night. "
    "The pizza is gross .";
const std::string short_text = "the soup is lovely here .";

TEST_P(LongTexts, HaveACodeForEachSentenceThatIsSaid) {
    const auto batch = read({short_text, long_text});
    auto& of_text = static_cast<TextBatch&>(*batch);
    const Problem problem = ask(*batch, model().info());
    const int64_t codes = of_text.relaxation().codes(), k = model().info().latent_size;
    EXPECT_GE(codes, 4);
    EXPECT_EQ(problem.start.size(1), codes * k);
    EXPECT_EQ(problem.start[0].slice(0, k).abs().max().item<float>(), 0) << "the short one has one code";
    const PieceSentence& read = of_text.relaxation().read(1);
    EXPECT_EQ(read.positions(), of_text.relaxation().sentences()[1].size());

    const GradientCheck check = check_gradients(problem);
    EXPECT_TRUE(check.ok) << check.log;
}

TEST_P(LongTexts, GetTogetherWhatTheyGetAlone) {
    const auto both = read({short_text, long_text}), alone = read({short_text}), other = read({long_text});
    const Problem problem = ask(*both, model().info()), first = ask(*alone, model().info()), second = ask(*other, model().info());
    const int64_t k = model().info().latent_size;
    const at::Tensor z = problem.start + 0.1;
    const at::Tensor together = both->log_likelihood(z, at::arange(2));
    EXPECT_TRUE(
        at::allclose(together[0], alone->log_likelihood(z.slice(0, 0, 1).slice(1, 0, k), at::zeros({1}, at::kLong))[0], 1e-3, 1e-4));
    EXPECT_TRUE(at::allclose(together[1], other->log_likelihood(z.slice(0, 1, 2), at::zeros({1}, at::kLong))[0], 1e-3, 1e-4));
    EXPECT_TRUE(at::allclose(problem.start[0].slice(0, 0, k), first.start[0], 1e-3, 1e-3));
    EXPECT_TRUE(at::allclose(problem.start[1], second.start[0], 1e-3, 1e-3));
    EXPECT_TRUE(at::allclose(both->classify()[1], other->classify()[0], 1e-4, 1e-5));
}

TEST_P(LongTexts, AreExplainedAsAWholeInThePersonsOwnSpelling) {
    const auto batch = read({long_text});
    const Problem problem = ask(*batch, model().info());
    const Solution solution = solve(problem).solutions[0];
    ASSERT_TRUE(solution.feasible) << solution.reason;
    RenderRequest request;
    request.fact = problem.fact[0].item<int64_t>();
    request.foil = problem.foil[0].item<int64_t>();
    request.boundary = solution.z;
    const Rendering rendering = batch->render({request}, 1)[0];
    EXPECT_EQ(rendering.failure, "");
    const Json record = Json::parse(rendering.record);
    const std::string answer = record["answer"];
    EXPECT_THAT(answer, AllOf(HasSubstr("The FOOD was"), HasSubstr(".\n\nThe waiter was"))) << "with its paragraphs";
    EXPECT_GE(record["edits"].size(), std::string(GetParam()) == "recurrent" ? 1u : 2u) << "one edit does not turn a sum of six complaints";
    const std::vector<Word> words = split_words(long_text);
    for (const Json& edit : record["edits"])
        if (edit["from"] != "") {
            EXPECT_EQ(edit["from"], words.at(edit["position"].get<size_t>()).text);
        }
    for (const Json& one : record["contributions"]) EXPECT_EQ(one["word"], words.at(one["position"].get<size_t>()).text);
    const auto again = read({answer});
    EXPECT_EQ(again->classify().argmax(1).item<int64_t>(), request.foil);

    request.keep = {"gross", "rude"};
    const Json kept = Json::parse(batch->render({request}, 1)[0].record);
    for (const Json& edit : kept["edits"]) EXPECT_THAT(edit["from"], testing::AllOf(testing::Ne("gross"), testing::Ne("rude")));
}

INSTANTIATE_TEST_SUITE_P(Classifiers, LongTexts, ::testing::Values("embedding-sum", "recurrent"),
                         [](const auto& kind) { return std::string(kind.param) == "recurrent" ? "Recurrent" : "Sum"; });

}  // namespace
