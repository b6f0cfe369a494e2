#pragma once

// A pack trained on rings and bars, for experiments.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "image/experiments/experiments.h"
#include "image/services/trainer.h"
#include "plugins/image/toy.h"
#include "support/temporary_folder.h"

namespace toy {

/// The corpus and a pack trained on it, once for all tests of a program.
struct Trained {
    TemporaryFolder folder;
    whynot::Pack pack;

    Trained() {
        write_corpus(folder.path());
        whynot::TrainRequest request;
        request.corpus = "toy";
        request.corpora = folder.path();
        request.out = folder / "pack";
        auto recipe_ = nlohmann::ordered_json::parse(recipe());
        recipe_["classifier"]["epochs"] = 25;  // sure enough of itself for answers with P = .99
        request.recipe = recipe_.dump();
        whynot::image::ImageTrainer().train(request, {});
        pack = whynot::open_pack(folder / "pack");
    }
    static Trained& get() {
        static Trained trained;
        return trained;
    }
};

/// A quick run of an experiment with it, into `folder`/out.
inline whynot::ExperimentRequest request_for(const std::string& experiment, const TemporaryFolder& folder) {
    whynot::ExperimentRequest request;
    request.name = experiment;
    request.corpora = Trained::get().folder.path();
    request.pack = (Trained::get().folder / "pack").string();
    request.out = folder / "out";
    request.cache = folder / "cache";
    request.quick = true;
    std::filesystem::create_directories(request.out);
    return request;
}

}  // namespace toy
