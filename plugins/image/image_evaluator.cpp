#include "image_evaluator.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "image_recipe.h"
#include "lbfgs_oracle.h"
#include "random.h"
#include "run.h"
#include "whynot/error.h"
#include "whynot/solver.h"

namespace whynot::image {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double third_class_margin = 0.02;  // nats above both before a third class counts as the winner

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

at::Tensor everyone(int64_t n) { return at::arange(n, at::kLong); }

// Held-out images in the order of their hash: the same for everybody.
at::Tensor hash_order(const corpora::LabelledImages& images) {
    std::vector<std::pair<uint64_t, int64_t>> hashes;
    for (int64_t i = 0; i < images.count; ++i) hashes.emplace_back(corpora::image_hash(images, i), i);
    std::sort(hashes.begin(), hashes.end());
    std::vector<int64_t> order;
    for (const auto& [hash, index] : hashes) order.push_back(index);
    return at::tensor(order, at::kLong);
}

// A batch and one question of each of its rows, the way the explainer puts them.
Problem problem_of(ImageBatch& batch, const at::Tensor& fact, const at::Tensor& foil, int64_t extra_starts, uint64_t seed) {
    Problem problem;
    problem.fact = fact;
    problem.foil = foil;
    problem.start = batch.start(fact, seed);
    problem.log_likelihood = [&batch](const at::Tensor& z, const at::Tensor& rows) { return batch.log_likelihood(z, rows); };
    if (extra_starts > 0) problem.extra_starts = batch.extra_starts(everyone(batch.size()), fact, foil, extra_starts, seed);
    return problem;
}

SolverOptions options_of(const ImageModel& model, int64_t starts, bool guards = true) {
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    options.starts = starts;
    options.guards = guards;
    return options;
}

at::Tensor boundaries(const Summary& summary) {
    std::vector<at::Tensor> z;
    for (const Solution& solution : summary.solutions) z.push_back(solution.z);
    return at::stack(z);
}

double share(const Summary& summary, const std::function<bool(const Solution&)>& holds) {
    return static_cast<double>(std::count_if(summary.solutions.begin(), summary.solutions.end(), holds)) /
           static_cast<double>(summary.solutions.size());
}

bool third_class_wins(const Solution& solution) { return solution.max_third.index >= 0 && solution.max_third.margin > third_class_margin; }

// Where the window of `side` pixels with the largest mean value begins, {row, column} of each map [n, h, w].
at::Tensor brightest_window(const at::Tensor& maps, int64_t side) {
    const at::Tensor means = at::avg_pool2d(maps.unsqueeze(1), side, 1).squeeze(1);
    const at::Tensor place = means.flatten(1).argmax(1);
    return at::stack({at::div(place, means.size(2), "floor"), place.remainder(means.size(2))}, 1);
}

double corner_hits(const at::Tensor& maps, int64_t side) {
    return brightest_window(maps, side).le(2).all(1).to(at::kDouble).mean().item<double>();
}

/// Collects figures; tells how far the evaluation is and stops it when asked to.
class Report {
public:
    explicit Report(const Observer& observer) : observer_(observer) {}

