#include "whynot/lbfgs.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/optim/lbfgs.h>

#include <cmath>
#include <limits>

#include "base/stopwatch.h"
#include "solver/solve.h"
#include "whynot/error.h"

namespace whynot {
namespace {

struct Stopped {};  // thrown through LibTorch's optimiser

/// What all questions of a solve share.
struct Watch {
    double seconds_forward = 0, seconds_backward = 0;
    std::function<void(const Solution&)> evaluated;  // may throw
};

/// One question's search.
class Search {
public:
    Search(const Problem& problem, const SolverOptions& options, int64_t question, Watch& watch)
        : problem_(problem),
          options_(options),
          watch_(watch),
          row_(at::tensor({question}, at::kLong).to(problem.start.device())),
          z0_(problem.start.detach().index_select(0, row_)),
          fact_(problem.fact[question].item<int64_t>()),
          foil_(problem.foil[question].item<int64_t>()),
          z_(z0_.clone().requires_grad_()) {
        solution_.z = z0_[0];
        solution_.status = Status::infeasible;
        solution_.gap = std::numeric_limits<double>::quiet_NaN();
    }

    Solution run() {
        constexpr int64_t steps_a_round = 15, memory = 8;
        const AugmentedLagrangianOptions& constants = options_.augmented_lagrangian;
        const int64_t rounds = options_.max_iterations ? options_.max_iterations : 60;
        double c = constants.penalty, lambda = 0, last_h = INFINITY;
        at::Tensor mu;
        try {
            while (solution_.iterations < rounds) {
                const at::Tensor before = z_.detach().clone();
                torch::optim::LBFGS lbfgs({z_}, torch::optim::LBFGSOptions(1)
                                                    .max_iter(steps_a_round)
                                                    .history_size(memory)
                                                    .tolerance_grad(1e-4)
                                                    .tolerance_change(1e-6)
                                                    .line_search_fn("strong_wolfe"));
                lbfgs.step([&] {
                    lbfgs.zero_grad();
                    const at::Tensor l = evaluate();
                    const at::Tensor values = l.detach().requires_grad_();  // so that the networks' derivative can be timed by itself
                    const auto [h, g] = constraints(values);
                    if (!mu.defined()) mu = at::zeros_like(g).detach();
                    const at::Tensor lagrangian = (z_ - z0_).square().sum() + lambda * h + 0.5 * c * h * h +
                                                  (at::relu(mu + c * g).square() - mu.square()).sum() / (2 * c);
                    lagrangian.backward();
                    differentiate(l, values.grad());
                    remember(values.detach());
                    return lagrangian.detach();
                });
                ++solution_.iterations;
                const at::Tensor values = evaluate().detach();
                const bool feasible = remember(values);
                const auto [h_tensor, g] = constraints(values);
                const double h = h_tensor.item<double>();
                const at::Tensor z = z_.detach();
                const double moved = (z - before).norm().item<double>() / (1e-3 + (z - z0_).norm().item<double>());
                if (feasible && moved < 1e-2) break;
                lambda += c * h;
                mu = at::relu(mu + c * g);
                if (std::abs(h) > constants.penalty_ratio * last_h) c *= constants.penalty_growth;
                last_h = std::abs(h);
            }
        } catch (const Stopped&) {
            solution_.status = Status::stopped;
            solution_.reason = "The search was stopped.";
            return std::move(solution_);
        }
        if (solution_.feasible) {
            solution_.status = Status::found;
        } else {
            if (violation_ <= 5 * options_.gap_tolerance) solution_.status = Status::best_effort;
            solution_.reason =
                "No point that meets the constraints was found within " + std::to_string(solution_.forward) + " evaluations.";
        }
        return std::move(solution_);
    }

private:
    // l at z, [C], with its graph.
    at::Tensor evaluate() {
        const base::Stopwatch clock;
        ++solution_.forward;
        const at::AutoGradMode with_graph(true);
        const at::Tensor all = problem_.log_likelihood(z_, row_);
        if (!all.defined() || all.dim() != 2 || all.size(0) != 1 || all.size(1) <= std::max(fact_, foil_) || !all.requires_grad())
            throw Error(ErrorCode::invalid_argument,
                        "log_likelihood should return [1, C], differentiable in z, with the classes fact and foil among the C");
        if (!others_.defined()) {
            std::vector<int64_t> others;
            for (int64_t y = 0; options_.guards && y < all.size(1); ++y)
                if (y != fact_ && y != foil_) others.push_back(y);
            others_ = at::tensor(others, at::kLong).to(all.device());
        }
        watch_.seconds_forward += clock.seconds();
        return all[0];
    }

