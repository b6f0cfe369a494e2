#include "image/measuring/evaluator.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "base/stopwatch.h"
#include "image/measuring/judging.h"
#include "image/measuring/questions.h"
#include "image/measuring/report.h"
#include "image/measuring/square.h"
#include "image/services/held_out.h"
#include "image/services/recipe.h"
#include "training/random.h"
#include "whynot/asking.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr double third_class_margin = 0.02;  // nats above both before a third class counts as the winner
constexpr int64_t max_timed_alone = 48;

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

bool third_class_wins(const Solution& solution) { return solution.max_third.index >= 0 && solution.max_third.margin > third_class_margin; }

// Where all three of them found an answer.
void measure_distances(Report& report, const std::string& name, const Answers& two, const Answers& one, const Answers& oracle) {
    std::vector<double> ours, theirs, alone;
    for (size_t i = 0; i < oracle.solutions.size(); ++i) {
        if (!oracle.solutions[i].feasible || !two.solutions[i].feasible || !one.solutions[i].feasible) continue;
        ours.push_back(two.solutions[i].distance);
        alone.push_back(one.solutions[i].distance);
        theirs.push_back(oracle.solutions[i].distance);
    }
    const auto both = static_cast<int64_t>(theirs.size());
    report.figure(name + ": mean distance, one extra start", mean(ours), both, "latent");
    report.figure(name + ": the same against the augmented Lagrangian with L-BFGS", mean(ours) / std::max(1e-9, mean(theirs)), both,
                  "times");
    report.figure(name + ": the same, from z0 alone", mean(alone) / std::max(1e-9, mean(theirs)), both, "times");
}

// What is measured of one way to choose the foil. Returns the answers with one extra start.
Answers measure_questions(Report& report, const Sample& sample, const std::string& kind, const at::Tensor& foil, int64_t oracle_images) {
    const int64_t n = sample.size();
    const std::string name = "foil " + kind;
    report.stage("asking about foils, " + kind);
    // The oracle's questions cost about three times as much, one by one.
    const double solves = 5 * static_cast<double>(n), all = solves + 15 * static_cast<double>(oracle_images), per_start = solves / all / 5;
    const Answers one = sample.answer(foil, 1, true, report.between(0, per_start));
    Answers two = sample.answer(foil, 2, true, report.between(per_start, 3 * per_start));
    const Answers unguarded = sample.answer(foil, 2, false, report.between(3 * per_start, 5 * per_start));
    const Answers oracle = sample.ask_oracle(foil, oracle_images, report.between(5 * per_start, 1));
    const auto feasible = [](const auto& solution) { return solution.feasible; };
    report.figure(name + ": gap under 0.01 and every guard met, one extra start", two.share(feasible), n, "share");
    report.figure(name + ": the same, from z0 alone", one.share(feasible), n, "share");
    report.figure(name + ": a third class above both", two.share(third_class_wins), n, "share");
    report.figure(name + ": the same without guards", unguarded.share(third_class_wins), n, "share");

    measure_distances(report, name, two, one, oracle);
    report.figure(name + ": questions that the augmented Lagrangian with L-BFGS solved", oracle.share(feasible), oracle_images, "share");
    report.figure(name + ": work a question, from z0 alone, mean", one.work(), n, "forwards");
    report.figure(name + ": work a question, one extra start, mean", two.work(), n, "forwards");
    report.figure(name + ": work a question, augmented Lagrangian with L-BFGS, mean", oracle.work(), oracle_images, "forwards");
    return two;
}

/// Share of the rows of which `holds` is true, a bool tensor.
double share_of(const at::Tensor& holds) { return holds.to(at::kDouble).mean().item<double>(); }

