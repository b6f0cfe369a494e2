#include "image/services/evaluator.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/json.h"
#include "image/services/held_out.h"
#include "image/services/recipe.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"
#include "whynot/lbfgs.h"
#include "whynot/solver.h"

namespace whynot::image {

namespace {

using base::Json;
using Clock = std::chrono::steady_clock;

constexpr double third_class_margin = 0.02;  // nats above both before a third class counts as the winner

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

at::Tensor everyone(int64_t n) { return at::arange(n, at::kLong); }

/// Collects figures; says how far the evaluation is, and stops it when asked to. What is to be done is a row of stages, each of a known
/// size: how many images go through the networks, a derivative counting twice more.
class Report {
public:
    explicit Report(const Observer& observer) : observer_(observer) {}

    /// All that is going to be done. The sizes are rough, which the bar shows and no figure depends on.
    void plan(std::vector<std::pair<std::string, double>> stages) {
        stages_ = std::move(stages);
        total_ = 0;
        for (const auto& [name, size] : stages_) total_ += size;
    }
    /// The stage that begins; those before it are done.
    void stage(const std::string& name) {
        before_ = 0;
        for (const auto& [stage, size] : stages_) {
            stage_ = stage;
            size_ = size;
            if (stage == name) break;
            before_ += size;
        }
        told_ = {};
        at(0);
    }
    /// To be called often, with the share of the stage that is done. @throws Error cancelled when the observer says so
    void at(double share) {
        if (observer_.cancelled && observer_.cancelled()) throw Error(ErrorCode::cancelled, "the evaluation was stopped");
        if (!observer_.progress || Clock::now() - told_ < std::chrono::milliseconds(300)) return;
        told_ = Clock::now();
        observer_.progress({stage_, fraction(share), ""});
    }
    /// From here to there in the stage: what watches a part of it.
    std::function<void(double)> between(double begin, double end) {
        return [this, begin, end](double share) { at(begin + (end - begin) * share); };
    }
    /// Who observes what tells of itself in the stage.
    Observer observer() const { return training::part(observer_, fraction(0), fraction(1)); }

    void figure(const std::string& name, double value, int64_t n, const char* unit) {
        figures_.push_back({{"name", name}, {"value", value}, {"n", n}, {"unit", unit}});
    }
    const Json& figures() const { return figures_; }

private:
    double fraction(double share) const { return (before_ + size_ * share) / total_; }

    const Observer& observer_;
    std::vector<std::pair<std::string, double>> stages_;
    std::string stage_;
    double total_ = 1, before_ = 0, size_ = 0;
    Clock::time_point told_;
    Json figures_ = Json::array();
};

using Watch = std::function<void(double share)>;  // of what is to be done, what is; throws to stop it

SolverOptions options_of(const ImageModel& model, int64_t starts, bool guards = true) {
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    options.starts = starts;
    options.guards = guards;
    return options;
}

// One question of each row of a batch that has its starts, the way the explainer puts them.
Problem problem_of(ImageBatch& batch, const at::Tensor& start, const at::Tensor& fact, const at::Tensor& foil, int64_t extra_starts,
                   uint64_t seed) {
    Problem problem;
    problem.fact = fact;
    problem.foil = foil;
    problem.start = start;
    problem.log_likelihood = [&batch](const at::Tensor& z, const at::Tensor& rows) { return batch.log_likelihood(z, rows); };
    if (extra_starts > 0) problem.extra_starts = batch.extra_starts(everyone(batch.size()), fact, foil, extra_starts, seed);
    return problem;
}

// What was found, and what it cost.
struct Answers {
    std::vector<Solution> solutions;
    int64_t forward = 0, backward = 0;

