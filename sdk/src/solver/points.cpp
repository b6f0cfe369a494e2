#include "whynot/points.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.h"
#include "base/stopwatch.h"
#include "whynot/error.h"

namespace whynot {
namespace {

// Nats beyond the confidence itself: what is only just of the confidence for this classifier need not be for another one. On MNIST, P = .9, a
// second classifier gives the answers .8 on average.
constexpr double conviction = 1.5;

using Rows = std::vector<int64_t>;

/// Some questions of a problem. @param extra_starts of the whole
Problem part_of(const Problem& whole, const Rows& rows, const at::Tensor& extra_starts) {
    const at::Tensor which = at::tensor(rows, at::kLong);
    const auto chosen = [&](const at::Tensor& tensor) {
        return tensor.defined() ? tensor.index_select(0, which.to(tensor.device())) : tensor;
    };
    Problem part;
    part.start = chosen(whole.start);
    part.begin = chosen(whole.begin);
    part.fact = chosen(whole.fact);
    part.foil = chosen(whole.foil);
    part.extra_starts = chosen(extra_starts);
    part.class_names = whole.class_names;
    part.log_likelihood = [&whole, which](const at::Tensor& z, const at::Tensor& of_part) {
        return whole.log_likelihood(z, which.to(of_part.device()).index_select(0, of_part));
    };
    return part;
}

class PointSearch {
public:
    PointSearch(const Problem& problem, const SolverOptions& options, double confidence)
        : problem_(problem), options_(options), confidence_(confidence) {}

    Points run() {
        const auto count = static_cast<size_t>(problem_.start.size(0));
        points_.edges.resize(count);
        points_.answers.resize(count);
        points_.between.resize(count, -1);
        find_boundaries();
        find_edges();
        points_.at_boundary = probabilities([&](size_t i) { return &explained(i).z; });
        name_between();
        if (confidence_ > 0) find_answers();
        return std::move(points_);
    }

private:
    /// From z0 and the first extra starts; where that finds nothing from the others too, whose price only those questions pay.
    void find_boundaries() {
        SolverOptions options = options_;
        options.target = Target::boundary;
        points_.boundary = solve(problem_, watched(options));

        const at::Tensor& starts = problem_.extra_starts;
        const int64_t tried = options_.starts - 1;
        if (tried == 0 || !starts.defined() || starts.size(1) <= tried) return;
        Rows rows;
        for (size_t i = 0; i < size(); ++i)
            if (!points_.boundary.solutions[i].feasible) rows.push_back(static_cast<int64_t>(i));
        Summary& first = points_.boundary;
        const std::vector<Solution> found = search(Target::boundary, rows, starts.slice(1, tried + 1), starts.size(1) - tried,
                                                   [&](size_t i) { return starts[static_cast<int64_t>(i)][tried]; });
        for (size_t r = 0; r < found.size(); ++r) {
            Solution& known = first.solutions[static_cast<size_t>(rows[r])];
            first.forward += found[r].forward;
            first.backward += found[r].backward;
            first.feasible += found[r].feasible;
            Solution better = found[r].feasible ? found[r] : known;
            better.start = found[r].feasible ? better.start + options_.starts : better.start;
            better.forward = known.forward + found[r].forward;
            better.backward = known.backward + found[r].backward;
            --count_of(first, known.status);
            ++count_of(first, better.status);
            known = std::move(better);
        }
    }

    static int64_t& count_of(Summary& summary, Status status) {
        switch (status) {
            case Status::found: return summary.found;
            case Status::best_effort: return summary.best_effort;
            case Status::stopped: return summary.stopped;
            default: return summary.infeasible;
        }
    }

    void find_edges() {
        Rows rows;
        for (size_t i = 0; i < size(); ++i) {
            const Solution& boundary = points_.boundary.solutions[i];
            // With two classes they are the same point, and without guards nothing stands between.
            if (!boundary.feasible && boundary.max_third.index >= 0 && options_.guards) rows.push_back(static_cast<int64_t>(i));
        }
        const std::vector<Solution> found =
            search(Target::edge, rows, problem_.extra_starts, options_.starts, [&](size_t i) { return points_.boundary.solutions[i].z; });
        for (size_t r = 0; r < found.size(); ++r) points_.edges[static_cast<size_t>(rows[r])] = found[r];
    }

    /// Of each question whose edge was reached, the likeliest class but the foil there.
    void name_between() {
        for (size_t i = 0; i < size(); ++i) {
            if (points_.boundary.solutions[i].feasible || !points_.reached(i)) continue;
            const auto row = static_cast<int64_t>(i);
            at::Tensor others = points_.at_boundary[row].clone();
            others[problem_.foil[row].item<int64_t>()] = -1;
            points_.between[i] = others.argmax().item<int64_t>();
        }
    }