/// How many of the images that it was made for it warns of.
void measure_strangeness(Report& report, const ImageModel& model, const TrainingImages& held_out) {
    constexpr int64_t piece = 500;
    int64_t strange = 0, known = 0;
    for (int64_t begin = 0; begin < held_out.size(); begin += piece) {
        const ImageBatch some(model, held_out.images(at::arange(begin, std::min(begin + piece, held_out.size()))));
        for (const Strangeness& one : some.strangeness()) {
            ++known;
            strange += one.value.value_or(0) > 1;
        }
    }
    if (known > 0)
        report.figure("held-out images warned of as unlike", static_cast<double>(strange) / static_cast<double>(known), known, "share");
}

// What a person is shown: is it what it is said to be, when it is read again?
Shown measure_shown(Report& report, const Sample& sample, const std::string& kind, const at::Tensor& foil, double confidence) {
    constexpr double most_gap = 0.05, most_above = 0.03;  // nats
    report.stage("showing answers, " + kind);
    const std::string name = "foil " + kind + ", shown and read again: ", with_p = "the foil with P >= " + base::number(confidence);
    const Shown one = sample.show(foil, 1, confidence, report.between(0, 0.4)),
                shown = sample.show(foil, 3, confidence, report.between(0.4, 1));
    const int64_t n = sample.size();
    const auto of = [&](const at::Tensor& said, const at::Tensor& y) { return said.gather(1, y.unsqueeze(1)).squeeze(1); };
    const at::Tensor fact = sample.fact(), gap = (of(shown.at_boundary, fact) - of(shown.at_boundary, foil)).abs();
    const at::Tensor on_boundary = shown.boundary_there.logical_and(shown.is_edge.logical_not());
    report.figure(name + "boundary with its guards", share_of(on_boundary), n, "share");
    report.figure(name + "boundary or edge", share_of(shown.boundary_there), n, "share");
    report.figure(name + "|gap| of the boundary under 0.05",
                  share_of(on_boundary.logical_and(gap < most_gap)) / std::max(1e-9, share_of(on_boundary)),
                  on_boundary.sum().item<int64_t>(), "share");
    if (sample.order().size(1) > 2)
        report.figure(name + "a third class above both by more than 0.03",
                      share_of(on_boundary.logical_and(third_above(shown.at_boundary, fact, foil) > most_above)), n, "share");
    report.figure(name + "answer has " + with_p, share_of(shown.answer_there.logical_and(of(shown.at_answer, foil).exp() >= confidence)), n,
                  "share");
    report.figure(name + "work a question, from z0 alone, boundary and answer, mean", one.work(), n, "forwards");
    return shown;
}

void measure_speed(Report& report, const ImageModel& model, const at::Tensor& images, uint64_t seed) {
    const int64_t many = images.size(0), few = std::min(max_timed_alone, many);
    const auto answer = [&](const at::Tensor& some, const Watch& watch) {
        const base::Stopwatch watch_time;
        ImageBatch batch(model, some);
        Answers answers;
        solve_into(answers, ask(batch, model.info(), {seed, 2, ""}), options_of(model, 3), watch);
        return watch_time.seconds();
    };
    // What is alone in its batch counts four times.
    const double whole = static_cast<double>(4 * few + many);
    const auto alone = [&](int64_t i) {
        const double begin = static_cast<double>(4 * i) / whole;
        return answer(images.slice(0, i, i + 1), report.between(begin, begin + 4 / whole));
    };
    report.stage("measuring speed");
    alone(0);  // what is done once only
    double one_by_one = 0;
    std::vector<double> each;
    for (int64_t i = 0; i < few; ++i) each.push_back(alone(i));
    for (const double seconds : each) one_by_one += seconds;
    const double together = answer(images, report.between(static_cast<double>(4 * few) / whole, 1));
    std::sort(each.begin(), each.end());
    report.figure("speed: one question, start and solve, median", each[each.size() / 2], few, "s");
    report.figure("speed: questions a second, batch " + std::to_string(many) + " against batch 1",
                  (static_cast<double>(many) / together) / (static_cast<double>(few) / one_by_one), many, "times");
}

