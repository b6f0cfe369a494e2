#include "solver/solve.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "base/stopwatch.h"
#include "solver/evaluator.h"
#include "solver/run.h"
#include "solver/shape.h"
#include "whynot/error.h"

namespace whynot::internal {
namespace {

void expect(bool good, const std::string& message) {
    if (!good) throw Error(ErrorCode::invalid_argument, message);
}

void check_problem(const Problem& problem) {
    expect(problem.start.defined() && problem.start.dim() == 2 && problem.start.size(1) > 0 &&
               (problem.start.scalar_type() == at::kFloat || problem.start.scalar_type() == at::kDouble),
           "Problem::start should be [B, k] float or double; it is " + shape_of(problem.start));
    const int64_t questions = problem.start.size(0);
    const std::string count = std::to_string(questions);
    for (const auto& [name, tensor] : {std::pair("fact", problem.fact), std::pair("foil", problem.foil)}) {
        expect(tensor.defined() && tensor.dim() == 1 && tensor.size(0) == questions && tensor.scalar_type() == at::kLong,
               "Problem::" + std::string(name) + " should be [" + count + "] int64, one class for each row of start; it is " +
                   shape_of(tensor));
    }
    if (problem.begin.defined()) {
        expect(problem.begin.sizes() == problem.start.sizes() && problem.begin.is_floating_point(),
               "Problem::begin should be " + shape_of({questions, problem.start.size(1)}) + " floating point, as start; it is " +
                   shape_of(problem.begin));
    }
    if (problem.extra_starts.defined()) {
        expect(problem.extra_starts.dim() == 3 && problem.extra_starts.size(0) == questions &&
                   problem.extra_starts.size(2) == problem.start.size(1) && problem.extra_starts.is_floating_point(),
               "Problem::extra_starts should be [" + count + ", S, " + std::to_string(problem.start.size(1)) + "] floating point; it is " +
                   shape_of(problem.extra_starts));
    }
    expect(static_cast<bool>(problem.log_likelihood),
           "Problem::log_likelihood is empty; it should give the log-likelihoods of the classes at z");
}

/// One solve: the runs of a batch, and the rounds that they share.
class Solve {
public:
    Solve(const Problem& problem, const SolverOptions& options) : problem_(problem), options_(options), evaluator_(problem) {
        const int64_t count = problem.start.size(0), k = problem.start.size(1);
        starts_ = problem.start.detach().to(at::kCPU, at::kDouble).contiguous();
        const at::Tensor fact = problem.fact.to(at::kCPU).contiguous(), foil = problem.foil.to(at::kCPU).contiguous();
        const at::Tensor begin = (problem.begin.defined() ? problem.begin.detach().to(at::kCPU, at::kDouble) : starts_).contiguous();
        at::Tensor extra;
        int64_t extra_count = 0;
        if (problem.extra_starts.defined()) {
            extra = problem.extra_starts.detach().to(at::kCPU, at::kDouble).contiguous();
            extra_count = std::min(extra.size(1), options.starts - 1);
        }
        questions_.resize(count);
        for (int64_t i = 0; i < count; ++i) {
            QuestionState& question = questions_[i];
            question.start = starts_.data_ptr<double>() + i * k;
            question.k = k;
            question.fact = fact.data_ptr<int64_t>()[i];
            question.foil = foil.data_ptr<int64_t>()[i];
            expect(question.fact != question.foil, "fact and foil should be two different classes; in row " + std::to_string(i) +
                                                       " both are " + std::to_string(question.fact));
            const auto make = options.method == Method::sqp ? make_sqp_run : make_augmented_lagrangian_run;
            const double* first = begin.data_ptr<double>() + i * k;
            runs_.push_back(make(question, options, 0, {first, first + k}));
            for (int64_t s = 0; s < extra_count; ++s) {
                const double* code = extra.data_ptr<double>() + (i * extra.size(1) + s) * k;
                runs_.push_back(make(question, options, s + 1, {code, code + k}));
            }
        }
        runs_a_question_ = 1 + extra_count;
    }

