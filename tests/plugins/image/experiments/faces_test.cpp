// What a classifier of drawn faces looks at, with a cue planted in the eyes and without: the experiment finds it, and goes on where it was stopped.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "image/experiments/experiments.h"
#include "plugins/image/experiments/toy_corpora.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

TEST(FacesExperiment, FindsTheCueThatWasPlantedAndGoesOnWhereItWasStopped) {
    const TemporaryFolder folder;
    toy::write_heads(folder.path());
    ExperimentRequest request;
    request.name = "image/faces";
    request.corpora = folder.path();
    request.out = folder / "at-once";
    request.quick = true;
    fs::create_directories(request.out);
    const std::string text = ImageExperiments().run(request, {});
    const ExperimentResult result = experiment_result_from_json(text, "the result");
    std::map<std::string, double> figures;
    for (const ExperimentFigure& figure : result.figures) figures[figure.name] = figure.value.value_or(-1);
    const double plain_eyes = figures.at("plain: gap closed by the change in the eyes alone"),
                 planted_eyes = figures.at("planted: gap closed by the change in the eyes alone");
    EXPECT_GT(planted_eyes, plain_eyes + 0.1);
    EXPECT_GT(figures.at("plain: gap closed by the change in the hair alone"), plain_eyes + 0.3);
    EXPECT_GT(figures.at("plain: accuracy on held-out images"), 0.7);
    EXPECT_GT(figures.at("planted: accuracy on held-out images, eyes of blond females lighter"), 0.7);

    ASSERT_EQ(result.tables.size(), 7u);
    EXPECT_EQ(result.tables[0].rows.size(), 16u);  // eight questions, with guards and without
    for (size_t t = 2; t < 7; ++t) {
        ASSERT_EQ(result.tables[t].rows.size(), 9u);
        for (const auto& row : result.tables[t].rows) {
            double sum = 0;
            for (size_t c = 1; c <= 3; ++c) sum += std::get<double>(row[c]);
            EXPECT_NEAR(sum, 1, 0.002) << "probabilities";
        }
    }
    for (const ExperimentPicture& picture : result.pictures) EXPECT_THAT(contents(request.out / picture.file), StartsWith("\x89PNG"));

    ExperimentRequest stopped = request;
    stopped.out = folder / "stopped";
    fs::create_directories(stopped.out);
    for (const int patience : {40, 500}) {
        int asked = 0;
        Observer observer;
        observer.cancelled = [&] { return ++asked > patience; };
        EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { ImageExperiments().run(stopped, observer); }), HasSubstr("stopped"));
    }
    EXPECT_EQ(ImageExperiments().run(stopped, {}), text);
    std::vector<std::string> log;
    Observer listening;
    listening.log = [&](const std::string& line) { log.push_back(line); };
    EXPECT_EQ(ImageExperiments().run(stopped, listening), text);
    EXPECT_THAT(log, Contains("planted-dark-female-blond-female: measured by an earlier run"));
}

}  // namespace
