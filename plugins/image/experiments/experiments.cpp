#include "image/experiments/experiments.h"

#include <algorithm>

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
        {{"image/faces", "What a classifier of faces looks at, hair or eyes, and one that was made to look at the eyes",
          "S. Feghahati, Deep Contrastive Explanation, 2020, section 3.2.4, figures 3.9 to 3.11",
          "the corpus faces; with --pack a classifier of its classes in the place of the plain one; one thread takes 27 minutes, with "
          "--quick two"},
         &run_faces},
        {{"image/fashion", "Two deep classifiers of garments, VGG16 and ResNet101, explained in the same latent space",
          "S. Feghahati, Deep Contrastive Explanation, 2020, section 3.2.3, figure 3.8",
          "the corpus fashion-mnist; one thread takes 23 minutes, most of them to train both, with --quick four"},
         &run_fashion},
        {{"image/guards", "With guards and without: does a third class come between fact and foil?",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figures 3.4 and 3.5",
          "the corpus and the pack mnist, or another --pack of three classes or more and the corpus that it was trained on; one "
          "thread takes 8 minutes, most of them to train a GAN, with --quick one"},
         &run_guards},
        {{"image/methods", "Our explanation beside attribution, as proposals: what becomes of the image that follows each",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figure 3.3",
          "the corpus and the pack mnist, or another --pack of three classes or more and the corpus that it was trained on"},
         &run_methods},
        {{"image/biased-digits", "A square planted on every 8: who finds it, and who names it where no classifier knows it",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figure 3.7", "the corpus mnist, the packs mnist-square and mnist"},
         &run_biased_digits},
        {{"image/other-generator", "The generator of other data: what still works, and how one sees that it doesn't",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figure 3.13",
          "the corpora mnist and kannada-mnist, the pack mnist; it trains another"},
         &run_other_generator},
        {{"image/varying", "Classifiers that know a class more and more: does the explanation show it?",
          "S. Feghahati, Deep Contrastive Explanation, 2020, figure 3.12", "the corpus and the pack mnist"},
         &run_varying},
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

}  // namespace whynot::image