    Summary run() {
        std::string ended;
        int64_t rounds = 0;
        bool stopped = false;
        while (true) {
            if (options_.max_evaluations) cut_to_budget();
            std::vector<Run*> active;
            for (const auto& each : runs_)
                if (!each->done()) active.push_back(each.get());
            if (active.empty()) break;
            if (options_.deadline_seconds > 0 && rounds > 0 && clock_.seconds() >= options_.deadline_seconds) {
                for (Run* each : active) each->cut();
                break;
            }
            round(active);
            if (options_.callback) {
                const CallbackAnswer answer = options_.callback(report(rounds));
                if (answer == CallbackAnswer::abort) throw Error(ErrorCode::cancelled, "the solve was cancelled by its callback");
                if (answer == CallbackAnswer::stop) {
                    stopped = true;
                    for (Run* each : active)
                        if (!each->done()) each->cut();
                }
            }
            ++rounds;
        }
        return summarise(rounds, stopped);
    }

private:
    int64_t row_of(const Run& each) const { return &const_cast<Run&>(each).question() - questions_.data(); }

    /// The next round costs each run one evaluation; where a question cannot pay for all of its runs, the later ones
    /// end.
    void cut_to_budget() {
        for (size_t first = 0; first < runs_.size(); first += runs_a_question_) {
            int64_t left = options_.max_evaluations - runs_[first]->question().forward;
            for (int64_t s = 0; s < runs_a_question_; ++s)
                if (!runs_[first + s]->done() && --left < 0) runs_[first + s]->cut();
        }
    }

    /// One forward evaluation of every active run's point, one backward for the first gradient each of them asks for,
    /// and an evaluation and a gradient of its own, in one batch again, for each further one.
    void round(const std::vector<Run*>& active) {
        const int64_t k = problem_.start.size(1);
        std::vector<double> points;
        std::vector<int64_t> rows;
        for (Run* each : active) {
            points.insert(points.end(), each->point().begin(), each->point().end());
            rows.push_back(row_of(*each));
            ++each->question().forward;
        }
        const bool first_round = evaluator_.classes() == 0;
        const double* values = evaluator_.forward(points, rows);
        const int64_t classes = evaluator_.classes();
        if (first_round) check_classes(classes);

        std::vector<std::vector<double>> wanted(active.size());  // each [n, C]
        std::vector<double> weights(active.size() * classes, 0.0);
        std::vector<size_t> asker;  // of each further gradient
        bool any = false;
        for (size_t i = 0; i < active.size(); ++i) {
            std::copy_n(&points[i * k], k, active[i]->point().begin());
            active[i]->receive(values + i * classes, classes, wanted[i]);
            if (active[i]->done() || wanted[i].empty()) continue;
            const int64_t further = static_cast<int64_t>(wanted[i].size()) / classes - 1;
            if (options_.max_evaluations && active[i]->question().forward + further > options_.max_evaluations) {
                active[i]->cut();
                continue;
            }
            any = true;
            std::copy_n(wanted[i].begin(), classes, &weights[i * classes]);
            asker.insert(asker.end(), further, i);
            active[i]->question().forward += further;
            active[i]->question().backward += further + 1;
        }
        if (!any) return;

        std::vector<std::vector<double>> gradients(active.size());
        const double* shared = evaluator_.backward(weights);
        for (size_t i = 0; i < active.size(); ++i)
            if (!active[i]->done() && !wanted[i].empty()) gradients[i].assign(shared + i * k, shared + (i + 1) * k);
        // No call is larger than the first one was, whatever number of gradients is asked for: memory stays what the
        // caller chose.
        for (size_t begin = 0; begin < asker.size(); begin += runs_.size()) {
            const size_t end = std::min(asker.size(), begin + runs_.size());
            std::vector<double> own_points, own_weights;
            std::vector<int64_t> own_rows;
            for (size_t j = begin; j < end; ++j) {
                const size_t i = asker[j];
                const size_t which = 1 + (j - (std::lower_bound(asker.begin(), asker.end(), i) - asker.begin()));
                own_points.insert(own_points.end(), points.data() + i * k, points.data() + (i + 1) * k);
                own_rows.push_back(rows[i]);
                own_weights.insert(own_weights.end(), wanted[i].data() + which * classes, wanted[i].data() + (which + 1) * classes);
            }
            evaluator_.forward(own_points, own_rows);
            const double* own = evaluator_.backward(own_weights);
            for (size_t j = begin; j < end; ++j)
                gradients[asker[j]].insert(gradients[asker[j]].end(), own + (j - begin) * k, own + (j - begin + 1) * k);
        }
        for (size_t i = 0; i < active.size(); ++i)
            if (!gradients[i].empty()) active[i]->receive_gradients(gradients[i].data(), gradients[i].size() / k);
    }