    void add(Summary summary) {
        forward += summary.forward;
        backward += summary.backward;
        for (Solution& solution : summary.solutions) solutions.push_back(std::move(solution));
    }
    int64_t size() const { return static_cast<int64_t>(solutions.size()); }
    at::Tensor z() const {
        std::vector<at::Tensor> rows;
        for (const Solution& solution : solutions) rows.push_back(solution.z);
        return at::stack(rows);
    }
    double share(const std::function<bool(const Solution&)>& holds) const {
        return static_cast<double>(std::count_if(solutions.begin(), solutions.end(), holds)) / static_cast<double>(solutions.size());
    }
    /// A forward costs 1, its derivative 2 more.
    double work() const { return static_cast<double>(forward + 2 * backward) / static_cast<double>(solutions.size()); }
};

// Solves, and has it watched.
void solve_into(Answers& answers, const Problem& problem, SolverOptions options, const Watch& watch) {
    options.callback = [&](const IterationReport& report) {
        watch(1 - static_cast<double>(report.rows_active) / static_cast<double>(report.questions));
        return CallbackAnswer::proceed;
    };
    answers.add(solve(problem, options));
}

/// The images that are asked about, a few of them at a time: the memory of a solve grows with its batch.
class Sample {
public:
    Sample(const ImageModel& model, const at::Tensor& images, int64_t batch, uint64_t seed, const Watch& watch)
        : model_(model), images_(images), seed_(seed) {
        std::vector<at::Tensor> log_probabilities, residuals;
        for (int64_t begin = 0; begin < size(); begin += batch) {
            watch(static_cast<double>(begin) / static_cast<double>(size()));
            Part& part = parts_.emplace_back();
            part.begin = begin;
            part.end = std::min(begin + batch, size());
            part.images = std::make_unique<ImageBatch>(model, images.slice(0, part.begin, part.end));
            log_probabilities.push_back(part.images->classify());
            part.start = part.images->start(log_probabilities.back().argmax(1), seed);
            residuals.push_back(part.images->residual());
        }
        order_ = at::cat(log_probabilities).argsort(1, true);
        residual_ = at::cat(residuals);
    }

    int64_t size() const { return images_.size(0); }
    const at::Tensor& images() const { return images_; }
    const at::Tensor& residual() const { return residual_; }
    /// Classes, the likeliest first, [n, C].
    const at::Tensor& order() const { return order_; }
    at::Tensor fact() const { return order_.select(1, 0).contiguous(); }

    Answers answer(const at::Tensor& foil, int64_t starts, bool guards, const Watch& watch) const {
        return in_parts(watch, [&](const Part& part, const Watch& watch_part, Answers& answers) {
            solve_into(answers, problem(part, foil, starts - 1), options_of(model_, starts, guards), watch_part);
        });
    }
    /// Changes of pixels instead of codes.
    Answers answer_in_pixels(const at::Tensor& foil, const Watch& watch) const {
        return in_parts(watch, [&](const Part& part, const Watch& watch_part, Answers& answers) {
            const at::Tensor images = images_.slice(0, part.begin, part.end);
            Problem pixels = problem(part, foil, 0);
            pixels.start = images.flatten(1);
            pixels.log_likelihood = [&](const at::Tensor& z, const at::Tensor&) {
                return model_.networks().classifier->logits(z.view({z.size(0), images.size(1), images.size(2), images.size(3)}));
            };
            solve_into(answers, pixels, SolverOptions(), watch_part);
        });
    }
    /// The first `count` questions.
    Answers ask_oracle(const at::Tensor& foil, int64_t count, const Watch& watch) const {
        Answers answers;
        for (const Part& part : parts_) {
            if (part.begin >= count) break;
            Problem some = problem(part, foil, 0);
            for (at::Tensor* tensor : {&some.start, &some.fact, &some.foil}) *tensor = tensor->slice(0, 0, count - part.begin);
            SolverOptions options;
            options.callback = [&](const IterationReport& report) {
                watch(static_cast<double>(part.begin + report.questions - report.rows_active) / static_cast<double>(count));
                return CallbackAnswer::proceed;
            };
            answers.add(solve_by_lbfgs(some, options));
        }
        return answers;
    }
    /// I(z), one of each image.
    at::Tensor draw(const at::Tensor& z) const {
        const at::NoGradGuard no_grad;
        std::vector<at::Tensor> drawn;
        for (const Part& part : parts_) drawn.push_back(part.images->draw(z.slice(0, part.begin, part.end), everyone(part.images->size())));
        return at::cat(drawn);
    }

private:
    struct Part {
        int64_t begin = 0, end = 0;
        std::unique_ptr<ImageBatch> images;
        at::Tensor start;
    };