    void stage(const char* name, double fraction) const {
        if (observer_.cancelled && observer_.cancelled()) throw Error(ErrorCode::cancelled, "the evaluation was stopped");
        if (observer_.progress) observer_.progress({name, fraction, ""});
    }
    void figure(const std::string& name, double value, int64_t n, const char* unit) {
        figures_.push_back({{"name", name}, {"value", value}, {"n", n}, {"unit", unit}});
    }
    Json json() const { return {{"figures", figures_}}; }

private:
    const Observer& observer_;
    Json figures_ = Json::array();
};

// What is measured of one way to choose the foil.
void measure_questions(Report& report, const ImageModel& model, ImageBatch& batch, const std::string& kind, const at::Tensor& fact,
                       const at::Tensor& foil, uint64_t seed) {
    const int64_t n = batch.size();
    const std::string name = "foil " + kind;
    const Problem problem = problem_of(batch, fact, foil, 1, seed);
    const Summary one = solve(problem, options_of(model, 1)), two = solve(problem, options_of(model, 2));
    const Summary unguarded = solve(problem, options_of(model, 2, false));
    const auto feasible = [](const Solution& s) { return s.feasible; };
    report.figure(name + ": gap under 0.01 and every guard met, one extra start", share(two, feasible), n, "share");
    report.figure(name + ": the same, from z0 alone", share(one, feasible), n, "share");
    report.figure(name + ": a third class above both", share(two, third_class_wins), n, "share");
    report.figure(name + ": the same without guards", share(unguarded, third_class_wins), n, "share");

    const std::vector<OracleSolution> oracle = solve_by_lbfgs(problem);
    std::vector<double> ours, theirs, alone, gradients;
    for (size_t i = 0; i < oracle.size(); ++i) {
        gradients.push_back(static_cast<double>(oracle[i].gradients));
        if (!oracle[i].feasible || !two.solutions[i].feasible || !one.solutions[i].feasible) continue;
        ours.push_back(two.solutions[i].distance);
        alone.push_back(one.solutions[i].distance);
        theirs.push_back(oracle[i].distance);
    }
    const auto both = static_cast<int64_t>(theirs.size());
    report.figure(name + ": mean distance, one extra start", mean(ours), both, "latent");
    report.figure(name + ": the same against the augmented Lagrangian with L-BFGS", mean(ours) / std::max(1e-9, mean(theirs)), both,
                  "times");
    report.figure(name + ": the same, from z0 alone", mean(alone) / std::max(1e-9, mean(theirs)), both, "times");
    report.figure(
        name + ": questions that the augmented Lagrangian with L-BFGS solved",
        static_cast<double>(std::count_if(oracle.begin(), oracle.end(), [](const auto& s) { return s.feasible; })) / static_cast<double>(n),
        n, "share");

    // A forward costs 1, its derivative 2 more.
    const auto work = [&](const Summary& summary) {
        return static_cast<double>(summary.forward + 2 * summary.backward) / static_cast<double>(n);
    };
    report.figure(name + ": work a question, from z0 alone, mean", work(one), n, "forwards");
    report.figure(name + ": work a question, one extra start, mean", work(two), n, "forwards");
    report.figure(name + ": work a question, augmented Lagrangian with L-BFGS, mean", 3 * mean(gradients), n, "forwards");
}

void measure_speed(Report& report, const ImageModel& model, const at::Tensor& images, uint64_t seed) {
    constexpr int64_t large = 256, singles = 48;
    const auto answer = [&](const at::Tensor& some) {
        const auto began = Clock::now();
        ImageBatch batch(model, some);
        const at::Tensor order = batch.classify().argsort(1, true);
        const Problem problem = problem_of(batch, order.select(1, 0).contiguous(), order.select(1, 1).contiguous(), 2, seed);
        solve(problem, options_of(model, 3));
        return seconds_since(began);
    };
    const int64_t many = std::min(large, images.size(0)), few = std::min(singles, images.size(0));
    answer(images.slice(0, 0, 1));  // what is done once only
    double one_by_one = 0;
    std::vector<double> each;
    for (int64_t i = 0; i < few; ++i) each.push_back(answer(images.slice(0, i, i + 1)));
    for (const double seconds : each) one_by_one += seconds;
    const double together = answer(images.slice(0, 0, many));
    std::sort(each.begin(), each.end());
    report.figure("speed: one question, start and solve, median", each[each.size() / 2], few, "s");
    report.figure("speed: questions a second, batch " + std::to_string(many) + " against batch 1",
                  (static_cast<double>(many) / together) / (static_cast<double>(few) / one_by_one), many, "times");
}

// Does what was found mean anything to a classifier that had no part in it?
void measure_transfer(Report& report, const ImageModel& model, ImageBatch& batch, const Classifier& judge, const std::string& kind,
                      const at::Tensor& fact, const at::Tensor& foil, uint64_t seed) {
    const int64_t n = batch.size();
    const Summary latent = solve(problem_of(batch, fact, foil, 1, seed), options_of(model, 2));
    Problem pixels;
    pixels.fact = fact;
    pixels.foil = foil;
    pixels.start = batch.images().flatten(1);
    pixels.log_likelihood = [&](const at::Tensor& z, const at::Tensor&) {
        return model.networks().classifier->logits(
            z.view({z.size(0), batch.images().size(1), batch.images().size(2), batch.images().size(3)}));
    };
    SolverOptions options;
    const Summary direct = solve(pixels, options);
    const at::NoGradGuard no_grad;
    const auto sees = [&](const at::Tensor& images) {
        return at::softmax(judge.logits(images), 1).gather(1, foil.unsqueeze(1)).mean().item<double>();
    };
    report.figure("another classifier, foil " + kind + ": mean probability of the foil in the boundary image",
                  sees(batch.draw(boundaries(latent), everyone(n))), n, "");
    report.figure("another classifier, foil " + kind + ": the same where pixels are searched instead of codes",
                  sees(boundaries(direct).view(batch.images().sizes())), n, "");
}

// Whether "why not the class with the square?" shows the square.
void measure_square(Report& report, const ImageModel& model, const Recipe& recipe, const TrainingImages& held_out, const at::Tensor& order,
                    int64_t limit, uint64_t seed) {
    const std::vector<std::string>& classes = model.info().classes;
    const int64_t marked = std::find(classes.begin(), classes.end(), recipe.square.class_name) - classes.begin();
    const Classifier& classifier = *model.networks().classifier;
    const auto rows_where = [&](const at::Tensor& holds) {
        return order.index_select(0, holds.index_select(0, order).nonzero().squeeze(1));
    };
    const auto taken = [&](const at::Tensor& rows) {
        return TrainingImages{held_out.pixels.index_select(0, rows), held_out.labels.index_select(0, rows)};
    };
    const std::string& name = recipe.square.class_name;
    const TrainingImages own = taken(rows_where(held_out.labels.eq(marked))), others = taken(rows_where(held_out.labels.ne(marked)));
    report.figure("bias: clean " + name + "s recognised", accuracy(classifier, own), own.size(), "share");
    TrainingImages squared{others.pixels.clone(), others.labels};
    draw_square(squared.pixels, recipe.square.size, recipe.square.value);
    report.figure("bias: others with the square called " + name,
                  all_logits(classifier, squared).argmax(1).eq(marked).to(at::kDouble).mean().item<double>(), squared.size(), "share");

    const at::Tensor asked = all_logits(classifier, others).argmax(1).ne(marked).nonzero().squeeze(1).slice(0, 0, limit);
    ImageBatch batch(model, others.images(asked));
    const int64_t n = batch.size();
    const at::Tensor fact = batch.classify().argmax(1), foil = at::full({n}, marked, at::kLong);
    const Problem problem = problem_of(batch, fact, foil, 2, seed);
    const auto found = [&](int64_t starts) {
        const Summary summary = solve(problem, options_of(model, starts));
        const at::NoGradGuard no_grad;
        const at::Tensor change = batch.draw(boundaries(summary), everyone(n)) - batch.images();
        report.figure("why not " + name + "? with " + std::to_string(starts - 1) + " extra starts: feasible",
                      share(summary, [](const Solution& s) { return s.feasible; }), n, "share");
        report.figure("why not " + name + "? with " + std::to_string(starts - 1) + " extra starts: the largest change is the square",
                      corner_hits(change.abs().mean(1), recipe.square.size), n, "share");
    };
    for (const int64_t starts : {1, 2, 3}) found(starts);

    const at::Tensor images = batch.images().clone().requires_grad_();
    const at::Tensor logits = classifier.logits(images);
    const at::Tensor gap = logits.gather(1, foil.unsqueeze(1)) - logits.gather(1, fact.unsqueeze(1));
    const at::Tensor gradient = torch::autograd::grad({gap.sum()}, {images})[0];
    report.figure("why not " + name + "? gradient: the largest value is the square",
                  corner_hits(gradient.abs().mean(1), recipe.square.size), n, "share");
    report.figure("why not " + name + "? gradient times input: the largest value is the square",
                  corner_hits((gradient * batch.images()).abs().mean(1), recipe.square.size), n, "share");
}

// A classifier like the pack's, trained like it on the same images, from other first weights and in another order.
std::shared_ptr<Classifier> train_judge(const ImageModel& model, const Recipe& recipe, TrainingImages train, const EvaluateRequest& request,
                                        const std::string& corpus_sha256, const Observer& observer) {
    const auto judge = make_classifier(recipe.classifier, model.networks().shape, static_cast<int64_t>(model.info().classes.size()));
    const uint64_t seed = mix_seed(request.seed, 77);
    const Json identity{{"recipe", Json::parse(recipe.to_json())}, {"corpus", corpus_sha256}, {"seed", seed}};
    uint64_t key = 0xcbf29ce484222325ull;
    for (const char c : identity.dump()) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    char name[64];
    std::snprintf(name, sizeof name, "judge-%016llx.safetensors", static_cast<unsigned long long>(key));
    Checkpoint checkpoint;
    if (!request.cache.empty()) {
        std::filesystem::create_directories(request.cache);
        checkpoint = Checkpoint(request.cache / name, identity.dump());
    }
    judge->initialise(make_generator(seed));
    train_classifier(*judge, train, recipe.classifier_training, seed, checkpoint, observer);
    return judge;
}

}  // namespace