// Does what was found mean anything to a classifier that had no part in it?
void measure_transfer(Report& report, const Sample& sample, const Classifier& judge, const std::string& kind, const at::Tensor& foil,
                      const Answers& found, const Shown& shown, const TrainingImages& train) {
    report.stage("asking the second classifier, " + kind);
    const Answers direct = sample.answer_in_pixels(foil, report.between(0, 0.7));
    const at::NoGradGuard no_grad;
    const auto sees = [&](const at::Tensor& images) {
        return at::softmax(judge.logits(images), 1).gather(1, foil.unsqueeze(1)).mean().item<double>();
    };
    report.figure("another classifier, foil " + kind + ": mean probability of the foil in the boundary image", sees(sample.draw(found.z())),
                  sample.size(), "");
    report.figure("another classifier, foil " + kind + ": the same in the answer that is shown", sees(shown.answer), sample.size(), "");
    report.figure("answer that is shown, foil " + kind + ": 3 of the 5 nearest training images are of the foil",
                  share_of(shown.answer_there.logical_and(plausible(shown.answer, foil, train, report.between(0.7, 1)))), sample.size(),
                  "share");
    report.figure("another classifier, foil " + kind + ": the same where pixels are searched instead of codes",
                  sees(direct.z().view(sample.images().sizes())), sample.size(), "");
}

// How much is measured.
struct Extent {
    int64_t images = 0;  ///< that are asked about
    int64_t oracle = 0;  ///< of them put to the augmented Lagrangian with L-BFGS
    int64_t batch = 0;
    int64_t timed = 0;
};

Extent extent_of(const Recipe& recipe, const EvaluateRequest& request, int64_t held_out) {
    const int64_t n = std::min(request.limit, held_out), oracle = recipe.evaluation.oracle_images;
    return {n, oracle > 0 ? std::min(oracle, n) : n, recipe.evaluation.batch, std::min(recipe.evaluation.batch, held_out)};
}

// The stages and their sizes. What a search costs from one start: about 50 images forward.
std::vector<std::pair<std::string, double>> stages_of(const Recipe& recipe, const Extent& extent, int64_t classes, int64_t held_out,
                                                      int64_t train) {
    const auto search = [](int64_t questions) { return 50 * static_cast<double>(questions); };
    const auto all = static_cast<double>(held_out);
    const int64_t n = extent.images;
    std::vector<std::pair<std::string, double>> stages{{"classifying", all + search(n) / 10}};
    for (const char* kind : {"runner-up", "random", "least likely"})
        if (classes > 2 || kind == std::string("runner-up")) {
            stages.emplace_back(std::string("asking about foils, ") + kind, search(5 * n + 15 * extent.oracle));
            stages.emplace_back(std::string("showing answers, ") + kind, search(6 * n));
        }
    stages.emplace_back("measuring speed", search(3 * (4 * std::min(max_timed_alone, extent.timed) + extent.timed)));
    if (!recipe.square.class_name.empty()) {
        stages.emplace_back("looking for the square", search(6 * n) + 2 * all);
    } else {
        const int64_t learned = recipe.images > 0 ? std::min(recipe.images, train) : train;
        stages.emplace_back("training a second classifier", 3 * static_cast<double>(recipe.classifier_training.epochs * learned));
        stages.emplace_back("classifying once more", all);
        stages.emplace_back("asking the second classifier, runner-up", search(n));
        if (classes > 2) stages.emplace_back("asking the second classifier, random", search(n));
    }
    return stages;
}

}  // namespace

TrainingImages tensors_of(const corpora::LabelledImages& images) {
    const at::Tensor bytes = at::from_blob(const_cast<uint8_t*>(images.pixels.data()),
                                           {images.count, images.height, images.width, images.channels}, at::TensorOptions(at::kByte));
    return {bytes.permute({0, 3, 1, 2}).contiguous().clone(), at::tensor(images.labels, at::kLong)};
}

