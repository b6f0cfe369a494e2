// The experiments on the search itself (direct, guards, starts), on a pack trained on rings and bars.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "plugins/image/experiments/toy_pack.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using ::testing::Contains;

using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::StartsWith;
namespace fs = std::filesystem;

/// Runs it and checks what must hold of each.
struct Finished {
    ExperimentRequest request;
    std::string text;
    ExperimentResult result;
    std::map<std::string, ExperimentFigure> figures;
    std::vector<std::string> log;

    explicit Finished(const ExperimentRequest& request_) : request(request_) {
        Observer observer;
        observer.log = [&](const std::string& line) { log.push_back(line); };
        observer.progress = [](const Progress& progress) {
            EXPECT_FALSE(progress.stage.empty());
            EXPECT_GE(progress.fraction, 0);
            EXPECT_LE(progress.fraction, 1);
        };
        text = ImageExperiments().run(request, observer);
        result = experiment_result_from_json(text, "the result");
        EXPECT_EQ(result.name, request.name);
        EXPECT_FALSE(result.notes.empty());
        for (const ExperimentFigure& figure : result.figures) {
            figures[figure.name] = figure;
            EXPECT_TRUE(figure.value || !figure.note.empty()) << figure.name;
            if (figure.unit == "share" || figure.unit == "probability") {
                EXPECT_GE(figure.value.value_or(0), 0) << figure.name;
                EXPECT_LE(figure.value.value_or(0), 1) << figure.name;
            }
        }
        EXPECT_FALSE(result.pictures.empty());
        for (const ExperimentPicture& picture : result.pictures)
            EXPECT_THAT(contents(request.out / picture.file), StartsWith("\x89PNG")) << picture.file;
    }
    double figure(const std::string& name) const {
        const auto found = figures.find(name);
        EXPECT_NE(found, figures.end()) << name;
        return found == figures.end() ? -1 : found->second.value.value_or(-1);
    }
    double at(size_t table, size_t row, size_t column) const { return std::get<double>(result.tables.at(table).rows.at(row).at(column)); }
    std::vector<std::string> names_of(size_t table) const {
        std::vector<std::string> names;
        for (const auto& row : result.tables.at(table).rows) names.push_back(std::get<std::string>(row[0]));
        return names;
    }
};

/// Stops it once that step is done.
void stop_after(const ExperimentRequest& request, const std::string& step) {
    Observer observer;
    observer.cancelled = [&] { return fs::exists(request.out / "steps" / (step + ".json")); };
    try {
        ImageExperiments().run(request, observer);
        ADD_FAILURE() << "it was not stopped";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled) << error.what();
    }
    EXPECT_TRUE(fs::exists(request.out / "steps" / (step + ".json")));
}

TEST(Guards, KeepThirdClassesBelowAndGoOnWhereTheyWereStopped) {
    const TemporaryFolder one, other;
    const Finished whole(toy::request_for("image/guards", one));
    ASSERT_EQ(whole.result.tables.size(), 2u);
    double above = 0;
    for (const std::string generator : {"VAE", "GAN"}) {
        for (const std::string kind : {"runner-up", "random", "least likely"}) {
            const std::string name = generator + ", foil " + kind + ", ";
            const double with = whole.figure(name + "with guards: boundary found"),
                         without = whole.figure(name + "without guards: boundary found");
            EXPECT_LE(with, without) << name << "guards make it harder";
            EXPECT_LE(whole.figure(name + "with guards: a third class above both"), 0) << name;  // -1: none was found
            above += whole.figure(name + "without guards: a third class above both");
            if (generator == "VAE") {
                EXPECT_GT(with, 0.5) << name;
            }
        }
    }
    EXPECT_GT(above, 0) << "without guards something is above both now and then";
    std::vector<std::string> files;
    for (const ExperimentPicture& picture : whole.result.pictures) files.push_back(picture.file);
    for (const char* end : {"without-curves.png", "without-frames.png", "with-curves.png", "with-frames.png"})
        EXPECT_THAT(files, Contains("VAE-random-" + std::string(end)));
    EXPECT_THAT(whole.result.notes, Contains(HasSubstr("a tiny one")));

    const ExperimentRequest request = toy::request_for("image/guards", other);
    stop_after(request, "vae-random");
    EXPECT_FALSE(fs::exists(request.out / "packs"));
    stop_after(request, "gan-codes");
    const Finished rest(request);
    EXPECT_THAT(rest.log, Contains(HasSubstr("vae-random")));
    EXPECT_THAT(rest.log, Contains(HasSubstr("gan-codes")));
    EXPECT_EQ(rest.text, whole.text);
}

