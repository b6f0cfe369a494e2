#include <algorithm>

#include "solver/run.h"

namespace whynot::internal {
namespace {

/// The dissertation's method from one start: gradient descent on
///     |z - z0|^2 + lambda h + c h^2 / 2 + sum_i (max(0, mu_i + c g_i)^2 - mu_i^2) / (2 c)
/// with h the gap and g_i = l_y - l_fact - eps, l_y - l_foil - eps, and between descents lambda += c h, mu_i = max(0,
/// mu_i + c g_i), and c *= beta where |h| fell by less than gamma.
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
        third_multipliers_.resize(2 * classes, 0.0);
        if (inner_ == constants_.inner_steps) {
            inner_ = 0;
            ++iterations_;
            if (at_rest(point)) return finish();
            if (iterations_ >= iteration_limit_) return shortest() ? finish() : fail("the iterations ended");
            multiplier_ += penalty_ * point.gap;
            for_thirds(point,
                       [&](int64_t, int64_t i, double g) { third_multipliers_[i] = std::max(0.0, third_multipliers_[i] + penalty_ * g); });
            if (std::abs(point.gap) > constants_.penalty_ratio * last_gap_) penalty_ *= constants_.penalty_growth;
            last_gap_ = std::abs(point.gap);
        }
        if (inner_ == 0) outer_z_ = point.z;
        ++inner_;
        // The derivative of the Lagrangian in the log-likelihoods; the chain rule does the rest.
        weights.resize(weights.size() + classes, 0.0);
        double* w = weights.data() + weights.size() - classes;
        const double h = multiplier_ + penalty_ * point.gap;
        w[question_.fact] += h;
        w[question_.foil] -= h;
        for_thirds(point, [&](int64_t y, int64_t i, double g) {
            const double m = std::max(0.0, third_multipliers_[i] + penalty_ * g);
            w[y] += m;
            w[i < classes ? question_.fact : question_.foil] -= m;
        });
    }

    void use_gradients(const double* gradients, int64_t) override {
        for (int64_t i = 0; i < k_; ++i) point_[i] -= constants_.step * (2 * (point_[i] - question_.start[i]) + gradients[i]);
    }

    /// Calls use(y, index of the multiplier, g) for both guards of every third class.
    template <typename Use>
    void for_thirds(const Point& point, Use use) const {
        if (!options_.guards) return;
        const auto classes = static_cast<int64_t>(point.values.size());
        for (int64_t y = 0; y < classes; ++y) {
            if (!is_third(y)) continue;
            use(y, y, point.values[y] - point.values[question_.fact] - options_.guard_slack);
            use(y, classes + y, point.values[y] - point.values[question_.foil] - options_.guard_slack);
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
    double multiplier_ = 0;                  // lambda
    std::vector<double> third_multipliers_;  // mu, [2, C]
    double last_gap_ = std::numeric_limits<double>::infinity();
    std::vector<double> outer_z_;
    int64_t inner_ = 0;
};

}  // namespace

std::unique_ptr<Run> make_augmented_lagrangian_run(QuestionState& question, const SolverOptions& options, int64_t start_index,
                                                   std::vector<double> start) {
    return std::make_unique<AugmentedLagrangianRun>(question, options, start_index, std::move(start));
}

}  // namespace whynot::internal