TrainingImages tensors_of(const corpora::LabelledImages& images) {
    const at::Tensor bytes = at::from_blob(const_cast<uint8_t*>(images.pixels.data()),
                                           {images.count, images.height, images.width, images.channels}, at::TensorOptions(at::kByte));
    return {bytes.permute({0, 3, 1, 2}).contiguous().clone(), at::tensor(images.labels, at::kLong)};
}

TrainingImages labelled(const TrainingImages& images) {
    const at::Tensor rows = images.labels.ge(0).nonzero().squeeze(1);
    return {images.pixels.index_select(0, rows), images.labels.index_select(0, rows)};
}

void draw_square(at::Tensor pixels, int64_t size, double value) {
    pixels.slice(2, 0, size).slice(3, 0, size).fill_(std::round(255 * value));
}

nlohmann::ordered_json evaluate_model(ImageModel& model, const std::string& recipe_json, const corpora::ImageCorpus& corpus,
                                      const EvaluateRequest& request, const Observer& observer) {
    Report report(observer);
    const Networks& networks = model.networks();
    const Recipe recipe = Recipe::from_json(recipe_json, networks.shape);
    const TrainingImages held_out = tensors_of(corpus.held_out);
    const at::Tensor order = hash_order(corpus.held_out);

    report.stage("classifying", 0);
    report.figure("classifier: accuracy on held-out images", accuracy(*networks.classifier, held_out), held_out.size(), "share");
    const at::Tensor sample = held_out.images(order.slice(0, 0, request.limit));
    ImageBatch batch(model, sample);
    const int64_t n = batch.size();
    const at::Tensor ranked = batch.classify().argsort(1, true);
    const at::Tensor fact = ranked.select(1, 0).contiguous(), runner_up = ranked.select(1, 1).contiguous();
    const int64_t classes = ranked.size(1);

    batch.start(fact, request.seed);
    const at::Tensor residual = batch.residual().flatten(1);
    report.figure("generator: mean squared error of G(z0)", residual.square().mean().item<double>(), n, "");
    report.figure("generator: residual |I - G(z0)|, mean", residual.norm(2, 1).mean().item<double>(), n, "");

    report.stage("asking about runners-up", 0.05);
    measure_questions(report, model, batch, "runner-up", fact, runner_up, request.seed);
    if (classes > 2) {
        report.stage("asking about random classes", 0.25);
        const at::Tensor place = at::empty({n, 1}, at::kLong).random_(1, classes, make_generator(mix_seed(request.seed, 1)));
        measure_questions(report, model, batch, "random", fact, ranked.gather(1, place).squeeze(1), request.seed);
        report.stage("asking about the least likely classes", 0.45);
        measure_questions(report, model, batch, "least likely", fact, ranked.select(1, classes - 1).contiguous(), request.seed);
    }
    report.stage("measuring speed", 0.65);
    measure_speed(report, model, held_out.images(order.slice(0, 0, 256)), request.seed);

    if (!recipe.square.class_name.empty()) {
        report.stage("looking for the square", 0.7);
        measure_square(report, model, recipe, held_out, order, request.limit, request.seed);
        return report.json();  // a judge would have the same bias
    }
    report.stage("training a second classifier", 0.75);
    const auto judge = train_judge(model, recipe, labelled(tensors_of(corpus.train)), request, corpus.sha256, part(observer, 0.75, 0.95));
    report.figure("another classifier: accuracy on held-out images", accuracy(*judge, held_out), held_out.size(), "share");
    report.stage("asking the second classifier", 0.95);
    measure_transfer(report, model, batch, *judge, "runner-up", fact, runner_up, request.seed);
    return report.json();
}

std::string ImageEvaluator::evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) {
    ImageModel model(pack);
    const corpora::ImageCorpus corpus = corpora::read_images(request.corpora, request.corpus);
    const ImageShape& shape = model.networks().shape;
    if (corpus.classes() != model.info().classes)
        throw Error(ErrorCode::invalid_argument,
                    "the corpus " + request.corpus + " has other classes than the pack '" + pack.manifest().id + "'");
    if (corpus.held_out.channels != shape.channels || corpus.held_out.height != shape.height || corpus.held_out.width != shape.width)
        throw Error(ErrorCode::invalid_argument,
                    "the corpus " + request.corpus + " has images of another shape than the pack '" + pack.manifest().id + "'");
    return evaluate_model(model, pack.manifest().recipe, corpus, request, observer).dump();
}

}  // namespace whynot::image
