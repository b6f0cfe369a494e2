#include "training/steps.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/temporary_folder.h"
#include "training/run.h"

namespace whynot::training {
namespace {

using base::Json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

/// An experiment of two steps that counts how often each is done.
struct Experiment {
    int first = 0, second = 0;
    std::vector<std::string> log;

    Json run(const fs::path& folder, const Json& identity, const std::function<bool()>& cancelled = {}, const Json& also = nullptr) {
        Observer observer;
        observer.log = [this](const std::string& line) { log.push_back(line); };
        observer.cancelled = cancelled;
        const Steps steps(folder, identity, observer);
        const Json a = steps.run("first", nullptr, [this] {
            ++first;
            return Json{{"zebra", 1.0 / 3}, {"ant", {1, "é", nullptr}}};
        });
        const Json b = steps.run("second", also, [&] {
            ++second;
            return Json(a["zebra"].get<double>() * 2);
        });
        return {a, b};
    }
    std::vector<int> done() const { return {first, second}; }
};

const Json identity{{"seed", 1}, {"corpus", "abc"}};

TEST(Steps, ThatAreDoneAreNotDoneAgain) {
    const TemporaryFolder folder;
    const fs::path steps = folder / "deep" / "steps";
    Experiment one, two;
    const Json result = one.run(steps, identity);
    EXPECT_THAT(one.done(), ElementsAre(1, 1));
    EXPECT_THAT(one.log, IsEmpty());
    const std::string bytes = contents(steps / "first.json");
    const auto written = fs::last_write_time(steps / "first.json");
    EXPECT_EQ(two.run(steps, identity).dump(), result.dump()) << "every digit, and the keys in their order";
    EXPECT_THAT(two.done(), ElementsAre(0, 0));
    EXPECT_THAT(two.log, ElementsAre("first: measured by an earlier run", "second: measured by an earlier run"));
    EXPECT_EQ(contents(steps / "first.json"), bytes);
    EXPECT_EQ(fs::last_write_time(steps / "first.json"), written);
}

TEST(Steps, OfAnotherIdentityAreMadeAnew) {
    const TemporaryFolder folder;
    const auto done = [&](const Json& all, const Json& also) {
        Experiment experiment;
        experiment.run(folder.path(), all, {}, also);
        return experiment.done();
    };
    const Json other{{"seed", 2}, {"corpus", "abc"}};
    EXPECT_THAT(done(identity, nullptr), ElementsAre(1, 1));
    EXPECT_THAT(done(other, nullptr), ElementsAre(1, 1));
    EXPECT_THAT(done(identity, nullptr), ElementsAre(1, 1)) << "the other run's have taken their place";
    EXPECT_THAT(done(identity, {{"pack", "x"}}), ElementsAre(0, 1)) << "what one step depends on is nothing to the other";
    EXPECT_THAT(done(identity, {{"pack", "y"}}), ElementsAre(0, 1));
    EXPECT_THAT(done(identity, {{"pack", "y"}}), ElementsAre(0, 0));
}

TEST(Steps, WhoseFileIsDamagedAreMadeAnew) {
    const TemporaryFolder folder;
    const std::string good = [&] {
        Experiment().run(folder.path(), identity);
        return contents(folder / "first.json");
    }();
    const Json whole = Json::parse(good);
    for (const std::string& damaged :
         {std::string(), std::string("{"), good.substr(0, good.size() / 2), std::string("[]"), std::string("7"),
          Json{{"result", whole["result"]}}.dump(), Json{{"identity", whole["identity"]}}.dump()}) {
        put(folder / "first.json", damaged);
        Experiment experiment;
        experiment.run(folder.path(), identity);
        EXPECT_THAT(experiment.done(), ElementsAre(1, 0)) << damaged;
        EXPECT_EQ(contents(folder / "first.json"), good);
    }
}

TEST(Steps, StopBetweenTwoAndGoOnFromThere) {
    const TemporaryFolder folder;
    Experiment stopped, resumed, whole;
    EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { stopped.run(folder / "steps", identity, [&] { return stopped.first == 1; }); }),
                AllOf(HasSubstr("before second"), HasSubstr("goes on from there")));
    EXPECT_THAT(stopped.done(), ElementsAre(1, 0));
    const Json result = resumed.run(folder / "steps", identity);
    EXPECT_THAT(resumed.done(), ElementsAre(0, 1));
    EXPECT_EQ(result, whole.run(folder / "other", identity));

