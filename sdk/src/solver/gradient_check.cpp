#include "whynot/gradient_check.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "solver/evaluator.h"
#include "solver/shape.h"
#include "whynot/error.h"

namespace whynot {

GradientCheck check_gradients(const Problem& problem, const GradientCheckOptions& options, const at::Tensor& z) {
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

    const bool is_double = problem.start.scalar_type() == at::kDouble;
    const double step = options.step > 0 ? options.step : is_double ? 1e-5 : 1e-2;
    const double unit = is_double ? 2.3e-16 : 1.2e-7;
    const int64_t count = problem.start.size(0), k = problem.start.size(1), tried = std::min(k, options.max_coordinates);
    std::vector<int64_t> rows(count), coordinates(tried);
    for (int64_t i = 0; i < count; ++i) rows[i] = i;
    for (int64_t j = 0; j < tried; ++j) coordinates[j] = j * k / tried;

    const at::Tensor base = (z.defined() ? z : problem.start).detach().to(at::kCPU, at::kDouble).contiguous();
    const double* at_base = base.data_ptr<double>();
    internal::RowEvaluator evaluator(problem);
    std::vector<double> points(at_base, at_base + count * k);
    std::vector<double> values;
    const auto evaluate = [&] { return evaluator.forward(points, rows); };

    const double* first = evaluate();
    const int64_t classes = evaluator.classes();
    values.assign(first, first + count * classes);
    GradientCheck check;
    check.coordinates = at::tensor(coordinates, at::kLong);
    check.autograd = at::zeros({count, classes, tried}, at::kDouble);
    check.numeric = at::zeros_like(check.autograd);
    at::Tensor uncertain = at::zeros_like(check.autograd);
    auto automatic = check.autograd.accessor<double, 3>();
    auto numeric = check.numeric.accessor<double, 3>();
    auto uncertainty = uncertain.accessor<double, 3>();

    for (int64_t c = 0; c < classes; ++c) {
        evaluate();
        std::vector<double> weights(count * classes, 0.0);
        for (int64_t i = 0; i < count; ++i) weights[i * classes + c] = 1;
        const double* gradient = evaluator.backward(weights);
        for (int64_t i = 0; i < count; ++i)
            for (int64_t j = 0; j < tried; ++j) automatic[i][c][j] = gradient[i * k + coordinates[j]];
    }
    for (int64_t j = 0; j < tried; ++j) {
        // Differences over 2 h and 4 h: how much they differ says how far either can be trusted. The points are rounded
        // to the problem's type, so the true distance is taken from them.
        std::vector<double> slopes[2];
        for (const int wide : {0, 1}) {
            std::vector<double> side[2], where[2];
            for (const int up : {0, 1}) {
                for (int64_t i = 0; i < count; ++i)
                    points[i * k + coordinates[j]] = at_base[i * k + coordinates[j]] + (up ? 1 : -1) * (1 + wide) * step;
                const double* got = evaluate();
                side[up].assign(got, got + count * classes);
                for (int64_t i = 0; i < count; ++i) where[up].push_back(points[i * k + coordinates[j]]);
            }
            for (int64_t i = 0; i < count; ++i)
                for (int64_t c = 0; c < classes; ++c)
                    slopes[wide].push_back((side[1][i * classes + c] - side[0][i * classes + c]) / (where[1][i] - where[0][i]));
        }
        for (int64_t i = 0; i < count; ++i) {
            points[i * k + coordinates[j]] = at_base[i * k + coordinates[j]];
            for (int64_t c = 0; c < classes; ++c) {
                const double narrow = slopes[0][i * classes + c], wide = slopes[1][i * classes + c];
                numeric[i][c][j] = narrow;
                uncertainty[i][c][j] = std::abs(narrow - wide) + 8 * unit * (1 + std::abs(values[i * classes + c])) / step;
            }
        }
    }

    check.worst_error = 0;
    for (int64_t i = 0; i < count; ++i) {
        double scale = 1e-12;
        for (int64_t c = 0; c < classes; ++c)
            for (int64_t j = 0; j < tried; ++j) scale = std::max({scale, std::abs(automatic[i][c][j]), std::abs(numeric[i][c][j])});
        for (int64_t c = 0; c < classes; ++c) {
            for (int64_t j = 0; j < tried; ++j) {
                double error = (std::abs(automatic[i][c][j] - numeric[i][c][j]) - uncertainty[i][c][j]) / scale;
                if (!std::isfinite(error)) error = std::numeric_limits<double>::infinity();
                if (check.row < 0 || error > check.worst_error) {
                    check.worst_error = std::max(error, 0.0);
                    check.row = i;
                    check.class_index = c;
                    check.coordinate = coordinates[j];
                }
            }
        }
    }
    check.ok = check.worst_error <= options.tolerance;
    const int64_t worst = std::find(coordinates.begin(), coordinates.end(), check.coordinate) - coordinates.begin();
    char text[600];
    std::snprintf(text, sizeof text,
                  "%s: %lld rows, %lld classes, %lld of %lld coordinates, step %g.\nWorst: row %lld, class %lld, "
                  "coordinate %lld: autograd %.6g, central difference "
                  "%.6g (uncertain by %.2g), relative excess %.3g, allowed %g.\n",
                  check.ok ? "The gradients agree" : "The gradients disagree", (long long)count, (long long)classes, (long long)tried,
                  (long long)k, step, (long long)check.row, (long long)check.class_index, (long long)check.coordinate,
                  automatic[check.row][check.class_index][worst], numeric[check.row][check.class_index][worst],
                  uncertainty[check.row][check.class_index][worst], check.worst_error, options.tolerance);
    check.log = text;
    if (!check.ok)
        check.log +=
            "Look for a tensor that is detached or rebuilt from numbers, dropout or batch statistics left on, an "
            "argmax or rounding on the way, and rows that depend on each other.\n";
    return check;
}

}  // namespace whynot
