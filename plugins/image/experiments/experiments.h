#pragma once

/// Chapter 3 of the dissertation (S. Feghahati, Deep Contrastive Explanation, UC Riverside, 2020) and what else is published of explanations of
/// images, as experiments that anyone can run.

#include <string>
#include <vector>

#include "whynot/experiment.h"

namespace whynot::image {

/// The service `whynot.experiment/1` for images.
class ImageExperiments : public Experiments {
public:
    std::vector<ExperimentInfo> list() const override;
    std::string run(const ExperimentRequest& request, const Observer& observer) override;
};

/// One experiment each, in the file of its name: fills in `result`, which says what it is of (`begin_result`), and writes its pictures into
/// `request.out`.
void run_biased_digits(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_direct(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_faces(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_fashion(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_guards(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_methods(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_other_generator(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_peers(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_starts(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);
void run_varying(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result);

}  // namespace whynot::image
