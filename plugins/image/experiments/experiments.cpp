#include "image/experiments/experiments.h"

#include <algorithm>

#include "image/model/networks.h"
#include "image/services/held_out.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

struct Experiment {
    ExperimentInfo info;
    void (*run)(const ExperimentRequest&, const Observer&, ExperimentResult&);
};

const std::vector<Experiment>& experiments() {
    static const std::vector<Experiment> all{
        {{"image/direct", "Pixels searched directly, and the gradient in windows, beside the generator's changes",
          "S. Feghahati, Deep Contrastive Explanation, 2020, section 3.1.3, figure 3.2",
          "the corpus and the pack mnist, or another --pack of three classes or more and the corpus that it was trained on; one "
          "thread takes 3 minutes, with --quick half a minute"},
         &run_direct},
        {{"image/guards", "With guards and without: does a third class come between fact and foil?",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figures 3.4 and 3.5",
          "the corpus and the pack mnist, or another --pack of three classes or more and the corpus that it was trained on; one "
          "thread takes 8 minutes, most of them to train a GAN, with --quick one"},
         &run_guards},
        {{"image/methods", "Our explanation beside attribution, as proposals: what becomes of the image that follows each",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figure 3.3",
          "the corpus and the pack mnist, or another --pack of three classes or more and the corpus that it was trained on"},
         &run_methods},
        {{"image/peers", "The answer that is shown beside those of other methods, on the same networks",
          "the methods' own papers: Joshi et al. 2019 (REVISE), Wachter et al. 2018, Madry et al. 2018",
          "the corpus and the pack mnist, or another --pack and the corpus that it was trained on; one thread takes 6 minutes, with "
          "--quick half a minute"},
         &run_peers},
        {{"image/starts", "Does an explanation depend on where the search begins?",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figure 3.6",
          "the corpus and the pack mnist, or another --pack of three classes or more and the corpus that it was trained on; one "
          "thread takes 9 minutes, most of them to train a GAN, with --quick one"},
         &run_starts},
    };
    return all;
}

}  // namespace

std::vector<ExperimentInfo> ImageExperiments::list() const {
    std::vector<ExperimentInfo> list;
    for (const Experiment& experiment : experiments()) list.push_back(experiment.info);
    return list;
}

std::string ImageExperiments::run(const ExperimentRequest& request, const Observer& observer) {
    const auto found = std::find_if(experiments().begin(), experiments().end(),
                                    [&](const Experiment& experiment) { return experiment.info.name == request.name; });
    if (found == experiments().end()) throw Error(ErrorCode::not_found, "there is no experiment '" + request.name + "'");
    ExperimentResult result = begin_result(found->info, request);
    found->run(request, observer, result);
    return to_json(result);
}

Pack experiment_pack(const ExperimentRequest& request, const std::string& id) {
    Pack pack = find_pack(request.pack.empty() ? id : request.pack, default_pack_search());
    const PackManifest& manifest = pack.manifest();
    if (manifest.modality != "image")
        throw Error(ErrorCode::invalid_argument,
                    "the pack '" + manifest.id + "' explains " + manifest.modality + ", not images; choose a pack of images");
    return pack;
}

training::Steps experiment_steps(const ExperimentRequest& request, const corpora::ImageCorpus& corpus, const Pack& pack,
                                 const Observer& observer) {
    return {request.out / "steps",
            {{"experiment", request.name},
             {"seed", request.seed},
             {"quick", request.quick},
             {"corpus", corpus.sha256},
             {"pack", pack.sha256()}},
            observer};
}

nlohmann::ordered_json sources_of(const corpora::ImageCorpus& corpus, const Pack& pack) {
    return {{"corpus", {{"name", corpus.manifest.name}, {"sha256", corpus.sha256}}},
            {"pack", {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}}};
}

}  // namespace whynot::image
