// Figure 3.3: our explanation beside attribution, as proposals: what becomes of the image that follows each.
#include <ATen/ATen.h>

#include <algorithm>
#include <ctime>

#include "base/json.h"
#include "image/comparing/ground.h"
#include "image/comparing/proposers.h"
#include "image/comparing/sheets.h"
#include "image/comparing/yardsticks.h"
#include "image/experiments/experiments.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

/// A method's worth, and what it costs. Of the two ways to read scores of content the one that serves it better.
Json measure(const Proposer& proposer, const Asked& asked, const Kind& kind, const Jury& jury, const Watch& watch) {
    const std::clock_t begin = std::clock();
    const at::Tensor made = proposer.make(asked, kind, [&](double done) { watch(0.5 * done); });
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    const Watch rest = [&](double done) { watch(0.5 + 0.5 * done); };
    const at::Tensor& images = asked.sample.images();
    at::Tensor changes = proposer.reads_content ? added(made) : made;
    Worth worth = worth_of(changes, images, kind.foil, jury, rest);
    bool is_inverted = false;
    if (proposer.reads_content) {
        const at::Tensor other = inverted(made, images);
        const Worth of_other = worth_of(other, images, kind.foil, jury, rest);
        is_inverted = of_other.area + of_other.plausible > worth.area + worth.plausible;
        if (is_inverted) worth = of_other, changes = other;
    }
    return {{"worth", worth.to_json()},
            {"inverted", is_inverted},
            {"seconds", seconds},
            {"shown", numbers_of(changes.slice(0, 0, shown_questions))}};
}

std::vector<std::string> notes() {
    return {
        "A map is put upon the image. Of attribution the scores are read as added (what speaks for the fact goes) or, marked (i), as "
        "inverted: whichever serves a "
        "method better.",
        "Flips: the 5 or 10 % of the pixels with the largest change that have room are set to light or dark; the share that is called the "
        "foil then. Area: the "
        "foil's mean probability over 0 to 20 %. Second: by a classifier of other first weights.",
        "Own size: x + s E / |E| for the smallest s up to 10 at which the classifier says the foil. Plausible: at 1.5 s three of the five "
        "nearest "
        "training images are of the foil; the yardstick to look at, for it asks no network.",
        "The controls (mean and nearest of foil) ask no classifier, and top yardsticks: these alone prove nothing about faithfulness. What "
        "tells "
        "them from an explanation is image/biased-digits and image/varying.",
        "Gradient and search in pixels turn the classifier with the fewest pixels: these are adversarial patterns, and look like nothing.",
        "The sweep contrasts the maps of both classes over 400 weights, as the dissertation does.",
        "ms: processor time a question, of the map alone."};
}

}  // namespace

void run_methods(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Ground ground(request, experiment_pack(request, "mnist"), observer);
    const int64_t n = request.quick ? 16 : 200;
    const Asked asked(ground.model, ground.images(n), request.seed, watching(observer, "reading images"));
    constexpr double learned = 0.15;
    const auto second = second_classifier(request, ground, training::part(observer, 0, learned));
    const Jury jury{ground.model, *second, ground.train};
    const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, observer);
    const std::vector<Proposer> proposers = all_proposers(ground.model, request.seed);
    const std::vector<Kind> kinds{asked.kind("runner-up"), asked.kind("random")};

    double done = 0;
    for (const Kind& kind : kinds) {
        ExperimentTable table{"The foil: " + kind.name,
                              {"method", "flips 5 %", "flips 10 %", "area", "second", "own size: flips", "L2", "plausible", "ms"},
                              {}};
        std::vector<std::pair<std::string, at::Tensor>> shown;
        double best_published = 0, plausible_ours = 0;
        for (const Proposer& proposer : proposers) {
            const double begin = learned + (1 - learned) * done / static_cast<double>(proposers.size() * kinds.size());
            const Observer part = training::part(observer, begin, begin + 1.0 / static_cast<double>(proposers.size() * kinds.size()));
            const std::string name = kind.name + "-" + proposer.key;
            const Json json = steps.run(name, nullptr, [&] { return measure(proposer, asked, kind, jury, watching(part, proposer.name)); });
            ++done;
            const Worth worth = Worth::from_json(json["worth"]);
            const double ms = 1000 * json["seconds"].get<double>() / static_cast<double>(worth.n);
            table.rows.push_back({proposer.name + (json["inverted"].get<bool>() ? " (i)" : ""), rounded(worth.flips_5),
                                  rounded(worth.flips_10), rounded(worth.area), rounded(worth.second_area), rounded(worth.turned),
                                  rounded(worth.length), rounded(worth.plausible), rounded(ms)});
            const at::Tensor& images = asked.sample.images();
            shown.emplace_back(proposer.name, tensor_of(json["shown"]).view({-1, images.size(2), images.size(3)}));
            if (proposer.key == "ours") plausible_ours = worth.plausible;
            if (proposer.is_published) best_published = std::max(best_published, worth.plausible);
        }
        result.tables.push_back(std::move(table));
        result.figures.push_back({"foil " + kind.name + ": plausible at own size, ours", plausible_ours, n, "share", {}, ""});
        result.figures.push_back(
            {"foil " + kind.name + ": the best of Grad-CAM, LRP, LIME and PDA, sweeps included", best_published, n, "share", {}, ""});
        draw_changes(request.out, kind, asked, shown, ground.classes(), result);
    }
    result.figures.push_back({"second classifier: accuracy on held-out images",
                              accuracy(*second, ground.held_out, watching(observer, "judging")),
                              ground.held_out.size(),
                              "share",
                              {},
                              ""});
    result.notes = notes();
    result.packs = {ground.pack.identity()};
    Json settings = sources_of(ground.corpus, ground.pack);
    settings["images"] = n;
    result.settings = settings.dump();
}

}  // namespace whynot::image
