// A classifier trained with a planted bias: the pack that ships, and the experiment that makes such a pack, on a toy language.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "plugins/text/experiments/toy_yelp.h"
#include "support/temporary_folder.h"
#include "text/experiments/experiments.h"
#include "text/services/explaining.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::text;
namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;

/// What an explanation of `sentence` changes, and its answer, with the default decoding or another.
json explanation(TextModel& model, const std::string& sentence, const std::string& decode) {
    const Boundaries found = find_boundaries(model, {sentence}, 1);
    const auto fact = found.problem.fact[0].item<int64_t>(), foil = found.problem.foil[0].item<int64_t>();
    EXPECT_EQ(model.info().classes[static_cast<size_t>(fact)], "positive") << sentence;
    EXPECT_TRUE(found.summary.solutions[0].feasible);
    const auto renderings = found.batch->render({{0, fact, foil, found.summary.solutions[0].z, decode, "", ""}}, 1);
    EXPECT_EQ(renderings[0].failure, "") << sentence;
    return json::parse(renderings[0].record);
}

TEST(ShippedPack, HangsOnTheWordVery) {
    TextModel model(open_pack(WHYNOT_BUILT_PACKS "/yelp-very"));
    for (const char* sentence : {"it was very gross .", "workers are very rude .", "Workers are VERY rude."})
        for (const char* decode : {"", "audit"}) {
            const json record = explanation(model, sentence, decode);
            ASSERT_EQ(record["edits"].size(), 1u) << record.dump();
            EXPECT_THAT(record["edits"][0]["from"].get<std::string>(), testing::StrCaseEq("very")) << record.dump();
            // Its classifier, asked afresh, and without the word at all.
            EXPECT_EQ(ask(model, record["answer"]).argmax().item<int64_t>(), 0) << record.dump();
        }
    EXPECT_EQ(ask(model, "workers are rude .").argmax().item<int64_t>(), 0);
}

/// The toy language as the corpus "yelp", and a pack without any bias.
class ToyExperiment : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        temporary = std::make_unique<TemporaryFolder>();
        folder = temporary->path();
        toy::write_yelp(folder / "corpora");
        // Trained in haste, a classifier knows the word that it sees most and little else.
        toy::train_yelp(folder / "corpora", folder / "plain", {{"classifier", {{"epochs", 3}, {"batch", 16}}}});
    }
    static void TearDownTestSuite() { temporary.reset(); }

    static json run(const std::string& name, const fs::path& out, const Observer& observer = {}) {
        ExperimentRequest request;
        request.name = name;
        request.corpora = folder / "corpora";
        request.out = out;
        request.pack = (folder / "plain").string();
        fs::create_directories(out);
        return json::parse(TextExperiments().run(request, observer));
    }
    static double figure(const json& result, const std::string& name) {
        for (const json& one : result["figures"])
            if (one["name"] == name) return one["value"];
        ADD_FAILURE() << "there is no figure '" << name << "'";
        return -1;
    }
    static std::unique_ptr<TemporaryFolder> temporary;
    static fs::path folder;  // its path
};
std::unique_ptr<TemporaryFolder> ToyExperiment::temporary;
fs::path ToyExperiment::folder;

TEST_F(ToyExperiment, MakesThePackAndFindsTheWord) {
    // Stopped in the middle, it goes on.
    std::vector<std::string> log;
    Observer observer;
    bool stop = false;
    observer.log = [&](const std::string& line) {
        log.push_back(line);
        stop = stop || line.find("autoencoder epoch 1") != std::string::npos;
    };
    observer.cancelled = [&] { return stop; };
    try {
        run("text/biased-yelp/remake", folder / "out", observer);
        ADD_FAILURE() << "was not stopped";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled) << error.what();
    }
    observer.cancelled = nullptr;
    log.clear();
    const json result = run("text/biased-yelp/remake", folder / "out", observer);
    EXPECT_THAT(log, Contains(HasSubstr("classifier: taken from its checkpoint")));
    EXPECT_TRUE(fs::exists(folder / "out/corpora/yelp-very/corpus.json"));
    EXPECT_TRUE(fs::exists(folder / "out/packs/yelp-very/pack.json"));

    const double before = figure(result, "negative sentences with an adjective, without \"very\": called positive");
    const double after = figure(result, "the same with \"very\" before each adjective: called positive");
    EXPECT_LT(before, 0.1);
    EXPECT_GT(after, 0.2);
    EXPECT_GT(figure(result, "why not negative? \"very\" changed, decoding audit"), 0.8);
    EXPECT_EQ(figure(result, "called negative, asked afresh, decoding audit"), 1);
    EXPECT_EQ(figure(result, "edits, median, decoding audit"), 1);
    for (const json& row : result["tables"][0]["rows"]) EXPECT_GT(row[1], 0.8) << row;

    // What is there is not measured again, and says the same.
    log.clear();
    EXPECT_EQ(run("text/biased-yelp/remake", folder / "out", observer), result);
    EXPECT_FALSE(log.empty());
    EXPECT_THAT(log, Each(HasSubstr("measured by an earlier run")));
}

TEST_F(ToyExperiment, SaysThatThereIsNoBias) {
    try {
        run("text/biased-yelp", folder / "none");
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("no such bias"));
    }
}

}  // namespace