    /// From where the boundary is, and where that finds nothing from the extra starts too.
    void find_answers() {
        Rows rows;
        for (size_t i = 0; i < size(); ++i)
            if (points_.reached(i)) rows.push_back(static_cast<int64_t>(i));
        const auto begin = [&](size_t i) { return points_.answers[i] ? points_.answers[i]->z : points_.reached(i)->z; };
        for (const bool everywhere : {false, true}) {
            const std::vector<Solution> found =
                search(Target::answer, rows, everywhere ? problem_.extra_starts : at::Tensor(), options_.starts, begin);
            Rows missed;
            for (size_t r = 0; r < found.size(); ++r) {
                std::optional<Solution>& known = points_.answers[static_cast<size_t>(rows[r])];
                Solution better = found[r];
                if (known) {
                    better.forward += known->forward;
                    better.backward += known->backward;
                }
                known = std::move(better);
                if (!known->feasible) missed.push_back(rows[r]);
            }
            rows = missed;
            if (options_.starts == 1 || !problem_.extra_starts.defined()) break;
        }
        points_.at_answer = probabilities([&](size_t i) { return points_.answers[i] ? &points_.answers[i]->z : nullptr; });
    }

    /// Solves some of the questions with what is left of time and evaluations, from one point each and extra starts, `starts` together. Nothing
    /// where nothing is left.
    /// @param extra_starts of all questions; may be undefined
    std::vector<Solution> search(Target target, const Rows& rows, const at::Tensor& extra_starts, int64_t starts,
                                 const std::function<at::Tensor(size_t)>& begin) {
        const bool late = options_.deadline_seconds > 0 && clock_.seconds() >= options_.deadline_seconds;
        if (rows.empty() || stopped_ || late) return {};
        SolverOptions options = options_;
        options.target = target;
        options.starts = starts;
        if (options.max_evaluations > 0) {
            int64_t used = 0;
            for (const int64_t row : rows) used = std::max(used, points_.forward(static_cast<size_t>(row)));
            options.max_evaluations -= used;
            if (options.max_evaluations <= 0) return {};
        }
        Problem part = part_of(problem_, rows, extra_starts);
        std::vector<at::Tensor> begins;
        for (const int64_t row : rows) begins.push_back(begin(static_cast<size_t>(row)));
        part.begin = at::stack(begins);
        if (target == Target::answer) options.lead = lead_for(confidence_);
        Summary summary = solve(part, watched(options));
        return std::move(summary.solutions);
    }

    /// Options with what is left of the deadline, and a callback that notes whether it stopped the search.
    SolverOptions watched(SolverOptions options) {
        const double before = clock_.seconds();
        if (options.deadline_seconds > 0)
            options.deadline_seconds = std::max(options.deadline_seconds - before, std::numeric_limits<double>::min());
        if (options_.callback)
            options.callback = [this, before](IterationReport report) {
                report.seconds += before;
                const CallbackAnswer answer = options_.callback(report);
                stopped_ = stopped_ || answer == CallbackAnswer::stop;
                return answer;
            };
        return options;
    }

    const Solution& explained(size_t i) const {
        const Solution* reached = points_.reached(i);
        return reached ? *reached : points_.boundary.solutions[i];
    }

    /// Of the classes at one point of each question; zero where there is none.
    at::Tensor probabilities(const std::function<const at::Tensor*(size_t)>& point) const {
        const at::NoGradGuard no_grad;
        Rows rows;
        std::vector<at::Tensor> points;
        for (size_t i = 0; i < size(); ++i) {
            const at::Tensor* z = point(i);
            if (!z) continue;
            rows.push_back(static_cast<int64_t>(i));
            points.push_back(*z);
        }
        if (rows.empty()) return {};
        const at::Tensor which = at::tensor(rows, at::kLong);
        const at::Tensor some =
            at::softmax(problem_.log_likelihood(at::stack(points), which.to(problem_.start.device())).to(at::kCPU, at::kDouble), 1);
        return at::zeros({problem_.start.size(0), some.size(1)}, at::kDouble).index_copy_(0, which, some);
    }

    size_t size() const { return points_.answers.size(); }

    const Problem& problem_;
    const SolverOptions& options_;
    const double confidence_;
    base::Stopwatch clock_;
    bool stopped_ = false;
    Points points_;
};

}  // namespace

const Solution* Points::reached(size_t i) const {
    if (boundary.solutions[i].feasible) return &boundary.solutions[i];
    return edges[i] && edges[i]->feasible ? &*edges[i] : nullptr;
}

int64_t Points::forward(size_t i) const {
    return boundary.solutions[i].forward + (edges[i] ? edges[i]->forward : 0) + (answers[i] ? answers[i]->forward : 0);
}

int64_t Points::backward(size_t i) const {
    return boundary.solutions[i].backward + (edges[i] ? edges[i]->backward : 0) + (answers[i] ? answers[i]->backward : 0);
}

void check_confidence(double confidence) {
    if (!(confidence >= 0.5 && confidence < 1))
        throw Error(ErrorCode::invalid_argument,
                    "confidence should be a probability from 0.5 to below 1; it is " + base::number(confidence));
}

double lead_for(double confidence) { return std::log(confidence / (1 - confidence)) + conviction; }

Points solve_points(const Problem& problem, const SolverOptions& options, double confidence) {
    if (confidence != 0) check_confidence(confidence);
    return PointSearch(problem, options, confidence).run();
}

}  // namespace whynot