    Problem problem(const Part& part, const at::Tensor& foil, int64_t extra_starts) const {
        return problem_of(*part.images, part.start, fact().slice(0, part.begin, part.end), foil.slice(0, part.begin, part.end),
                          extra_starts, seed_);
    }
    template <class F>
    Answers in_parts(const Watch& watch, F&& answer_part) const {
        Answers answers;
        for (const Part& part : parts_) {
            const auto watch_part = [&](double share) {
                watch((static_cast<double>(part.begin) + share * static_cast<double>(part.end - part.begin)) / static_cast<double>(size()));
            };
            answer_part(part, watch_part, answers);
        }
        return answers;
    }

    const ImageModel& model_;
    at::Tensor images_, order_, residual_;
    uint64_t seed_;
    std::vector<Part> parts_;
};

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
    report.figure(name + ": questions that the augmented Lagrangian with L-BFGS solved", oracle.share(feasible), oracle_images, "share");
    report.figure(name + ": work a question, from z0 alone, mean", one.work(), n, "forwards");
    report.figure(name + ": work a question, one extra start, mean", two.work(), n, "forwards");
    report.figure(name + ": work a question, augmented Lagrangian with L-BFGS, mean", oracle.work(), oracle_images, "forwards");
    return two;
}

void measure_speed(Report& report, const ImageModel& model, const at::Tensor& images, uint64_t seed) {
    constexpr int64_t singles = 48;
    const int64_t many = images.size(0), few = std::min(singles, many);
    const auto answer = [&](const at::Tensor& some, const Watch& watch) {
        const auto began = Clock::now();
        ImageBatch batch(model, some);
        const at::Tensor order = batch.classify().argsort(1, true);
        const at::Tensor fact = order.select(1, 0).contiguous(), foil = order.select(1, 1).contiguous();
        Answers answers;
        solve_into(answers, problem_of(batch, batch.start(fact, seed), fact, foil, 2, seed), options_of(model, 3), watch);
        return seconds_since(began);
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
                      const Answers& found) {
    report.stage("asking the second classifier");
    const Answers direct = sample.answer_in_pixels(foil, report.between(0, 1));
    const at::NoGradGuard no_grad;
    const auto sees = [&](const at::Tensor& images) {
        return at::softmax(judge.logits(images), 1).gather(1, foil.unsqueeze(1)).mean().item<double>();
    };
    report.figure("another classifier, foil " + kind + ": mean probability of the foil in the boundary image", sees(sample.draw(found.z())),
                  sample.size(), "");
    report.figure("another classifier, foil " + kind + ": the same where pixels are searched instead of codes",
                  sees(direct.z().view(sample.images().sizes())), sample.size(), "");
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
    report.stage("looking for the square");
    const TrainingImages own = taken(rows_where(held_out.labels.eq(marked))), others = taken(rows_where(held_out.labels.ne(marked)));
    report.figure("bias: clean " + name + "s recognised", accuracy(classifier, own, report.between(0, 0.05)), own.size(), "share");
    TrainingImages squared{others.pixels.clone(), others.labels};
    draw_square(squared.pixels, recipe.square.size, recipe.square.value);
    report.figure("bias: others with the square called " + name,
                  all_logits(classifier, squared, report.between(0.05, 0.15)).argmax(1).eq(marked).to(at::kDouble).mean().item<double>(),
                  squared.size(), "share");

    const at::Tensor asked =
        all_logits(classifier, others, report.between(0.15, 0.25)).argmax(1).ne(marked).nonzero().squeeze(1).slice(0, 0, limit);
    const Sample sample(model, others.images(asked), recipe.evaluation.batch, seed, report.between(0.25, 0.25));
    const int64_t n = sample.size();
    const at::Tensor fact = sample.fact(), foil = at::full({n}, marked, at::kLong);
    for (const int64_t starts : {1, 2, 3}) {
        const double begin = 0.25 * static_cast<double>(starts);
        const Answers found = sample.answer(foil, starts, true, report.between(begin, begin + 0.25));
        const at::Tensor change = sample.draw(found.z()) - sample.images();
        report.figure("why not " + name + "? with " + std::to_string(starts - 1) + " extra starts: feasible",
                      found.share([](const Solution& s) { return s.feasible; }), n, "share");
        report.figure("why not " + name + "? with " + std::to_string(starts - 1) + " extra starts: the largest change is the square",
                      corner_hits(change.abs().mean(1), recipe.square.size), n, "share");
    }

    const at::Tensor images = sample.images().clone().requires_grad_();
    const at::Tensor logits = classifier.logits(images);
    const at::Tensor gap = logits.gather(1, foil.unsqueeze(1)) - logits.gather(1, fact.unsqueeze(1));
    const at::Tensor gradient = torch::autograd::grad({gap.sum()}, {images})[0];
    report.figure("why not " + name + "? gradient: the largest value is the square",
                  corner_hits(gradient.abs().mean(1), recipe.square.size), n, "share");
    report.figure("why not " + name + "? gradient times input: the largest value is the square",
                  corner_hits((gradient * sample.images()).abs().mean(1), recipe.square.size), n, "share");
}

// A classifier like the pack's, trained like it on as many images of the same corpus, from other first weights and in another order.
std::shared_ptr<Classifier> train_judge(const ImageModel& model, const Recipe& recipe, TrainingImages train, const EvaluateRequest& request,
                                        const std::string& corpus_sha256, const Observer& observer) {
    const auto judge = make_classifier(recipe.classifier, model.networks().shape, static_cast<int64_t>(model.info().classes.size()));
    const uint64_t seed = training::mix_seed(request.seed, 77);
    const Json identity{{"recipe", Json::parse(recipe.training_json())}, {"corpus", corpus_sha256}, {"seed", seed}};
    uint64_t key = 0xcbf29ce484222325ull;
    for (const char c : identity.dump()) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    char name[64];
    std::snprintf(name, sizeof name, "judge-%016llx.safetensors", static_cast<unsigned long long>(key));
    training::Checkpoint checkpoint;
    if (!request.cache.empty()) {
        std::filesystem::create_directories(request.cache);
        checkpoint = training::Checkpoint(request.cache / name, identity.dump());
    }
    if (recipe.images > 0 && recipe.images < train.size()) {
        const at::Tensor chosen =
            at::randperm(train.size(), training::make_generator(training::mix_seed(seed, 1)), at::kLong).slice(0, 0, recipe.images);
        train = {train.pixels.index_select(0, chosen), train.labels.index_select(0, chosen)};
    }
    judge->initialise(training::make_generator(seed));
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
    if (request.limit < 1)
        throw Error(ErrorCode::invalid_argument, "expected a limit of at least 1, found " + std::to_string(request.limit));
    const Networks& networks = model.networks();
    const Recipe recipe = Recipe::from_json(recipe_json, networks.shape);
    const TrainingImages held_out = tensors_of(corpus.held_out);
    const auto classes = static_cast<int64_t>(model.info().classes.size());
    const int64_t n = std::min(request.limit, held_out.size()), batch = recipe.evaluation.batch, timed = std::min(batch, held_out.size());
    const int64_t oracle = recipe.evaluation.oracle_images > 0 ? std::min(recipe.evaluation.oracle_images, n) : n;
    const Json sample_sizes{{"images", n}, {"oracle_images", oracle}, {"batch", batch}};
    if (observer.log)
        observer.log("measuring on " + std::to_string(n) + " of " + std::to_string(held_out.size()) + " held-out images, " +
                     std::to_string(oracle) + " of them against the augmented Lagrangian with L-BFGS, " + std::to_string(batch) +
                     " at a time");

    // What a search costs from one start: about 50 images forward.
    const auto search = [](int64_t questions) { return 50 * static_cast<double>(questions); };
    const bool planted = !recipe.square.class_name.empty();
    std::vector<std::pair<std::string, double>> stages{{"classifying", held_out.size() + search(n) / 10}};
    for (const char* kind : {"runner-up", "random", "least likely"})
        if (classes > 2 || kind == std::string("runner-up"))
            stages.emplace_back(std::string("asking about foils, ") + kind, search(5 * n + 15 * oracle));
    stages.emplace_back("measuring speed", search(3 * (4 * std::min<int64_t>(48, timed) + timed)));
    if (planted) {
        stages.emplace_back("looking for the square", search(6 * n) + 2 * static_cast<double>(held_out.size()));
    } else {
        const int64_t learned = recipe.images > 0 ? std::min(recipe.images, corpus.train.count) : corpus.train.count;
        stages.emplace_back("training a second classifier", 3 * static_cast<double>(recipe.classifier_training.epochs * learned));
        stages.emplace_back("classifying once more", held_out.size());
        stages.emplace_back("asking the second classifier", search(n));
    }
    Report report(observer);
    report.plan(stages);

    report.stage("classifying");
    report.figure("classifier: accuracy on held-out images", accuracy(*networks.classifier, held_out, report.between(0, 0.5)),
                  held_out.size(), "share");
    const at::Tensor order = hash_order(corpus.held_out);
    const Sample sample(model, held_out.images(order.slice(0, 0, n)), batch, request.seed, report.between(0.5, 1));
    const at::Tensor residual = sample.residual().flatten(1);
    report.figure("generator: mean squared error of G(z0)", residual.square().mean().item<double>(), n, "");
    report.figure("generator: residual |I - G(z0)|, mean", residual.norm(2, 1).mean().item<double>(), n, "");

    const at::Tensor runner_up = sample.order().select(1, 1).contiguous();
    const Answers to_runner_up = measure_questions(report, sample, "runner-up", runner_up, oracle);
    if (classes > 2) {
        const at::Tensor place =
            at::empty({n, 1}, at::kLong).random_(1, classes, training::make_generator(training::mix_seed(request.seed, 1)));
        measure_questions(report, sample, "random", sample.order().gather(1, place).squeeze(1), oracle);
        measure_questions(report, sample, "least likely", sample.order().select(1, classes - 1).contiguous(), oracle);
    }
    measure_speed(report, model, held_out.images(order.slice(0, 0, timed)), request.seed);

    if (planted) {  // a judge would have the same bias
        measure_square(report, model, recipe, held_out, order, n, request.seed);
    } else {
        report.stage("training a second classifier");
        const auto judge = train_judge(model, recipe, labelled(tensors_of(corpus.train)), request, corpus.sha256, report.observer());
        report.stage("classifying once more");
        report.figure("another classifier: accuracy on held-out images", accuracy(*judge, held_out, report.between(0, 1)), held_out.size(),
                      "share");
        measure_transfer(report, sample, *judge, "runner-up", runner_up, to_runner_up);
    }
    return {{"sample", sample_sizes}, {"figures", report.figures()}};
}

std::string ImageEvaluator::evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) {
    ImageModel model(pack);
    const corpora::ImageCorpus corpus = corpora::read_images(request.corpora, request.corpus);
    expect_corpus_of(pack, model.networks().shape, corpus, request.corpus);
    return evaluate_model(model, pack.manifest().recipe, corpus, request, observer).dump();
}

}  // namespace whynot::image
