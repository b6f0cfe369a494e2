// A plugin for the tests of `whynot train` and `whynot evaluate`: it learns nothing, but says all that a trainer and an evaluator say.
#include <chrono>
#include <thread>

#include "whynot/error.h"
#include "whynot/modality.h"
#include "whynot/plugin.h"
#include "whynot/train.h"

namespace {

using whynot::Error;
using whynot::ErrorCode;

class Toys : public whynot::Modality {
public:
    std::unique_ptr<whynot::Model> open(const whynot::Pack&, const std::string&) override {
        throw Error(ErrorCode::bad_pack, "toys explain nothing");
    }
};

/// Trains on the corpus "toys"; on "endless" until it is stopped; on "stuck" for ever, and hears of nothing.
class ToyTrainer : public whynot::Trainer {
public:
    std::string default_recipe() const override { return R"({"epochs": 3})"; }

    void train(const whynot::TrainRequest& request, const whynot::Observer& observer) override {
        if (request.recipe != "{}") throw Error(ErrorCode::invalid_argument, "recipe: found " + request.recipe);
        observer.log("corpus " + (request.corpora / request.corpus).string() + ", seed " + std::to_string(request.seed));
        while (request.corpus == "stuck") std::this_thread::sleep_for(std::chrono::seconds(1));
        while (request.corpus == "endless") {
            observer.progress({"turning", 0.5, "no end in sight"});
            if (observer.cancelled()) throw Error(ErrorCode::cancelled, "the training was stopped");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        whynot::PackWriter writer(request.out);
        writer.add("toy.txt", "a toy\n");
        whynot::PackManifest manifest;
        manifest.id = manifest.modality = manifest.plugin_id = "toy";
        manifest.plugin_version = "1.0.0";
        manifest.classes = {"round", "square"};
        manifest.seed = request.seed;
        manifest.licence = "MIT";
        writer.finish(manifest);
    }
};

class ToyEvaluator : public whynot::Evaluator {
public:
    std::string evaluate(const whynot::Pack& pack, const whynot::EvaluateRequest& request, const whynot::Observer& observer) override {
        observer.log("cache " + request.cache.string());
        return R"({"figures": [{"name": "found", "value": 0.98765432, "n": )" + std::to_string(request.limit) +
               R"(, "unit": "share"}, {"name": "seed", "value": )" + std::to_string(request.seed) +
               R"(, "n": 1}], "examples": [{"before": "a ball", "answer": null}, ")" + pack.manifest().id + R"("]})";
    }
};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = plugin.modality = "toy";
    plugin.name = "Toys";
    plugin.version = "1.0.0";
    plugin.licence = "MIT";
    plugin.summary = "Trains and evaluates without doing so.";
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Toys>, whynot::Service<whynot::Trainer, ToyTrainer>,
              whynot::Service<whynot::Evaluator, ToyEvaluator>);
