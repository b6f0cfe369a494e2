#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "whynot/solver.h"

namespace whynot::internal {

/// What the runs of one question share.
struct QuestionState {
    const double* start = nullptr;  // z0, [k]
    int64_t k = 0, fact = 0, foil = 0;
    double first_at_start = std::numeric_limits<double>::quiet_NaN();  // `Run::first` at z0, until that was evaluated
    int64_t forward = 0, backward = 0, evaluations_to_feasible = -1;
    std::vector<TracePoint> trace;
};

/// An evaluated point.
struct Point {
    std::vector<double> z;
    std::vector<double> values;  // [C]
    double gap = 0;
    ThirdClass third;
    double violation = std::numeric_limits<double>::infinity();  // of the constraint that is missed most
    double distance = 0;
};

/// The search from one start. A run never calls anybody: it names the point it wants evaluated, is given the values
/// there, names the gradients it wants, is given those; so the runs of a whole batch, in whatever phase each may be,
/// share every call of `log_likelihood`.
class Run {
public:
    Run(QuestionState& question, const SolverOptions& options, int64_t start_index, std::vector<double> start);
    virtual ~Run() = default;

    std::vector<double>& point() { return point_; }  ///< [k]; not const, for it is rounded to the problem's type when it is evaluated

    /// Takes the values [C] at `point()`. Appends to `weights` one row [C] for each combination of log-likelihoods
    /// whose gradient is wanted.
    void receive(const double* values, int64_t classes, std::vector<double>& weights);
    /// Takes the gradients asked for, [n, k].
    void receive_gradients(const double* gradients, int64_t n);

    bool done() const { return done_; }
    void finish() { done_ = true; }
    bool cut_short() const { return cut_short_; }
    void cut() { cut_short_ = done_ = true; }

    const Point* shortest() const { return shortest_.z.empty() ? nullptr : &shortest_; }  ///< of the feasible
    const Point* closest() const { return closest_.z.empty() ? nullptr : &closest_; }     ///< to feasibility
    int64_t start_index() const { return start_index_; }
    int64_t iterations() const { return iterations_; }
    const std::string& trouble() const { return trouble_; }  ///< why it ended, where that is worth a sentence
    virtual bool marched() const { return false; }

    QuestionState& question() { return question_; }

protected:
    virtual void step(Point point, std::vector<double>& weights) = 0;
    virtual void use_gradients(const double* gradients, int64_t n) = 0;

    double margin(const Point& point, int64_t y) const {
        return point.values[y] - (point.values[question_.fact] + point.values[question_.foil]) / 2;
    }
    bool is_third(int64_t y) const { return y != question_.fact && y != question_.foil; }
    bool feasible(const Point& point) const {
        return (!on_boundary_ || std::abs(point.gap) < options_.gap_tolerance) && point.violation <= options_.gap_tolerance;
    }

    /// The first constraint: of fact and foil, and for an answer of the foil and all other classes together. Zero on the boundary, at most
    /// zero for the other targets.
    double first(const Point& point) const;
    /// Its derivative in the log-likelihoods, [C], to be added to zeros.
    void first_weights(const Point& point, double* weights) const;
    double first_violation(const Point& point) const { return on_boundary_ ? std::abs(first(point)) : std::max(0.0, first(point)); }
    /// Whether third classes have constraints of their own, and that of one of them, at most zero.
    bool guarded() const { return options_.guards && options_.target != Target::answer; }
    double guard(const Point& point, int64_t y) const {
        return on_boundary_ ? margin(point, y) - options_.guard_slack : point.values[y] - point.values[question_.foil];
    }
    void fail(const std::string& trouble) {
        trouble_ = trouble;
        done_ = true;
    }

    QuestionState& question_;
    const SolverOptions& options_;
    const int64_t k_;
    const bool on_boundary_;  // that is the target
    int64_t iterations_ = 0;
    std::vector<double> point_;
    Point shortest_, closest_;

private:
    Point measure(const double* values, int64_t classes) const;

    int64_t start_index_;
    bool done_ = false, cut_short_ = false;
    std::string trouble_;
};

std::unique_ptr<Run> make_sqp_run(QuestionState& question, const SolverOptions& options, int64_t start_index, std::vector<double> start);
std::unique_ptr<Run> make_augmented_lagrangian_run(QuestionState& question, const SolverOptions& options, int64_t start_index,
                                                   std::vector<double> start);

}  // namespace whynot::internal
