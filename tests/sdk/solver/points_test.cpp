// Boundary, edge and answer: what holds at each of them, in both methods.
#include "whynot/points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>

#include "whynot/error.h"

namespace {

using namespace whynot;
using testing::HasSubstr;

at::Tensor random(at::IntArrayRef sizes, uint64_t seed) { return torch::randn(sizes, at::detail::createCPUGenerator(seed)); }

/// Seven classes of a linear classifier in six dimensions; the foil the one at `place` in the order of likelihood.
Problem linear(int64_t questions, int64_t place) {
    const at::Tensor W = random({7, 6}, 3), b = 0.3 * random({7}, 4);
    Problem problem;
    problem.start = random({questions, 6}, 5);
    problem.log_likelihood = [W, b](const at::Tensor& z, const at::Tensor&) { return z.matmul(W.t()) + b; };
    const at::Tensor order = problem.log_likelihood(problem.start, {}).argsort(1, true);
    problem.fact = order.select(1, 0).contiguous();
    problem.foil = order.select(1, place).contiguous();
    return problem;
}

/// By how much the foil leads at z: the strongest other class, or all of them together.
double lead_at(const Problem& problem, const at::Tensor& z, int64_t row, bool together) {
    at::Tensor values = problem.log_likelihood(z.unsqueeze(0), torch::tensor({row}))[0].to(torch::kDouble).clone();
    const auto foil = problem.foil[row].item<int64_t>();
    const double own = values[foil].item<double>();
    values[foil] = -INFINITY;
    return own - (together ? values.logsumexp(0) : values.max()).item<double>();
}

class Targets : public testing::TestWithParam<Method> {
protected:
    SolverOptions options(Target target) const {
        SolverOptions options;
        options.method = GetParam();
        options.target = target;
        options.augmented_lagrangian.step = 0.01;
        if (GetParam() == Method::augmented_lagrangian) options.max_iterations = 200;
        return options;
    }
};

TEST_P(Targets, HoldTheirConstraintsAndAreNoFartherThanTheyMustBe) {
    const Problem problem = linear(30, 2);
    for (const Target target : {Target::edge, Target::answer}) {
        const SolverOptions given = options(target);
        const double lead = target == Target::answer ? given.lead : 0;
        const Summary summary = solve(problem, given);
        EXPECT_TRUE(summary.is_usable()) << to_string(target) << '\n' << summary.full_report();
        for (size_t i = 0; i < summary.solutions.size(); ++i) {
            const double found = lead_at(problem, summary.solutions[i].z, static_cast<int64_t>(i), target == Target::answer);
            EXPECT_GE(found, lead - given.gap_tolerance - 1e-4) << to_string(target) << ' ' << i;
            // The nearest point of what is allowed lies on its border.
            EXPECT_LE(found, lead + 0.1) << to_string(target) << ' ' << i;
        }
    }
}

TEST_P(Targets, ABoundaryWithItsGuardsIsNoNearerThanTheEdge) {
    const Problem problem = linear(30, 1);
    const Summary boundary = solve(problem, options(Target::boundary)), edge = solve(problem, options(Target::edge));
    for (size_t i = 0; i < boundary.solutions.size(); ++i) {
        if (!boundary.solutions[i].feasible || !edge.solutions[i].feasible) continue;
        EXPECT_LE(edge.solutions[i].distance, boundary.solutions[i].distance * 1.02 + 0.02) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Methods, Targets, testing::Values(Method::sqp, Method::augmented_lagrangian),
                         [](const auto& each) { return each.param == Method::sqp ? "sqp" : "augmented_lagrangian"; });

TEST(Target, OfALinearClassifierIsTheFootOfThePerpendicular) {
    Problem problem;
    problem.start = torch::tensor({{1.0, 0.5}});
    problem.fact = torch::tensor({int64_t{0}});
    problem.foil = torch::tensor({int64_t{1}});
    // The foil leads by y - x.
    problem.log_likelihood = [](const at::Tensor& z, const at::Tensor&) { return z; };
    SolverOptions options;
    options.target = Target::answer;
    options.lead = 0.5;
    const Solution answer = solve(problem, options).solutions[0];
    EXPECT_TRUE(torch::allclose(answer.z, torch::tensor({0.5, 1.0}).to(answer.z.scalar_type()), 0, 0.01)) << answer.z;
    options.lead = 0;
    EXPECT_THAT(options.check(), HasSubstr("lead should be above 0 nats"));
}

TEST(Points, GiveTheFoilTheConfidenceThatIsAskedFor) {
    const Problem problem = linear(40, 3);
    for (const double confidence : {0.6, 0.9, 0.99}) {
        const Points points = solve_points(problem, {}, confidence);
        for (size_t i = 0; i < points.answers.size(); ++i) {
            ASSERT_TRUE(points.reached(i)) << i;
            ASSERT_TRUE(points.answers[i] && points.answers[i]->feasible) << i;
            const auto row = static_cast<int64_t>(i), foil = problem.foil[row].item<int64_t>();
            const at::Tensor said = problem.log_likelihood(points.answers[i]->z.unsqueeze(0), {})[0].to(torch::kDouble).softmax(0);
            EXPECT_GE(said[foil].item<double>(), confidence) << i;
            EXPECT_NEAR(said[foil].item<double>(), points.at_answer[row][foil].item<double>(), 1e-6);
            EXPECT_GT(points.answers[i]->distance, points.reached(i)->distance) << i;
            EXPECT_EQ(points.forward(i),
                      points.boundary.solutions[i].forward + points.answers[i]->forward + (points.edges[i] ? points.edges[i]->forward : 0));
        }
    }
}

// Class 2 lies between 0 and 1 on a line: where they are equally likely, it is above both.
Problem with_a_class_between() {
    Problem problem;
    problem.start = torch::tensor({{-1.0}});
    problem.fact = torch::tensor({int64_t{0}});
    problem.foil = torch::tensor({int64_t{1}});
    problem.log_likelihood = [](const at::Tensor& z, const at::Tensor&) {
        return torch::cat({-2 * z, 2 * z, torch::full_like(z, 1.0)}, 1);
    };
    problem.class_names = {"boot", "pullover", "coat"};
    return problem;
}

TEST(Points, WhereAClassStandsBetweenTheEdgeIsFoundAndTheBoundaryIsNot) {
    const Problem problem = with_a_class_between();
    const Points points = solve_points(problem, {}, 0.9);
    EXPECT_FALSE(points.boundary.solutions[0].feasible);
    EXPECT_THAT(points.boundary.solutions[0].reason, HasSubstr("'coat' is above them"));
    ASSERT_TRUE(points.edges[0] && points.edges[0]->feasible);
    EXPECT_EQ(points.reached(0), &*points.edges[0]);
    EXPECT_EQ(points.between[0], 2) << "the coat";
    EXPECT_NEAR(points.edges[0]->z.item<double>(), 0.5, 0.01) << "where the pullover passes the coat";
    ASSERT_TRUE(points.answers[0] && points.answers[0]->feasible);
    EXPECT_GE(points.at_answer[0][1].item<double>(), 0.9);
}

// Flat around the start and the first extra starts, so that no gradient tells the way; the last one lies beyond the boundary.
TEST(Points, WhereNoBoundaryIsFoundTheStartsInReserveAreTried) {
    Problem problem;
    problem.start = at::zeros({2, 1});
    problem.start[1][0] = 4;  // near enough to find its way alone
    problem.fact = at::zeros({2}, at::kLong);
    problem.foil = at::ones({2}, at::kLong);
    problem.log_likelihood = [](const at::Tensor& z, const at::Tensor&) {
        const at::Tensor gap = 3 - 1.5 * (z.select(1, 0) - 3).relu();
        return at::stack({gap, at::zeros_like(gap)}, 1);
    };
    const auto with_starts = [&](const std::vector<float>& starts) {
        problem.extra_starts = at::tensor(starts).view({1, -1, 1}).expand({2, -1, 1}).contiguous();
        return solve_points(problem, SolverOptions(), 0);
    };
    const Points without = with_starts({0.5, 1});
    EXPECT_FALSE(without.boundary.solutions[0].feasible);
    EXPECT_TRUE(without.boundary.solutions[1].feasible);

    const Points with = with_starts({0.5, 1, 1.5, 6});
    const Solution &far = with.boundary.solutions[0], &near = with.boundary.solutions[1];
    ASSERT_TRUE(far.feasible) << far.reason;
    EXPECT_NEAR(far.z[0].item<float>(), 5, 0.01);
    EXPECT_EQ(far.start, 4);
    EXPECT_GT(far.forward, without.boundary.solutions[0].forward) << "its price is in its figures";
    EXPECT_EQ(with.boundary.feasible, 2);
    EXPECT_EQ(with.boundary.found, 2);
    EXPECT_EQ(with.boundary.infeasible + with.boundary.best_effort, 0);
    EXPECT_EQ(with.forward(0) + with.forward(1), with.boundary.forward);
    // A question that needs none pays for none.
    EXPECT_TRUE(at::equal(near.z, without.boundary.solutions[1].z));
    EXPECT_EQ(near.forward, without.boundary.solutions[1].forward);
}

TEST(Points, AnAnswerThatCannotBeReachedSaysSoAndIsWhatCameNearest) {
    Problem problem = with_a_class_between();
    // The foil's lead over the others is never more than one nat.
    problem.log_likelihood = [](const at::Tensor& z, const at::Tensor&) {
        const at::Tensor t = torch::tanh(z);
        return torch::cat({-t / 2, t / 2, torch::full_like(z, -3.0)}, 1);
    };
    const Points points = solve_points(problem, {}, 0.9);
    ASSERT_TRUE(points.reached(0));
    ASSERT_TRUE(points.answers[0]);
    EXPECT_FALSE(points.answers[0]->feasible);
    EXPECT_THAT(points.answers[0]->reason, HasSubstr("nats ahead of all other classes was found"));
    EXPECT_GT(points.at_answer[0][1].item<double>(), points.at_answer[0][0].item<double>());
}

TEST(Points, RefuseWhatIsNoConfidence) {
    for (const double confidence : {0.4, 1.0, -1.0, 2.0, std::nan("")}) EXPECT_THROW(solve_points(linear(1, 1), {}, confidence), Error);
    EXPECT_FALSE(solve_points(linear(1, 1), {}, 0).answers[0].has_value());
}

TEST(Points, KeepBudgetsAndEndWhenTheyAreStopped) {
    const Problem problem = linear(10, 3);
    SolverOptions options;
    options.max_evaluations = 12;
    const Points frugal = solve_points(problem, options, 0.9);
    for (size_t i = 0; i < 10; ++i) EXPECT_LE(frugal.forward(i), 12) << i;
    options = {};
    int calls = 0;
    options.callback = [&](const IterationReport&) { return ++calls == 2 ? CallbackAnswer::stop : CallbackAnswer::proceed; };
    const Points stopped = solve_points(problem, options, 0.9);
    EXPECT_EQ(calls, 2) << "no search follows one that was stopped";
    EXPECT_GT(stopped.boundary.stopped, 0);
    options.callback = [](const IterationReport&) { return CallbackAnswer::abort; };
    EXPECT_THROW(solve_points(problem, options, 0.9), Error);
}

TEST(Points, LeadsHaveTheConfidenceAndALittleMore) {
    for (const double confidence : {0.6, 0.9, 0.99}) EXPECT_GT(1 / (1 + std::exp(-lead_for(confidence))), confidence);
}

}  // namespace
