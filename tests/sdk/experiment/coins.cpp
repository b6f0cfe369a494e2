// A stranger's experiments for the tests: one that answers, one that is stopped and goes on, and every way to answer wrongly. Compiled
// once more as TWINS, which lists names that are taken or none, and as SPEECHLESS, which lists nothing and throws.
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "whynot/error.h"
#include "whynot/experiment.h"
#include "whynot/plugin.h"

namespace {

using whynot::Error;
using whynot::ErrorCode;
using whynot::ExperimentResult;

class Coins : public whynot::Experiments {
public:
    std::vector<whynot::ExperimentInfo> list() const override {
#if defined(TWINS)
        return {{"coins/fair", "Is our coin fair too?", "", "nothing"},
                {"Twins/Both", "Capitals", "", "nothing"},
                {"twins//both", "A part of nothing", "", "nothing"},
                {"twins/untitled", "", "", "nothing"},
                {"twins/latin", "caf\xe9", "", "nothing"},
                { "twins/good",
                  "The one that counts",
                  "",
                  "nothing" }};
#elif defined(SPEECHLESS)
        throw std::runtime_error("the mint is closed");
#else
        return {{"coins/fair", "Is the coin fair?", "a table nobody published", "nothing; a moment"},
                {"coins/long", "Is the coin fair for ever?", "", "patience"},
                {"coins/no-json", "Says what is no JSON", "", "nothing"},
                {"coins/ragged", "Says what is no result", "", "nothing"},
                {"coins/other", "Answers another request", "", "nothing"},
                {"coins/no-picture", "Names a picture that is not there", "", "nothing"},
                {"coins/throws", "Throws", "", "nothing"}};
#endif
    }

    std::string run(const whynot::ExperimentRequest& request, const whynot::Observer& observer) override {
        ExperimentResult result;
        for (const whynot::ExperimentInfo& info : list())
            if (info.name == request.name) result = begin_result(info, request);
        if (request.name == "coins/no-json") return "heads";
        if (request.name == "coins/throws") throw std::runtime_error("the coin stands on its edge");
        if (request.name == "coins/other") result.seed += 1;
        if (request.name == "coins/no-picture") result.pictures.push_back({"coin.png", "A coin"});
        if (request.name == "coins/long") toss_for_long(request, observer, result);
        result.figures.push_back({"heads", 0.5 + 0.01 * static_cast<double>(request.seed), request.quick ? 10 : 1000, "share", 0.5, ""});
        result.tables.push_back({"Tosses", {"toss", "side"}, {{int64_t{1}, "heads"}, {int64_t{2}, "tails"}}});
        if (request.name == "coins/fair") {
            if (observer.log) observer.log("corpora " + request.corpora.string() + ", pack " + request.pack);
            std::ofstream(request.out / "coin.png") << "a picture of a coin";
            result.pictures.push_back({"coin.png", "A coin"});
        }
        std::string json = to_json(result);
        if (request.name == "coins/ragged") json.replace(json.find("\"tails\""), 7, "\"tails\", 3");
        return json;
    }

private:
    /// Half of the way at once; the rest in a run that finds that half.
    static void toss_for_long(const whynot::ExperimentRequest& request, const whynot::Observer& observer, ExperimentResult& result) {
        const std::filesystem::path half = request.out / "half";
        if (std::filesystem::exists(half)) {
            result.notes.emplace_back("gone on with");
            return;
        }
        std::ofstream(half) << "of the tosses";
        if (observer.log) observer.log("half of the tosses");
        while (!observer.cancelled()) {
            observer.progress({"tossing", 0.5, "no end in sight"});
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        throw Error(ErrorCode::cancelled, "stopped after half of the tosses");
    }
};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
#if defined(TWINS)
    plugin.id = "twins";
#elif defined(SPEECHLESS)
    plugin.id = "speechless";
#else
    plugin.id = "coins";
#endif
    plugin.name = "Coins";
    plugin.version = "1.0.0";
    plugin.licence = "MIT";
    plugin.summary = "Tosses coins.";
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Experiments, Coins>);
