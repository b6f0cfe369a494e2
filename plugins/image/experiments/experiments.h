#pragma once

/// Chapter 3 of the dissertation (S. Feghahati, Deep Contrastive Explanation, UC Riverside, 2020) and what else is published of explanations of
/// images, as experiments that anyone can run.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "corpora/images.h"
#include "training/steps.h"
#include "whynot/experiment.h"
#include "whynot/pack.h"

namespace whynot::image {

/// The service `whynot.experiment/1` for images.
class ImageExperiments : public Experiments {
public:
    std::vector<ExperimentInfo> list() const override;
    std::string run(const ExperimentRequest& request, const Observer& observer) override;
};

/// The pack to explain: `request.pack`, or else the one called `id`. Throws `invalid_argument` for one of another modality.
Pack experiment_pack(const ExperimentRequest& request, const std::string& id);

/// The steps of an experiment, whose identity has the request, corpus and pack already.
training::Steps experiment_steps(const ExperimentRequest& request, const corpora::ImageCorpus& corpus, const Pack& pack,
                                 const Observer& observer);

/// For `ExperimentResult::settings`: corpus and pack with their SHA-256.
nlohmann::ordered_json sources_of(const corpora::ImageCorpus& corpus, const Pack& pack);

/// One experiment each: fills in `result`, which says what it is of (`begin_result`), and writes its pictures into `request.out`.
void run_direct(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);   // direct.cpp
void run_guards(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);   // guards.cpp
void run_methods(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);  // methods.cpp
void run_peers(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);    // peers.cpp
void run_starts(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);   // starts.cpp

}  // namespace whynot::image
