#include "lbfgs_oracle.h"

#include <torch/torch.h>

#include <cmath>

namespace whynot::image {

namespace {

OracleSolution solve_one(const Problem& problem, int64_t question, double tolerance, const std::function<void(int64_t)>& watch) {
    constexpr int64_t rounds = 60, steps_a_round = 15, memory = 8;
    constexpr double growth = 1.01, ratio = 0.24;
    const at::Tensor row = at::tensor({question}, at::kLong);
    const at::Tensor z0 = problem.start.index_select(0, row).to(at::kFloat);
    const int64_t fact = problem.fact[question].item<int64_t>(), foil = problem.foil[question].item<int64_t>();
    at::Tensor z = z0.clone().requires_grad_();
    OracleSolution best;

    // h, the gap, and g, how far third classes are above fact and foil.
    at::Tensor third;
    const auto constraints = [&](const at::Tensor& at_z) {
        if (watch) watch(question);
        const at::Tensor l = problem.log_likelihood(at_z, row)[0];
        if (!third.defined()) {
            std::vector<int64_t> others;
            for (int64_t y = 0; y < l.size(0); ++y)
                if (y != fact && y != foil) others.push_back(y);
            third = at::tensor(others, at::kLong);
        }
        const at::Tensor l_third = l.index_select(0, third);
        return std::make_pair(l[fact] - l[foil], at::cat({l_third - l[fact], l_third - l[foil]}));
    };
    const auto remember = [&](double h, const at::Tensor& g) {
        if (!(std::abs(h) < tolerance) || (g.numel() > 0 && g.max().item<double>() >= tolerance)) return;
        const double distance = (z.detach() - z0).norm().item<double>();
        if (!best.feasible || distance < best.distance) best.distance = distance;
        best.feasible = true;
    };

    double c = 1, lambda = 0, last_h = INFINITY;
    at::Tensor mu;
    for (int64_t round = 0; round < rounds; ++round) {
        const at::Tensor before = z.detach().clone();
        torch::optim::LBFGS lbfgs({z}, torch::optim::LBFGSOptions(1)
                                           .max_iter(steps_a_round)
                                           .history_size(memory)
                                           .tolerance_grad(1e-4)
                                           .tolerance_change(1e-6)
                                           .line_search_fn("strong_wolfe"));
        lbfgs.step([&] {
            lbfgs.zero_grad();
            ++best.gradients;
            const auto [h, g] = constraints(z);
            if (!mu.defined()) mu = at::zeros_like(g).detach();
            const at::Tensor lagrangian =
                (z - z0).square().sum() + lambda * h + 0.5 * c * h * h + (at::relu(mu + c * g).square() - mu.square()).sum() / (2 * c);
            lagrangian.backward();
            remember(h.item<double>(), g.detach());
            return lagrangian.detach();
        });
        const at::NoGradGuard no_grad;
        const auto [h_tensor, g] = constraints(z);
        const double h = h_tensor.item<double>();
        remember(h, g);
        const double moved = (z - before).norm().item<double>() / (1e-3 + (z - z0).norm().item<double>());
        const bool feasible = std::abs(h) < tolerance && (g.numel() == 0 || g.max().item<double>() < tolerance);
        if (feasible && moved < 1e-2) break;
        lambda += c * h;
        mu = at::relu(mu + c * g);
        if (std::abs(h) > ratio * last_h) c *= growth;
        last_h = std::abs(h);
    }
    return best;
}

}  // namespace

std::vector<OracleSolution> solve_by_lbfgs(const Problem& problem, double tolerance, const std::function<void(int64_t question)>& watch) {
    std::vector<OracleSolution> solutions;
    for (int64_t question = 0; question < problem.start.size(0); ++question) solutions.push_back(solve_one(problem, question, tolerance, watch));
    return solutions;
}

}  // namespace whynot::image
