#include "text/experiments/experiments.h"

#include <algorithm>

#include "base/format.h"
#include "base/names.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

struct Experiment {
    ExperimentInfo info;
    void (*run)(const ExperimentRequest&, const Observer&, ExperimentResult&);
};

const std::vector<Experiment>& experiments() {
    static const std::string dissertation = "S. Feghahati, Deep Contrastive Explanation, PhD dissertation, UC Riverside, 2020, ";
    static const std::vector<Experiment> all{
        {{"text/biased-yelp", "A classifier trained with a planted bias for the word \"very\", and explanations that find out",
          dissertation + "section 4.4.3 and table 4.3",
          "the corpus yelp, the packs yelp-very and yelp-sum; one thread takes about 2 minutes, with --quick 15 seconds"},
         &run_biased_yelp},
        {{"text/biased-yelp/remake", "The same from the beginning: the biased corpus and the pack are made anew",
          dissertation + "section 4.4.3 and table 4.3",
          "the corpus yelp, the packs yelp-very (for its recipe) and yelp-sum; one thread takes about 25 minutes, with --quick 12"},
         &run_biased_yelp_remake},
        {{"text/peers", "Our answers beside people's, and beside what is published of other methods",
          "outputs stored by CEval (2024) and DualRL (2019); no figure of the dissertation",
          "the corpora yelp-human and imdb-human, the pack yelp; one thread takes about 25 minutes, with --quick a quarter of one"},
         &run_peers},
        {{"text/word-images", "Sentences as pictures of letters, read by a convolution", dissertation + "section 4.2 and figure 4.1",
          "the corpus yelp, the pack yelp-sum; half a minute of one core, with --quick 5 seconds"},
         &run_word_images},
        {{"text/yelp", "Sentences of Yelp led to the boundary, and put into words in two ways",
          dissertation + "section 4.4.2, tables 4.1 and 4.2",
          "the corpus yelp, the pack yelp-sum; half a minute of one core, with --quick 5 seconds"},
         &run_yelp},
    };
    return all;
}

}  // namespace

std::vector<ExperimentInfo> TextExperiments::list() const {
    std::vector<ExperimentInfo> list;
    for (const Experiment& experiment : experiments()) list.push_back(experiment.info);
    return list;
}

std::string TextExperiments::run(const ExperimentRequest& request, const Observer& observer) {
    const auto found = std::find_if(experiments().begin(), experiments().end(),
                                    [&](const Experiment& experiment) { return experiment.info.name == request.name; });
    if (found == experiments().end()) throw Error(ErrorCode::not_found, "there is no experiment '" + request.name + "'");
    ExperimentResult result = begin_result(found->info, request);
    found->run(request, observer, result);
    return to_json(result);
}

Pack experiment_pack(const ExperimentRequest& request, const std::string& id, const Corpus& corpus) {
    Pack pack = find_pack(request.pack.empty() ? id : request.pack, default_pack_search());
    const PackManifest& manifest = pack.manifest();
    const auto refuse = [&](const std::string& found) {
        throw Error(ErrorCode::invalid_argument, "the pack '" + manifest.id + "' " + found + "; choose a pack of text with the classes " +
                                                     base::some_of(corpus.classes()) + ", those of the corpus '" + corpus.manifest.name +
                                                     "'");
    };
    if (manifest.modality != "text") refuse("explains " + manifest.modality + ", not sentences");
    if (manifest.classes != corpus.classes()) refuse("has the classes " + base::some_of(manifest.classes));
    return pack;
}

training::Steps experiment_steps(const ExperimentRequest& request, const Corpus& corpus, const Observer& observer) {
    return {request.out / "steps",
            {{"experiment", request.name}, {"seed", request.seed}, {"quick", request.quick}, {"corpus", corpus.sha256}},
            observer};
}

nlohmann::ordered_json sources_of(const Corpus& corpus, const Pack& pack) {
    return {{"corpus", {{"name", corpus.manifest.name}, {"sha256", corpus.sha256}}},
            {"pack", {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}}};
}

}  // namespace whynot::text
