// Figure 3.7: a square planted on every 8, and who finds it.
#include <ATen/ATen.h>

#include <algorithm>

#include "base/json.h"
#include "image/comparing/ground.h"
#include "image/comparing/proposers.h"
#include "image/comparing/sheets.h"
#include "image/comparing/yardsticks.h"
#include "image/experiments/experiments.h"
#include "image/measuring/square.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr const char* control_pack = "mnist";

/// The generator of one model with the classifier of another: it has seen the bias, who is asked has not.
ImageModel control_of(const Ground& ground, const Pack& control) {
    const at::NoGradGuard no_grad;
    Networks networks = ground.model.networks();
    const Networks other = Networks::load(control);
    if (control.manifest().classes != ground.classes() || !(other.shape == networks.shape))
        throw Error(ErrorCode::invalid_argument, "expected '" + control.manifest().id +
                                                     "' to look at the same images and have the same classes as '" +
                                                     ground.pack.manifest().id + "', found others");
    networks.classifier = other.classifier;
    if (networks.codes.size(0) > 0)
        networks.code_classes = networks.classifier->logits(networks.generator->decode(networks.codes.to(at::kFloat))).argmax(1);
    return {ground.classes(), networks};
}

/// Of each question whether a proposer finds the square, and its first changes.
Json look(const Proposer& proposer, const Asked& asked, const Kind& kind, int64_t side, const Watch& watch) {
    const at::Tensor made = proposer.make(asked, kind, watch), changes = proposer.reads_content ? added(made) : made;
    return {{"hits", numbers_of(hits_corner(changes.abs(), side))}, {"shown", numbers_of(changes.slice(0, 0, shown_questions))}};
}

std::vector<std::string> notes(const std::string& name) {
    return {"Found: the window as large as the square in which a map is largest on average, either way, lies in the corner of the square.",
            "Control: the same images and generator, which has seen the square, with a classifier that was never shown one. A method that "
            "names the "
            "square there does not tell what the classifier does.",
            "The controls that ask no classifier (mean and nearest of foil) find the square with both: they show what the data look like.",
            "All images are clean ones of other classes; the question is: why not " + name + "?"};
}

}  // namespace

void run_biased_digits(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Ground ground(request, experiment_pack(request, "mnist-square"), observer);
    const Square& square = ground.recipe.square;
    if (square.class_name.empty())
        throw Error(ErrorCode::invalid_argument,
                    "expected a pack with a planted square, such as mnist-square, found '" + ground.pack.manifest().id + "'");
    const Pack other = find_pack(control_pack, default_pack_search());
    const ImageModel control = control_of(ground, other);
    const int64_t n = request.quick ? 16 : 200, marked = ground.class_called(square.class_name);
    // Those that neither classifier calls the class with the square.
    const TrainingImages some = ground.held_out.chosen(ground.order.slice(0, 0, 10 * n));
    const auto called = [&](const ImageModel& model) { return all_logits(*model.networks().classifier, some).argmax(1); };
    const at::Tensor rows =
        called(ground.model).ne(marked).logical_and(called(control).ne(marked)).logical_and(some.labels.ne(marked)).nonzero().squeeze(1);
    const at::Tensor images = some.images(rows.slice(0, 0, n));
    const Kind kind{"square", at::full({images.size(0)}, marked, at::kLong)};

    result.packs = {ground.pack.identity(), other.identity()};
    Json settings = sources_of(ground.corpus, ground.pack);
    settings["control"] = {{"id", other.manifest().id}, {"sha256", other.sha256()}};
    settings["images"] = images.size(0);
    const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, observer);
    ExperimentTable table{"Why not " + square.class_name + "? The square is found first", {"method", "biased", "control"}, {}};
    const Asked biased(ground.model, images, request.seed, watching(observer, "reading images")),
        unbiased(control, images, request.seed, watching(observer, "reading images"));
    const std::vector<Proposer> proposers = all_proposers(ground.model, request.seed), controls = all_proposers(control, request.seed);
    std::vector<std::pair<std::string, at::Tensor>> shown;
    for (size_t i = 0; i < proposers.size(); ++i) {
        const double each = 1 / static_cast<double>(proposers.size());
        const auto measured = [&](const Proposer& proposer, const Asked& asked, const std::string& who, double begin) {
            const Watch watch = watching(training::part(observer, begin, begin + each / 2), proposer.name + ", " + who);
            return steps.run(who + "-" + proposer.key, {{"control", other.sha256()}},
                             [&] { return look(proposer, asked, kind, square.size, watch); });
        };
        const double begin = each * static_cast<double>(i);
        const Json of_biased = measured(proposers[i], biased, "biased", begin),
                   of_control = measured(controls[i], unbiased, "control", begin + each / 2);
        const double found = mean_of(tensor_of(of_biased["hits"])), found_there = mean_of(tensor_of(of_control["hits"]));
        table.rows.push_back({proposers[i].name, rounded(found), rounded(found_there)});
        if (proposers[i].key == "ours") {
            result.figures.push_back({"the square is found by our explanation", found, images.size(0), "share", {}, "goal 0.95"});
            result.figures.push_back({"the same, control", found_there, images.size(0), "share", {}, "goal at most 0.05"});
        }
        shown.emplace_back(proposers[i].name, tensor_of(of_biased["shown"]).view({-1, images.size(2), images.size(3)}));
    }
    draw_changes(request.out, kind, biased, shown, ground.classes(), result);
    result.tables.push_back(std::move(table));
    result.notes = notes(square.class_name);
    result.settings = settings.dump();
}

}  // namespace whynot::image
