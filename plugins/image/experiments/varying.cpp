// Figure 3.12: classifiers that know a class more and more, and whether their explanations show it.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "base/json.h"
#include "drawing/image_file.h"
#include "image/comparing/ground.h"
#include "image/comparing/sheets.h"
#include "image/experiments/experiments.h"
#include "image/model/fit.h"
#include "training/optimiser.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr const char* late_class = "8";
constexpr std::array wanted_recall{0.0, 0.3, 0.6, 0.99};  // of the late class

/// What a sequence of trainings is made from.
struct Lessons {
    const Ground& ground;
    int64_t late = 0;        ///< the class that comes late
    at::Tensor others, own;  ///< rows of the training images: of the other classes, of the late one
    at::Tensor tested;       ///< rows of the held-out images of the late class
    bool quick = false;
};

/// How one stage teaches: batches of both kinds until the recall is reached.
struct Stage {
    double recall = 0;
    double rate = 0;
    int64_t of_others = 0, of_late = 0, pool = 0, test_each = 0;
};

Lessons lessons_of(const Ground& ground, uint64_t seed, bool quick) {
    const int64_t late = ground.class_called(late_class), images = quick ? 3000 : 12000;
    const at::Tensor order = at::randperm(ground.train.size(), training::make_generator(training::mix_seed(seed, 11)), at::kLong);
    const at::Tensor rows = order.slice(0, 0, images), labels = ground.train.labels.index_select(0, rows);
    return {ground,
            late,
            rows.index_select(0, labels.ne(late).nonzero().squeeze(1)),
            rows.index_select(0, labels.eq(late).nonzero().squeeze(1)),
            ground.held_out.labels.eq(late).nonzero().squeeze(1),
            quick};
}

double recall_of(const Classifier& classifier, const Lessons& lessons) {
    const at::NoGradGuard no_grad;
    return mean_of(classifier.logits(lessons.ground.held_out.images(lessons.tested)).argmax(1).eq(lessons.late));
}

/// A training that goes on from stage to stage.
class Pupil {
public:
    Pupil(const Lessons& lessons, uint64_t seed) : lessons_(lessons), seed_(seed) {
        const Networks& networks = lessons.ground.model.networks();
        classifier_ = make_classifier({}, networks.shape, static_cast<int64_t>(lessons.ground.classes().size()));
        classifier_->initialise(training::make_generator(training::mix_seed(seed, 12)));
    }

    /// Everything, or everything but the late class.
    void learn_all(bool with_late, const Watch& watch) {
        const int64_t epochs = lessons_.quick ? 2 : 4, batch = 64;
        const at::Tensor rows = with_late ? at::cat({lessons_.others, lessons_.own}) : lessons_.others;
        begin(1e-3);
        for (int64_t epoch = 0; epoch < epochs; ++epoch) {
            const at::Tensor order = shuffled(rows);
            for (int64_t at = 0; at + batch <= order.size(0); at += batch) {
                watch((static_cast<double>(epoch) + static_cast<double>(at) / static_cast<double>(order.size(0))) /
                      static_cast<double>(epochs));
                learn(order.slice(0, at, at + batch));
            }
        }
        end();
    }

    /// Until the late class is recognised as often as the stage wants. @return images of it that were shown
    int64_t learn(const Stage& stage, const Watch& watch) {
        const int64_t most = lessons_.quick ? 200 : 1000;
        const at::Tensor pool = lessons_.own.slice(0, 0, stage.pool);
        begin(stage.rate);
        int64_t steps = 0;
        while (steps < most && (steps % stage.test_each != 0 || recall_of(*classifier_, lessons_) < stage.recall)) {
            watch(0);
            learn(at::cat({some(lessons_.others, stage.of_others), some(pool, stage.of_late)}));
            ++steps;
        }
        end();
        return steps * stage.of_late;
    }

    const std::shared_ptr<Classifier>& classifier() const { return classifier_; }

private:
    void begin(double rate) {
        classifier_->require_gradients(true);
        std::vector<at::Tensor> parameters;
        for (const auto& [name, tensor] : classifier_->parameters()) parameters.push_back(tensor);
        adam_ = std::make_unique<training::DenseAdam>(parameters, 0);
        rate_ = rate;
    }
    void end() { classifier_->require_gradients(false); }

    void learn(const at::Tensor& rows) {
        const TrainingImages& train = lessons_.ground.train;
        Mode mode;
        mode.training = true;
        at::cross_entropy_loss(classifier_->logits(train.images(rows), mode), train.labels.index_select(0, rows)).backward();
        adam_->step(rate_);
    }