    Experiment nothing_left;
    EXPECT_EQ(nothing_left.run(folder / "steps", identity, [] { return true; }), result) << "what is there is given all the same";
}

TEST(Steps, ThatThrowLeaveNothing) {
    const TemporaryFolder folder;
    const Steps steps(folder / "steps", identity, {});
    EXPECT_THROW(steps.run("fails", nullptr, []() -> Json { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_FALSE(fs::exists(folder / "steps"));
    EXPECT_EQ(steps.run("fails", nullptr, [] { return Json(7); }), 7);
}

TEST(Steps, GiveTheFirstTimeWhatTheyGiveTheSecond) {
    const TemporaryFolder folder;
    const Steps steps(folder.path(), identity, {});
    const auto run = [&] { return steps.run("odd", nullptr, [] { return Json{{"nan", NAN}, {"tiny", 5e-324}, {"large", UINT64_MAX}}; }); };
    const Json first = run(), second = run();
    EXPECT_EQ(first.dump(), second.dump());
    EXPECT_EQ(first["nan"].is_null(), second["nan"].is_null());
    EXPECT_EQ(first["tiny"], 5e-324);
    EXPECT_EQ(first["large"], UINT64_MAX);
}

TEST(Steps, SayWhereTheyCannotBeKept) {
    const TemporaryFolder folder;
    put(folder / "file", "no folder");
    try {
        Experiment().run(folder / "file", identity);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::exception& error) {
        EXPECT_THAT(error.what(), HasSubstr((folder / "file").string()));
    }
    EXPECT_EQ(contents(folder / "file"), "no folder");
}

/// A training inside a step: eight steps of its own, each adding one.
double train(const Steps& steps, const Json& also, int& done, const Observer& observer = {}) {
    const Json result = steps.run("training", also, [&] {
        const at::Tensor sum = at::zeros({1});
        TrainingRun run("the sum", steps.checkpoint("training", also), observer);
        run.keep("sum", sum);
        run.resume();
        for (int64_t step = 0; step < 8; ++step) {
            if (!run.begins(step, 8)) continue;
            sum.add_(1);
            ++done;
        }
        return Json(sum.item<double>());
    });
    return result.get<double>();
}

TEST(Steps, ThatTrainGoOnFromTheirCheckpoint) {
    const TemporaryFolder folder;
    const Steps steps(folder.path(), identity, {});
    const fs::path checkpoint = folder / "training.safetensors";
    int done = 0;
    Observer stops;
    stops.cancelled = [&] { return done == 3; };
    const auto stop = [&](const Json& also) {
        done = 0;
        message_of(ErrorCode::cancelled, [&] { train(steps, also, done, stops); });
        EXPECT_TRUE(fs::exists(checkpoint));
        EXPECT_FALSE(fs::exists(folder / "training.json"));
        done = 0;
    };
    stop({{"rate", 1}});
    EXPECT_EQ(train(steps, {{"rate", 1}}, done), 8);
    EXPECT_EQ(done, 5);
    EXPECT_FALSE(fs::exists(checkpoint)) << "of a step that is done";
    EXPECT_EQ(train(steps, {{"rate", 1}}, done), 8);
    EXPECT_EQ(done, 5);

    fs::remove(folder / "training.json");
    stop({{"rate", 1}});
    EXPECT_EQ(train(steps, {{"rate", 2}}, done), 8);
    EXPECT_EQ(done, 8) << "that of another identity is none";

    fs::remove(folder / "training.json");
    stop({{"rate", 1}});
    put(checkpoint, contents(checkpoint).substr(0, 20));
    EXPECT_EQ(train(steps, {{"rate", 1}}, done), 8);
    EXPECT_EQ(done, 8) << "nor is a damaged one";
}

}  // namespace
}  // namespace whynot::training