TEST(Starts, AreComparedAndGoOnWhereTheyWereStopped) {
    const TemporaryFolder one, other;
    const Finished whole(toy::request_for("image/starts", one));
    ASSERT_EQ(whole.result.tables.size(), 2u);
    for (const std::string generator : {"VAE", "GAN"}) {
        for (const std::string kind : {"runner-up", "random"}) {
            const std::string name = generator + ", foil " + kind + ": ";
            EXPECT_LE(whole.figure(name + "from all starts about the same two classes"), whole.figure(name + "boundary found")) << name;
            const double cosine = whole.figure(name + "cosine of the changes from two starts");
            EXPECT_LE(std::abs(cosine), 1) << name;
            if (generator == "VAE") {
                EXPECT_GT(cosine, 0.3) << "near starts, like explanations";
            }
        }
    }
    const ExperimentRequest request = toy::request_for("image/starts", other);
    stop_after(request, "gan-start-1");
    stop_after(request, "vae-start-1");
    const Finished rest(request);
    EXPECT_THAT(rest.log, Contains(HasSubstr("gan-start-1")));
    EXPECT_EQ(rest.text, whole.text);
}

TEST(Direct, MeasuresEveryWayAndOnlyOnce) {
    const TemporaryFolder folder;
    const ExperimentRequest request = toy::request_for("image/direct", folder);
    stop_after(request, "runner-up-gradient");
    const Finished run(request);
    EXPECT_THAT(run.log, Contains(HasSubstr("runner-up-gradient")));
    ASSERT_EQ(run.result.tables.size(), 4u);
    for (const size_t table : {0, 2}) {
        EXPECT_EQ(run.result.tables[table].rows.size(), 13u);
        const std::vector<std::string> names = run.names_of(table);
        for (const char* name : {"ours", "pixels", "gradient", "gradient, 3 windows 7 x 7", "gradient, 1 window 9 x 9"})
            EXPECT_THAT(names, Contains(name));
        for (size_t row = 0; row < names.size(); ++row)
            for (const size_t column : {1, 2, 3, 4, 5, 7}) {
                EXPECT_GE(run.at(table, row, column), 0) << names[row];
                EXPECT_LE(run.at(table, row, column), 1) << names[row];
            }
    }
    for (const size_t table : {1, 3}) {
        EXPECT_THAT(run.names_of(table), ::testing::ElementsAre("codes (ours)", "pixels, unbounded", "pixels"));
        EXPECT_GT(run.at(table, 0, 5), run.at(table, 1, 5)) << "pixels of their own turn a classifier with less";
    }
    EXPECT_EQ(Finished(request).text, run.text) << "times included: nothing is measured again";
}

TEST(Searches, StopWhenAsked) {
    for (const char* name : {"image/direct", "image/guards", "image/starts"}) {
        const TemporaryFolder folder;
        Observer observer;
        observer.cancelled = [] { return true; };
        EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { ImageExperiments().run(toy::request_for(name, folder), observer); }),
                    HasSubstr("stopped"))
            << name;
    }
}

TEST(Searches, AreInTheListWithWhatTheyNeed) {
    std::map<std::string, ExperimentInfo> list;
    for (const ExperimentInfo& info : ImageExperiments().list()) list[info.name] = info;
    for (const char* name : {"image/direct", "image/guards", "image/starts"}) {
        ASSERT_THAT(list, Contains(Key(name)));
        EXPECT_THAT(list[name].source, HasSubstr("Feghahati"));
        EXPECT_THAT(list[name].needs, HasSubstr("minutes")) << name;
        EXPECT_THAT(list[name].needs, HasSubstr("--quick")) << name;
    }
}

}  // namespace