    at::Generator draw() { return training::make_generator(training::mix_seed(seed_, 13, drawn_++)); }
    at::Tensor shuffled(const at::Tensor& rows) { return rows.index_select(0, at::randperm(rows.size(0), draw(), at::kLong)); }
    at::Tensor some(const at::Tensor& rows, int64_t count) {
        return rows.index_select(0, at::empty({count}, at::kLong).random_(0, rows.size(0), draw()));
    }

    const Lessons& lessons_;
    uint64_t seed_, drawn_ = 0;
    std::shared_ptr<Classifier> classifier_;
    std::unique_ptr<training::DenseAdam> adam_;
    double rate_ = 0;
};

/// The pack's model with another classifier.
ImageModel model_with(const Ground& ground, const std::shared_ptr<Classifier>& classifier) {
    Networks networks = ground.model.networks();
    networks.classifier = classifier;
    return {ground.classes(), networks};
}

/// Explanations "why not the late class?" of images.
struct Explained {
    at::Tensor changes;            ///< in pixels, [n, h w]
    at::Tensor found;              ///< [n], bool
    double gap = 0, distance = 0;  ///< medians: nats to close, latent
};

Explained explain(const ImageModel& model, const at::Tensor& images, int64_t late, uint64_t seed, const Watch& watch) {
    const Sample sample(model, images, 32, seed, [](double) {});
    const Answers answers = sample.answer(at::full({images.size(0)}, late, at::kLong), 1, true, watch);
    const at::NoGradGuard no_grad;
    std::vector<int64_t> found;
    std::vector<double> distances;
    for (const Solution& solution : answers.solutions) {
        found.push_back(solution.feasible ? 1 : 0);
        distances.push_back(solution.distance);
    }
    const at::Tensor logits = model.logits(images);
    const at::Tensor gaps = logits.gather(1, sample.fact().unsqueeze(1)).squeeze(1) - logits.select(1, late);
    return {(sample.draw(answers.z()) - images).flatten(1).detach(), at::tensor(found, at::kLong).to(at::kBool), median_of(gaps),
            median_of(at::tensor(distances, at::kDouble))};
}

/// One seed: four classifiers one after another, and what their explanations have in common with those of an independent one.
Json measure(const Ground& ground, uint64_t seed, int64_t n, bool quick, const Watch& watch) {
    const Lessons lessons = lessons_of(ground, seed, quick);
    const double slow = 3e-4, fast = 1e-3;
    const std::array<Stage, 4> stages{{{0, 0, 0, 0, 0, 0},
                                       {wanted_recall[1], slow, 62, 2, 200, 4},
                                       {wanted_recall[2], slow, 62, 2, 200, 4},
                                       {quick ? 0.9 : wanted_recall[3], fast, 48, 16, lessons.own.size(0), 50}}};
    Pupil pupil(lessons, seed);
    std::vector<std::shared_ptr<Classifier>> kept;
    Json levels = Json::array();
    for (size_t i = 0; i < stages.size(); ++i) {
        const Watch part = [&](double share) { watch((static_cast<double>(i) + share) / 8); };
        int64_t shown = 0;
        if (i == 0)
            pupil.learn_all(false, part);
        else
            shown = pupil.learn(stages[i], part);
        const auto copy = make_classifier({}, ground.model.networks().shape, static_cast<int64_t>(ground.classes().size()));
        for (const auto& [name, tensor] : pupil.classifier()->tensors()) copy->tensors().at(name).set_data(tensor.detach().clone());
        kept.push_back(copy);
        levels.push_back({{"recall", recall_of(*copy, lessons)}, {"shown", shown}});
    }
    // Another, from other first weights and other images, which knows the class from the beginning.
    const Lessons others = lessons_of(ground, training::mix_seed(seed, 14), quick);
    Pupil independent(others, training::mix_seed(seed, 15));
    independent.learn_all(true, [&](double share) { watch((3.5 + share / 2) / 8); });
    // Images that all of them get right.
    const TrainingImages some = ground.held_out.chosen(ground.order.slice(0, 0, 20 * n));
    at::Tensor right = some.labels.ne(lessons.late).logical_and(all_logits(*independent.classifier(), some).argmax(1).eq(some.labels));
    for (const auto& each : kept) right = right.logical_and(all_logits(*each, some).argmax(1).eq(some.labels));
    const at::Tensor images = some.images(right.nonzero().squeeze(1).slice(0, 0, n));
    const Explained own = explain(model_with(ground, independent.classifier()), images, lessons.late, seed, [](double) {});
    Json result{{"images", images.size(0)}, {"own_shown", numbers_of(own.changes.slice(0, 0, shown_questions))}};
    for (size_t i = 0; i < kept.size(); ++i) {
        const Explained here = explain(model_with(ground, kept[i]), images, lessons.late, seed,
                                       [&](double share) { watch((static_cast<double>(4 + i) + share) / 8); });
        levels[i]["found"] = mean_of(here.found);
        levels[i]["gap"] = here.gap;
        levels[i]["distance"] = here.distance;
        levels[i]["cosine"] = mean_of(at::cosine_similarity(here.changes, own.changes, 1));
        levels[i]["shown_changes"] = numbers_of(here.changes.slice(0, 0, shown_questions));
    }
    result["images_shown"] = numbers_of(images.slice(0, 0, shown_questions));
    result["levels"] = std::move(levels);
    return result;
}