    void check_classes(int64_t classes) const {
        for (size_t i = 0; i < questions_.size(); ++i) {
            for (const auto& [name, y] : {std::pair("fact", questions_[i].fact), std::pair("foil", questions_[i].foil)}) {
                expect(y >= 0 && y < classes, std::string(name) + " should be a class from 0 to " + std::to_string(classes - 1) +
                                                  "; in row " + std::to_string(i) + " it is " + std::to_string(y));
            }
        }
    }

    IterationReport report(int64_t rounds) const {
        IterationReport report;
        report.iteration = rounds;
        report.questions = static_cast<int64_t>(questions_.size());
        for (size_t first = 0; first < runs_.size(); first += runs_a_question_) {
            const auto mine = [&](auto test) { return std::any_of(&runs_[first], &runs_[first] + runs_a_question_, test); };
            report.rows_active += mine([](const auto& each) { return !each->done(); });
            report.rows_feasible += mine([](const auto& each) { return each->shortest() != nullptr; });
        }
        for (const QuestionState& question : questions_) {
            report.forward += question.forward;
            report.backward += question.backward;
        }
        report.seconds = clock_.seconds();
        return report;
    }

    Summary summarise(int64_t rounds, bool stopped) {
        Summary summary;
        summary.message = stopped ? "stopped by the callback" : "the solve ran to its end";
        summary.method_given = to_string(options_.method);
        summary.method_used = summary.method_given;
        summary.iterations = rounds;
        for (size_t i = 0; i < questions_.size(); ++i) summary.solutions.push_back(answer(i, stopped));
        count(summary);
        if (std::any_of(runs_.begin(), runs_.end(), [](const auto& each) { return each->marched(); })) summary.method_used += " + march";
        summary.seconds_forward = evaluator_.seconds_forward();
        summary.seconds_backward = evaluator_.seconds_backward();
        summary.seconds = clock_.seconds();
        return summary;
    }

    /// The best of a question's runs.
    Solution answer(size_t i, bool stopped) {
        QuestionState& question = questions_[i];
        const auto* first = &runs_[i * runs_a_question_];
        const Run* best = first->get();
        const Point* point = nullptr;
        bool cut = false;
        for (int64_t s = 0; s < runs_a_question_; ++s) {
            const Run& each = *first[s];
            cut = cut || each.cut_short();
            const Point* candidate = each.shortest() ? each.shortest() : each.closest();
            if (!candidate) continue;
            const bool feasible = each.shortest() != nullptr, has_feasible = point && best->shortest();
            if (!point || (feasible && !has_feasible) ||
                (feasible == has_feasible &&
                 (feasible ? candidate->distance < point->distance : candidate->violation < point->violation))) {
                best = &each;
                point = candidate;
            }
        }
        Solution solution;
        solution.start = best->start_index();
        solution.iterations = best->iterations();
        solution.forward = question.forward;
        solution.backward = question.backward;
        solution.evaluations_to_feasible = question.evaluations_to_feasible;
        solution.trace = std::move(question.trace);
        solution.feasible = best->shortest() != nullptr;
        at::Tensor z = starts_[i];
        if (point) {
            z = at::tensor(point->z, at::kDouble);
            solution.gap = point->gap;
            solution.max_third = point->third;
            solution.distance = point->distance;
        } else {
            solution.gap = std::numeric_limits<double>::quiet_NaN();
        }
        solution.z = z.to(problem_.start.options().requires_grad(false), false, true);

        const bool near = point && point->violation <= 5 * options_.gap_tolerance;
        solution.status = cut                 ? (stopped ? Status::stopped : Status::best_effort)
                          : solution.feasible ? (best->trouble().empty() ? Status::found : Status::best_effort)
                          : near              ? Status::best_effort
                                              : Status::infeasible;
        if (solution.status != Status::found) solution.reason = reason(*best, point, question, cut, stopped);
        return solution;
    }

