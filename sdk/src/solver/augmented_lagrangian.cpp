#include <algorithm>

#include "solver/run.h"

namespace whynot::internal {
namespace {

/// The dissertation's method from one start: gradient descent on
///     |z - z0|^2 + lambda h + c h^2 / 2 + sum_i (max(0, mu_i + c g_i)^2 - mu_i^2) / (2 c)
/// with h the gap and g_i = l_y - l_fact - eps, l_y - l_foil - eps, and between descents lambda += c h, mu_i = max(0,
/// mu_i + c g_i), and c *= beta where |h| fell by less than gamma. For the edge there is no h, and g_y = l_y -
/// l_foil, that of the fact among them; for the answer there is one g, of all classes together (solver.h). |h| is the largest
/// violation then.
class AugmentedLagrangianRun final : public Run {
public:
    AugmentedLagrangianRun(QuestionState& question, const SolverOptions& options, int64_t start_index, std::vector<double> start)
        : Run(question, options, start_index, std::move(start)),
          constants_(options.augmented_lagrangian),
          iteration_limit_(options.max_iterations ? options.max_iterations : 60),
          penalty_(constants_.penalty) {}

private:
    void step(Point point, std::vector<double>& weights) override {
        const auto classes = static_cast<int64_t>(point.values.size());
        guard_multipliers_.resize(2 * classes, 0.0);
        if (inner_ == constants_.inner_steps) {
            inner_ = 0;
            ++iterations_;
            if (at_rest(point)) return finish();
            if (iterations_ >= iteration_limit_) return shortest() ? finish() : fail("the iterations ended");
            multiplier_ = on_boundary_ ? multiplier_ + penalty_ * point.gap : std::max(0.0, multiplier_ + penalty_ * first(point));
            for_guards(point,
                       [&](int64_t, int64_t i, double g) { guard_multipliers_[i] = std::max(0.0, guard_multipliers_[i] + penalty_ * g); });
            const double missed = on_boundary_ ? std::abs(point.gap) : point.violation;
            if (missed > constants_.penalty_ratio * last_missed_) penalty_ *= constants_.penalty_growth;
            last_missed_ = missed;
        }
        if (inner_ == 0) outer_z_ = point.z;
        ++inner_;
        // The derivative of the Lagrangian in the log-likelihoods; the chain rule does the rest.
        weights.resize(weights.size() + classes, 0.0);
        double* w = weights.data() + weights.size() - classes;
        const double h = multiplier_ + penalty_ * first(point);
        if (on_boundary_ || h > 0) {
            first_weights(point, w);
            for (int64_t y = 0; y < classes; ++y) w[y] *= h;
        }
        for_guards(point, [&](int64_t y, int64_t i, double g) {
            const double m = std::max(0.0, guard_multipliers_[i] + penalty_ * g);
            w[y] += m;
            w[i < classes ? question_.fact : question_.foil] -= m;
        });
    }

    void use_gradients(const double* gradients, int64_t) override {
        for (int64_t i = 0; i < k_; ++i) point_[i] -= constants_.step * (2 * (point_[i] - question_.start[i]) + gradients[i]);
    }

    /// Calls use(y, index of the multiplier, g) for every guard: on the boundary both of every third class, those against the
    /// fact having the first C multipliers.
    template <typename Use>
    void for_guards(const Point& point, Use use) const {
        const auto classes = static_cast<int64_t>(point.values.size());
        if (!guarded()) return;
        for (int64_t y = 0; y < classes; ++y) {
            if (!is_third(y)) continue;
            if (on_boundary_) use(y, y, point.values[y] - point.values[question_.fact] - options_.guard_slack);
            use(y, classes + y, on_boundary_ ? point.values[y] - point.values[question_.foil] - options_.guard_slack : guard(point, y));
        }
    }

    bool at_rest(const Point& point) const {
        double square = 0;
        for (int64_t i = 0; i < k_; ++i) square += (point.z[i] - outer_z_[i]) * (point.z[i] - outer_z_[i]);
        return feasible(point) && std::sqrt(square) < 0.01 * point.distance + 1e-5;
    }

    const AugmentedLagrangianOptions& constants_;
    const int64_t iteration_limit_;
    double penalty_;                         // c
    double multiplier_ = 0;                  // lambda; of an inequality where there is no boundary
    std::vector<double> guard_multipliers_;  // mu, [2, C]
    double last_missed_ = std::numeric_limits<double>::infinity();
    std::vector<double> outer_z_;
    int64_t inner_ = 0;
};

}  // namespace

std::unique_ptr<Run> make_augmented_lagrangian_run(QuestionState& question, const SolverOptions& options, int64_t start_index,
                                                   std::vector<double> start) {
    return std::make_unique<AugmentedLagrangianRun>(question, options, start_index, std::move(start));
}

}  // namespace whynot::internal