void draw(const ExperimentRequest& request, const Ground& ground, const Json& measured, ExperimentResult& result) {
    const ImageShape& shape = ground.model.networks().shape;
    const at::Tensor images = tensor_of(measured["images_shown"]).view({-1, shape.channels, shape.height, shape.width}).to(at::kFloat);
    const auto changes = [&](const Json& numbers) { return tensor_of(numbers).view(images.sizes()).sum(1); };
    for (int64_t i = 0; i < images.size(0); ++i) {
        std::vector<drawing::Panel> panels{{to_picture(images[i]), {"input"}, 0}};
        for (const Json& level : measured["levels"])
            panels.push_back(
                {draw_change(images[i], changes(level["shown_changes"])[i]),
                 {"knows " + base::percent(level["recall"].get<double>()), "cosine " + base::number(level["cosine"].get<double>())},
                 0});
        panels.push_back({draw_change(images[i], changes(measured["own_shown"])[i]), {"independent"}, 0});
        write_sheet(request.out, "varying-" + std::to_string(i + 1) + ".png", std::string("why not ") + late_class + "?",
                    "What classifiers that know more and more of the class would have lighter (red) and darker (blue).", panels, result);
    }
}

std::vector<std::string> notes() {
    return {std::string("Knows: the share of held-out images of the class ") + late_class +
                " that the classifier recognises. Independent: a classifier of other first weights, taught with other images, all classes "
                "from the beginning.",
            "Cosine: between the changes of pixels to the boundary and those of the independent classifier, from the same z0, mean over "
            "the images.",
            "At the first level no boundary is found, and that is the right answer: the point that violates the constraints least erases "
            "the digit.",
            "What does not repeat: that the explanations of a classifier which does not know the class differ from start to start."};
}

}  // namespace

void run_varying(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Ground ground(request, experiment_pack(request, "mnist"), observer);
    const int64_t n = request.quick ? 10 : 150, seeds = request.quick ? 1 : 3;
    const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, observer);
    ExperimentTable table{
        "A classifier that knows more and more of the class", {"seed", "recall", "shown", "found", "gap", "distance", "cosine"}, {}};
    int64_t rising = 0;
    std::vector<double> sums(wanted_recall.size(), 0);
    for (int64_t s = 0; s < seeds; ++s) {
        const uint64_t seed = request.seed + static_cast<uint64_t>(s);
        const Observer part = training::part(observer, static_cast<double>(s) / static_cast<double>(seeds),
                                             static_cast<double>(s + 1) / static_cast<double>(seeds));
        const Json measured = steps.run("seed-" + std::to_string(seed), nullptr, [&] {
            return measure(ground, seed, n, request.quick, watching(part, "seed " + std::to_string(seed)));
        });
        std::vector<double> cosines;
        for (const Json& level : measured["levels"]) {
            cosines.push_back(level["cosine"].get<double>());
            sums[cosines.size() - 1] += cosines.back() / static_cast<double>(seeds);
            table.rows.push_back({static_cast<int64_t>(seed), rounded(level["recall"].get<double>()), level["shown"].get<int64_t>(),
                                  rounded(level["found"].get<double>()), rounded(level["gap"].get<double>()),
                                  rounded(level["distance"].get<double>()), rounded(cosines.back())});
        }
        rising += std::is_sorted(cosines.begin(), cosines.end()) ? 1 : 0;
        if (s == 0) draw(request, ground, measured, result);
    }
    for (size_t i = 0; i < sums.size(); ++i)
        result.figures.push_back({"cosine with the independent classifier, at a recall of " + base::number(wanted_recall[i]) + " or more",
                                  sums[i],
                                  n * seeds,
                                  "",
                                  {},
                                  ""});
    result.figures.push_back({"seeds in which the cosine rises with the recall", static_cast<double>(rising), seeds, "seeds", {}, ""});
    result.tables.push_back(std::move(table));
    result.notes = notes();
    result.packs = {ground.pack.identity()};
    Json settings = sources_of(ground.corpus, ground.pack);
    settings["images"] = n;
    settings["seeds"] = seeds;
    result.settings = settings.dump();
}

}  // namespace whynot::image