nlohmann::ordered_json evaluate_model(ImageModel& model, const std::string& recipe_json, const corpora::ImageCorpus& corpus,
                                      const EvaluateRequest& request, const Observer& observer) {
    if (request.limit < 1)
        throw Error(ErrorCode::invalid_argument, "expected a limit of at least 1, found " + std::to_string(request.limit));
    const Networks& networks = model.networks();
    const Recipe recipe = Recipe::from_json(recipe_json, networks.shape);
    const TrainingImages held_out = tensors_of(corpus.held_out);
    const auto classes = static_cast<int64_t>(model.info().classes.size());
    const Extent extent = extent_of(recipe, request, held_out.size());
    training::say(observer, "measuring on " + std::to_string(extent.images) + " of " + std::to_string(held_out.size()) +
                                " held-out images, " + std::to_string(extent.oracle) +
                                " of them against the augmented Lagrangian with L-BFGS, " + std::to_string(extent.batch) + " at a time");
    Report report(observer);
    report.plan(stages_of(recipe, extent, classes, held_out.size(), corpus.train.count));

    report.stage("classifying");
    report.figure("classifier: accuracy on held-out images", accuracy(*networks.classifier, held_out, report.between(0, 0.5)),
                  held_out.size(), "share");
    const at::Tensor order = hash_order(corpus.held_out);
    const Sample sample(model, held_out.images(order.slice(0, 0, extent.images)), extent.batch, request.seed, report.between(0.5, 1));
    measure_strangeness(report, model, held_out);
    const at::Tensor residual = sample.residual().flatten(1);
    report.figure("generator: mean squared error of G(z0)", residual.square().mean().item<double>(), sample.size(), "");
    report.figure("generator: residual |I - G(z0)|, mean", residual.norm(2, 1).mean().item<double>(), sample.size(), "");

    const at::Tensor runner_up = sample.order().select(1, 1).contiguous();
    struct Kind {
        std::string name;
        at::Tensor foil;
        Answers found;
        Shown shown;
    };
    std::vector<Kind> kinds{{"runner-up", runner_up, {}, {}}};
    if (classes > 2) {
        const at::Tensor place =
            at::empty({sample.size(), 1}, at::kLong).random_(1, classes, training::make_generator(training::mix_seed(request.seed, 1)));
        kinds.push_back({"random", sample.order().gather(1, place).squeeze(1), {}, {}});
        kinds.push_back({"least likely", sample.order().select(1, classes - 1).contiguous(), {}, {}});
    }
    for (Kind& kind : kinds) {
        kind.found = measure_questions(report, sample, kind.name, kind.foil, extent.oracle);
        kind.shown =
            measure_shown(report, sample, kind.name, kind.foil, request.confidence != 0 ? request.confidence : model.info().confidence);
    }
    measure_speed(report, model, held_out.images(order.slice(0, 0, extent.timed)), request.seed);

    if (!recipe.square.class_name.empty()) {  // a second classifier would have the same bias
        measure_square(report, model, recipe, held_out, order, extent.images, request.seed);
    } else {
        report.stage("training a second classifier");
        const TrainingImages train = tensors_of(corpus.train).labelled();
        const auto judge =
            train_judge(recipe, networks.shape, classes, train, corpus.sha256, request.seed, request.cache, report.observer());
        report.stage("classifying once more");
        report.figure("another classifier: accuracy on held-out images", accuracy(*judge, held_out, report.between(0, 1)), held_out.size(),
                      "share");
        for (size_t k = 0; k < std::min<size_t>(2, kinds.size()); ++k)
            measure_transfer(report, sample, *judge, kinds[k].name, kinds[k].foil, kinds[k].found, kinds[k].shown, train);
    }
    return {{"sample", {{"images", extent.images}, {"oracle_images", extent.oracle}, {"batch", extent.batch}}},
            {"figures", report.figures()}};
}

std::string ImageEvaluator::evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) {
    ImageModel model(pack);
    const corpora::ImageCorpus corpus =
        corpora::read_images(request.corpora, request.corpus, [&] { training::stop_if_cancelled(observer, "the evaluation"); });
    expect_corpus_of(pack, model.networks().shape, corpus, request.corpus);
    return evaluate_model(model, pack.manifest().recipe, corpus, request, observer).dump();
}

}  // namespace whynot::image
