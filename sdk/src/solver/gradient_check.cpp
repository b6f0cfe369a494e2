#include "whynot/gradient_check.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/format.h"
#include "solver/evaluator.h"
#include "solver/shape.h"
#include "whynot/error.h"

namespace whynot {
namespace {

void check_arguments(const Problem& problem, const GradientCheckOptions& options, const at::Tensor& z) {
    const auto expect = [](bool good, const std::string& message) {
        if (!good) throw Error(ErrorCode::invalid_argument, message);
    };
    expect(problem.start.defined() && problem.start.dim() == 2 && problem.start.is_floating_point() && problem.start.numel() > 0,
           "Problem::start should be [B, k] floating point; it is " + internal::shape_of(problem.start));
    expect(!z.defined() || z.sizes() == problem.start.sizes(),
           "z should be " + internal::shape_of(problem.start.sizes()) + " as start is; it is " + internal::shape_of(z));
    expect(static_cast<bool>(problem.log_likelihood), "Problem::log_likelihood is empty");
    expect(options.step >= 0 && std::isfinite(options.step) && options.tolerance > 0 && options.max_coordinates > 0,
           "step should be 0 or more, tolerance and max_coordinates above 0");
}

/// One check: derivatives at some points, by both ways.
class Comparison {
public:
    Comparison(const Problem& problem, const GradientCheckOptions& options, const at::Tensor& z)
        : is_double_(problem.start.scalar_type() == at::kDouble),
          step_(options.step > 0 ? options.step
                : is_double_     ? 1e-5
                                 : 1e-2),
          tolerance_(options.tolerance),
          count_(problem.start.size(0)),
          k_(problem.start.size(1)),
          tried_(std::min(k_, options.max_coordinates)),
          base_((z.defined() ? z : problem.start).detach().to(at::kCPU, at::kDouble).contiguous()),
          evaluator_(problem),
          points_(at_base(), at_base() + count_ * k_) {
        for (int64_t i = 0; i < count_; ++i) rows_.push_back(i);
        for (int64_t j = 0; j < tried_; ++j) coordinates_.push_back(j * k_ / tried_);
        const double* first = evaluate();
        classes_ = evaluator_.classes();
        values_.assign(first, first + count_ * classes_);
        check_.coordinates = at::tensor(coordinates_, at::kLong);
        check_.autograd = at::zeros({count_, classes_, tried_}, at::kDouble);
        check_.numeric = at::zeros_like(check_.autograd);
        uncertainty_ = at::zeros_like(check_.autograd);
    }

    GradientCheck run() {
        differentiate();
        for (int64_t j = 0; j < tried_; ++j) take_differences(j);
        compare();
        write_log();
        return std::move(check_);
    }

private:
    const double* at_base() const { return base_.data_ptr<double>(); }
    const double* evaluate() { return evaluator_.forward(points_, rows_); }
    static at::TensorAccessor<double, 3> figures(const at::Tensor& tensor) { return tensor.accessor<double, 3>(); }

    /// d l_c / d z by automatic differentiation, class by class.
    void differentiate() {
        auto automatic = figures(check_.autograd);
        for (int64_t c = 0; c < classes_; ++c) {
            evaluate();
            std::vector<double> weights(count_ * classes_, 0.0);
            for (int64_t i = 0; i < count_; ++i) weights[i * classes_ + c] = 1;
            const double* gradient = evaluator_.backward(weights);
            for (int64_t i = 0; i < count_; ++i)
                for (int64_t j = 0; j < tried_; ++j) automatic[i][c][j] = gradient[i * k_ + coordinates_[j]];
        }
    }

    /// What l_c does from z - h e_j to z + h e_j, a row and class each, [B * C].
    struct Slopes {
        std::vector<double> central;  // (l_c(z + h e_j) - l_c(z - h e_j)) / 2h
        std::vector<double> bend;     // half of what the slopes before and after z differ by
    };
    Slopes slopes(int64_t j, double h) {
        std::array<std::vector<double>, 2> side, where;
        for (const int up : {0, 1}) {
            for (int64_t i = 0; i < count_; ++i) {
                const int64_t place = i * k_ + coordinates_[j];
                points_[place] = at_base()[place] + (up ? 1 : -1) * h;
            }
            const double* got = evaluate();
            side[up].assign(got, got + count_ * classes_);
            // The points are rounded to the problem's type, so the true distance is taken from them.
            for (int64_t i = 0; i < count_; ++i) where[up].push_back(points_[i * k_ + coordinates_[j]]);
        }
        Slopes result;
        for (int64_t i = 0; i < count_; ++i) {
            const double here = at_base()[i * k_ + coordinates_[j]];
            points_[i * k_ + coordinates_[j]] = here;
            for (int64_t c = 0; c < classes_; ++c) {
                const int64_t place = i * classes_ + c;
                const double down = side[0][place], up = side[1][place];
                result.central.push_back((up - down) / (where[1][i] - where[0][i]));
                result.bend.push_back(
                    std::abs((up - values_[place]) / (where[1][i] - here) - (values_[place] - down) / (here - where[0][i])) / 2);
            }
        }
        return result;
    }