    std::string reason(const Run& best, const Point* point, const QuestionState& question, bool cut, bool stopped) const {
        if (!point)
            return best.trouble().empty() ? "No point was evaluated before the search was ended." : "No answer: " + best.trouble() + ".";
        const std::string within = std::to_string(question.forward) + " evaluations";
        const std::string why =
            cut ? (stopped ? "the search was stopped" : "the deadline or the evaluation budget ended the search") : best.trouble();
        if (best.shortest()) return "The point meets the constraints, but a nearer one may exist: " + why + " after " + within + ".";
        const std::string text =
            options_.target == Target::boundary ? missed_boundary(*point, within) : missed_lead(*point, question, within);
        return why.empty() ? text + "." : text + " (" + why + ").";
    }

    std::string missed_boundary(const Point& point, const std::string& within) const {
        if (std::abs(point.gap) >= options_.gap_tolerance)
            return "No point where the foil is as likely as the fact was found within " + within + "; the nearest has gap " +
                   base::number(point.gap);
        return "No point on the boundary with every third class below fact and foil was found within " + within + "; at the nearest, " +
               class_named(point.third.index) + " is above them by " + base::number(point.third.margin);
    }

    std::string missed_lead(const Point& point, const QuestionState& question, const std::string& within) const {
        const bool third_leads = point.third.index >= 0 && point.values[point.third.index] > point.values[question.fact];
        const int64_t rival = third_leads ? point.third.index : question.fact;
        const double lead = point.values[question.foil] - point.values[rival];
        return (options_.target == Target::answer
                    ? "No point where the foil is " + base::number(options_.lead) + " nats ahead of all other classes"
                    : std::string("No point where the foil is as likely as any other class")) +
               " was found within " + within + "; at the nearest, it is " + base::number(std::abs(lead)) + " nats " +
               (lead < 0 ? "behind " : "ahead of ") + class_named(rival);
    }

    std::string class_named(int64_t index) const {
        return problem_.class_names.empty() ? "class " + std::to_string(index)
                                            : '\'' + problem_.class_names.at(static_cast<size_t>(index)) + '\'';
    }

    const Problem& problem_;
    const SolverOptions& options_;
    base::Stopwatch clock_;
    RowEvaluator evaluator_;
    at::Tensor starts_;  // [B, k], double, on the CPU; the questions point into it
    std::vector<QuestionState> questions_;
    std::vector<std::unique_ptr<Run>> runs_;  // question by question, z0 first
    int64_t runs_a_question_ = 1;
};

}  // namespace

void check(const Problem& problem, const SolverOptions& options) {
    const std::string wrong = options.check();
    expect(wrong.empty(), wrong);
    check_problem(problem);
}

void count(Summary& summary) {
    summary.questions = static_cast<int64_t>(summary.solutions.size());
    summary.found = summary.best_effort = summary.infeasible = summary.stopped = summary.feasible = 0;
    summary.forward = summary.backward = 0;
    std::vector<double> distances;
    for (const Solution& solution : summary.solutions) {
        summary.found += solution.status == Status::found;
        summary.best_effort += solution.status == Status::best_effort;
        summary.infeasible += solution.status == Status::infeasible;
        summary.stopped += solution.status == Status::stopped;
        summary.feasible += solution.feasible;
        summary.forward += solution.forward;
        summary.backward += solution.backward;
        if (solution.feasible) distances.push_back(solution.distance);
    }
    if (distances.empty()) return;
    std::nth_element(distances.begin(), distances.begin() + distances.size() / 2, distances.end());
    summary.median_distance = distances[distances.size() / 2];
}

Summary solve(const Problem& problem, const SolverOptions& options) {
    check(problem, options);
    return Solve(problem, options).run();
}

}  // namespace whynot::internal

whynot::Summary whynot::solve(const Problem& problem, const SolverOptions& options) { return internal::solve(problem, options); }
