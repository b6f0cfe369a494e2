#pragma once

/// Chapter 4 of the dissertation (S. Feghahati, Deep Contrastive Explanation, UC Riverside, 2020) as experiments that anyone can run.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/reading/corpus.h"
#include "training/steps.h"
#include "whynot/experiment.h"
#include "whynot/pack.h"

namespace whynot::text {

/// The service `whynot.experiment/1` for text.
class TextExperiments : public Experiments {
public:
    std::vector<ExperimentInfo> list() const override;
    std::string run(const ExperimentRequest& request, const Observer& observer) override;
};

/// The pack to explain: `request.pack`, or else the one called `id`. Throws `invalid_argument` for one that does not tell the classes of
/// the corpus apart.
Pack experiment_pack(const ExperimentRequest& request, const std::string& id, const Corpus& corpus);

/// The steps of an experiment, whose identity has the request and the corpus already.
training::Steps experiment_steps(const ExperimentRequest& request, const Corpus& corpus, const Observer& observer);

/// For `ExperimentResult::settings`: corpus and pack with their SHA-256.
nlohmann::ordered_json sources_of(const Corpus& corpus, const Pack& pack);

/// One experiment each: fills in `result`, which says what it is of (`begin_result`), and writes its pictures into `request.out`.
void run_word_images(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);  // word_images_experiment.cpp
/// Ours beside people's and published methods': with the corpora yelp-human and imdb-human.
void run_peers(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);        // peers.cpp
void run_yelp(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);         // yelp.cpp
void run_biased_yelp(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);  // biased.cpp
/// The same with a corpus and a pack made anew in `request.out`, as the pack to explain (of which the recipe is taken) was made.
void run_biased_yelp_remake(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);

}  // namespace whynot::text