    /// Differences over 2 h and 4 h: how much they differ says how far either can be trusted. Where a ReLU or a maximum turns
    /// within h of z, they agree with each other and with neither side; the derivative is one side's slope, off by the bend at most.
    void take_differences(int64_t j) {
        const double unit = is_double_ ? 2.3e-16 : 1.2e-7;
        const Slopes narrow = slopes(j, step_), wide = slopes(j, 2 * step_);
        auto numeric = figures(check_.numeric), uncertainty = figures(uncertainty_);
        for (int64_t i = 0; i < count_; ++i)
            for (int64_t c = 0; c < classes_; ++c) {
                const int64_t place = i * classes_ + c;
                numeric[i][c][j] = narrow.central[place];
                uncertainty[i][c][j] = std::max(std::abs(narrow.central[place] - wide.central[place]), narrow.bend[place]) +
                                       8 * unit * (1 + std::abs(values_[place])) / step_;
            }
    }

    void compare() {
        auto automatic = figures(check_.autograd), numeric = figures(check_.numeric), uncertainty = figures(uncertainty_);
        check_.worst_error = 0;
        for (int64_t i = 0; i < count_; ++i) {
            double scale = 1e-12;
            for (int64_t c = 0; c < classes_; ++c)
                for (int64_t j = 0; j < tried_; ++j) scale = std::max({scale, std::abs(automatic[i][c][j]), std::abs(numeric[i][c][j])});
            for (int64_t c = 0; c < classes_; ++c)
                for (int64_t j = 0; j < tried_; ++j) {
                    double error = (std::abs(automatic[i][c][j] - numeric[i][c][j]) - uncertainty[i][c][j]) / scale;
                    if (!std::isfinite(error)) error = std::numeric_limits<double>::infinity();
                    if (check_.row >= 0 && error <= check_.worst_error) continue;
                    check_.worst_error = std::max(error, 0.0);
                    check_.row = i;
                    check_.class_index = c;
                    check_.coordinate = coordinates_[j];
                    worst_ = j;
                }
        }
        check_.ok = check_.worst_error <= tolerance_;
    }

    void write_log() {
        const auto at_worst = [&](const at::Tensor& tensor, int digits) {
            return base::number(figures(tensor)[check_.row][check_.class_index][worst_], digits);
        };
        check_.log = std::string(check_.ok ? "The gradients agree: " : "The gradients disagree: ") + std::to_string(count_) + " rows, " +
                     std::to_string(classes_) + " classes, " + std::to_string(tried_) + " of " + std::to_string(k_) +
                     " coordinates, step " + base::number(step_, 6) + ".\nWorst: row " + std::to_string(check_.row) + ", class " +
                     std::to_string(check_.class_index) + ", coordinate " + std::to_string(check_.coordinate) + ": autograd " +
                     at_worst(check_.autograd, 6) + ", central difference " + at_worst(check_.numeric, 6) + " (uncertain by " +
                     at_worst(uncertainty_, 2) + "), relative excess " + base::number(check_.worst_error) + ", allowed " +
                     base::number(tolerance_, 6) + ".\n";
        if (!check_.ok)
            check_.log +=
                "Look for a tensor that is detached or rebuilt from numbers, dropout or batch statistics left on, an "
                "argmax or rounding on the way, and rows that depend on each other.\n";
    }

    const bool is_double_;
    const double step_, tolerance_;
    const int64_t count_, k_, tried_;
    const at::Tensor base_;  // [B, k], double
    internal::RowEvaluator evaluator_;
    std::vector<double> points_;  // [B, k], where it is evaluated next
    std::vector<int64_t> rows_, coordinates_;
    int64_t classes_ = 0;
    std::vector<double> values_;  // at base, [B, C]
    at::Tensor uncertainty_;      // of the differences, [B, C, n]
    int64_t worst_ = 0;           // place of the worst coordinate
    GradientCheck check_;
};

}  // namespace

GradientCheck check_gradients(const Problem& problem, const GradientCheckOptions& options, const at::Tensor& z) {
    check_arguments(problem, options, z);
    return Comparison(problem, options, z).run();
}

}  // namespace whynot
