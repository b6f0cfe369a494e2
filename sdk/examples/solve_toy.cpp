// The solver alone, on two problems whose answers are known in closed form. There is no plugin and no pack: the points are points of the
// plane, the "generator" is the identity, and the classifiers are linear.
//
//     $ solve_toy
//     two classes
//       expected  0.6 0.8  distance 4
//       found     0.6 0.8  distance 4
//     ...
#include <ATen/ATen.h>
#include <whynot/solver.h>

#include <cmath>
#include <exception>
#include <iostream>
#include <vector>

namespace {

/// A question about one point of the plane. Row y of `weight` and `bias` gives the logit of class y; the fact is class 0, the foil class 1.
whynot::Problem question(const std::vector<double>& point, const at::Tensor& weight, const at::Tensor& bias) {
    whynot::Problem problem;
    problem.start = at::tensor(point, at::kDouble).unsqueeze(0);  // z0, [1, 2]
    problem.fact = at::zeros({1}, at::kLong);
    problem.foil = at::ones({1}, at::kLong);
    // Logits are enough, as any constant may be added to a row. `rows` says which questions are asked about; here there is one.
    problem.log_likelihood = [=](const at::Tensor& z, const at::Tensor& /*rows*/) { return z.matmul(weight.t()) + bias; };
    return problem;
}

/// To six digits after the point, and 0 for what is as near to it as rounding allows.
double rounded(double x) { return std::round(1e6 * x) / 1e6 + 0.0; }

void print(const char* what, double x, double y, double distance) {
    std::cout << "  " << what << "  " << rounded(x) << ' ' << rounded(y) << "  distance " << rounded(distance) << '\n';
}

void solve_and_print(const whynot::Problem& problem, const whynot::SolverOptions& options) {
    const whynot::Summary summary = whynot::solve(problem, options);
    const whynot::Solution& solution = summary.solutions[0];
    // Always ask before using z: where there is no answer, `reason` says why.
    if (solution.feasible)
        print("found   ", solution.z[0].item<double>(), solution.z[1].item<double>(), solution.distance);
    else
        std::cout << "  found     nothing: " << solution.reason << '\n';
}

void solve_all() {
    whynot::SolverOptions options;
    options.gap_tolerance = 1e-4;  // nats; tighter than the default, to show the digits

    // Two classes. They are equally likely on the line 3x + 4y = 5. The nearest point to (3, 4) lies on the perpendicular through it,
    // (3, 4) - t (3, 4) with 25 - 25 t = 5, hence t = 0.8.
    std::cout << "two classes\n";
    print("expected", 0.6, 0.8, 4);
    solve_and_print(question({3, 4}, at::tensor({3., 4., 0., 0.}, at::kDouble).view({2, 2}), at::tensor({-5., 0.}, at::kDouble)), options);

    // Three classes: left, right and top have the logits -2x, 2x and 2y. Left and right are equally likely on the line x = 0, and the
    // point of it nearest to (-1, 0.5) is (0, 0.5). There, however, top is above both ...
    const whynot::Problem three =
        question({-1, 0.5}, at::tensor({-2., 0., 2., 0., 0., 2.}, at::kDouble).view({3, 2}), at::zeros({3}, at::kDouble));
    std::cout << "three classes, no guards\n";
    print("expected", 0, 0.5, 1);
    options.guards = false;
    solve_and_print(three, options);

    // ... and with guards the answer has to have 2y <= 0 as well: the nearest such point is the origin.
    std::cout << "three classes, guards\n";
    print("expected", 0, 0, 1.118033988749895);
    options.guards = true;
    solve_and_print(three, options);
}

}  // namespace

int main() {
    try {
        solve_all();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