    // Adds the derivative in z of sum_y weights[y] l_y to the gradient that z has.
    void differentiate(const at::Tensor& l, const at::Tensor& weights) {
        const base::Stopwatch clock;
        ++solution_.backward;
        z_.mutable_grad() += torch::autograd::grad({l}, {z_}, {weights})[0];
        watch_.seconds_backward += clock.seconds();
    }

    // h, the gap, and g, how far third classes are above fact and foil.
    std::pair<at::Tensor, at::Tensor> constraints(const at::Tensor& l) const {
        const at::Tensor third = l.index_select(0, others_);
        return {l[fact_] - l[foil_], at::cat({third - l[fact_], third - l[foil_]}) - options_.guard_slack};
    }

    // Keeps the point if it is the shortest of the feasible, or the nearest to them. Says whether it is feasible.
    bool remember(const at::Tensor& l) {
        const auto [h_tensor, g] = constraints(l);
        const double h = h_tensor.item<double>(), above = g.numel() > 0 ? g.max().item<double>() : -INFINITY;
        const double distance = (z_.detach() - z0_).norm().item<double>(), violation = std::max(std::abs(h), above);
        const bool feasible = violation < options_.gap_tolerance;
        if (feasible && solution_.evaluations_to_feasible < 0) solution_.evaluations_to_feasible = solution_.forward;
        if (feasible ? !solution_.feasible || distance < solution_.distance : !solution_.feasible && violation < violation_) {
            solution_.z = z_.detach()[0].clone();
            solution_.feasible = feasible;
            solution_.gap = h;
            solution_.distance = distance;
            violation_ = violation;
            solution_.max_third = {};
            for (int64_t y = 0; y < l.size(0); ++y) {
                const double margin = (l[y] - (l[fact_] + l[foil_]) / 2).item<double>();
                if (y != fact_ && y != foil_ && (solution_.max_third.index < 0 || margin > solution_.max_third.margin))
                    solution_.max_third = {y, margin};
            }
        }
        if (watch_.evaluated) watch_.evaluated(solution_);
        return feasible;
    }

    const Problem& problem_;
    const SolverOptions& options_;
    Watch& watch_;
    const at::Tensor row_, z0_;
    const int64_t fact_, foil_;
    at::Tensor z_;       // [1, k]
    at::Tensor others_;  // the third classes
    Solution solution_;
    double violation_ = std::numeric_limits<double>::infinity();
};

}  // namespace

Summary solve_by_lbfgs(const Problem& problem, const SolverOptions& options) {
    internal::check(problem, options);
    const base::Stopwatch clock;
    Watch watch;
    Summary summary;
    summary.method_given = summary.method_used = "augmented-lagrangian-lbfgs";
    IterationReport report;
    report.questions = problem.start.size(0);
    int64_t forward = 0, backward = 0, feasible = 0;  // of the questions that are done
    bool stopped = false;
    watch.evaluated = [&](const Solution& now) {
        if (!options.callback) return;
        report.rows_active = report.questions - static_cast<int64_t>(summary.solutions.size());
        report.rows_feasible = feasible + now.feasible;
        report.forward = forward + now.forward;
        report.backward = backward + now.backward;
        report.seconds = clock.seconds();
        const CallbackAnswer answer = options.callback(report);
        ++report.iteration;
        if (answer == CallbackAnswer::abort) throw Error(ErrorCode::cancelled, "the solve was cancelled by its callback");
        stopped = stopped || answer == CallbackAnswer::stop;
        if (stopped) throw Stopped();
    };
    for (int64_t question = 0; question < report.questions; ++question) {
        Solution solution;
        if (stopped) {
            solution.z = problem.start.detach()[question];
            solution.gap = std::numeric_limits<double>::quiet_NaN();
            solution.status = Status::stopped;
            solution.reason = "No point was evaluated before the search was ended.";
        } else {
            solution = Search(problem, options, question, watch).run();
        }
        forward += solution.forward;
        backward += solution.backward;
        feasible += solution.feasible;
        summary.solutions.push_back(std::move(solution));
    }
    summary.message = stopped ? "stopped by the callback" : "the solve ran to its end";
    summary.iterations = report.iteration;
    summary.seconds_forward = watch.seconds_forward;
    summary.seconds_backward = watch.seconds_backward;
    internal::count(summary);
    summary.seconds = clock.seconds();
    return summary;
}

}  // namespace whynot
