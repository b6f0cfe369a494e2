#include "solver/run.h"

#include <algorithm>

namespace whynot::internal {

Run::Run(QuestionState& question, const SolverOptions& options, int64_t start_index, std::vector<double> start)
    : question_(question),
      options_(options),
      k_(question.k),
      on_boundary_(options.target == Target::boundary),
      point_(std::move(start)),
      start_index_(start_index) {}

Point Run::measure(const double* values, int64_t classes) const {
    Point point;
    point.z = point_;
    point.values.assign(values, values + classes);
    point.gap = values[question_.fact] - values[question_.foil];
    point.third.margin = classes > 2 ? -std::numeric_limits<double>::infinity() : 0;
    for (int64_t y = 0; y < classes; ++y)
        if (is_third(y) && margin(point, y) > point.third.margin) point.third = {y, margin(point, y)};
    point.violation = first_violation(point);
    if (guarded() && point.third.index >= 0) point.violation = std::max(point.violation, guard(point, point.third.index));
    double square = 0;
    for (int64_t i = 0; i < k_; ++i) square += (point_[i] - question_.start[i]) * (point_[i] - question_.start[i]);
    point.distance = std::sqrt(square);
    return point;
}

double Run::first(const Point& point) const {
    if (options_.target != Target::answer) return point.gap;
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t y = 0; y < static_cast<int64_t>(point.values.size()); ++y)
        if (y != question_.foil) largest = std::max(largest, point.values[y]);
    for (int64_t y = 0; y < static_cast<int64_t>(point.values.size()); ++y)
        if (y != question_.foil) sum += std::exp(point.values[y] - largest);
    return largest + std::log(sum) - point.values[question_.foil] + options_.lead;
}

void Run::first_weights(const Point& point, double* weights) const {
    weights[question_.foil] -= 1;
    if (options_.target != Target::answer) {
        weights[question_.fact] += 1;
        return;
    }
    const double others = first(point) + point.values[question_.foil] - options_.lead;
    for (int64_t y = 0; y < static_cast<int64_t>(point.values.size()); ++y)
        if (y != question_.foil) weights[y] += std::exp(point.values[y] - others);
}

void Run::receive(const double* values, int64_t classes, std::vector<double>& weights) {
    if (!std::all_of(values, values + classes, [](double value) { return std::isfinite(value); })) {
        return fail("the log-likelihood is not finite (NaN or infinite) at a distance of " +
                    std::to_string(measure(values, classes).distance) + " from the start");
    }
    Point point = measure(values, classes);
    if (options_.trace) question_.trace.push_back({start_index_, question_.forward, point.gap, point.third.margin, point.distance});
    if (feasible(point)) {
        if (question_.evaluations_to_feasible < 0) question_.evaluations_to_feasible = question_.forward;
        if (!shortest() || point.distance < shortest_.distance) shortest_ = point;
    }
    if (point.violation < closest_.violation) closest_ = point;
    step(std::move(point), weights);
}

void Run::receive_gradients(const double* gradients, int64_t n) {
    if (!std::all_of(gradients, gradients + n * k_, [](double value) { return std::isfinite(value); })) {
        return fail("the gradient of the log-likelihood is not finite (NaN or infinite)");
    }
    use_gradients(gradients, n);
}

}  // namespace whynot::internal
