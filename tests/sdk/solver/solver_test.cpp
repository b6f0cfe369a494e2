#include "whynot/solver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "whynot/error.h"
#include "whynot/gradient_check.h"
#include "whynot/inversion.h"
#include "whynot/lbfgs.h"

namespace {

using namespace whynot;
using testing::HasSubstr;

at::Tensor random(at::IntArrayRef sizes, uint64_t seed) {
    auto generator = at::detail::createCPUGenerator(seed);
    return torch::randn(sizes, generator);
}

/// Two classes whose gap is `gap(z)`, [b].
template <typename Gap>
Problem two_classes(const at::Tensor& start, Gap gap) {
    Problem problem;
    problem.start = start;
    problem.fact = torch::zeros({start.size(0)}, torch::kLong);
    problem.foil = torch::ones({start.size(0)}, torch::kLong);
    problem.log_likelihood = [gap](const at::Tensor& z, const at::Tensor&) {
        const at::Tensor g = gap(z);
        return torch::stack({g / 2, -g / 2}, 1);
    };
    return problem;
}

/// Logits z W' + b, each question's fact its most likely class.
Problem linear(const at::Tensor& start, const at::Tensor& W, const at::Tensor& b, bool least_likely) {
    Problem problem;
    problem.start = start;
    const at::Tensor order = (start.matmul(W.t()) + b).argsort(1, true);
    problem.fact = order.select(1, 0).contiguous();
    problem.foil = order.select(1, least_likely ? W.size(0) - 1 : 1).contiguous();
    problem.log_likelihood = [W, b](const at::Tensor& z, const at::Tensor&) { return z.matmul(W.t()) + b; };
    return problem;
}

/// A small network with tanh units: smooth, not convex.
Problem network(int64_t questions) {
    const at::Tensor A = random({16, 6}, 3) * 0.6, B = random({5, 16}, 4);
    Problem problem = linear(random({questions, 6}, 5), random({5, 6}, 6), torch::zeros({5}), false);
    problem.log_likelihood = [A, B](const at::Tensor& z, const at::Tensor&) { return torch::tanh(z.matmul(A.t())).matmul(B.t()); };
    const at::Tensor order = problem.log_likelihood(problem.start, {}).argsort(1, true);
    problem.fact = order.select(1, 0).contiguous();
    problem.foil = order.select(1, 2).contiguous();
    return problem;
}

/// The promise of a feasible solution, checked by asking the classifier again.
void expect_constraints(const Problem& problem, const Summary& summary, const SolverOptions& options) {
    for (size_t i = 0; i < summary.solutions.size(); ++i) {
        const Solution& s = summary.solutions[i];
        if (!s.feasible) continue;
        const auto row = static_cast<int64_t>(i);
        const at::Tensor values = problem.log_likelihood(s.z.unsqueeze(0), torch::tensor({row})).select(0, 0).to(torch::kDouble);
        const auto fact = problem.fact[row].item<int64_t>(), foil = problem.foil[row].item<int64_t>();
        const double f = values[fact].item<double>(), q = values[foil].item<double>();
        EXPECT_LT(std::abs(f - q), options.gap_tolerance + 1e-4) << i;
        EXPECT_NEAR(f - q, s.gap, 1e-4) << i;
        EXPECT_NEAR(s.distance, (s.z - problem.start[row]).norm().item<double>(), 1e-4) << i;
        double margin = -INFINITY;
        for (int64_t y = 0; y < values.size(0); ++y)
            if (y != fact && y != foil) margin = std::max(margin, values[y].item<double>() - (f + q) / 2);
        if (values.size(0) > 2) {
            EXPECT_NEAR(margin, s.max_third.margin, 1e-4) << i;
            EXPECT_LE(margin, options.guards ? options.guard_slack + options.gap_tolerance + 1e-4 : INFINITY) << i;
        } else {
            EXPECT_EQ(s.max_third.index, -1);
        }
    }
}

/// A network of its own for each question, of 4 tanh units in 2 dimensions and 6 classes; each question's foil the fourth likeliest class.
Problem networks(int64_t questions) {
    const at::Tensor A = random({questions, 2, 4}, 1), c = random({questions, 1, 4}, 2), B = random({questions, 4, 6}, 3) * 2;
    Problem problem;
    problem.start = random({questions, 2}, 4);
    problem.log_likelihood = [A, B, c](const at::Tensor& z, const at::Tensor& rows) {
        const auto own = [&](const at::Tensor& all) { return all.index_select(0, rows); };
        return torch::bmm(torch::tanh(torch::bmm(z.unsqueeze(1), own(A)) + own(c)), own(B)).squeeze(1);
    };
    const at::Tensor order = problem.log_likelihood(problem.start, torch::arange(questions)).argsort(1, true);
    problem.fact = order.select(1, 0).contiguous();
    problem.foil = order.select(1, 3).contiguous();
    return problem;
}

// Gradients of third classes that are kept from one iteration to the next spare a tenth of the work, and lead a few questions nowhere.
TEST(Sqp, BeginsAnewWithAllGradientsWhereKeptOnesLedNowhere) {
    const Problem problem = networks(600);
    SolverOptions options;
    options.trace = true;
    const Summary summary = solve(problem, options);
    expect_constraints(problem, summary, options);
    int anew = 0, solved = 0;
    for (const Solution& solution : summary.solutions) {
        const bool again =
            std::any_of(solution.trace.begin() + 1, solution.trace.end(), [](const TracePoint& p) { return p.distance == 0; });
        anew += again;
        solved += again && solution.feasible;
    }
    EXPECT_GT(solved, 0) << "of " << anew << " questions that came back to their start";
}

TEST(Sqp, ProjectsOntoTheBoundaryOfALinearClassifier) {
    const at::Tensor W = random({2, 5}, 1), b = random({2}, 2), start = random({8, 5}, 3);
    const Problem problem = linear(start, W, b, false);
    const SolverOptions options;
    const Summary summary = solve(problem, options);
    ASSERT_TRUE(summary.is_usable()) << summary.full_report();
    EXPECT_EQ(summary.found, 8);
    expect_constraints(problem, summary, options);
    const at::Tensor normal = W[0] - W[1];
    const at::Tensor gap = start.matmul(normal) + (b[0] - b[1]);
    const at::Tensor projection = start - gap.unsqueeze(1) * normal / normal.square().sum();
    for (int64_t i = 0; i < 8; ++i) EXPECT_LT((summary.solutions[i].z - projection[i]).norm().item<double>(), 1e-3) << i;
}

/// min |z - z0| s.t. the constraints of a linear classifier, by trying every set of active guards.
double nearest_by_enumeration(const at::Tensor& z0, const at::Tensor& W, const at::Tensor& b, int64_t fact, int64_t foil, bool guards) {
    std::vector<int64_t> thirds;
    for (int64_t y = 0; y < W.size(0); ++y)
        if (guards && y != fact && y != foil) thirds.push_back(y);
    const at::Tensor mean = (W[fact] + W[foil]) / 2, mean_b = (b[fact] + b[foil]) / 2;
    double best = INFINITY;
    for (int set = 0; set < 1 << thirds.size(); ++set) {
        std::vector<at::Tensor> rows{W[fact] - W[foil]}, constants{b[fact] - b[foil]};
        for (size_t i = 0; i < thirds.size(); ++i) {
            if (!(set >> i & 1)) continue;
            rows.push_back(W[thirds[i]] - mean);
            constants.push_back(b[thirds[i]] - mean_b);
        }
        const at::Tensor A = torch::stack(rows);
        if (A.size(0) > A.size(1)) continue;
        const at::Tensor z = z0 - torch::pinverse(A).matmul(A.matmul(z0) + torch::stack(constants));
        bool good = true;
        for (const int64_t y : thirds) good = good && ((W[y] - mean).dot(z) + b[y] - mean_b).item<double>() <= 1e-6;
        if (good) best = std::min(best, (z - z0).norm().item<double>());
    }
    return best;
}

TEST(Sqp, FindsTheNearestPointWithActiveGuards) {
    const at::Tensor W = random({6, 8}, 11), b = random({6}, 12) / 2, start = random({12, 8}, 13);
    const Problem problem = linear(start, W, b, true);
    SolverOptions options;
    for (const bool guards : {true, false}) {
        options.guards = guards;
        const Summary summary = solve(problem, options);
        ASSERT_TRUE(summary.is_usable()) << summary.full_report();
        expect_constraints(problem, summary, options);
        int intruders = 0, longer = 0;
        for (int64_t i = 0; i < 12; ++i) {
            const auto reference = [&](bool guarded) {
                return nearest_by_enumeration(start[i].to(torch::kDouble), W.to(torch::kDouble), b.to(torch::kDouble),
                                              problem.fact[i].item<int64_t>(), problem.foil[i].item<int64_t>(), guarded);
            };
            EXPECT_NEAR(summary.solutions[i].distance, reference(guards), 0.02) << i;
            intruders += summary.solutions[i].max_third.margin > 0.02;
            longer += reference(true) > reference(false) + 0.05;
        }
        // The case is worth testing only if guards are active in it; without them third classes win.
        EXPECT_GE(longer, 6);
        EXPECT_EQ(intruders > 0, !guards);
    }
}

TEST(Sqp, RespectsTheSlackOfTheGuards) {
    const Problem problem = linear(random({12, 8}, 13), random({6, 8}, 11), random({6}, 12) / 2, true);
    SolverOptions tight, slack;
    slack.guard_slack = 0.5;
    const Summary a = solve(problem, tight), b = solve(problem, slack);
    expect_constraints(problem, b, slack);
    double gained = 0;
    for (size_t i = 0; i < 12; ++i) gained += a.solutions[i].distance - b.solutions[i].distance;
    EXPECT_GT(gained, 0.1);
}

TEST(Sqp, SolvesACurvedBoundary) {
    // Inside the circle of radius 2 the fact wins: from (0.5, 0.1) the nearest point is straight out.
    const at::Tensor start = torch::tensor({{0.5, 0.1}, {-1.0, 0.2}, {3.0, 1.0}}, torch::kFloat);
    const Problem problem = two_classes(start, [](const at::Tensor& z) { return 4 - z.square().sum(1); });
    const Summary summary = solve(problem);
    ASSERT_EQ(summary.found, 3) << summary.full_report();
    expect_constraints(problem, summary, {});
    for (int64_t i = 0; i < 3; ++i) EXPECT_NEAR(summary.solutions[i].distance, std::abs(2 - start[i].norm().item<double>()), 0.01);
}

TEST(Sqp, SolvesASmoothNetworkWithGuards) {
    const Problem problem = network(24);
    SolverOptions options;
    options.typical_distance = 2;
    const Summary summary = solve(problem, options);
    expect_constraints(problem, summary, options);
    EXPECT_GE(summary.feasible, 23) << summary.full_report();
}

TEST(Sqp, AsksOnceForTheGradientOfABystander) {
    // A third class half a nat below the two all along the way: in the model, and never leaned on.
    Problem problem = two_classes(torch::tensor({{1.0, 0.5}}), [](const at::Tensor& z) { return z.select(1, 0) + z.square().sum(1) / 2; });
    const Summary alone = solve(problem);
    const auto two = problem.log_likelihood;
    problem.log_likelihood = [two](const at::Tensor& z, const at::Tensor& rows) {
        return torch::cat({two(z, rows), (0.1 * z.select(1, 1) - 0.5).unsqueeze(1)}, 1);
    };
    const Summary summary = solve(problem);
    ASSERT_EQ(summary.found, 1) << summary.full_report();
    EXPECT_LT(summary.solutions[0].max_third.margin, 0);
    EXPECT_NEAR(summary.solutions[0].distance, alone.solutions[0].distance, 1e-6);
    EXPECT_LE(summary.backward, summary.forward + 1);  // the gap's at each iterate, and one
}

TEST(Sqp, CrossesAPlateau) {
    // A saturated gap: its gradient is 0.004 at the start and 7.5 on the boundary, 3 away.
    const at::Tensor u = torch::tensor({0.6F, 0.8F, 0.0F});
    const Problem problem =
        two_classes(torch::zeros({1, 3}), [u](const at::Tensor& z) { return 5 * torch::tanh(1.5 * (3 - z.matmul(u))); });
    SolverOptions options;
    options.typical_distance = 2;
    const Summary summary = solve(problem, options);
    ASSERT_TRUE(summary.is_usable()) << summary.full_report();
    EXPECT_NEAR(summary.solutions[0].distance, 3, 0.01);
    EXPECT_LE(summary.solutions[0].evaluations_to_feasible, 11);
    EXPECT_LE(summary.solutions[0].forward, 26);
}

TEST(Solve, SaysThatThereIsNoBoundary) {
    for (const Method method : {Method::sqp, Method::augmented_lagrangian}) {
        SolverOptions options;
        options.method = method;
        const Problem constant = two_classes(random({2, 3}, 1), [](const at::Tensor& z) { return 2 + 0 * z.sum(1); });
        const Problem bowl = two_classes(random({2, 3}, 1), [](const at::Tensor& z) { return 1 + z.square().sum(1); });
        for (const Problem& problem : {constant, bowl}) {
            const Summary summary = solve(problem, options);
            EXPECT_EQ(summary.infeasible, 2) << summary.full_report();
            EXPECT_FALSE(summary.is_usable());
            for (const Solution& s : summary.solutions) {
                EXPECT_THAT(s.reason, HasSubstr("No point where the foil is as likely as the fact was found within " +
                                                std::to_string(s.forward) + " evaluations"));
                EXPECT_GE(s.gap, 1);
                EXPECT_TRUE(torch::isfinite(s.z).all().item<bool>());
            }
        }
    }
}

TEST(Solve, EndsOnlyTheRowThatIsNotFinite) {
    const at::Tensor start = random({3, 4}, 2), w = random({4}, 3);
    Problem problem = two_classes(start, [](const at::Tensor& z) { return z.sum(1); });
    problem.log_likelihood = [w](const at::Tensor& z, const at::Tensor& rows) {
        const at::Tensor g = torch::where(rows == 1, torch::full({}, NAN), torch::ones({})) * (z.matmul(w) + 3);
        return torch::stack({g, torch::zeros_like(g)}, 1);
    };
    const Summary summary = solve(problem);
    EXPECT_EQ(summary.solutions[0].status, Status::found);
    EXPECT_EQ(summary.solutions[1].status, Status::infeasible);
    EXPECT_THAT(summary.solutions[1].reason, HasSubstr("not finite"));
    EXPECT_EQ(summary.solutions[1].forward, 1);
    EXPECT_EQ(summary.solutions[2].status, Status::found);
}

TEST(Solve, KeepsTheBudgetAndReturnsTheBestSoFar) {
    const Problem problem = network(8);
    SolverOptions options;
    int64_t feasible = -1;
    for (const int64_t budget : {1, 3, 5, 8, 13, 100}) {
        options.max_evaluations = budget;
        const Summary summary = solve(problem, options);
        for (const Solution& s : summary.solutions) {
            EXPECT_LE(s.forward, budget);
            EXPECT_TRUE(s.status == Status::found || s.status == Status::best_effort || s.status == Status::infeasible);
            EXPECT_EQ(s.reason.empty(), s.status == Status::found);
        }
        EXPECT_TRUE(budget > 1 || summary.best_effort == 8);
        expect_constraints(problem, summary, options);
        EXPECT_GE(summary.feasible, feasible);
        feasible = summary.feasible;
    }
}

TEST(Solve, EndsAtTheDeadline) {
    SolverOptions options;
    options.deadline_seconds = 1e-9;
    const Summary summary = solve(network(4), options);
    EXPECT_EQ(summary.iterations, 1);
    EXPECT_EQ(summary.best_effort, 4);
    EXPECT_THAT(summary.solutions[0].reason, HasSubstr("deadline"));
    EXPECT_TRUE(std::isfinite(summary.solutions[0].gap));
}

TEST(Solve, AsksTheCallback) {
    const Problem problem = network(6);
    SolverOptions options;
    int64_t calls = 0;
    options.callback = [&](const IterationReport& report) {
        EXPECT_EQ(report.iteration, calls++);
        EXPECT_EQ(report.questions, 6);
        EXPECT_LE(report.rows_active, 6);
        EXPECT_GT(report.forward, 0);
        return report.iteration == 2 ? CallbackAnswer::stop : CallbackAnswer::proceed;
    };
    const Summary summary = solve(problem, options);
    EXPECT_EQ(calls, 3);
    EXPECT_GT(summary.stopped, 0);
    EXPECT_EQ(summary.stopped + summary.found + summary.infeasible + summary.best_effort, 6);

    options.callback = [](const IterationReport&) { return CallbackAnswer::abort; };
    try {
        solve(problem, options);
        FAIL() << "should throw";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled);
    }
}

TEST(Solve, ExtraStartsFindTheNearerBasin) {
    // Two discs of foil. The gradient at the start points to the farther one.
    const at::Tensor far_disc = torch::tensor({3.0F, 0.0F}), near_disc = torch::tensor({0.0F, -2.0F});
    Problem problem = two_classes(torch::zeros({1, 2}), [=](const at::Tensor& z) {
        return torch::minimum((z - far_disc).square().sum(1) - 0.25, 100 * ((z - near_disc).square().sum(1) - 0.25));
    });
    problem.extra_starts = near_disc.view({1, 1, 2});
    SolverOptions options;
    options.starts = 1;
    const Solution alone = solve(problem, options).solutions[0];
    EXPECT_NEAR(alone.distance, 2.5, 0.01);
    EXPECT_EQ(alone.start, 0);
    options.starts = 2;
    const Solution both = solve(problem, options).solutions[0];
    EXPECT_NEAR(both.distance, 1.5, 0.01);
    EXPECT_EQ(both.start, 1);
    EXPECT_GT(both.forward, alone.forward);
}

TEST(Solve, BatchEqualsSingles) {
    const Problem problem = network(10);
    const Summary batch = solve(problem);
    for (int64_t i = 0; i < 10; ++i) {
        Problem single = problem;
        single.start = problem.start.narrow(0, i, 1);
        single.fact = problem.fact.narrow(0, i, 1);
        single.foil = problem.foil.narrow(0, i, 1);
        const Summary one = solve(single);
        EXPECT_EQ(one.solutions[0].status, batch.solutions[i].status);
        EXPECT_LT((one.solutions[0].z - batch.solutions[i].z).norm().item<double>(), 2e-2) << i;
    }
}

TEST(Solve, SameInputSameBytes) {
    const Problem problem = network(10);
    const at::Tensor before = problem.start.clone();
    const Summary a = solve(problem), b = solve(problem);
    for (size_t i = 0; i < 10; ++i) {
        EXPECT_TRUE(torch::equal(a.solutions[i].z, b.solutions[i].z));
        EXPECT_EQ(a.solutions[i].forward, b.solutions[i].forward);
    }
    EXPECT_TRUE(torch::equal(before, problem.start));
}

TEST(Solve, CountsEveryRowAndRowsThatAreDoneLeave) {
    for (const Method method : {Method::sqp, Method::augmented_lagrangian}) {
        Problem problem = network(8);
        std::vector<int64_t> asked(8, 0);
        std::vector<size_t> sizes;
        const auto inner = problem.log_likelihood;
        problem.log_likelihood = [&, inner](const at::Tensor& z, const at::Tensor& rows) {
            EXPECT_EQ(z.size(0), rows.size(0));
            for (int64_t j = 0; j < rows.size(0); ++j) ++asked[rows[j].item<int64_t>()];
            sizes.push_back(rows.size(0));
            return inner(z, rows);
        };
        SolverOptions options;
        options.method = method;
        options.trace = true;
        const Summary summary = solve(problem, options);
        int64_t total = 0;
        for (size_t i = 0; i < 8; ++i) {
            EXPECT_EQ(asked[i], summary.solutions[i].forward);
            EXPECT_LE(summary.solutions[i].backward, summary.solutions[i].forward);
            EXPECT_LE(static_cast<int64_t>(summary.solutions[i].trace.size()), summary.solutions[i].forward);
            total += asked[i];
        }
        EXPECT_EQ(total, summary.forward);
        EXPECT_EQ(sizes.front(), 8U);
        EXPECT_LT(sizes.back(), 8U);
        for (const size_t size : sizes) EXPECT_LE(size, 8U);
    }
}

TEST(Solve, LeavesGlobalStateAlone) {
    torch::manual_seed(7);
    const at::Tensor expected = torch::randn({4});
    torch::manual_seed(7);
    const torch::NoGradGuard caller_has_no_gradients;
    const Summary summary = solve(network(3));
    EXPECT_FALSE(torch::GradMode::is_enabled());
    EXPECT_TRUE(torch::equal(expected, torch::randn({4})));
    EXPECT_GT(summary.feasible, 0);
}

TEST(Solve, WorksInDoubleAndOnNothing) {
    Problem problem = network(3);
    const auto inner = problem.log_likelihood;
    problem.log_likelihood = [inner](const at::Tensor& z, const at::Tensor& rows) { return inner(z.to(torch::kFloat), rows); };
    problem.start = problem.start.to(torch::kDouble);
    const Summary summary = solve(problem);
    EXPECT_EQ(summary.solutions[0].z.scalar_type(), torch::kDouble);

    problem.start = torch::zeros({0, 4});
    problem.fact = problem.foil = torch::zeros({0}, torch::kLong);
    const Summary empty = solve(problem);
    EXPECT_EQ(empty.questions, 0);
    EXPECT_TRUE(empty.is_usable());
    EXPECT_FALSE(empty.brief_report().empty());
}

TEST(AugmentedLagrangian, AgreesOnALinearClassifier) {
    const Problem problem = linear(random({6, 8}, 13), random({5, 8}, 11) / 2, random({5}, 12) / 2, true);
    SolverOptions options;
    const Summary sqp = solve(problem, options);
    options.method = Method::augmented_lagrangian;
    options.augmented_lagrangian.step = 0.02;
    options.max_iterations = 200;
    const Summary alm = solve(problem, options);
    ASSERT_TRUE(alm.is_usable()) << alm.full_report();
    EXPECT_EQ(alm.method_used, "augmented-lagrangian");
    expect_constraints(problem, alm, options);
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(alm.solutions[i].distance, sqp.solutions[i].distance, 0.03) << i;
    EXPECT_GT(alm.forward, 3 * sqp.forward);
}

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        return error.what();
    }
    return "no error";
}

TEST(Problem, IsCheckedWithTheShapesNamed) {
    const Problem good = network(3);
    const auto wrong = [&](auto spoil) {
        Problem problem = good;
        spoil(problem);
        return message_of([&] { solve(problem); });
    };
    EXPECT_THAT(wrong([](Problem& p) { p.start = torch::zeros({3}); }),
                HasSubstr("start should be [B, k] float or double; it is [3] Float"));
    EXPECT_THAT(wrong([](Problem& p) { p.start = at::Tensor(); }), HasSubstr("it is nothing"));
    EXPECT_THAT(wrong([](Problem& p) { p.fact = torch::zeros({2}, torch::kLong); }), HasSubstr("fact should be [3] int64"));
    EXPECT_THAT(wrong([](Problem& p) { p.foil = torch::zeros({3}); }), HasSubstr("it is [3] Float"));
    EXPECT_THAT(wrong([](Problem& p) { p.foil = p.fact; }), HasSubstr("two different classes; in row 0"));
    EXPECT_THAT(wrong([](Problem& p) { p.foil = torch::full({3}, 9, torch::kLong); }), HasSubstr("from 0 to 4; in row 0 it is 9"));
    EXPECT_THAT(wrong([](Problem& p) { p.fact = torch::full({3}, -1, torch::kLong); }), HasSubstr("it is -1"));
    EXPECT_THAT(wrong([](Problem& p) { p.extra_starts = torch::zeros({3, 2, 9}); }), HasSubstr("extra_starts should be [3, S, 6]"));
    EXPECT_THAT(wrong([](Problem& p) { p.log_likelihood = nullptr; }), HasSubstr("empty"));
    EXPECT_THAT(wrong([](Problem& p) { p.log_likelihood = [](const at::Tensor& z, const at::Tensor&) { return z.sum(1); }; }),
                HasSubstr("should return [3, C] floating-point numbers, with at least two classes; it returned [3] Float"));
    EXPECT_THAT(wrong([](Problem& p) { p.log_likelihood = [](const at::Tensor& z, const at::Tensor&) { return z.detach(); }; }),
                HasSubstr("without a graph"));
}

TEST(SolverOptions, AreCheckedWithAMessage) {
    const auto check = [](auto spoil) {
        SolverOptions options;
        spoil(options);
        return options.check();
    };
    EXPECT_EQ(SolverOptions().check(), "");
    EXPECT_THAT(check([](auto& o) { o.gap_tolerance = 0; }), HasSubstr("gap_tolerance should be above 0"));
    EXPECT_THAT(check([](auto& o) { o.typical_distance = NAN; }), HasSubstr("typical_distance"));
    EXPECT_THAT(check([](auto& o) { o.guard_slack = -1; }), HasSubstr("guard_slack should be 0 or more nats; it is -1"));
    EXPECT_THAT(check([](auto& o) { o.starts = 0; }), HasSubstr("starts"));
    EXPECT_THAT(check([](auto& o) { o.max_iterations = -1; }), HasSubstr("max_iterations"));
    EXPECT_THAT(check([](auto& o) { o.max_evaluations = -1; }), HasSubstr("max_evaluations"));
    EXPECT_THAT(check([](auto& o) { o.deadline_seconds = -1; }), HasSubstr("deadline_seconds"));
    EXPECT_THAT(check([](auto& o) { o.augmented_lagrangian.penalty_growth = 0.5; }), HasSubstr("penalty_growth"));
    EXPECT_THAT(check([](auto& o) { o.augmented_lagrangian.step = 0; }), HasSubstr("step"));
    SolverOptions bad;
    bad.starts = -3;
    EXPECT_THAT(message_of([&] { solve(network(2), bad); }), HasSubstr("it is -3"));
}

TEST(Summary, OfNoSolveIsRecognisable) {
    const Summary summary;
    EXPECT_FALSE(summary.is_usable());
    EXPECT_EQ(summary.questions, -1);
    EXPECT_THAT(summary.brief_report(), HasSubstr("not called"));
    const Summary done = solve(network(3));
    EXPECT_THAT(done.full_report(), HasSubstr("solver"));
    EXPECT_GE(done.seconds, done.seconds_forward + done.seconds_backward);
    EXPECT_GE(done.seconds_forward, 0);
}

TEST(Names, GoBothWays) {
    for (const Status status : {Status::found, Status::best_effort, Status::infeasible, Status::stopped, Status::refused})
        EXPECT_EQ(status_from_string(to_string(status)), status);
    EXPECT_STREQ(to_string(Status::best_effort), "best-effort");
    EXPECT_EQ(method_from_string("augmented-lagrangian"), Method::augmented_lagrangian);
    EXPECT_THAT(message_of([] { method_from_string("newton"); }), HasSubstr("one of sqp, augmented-lagrangian; it is \"newton\""));
}

TEST(Invert, FindsTheMinimumAndRowsThatAreDoneLeave) {
    const at::Tensor goal = random({6, 4}, 21), start = goal + 0.5 * random({6, 4}, 22);
    std::vector<int64_t> sizes;
    const auto loss = [&](const at::Tensor& z, const at::Tensor& rows) {
        sizes.push_back(rows.size(0));
        const at::Tensor distance = (z - goal.index_select(0, rows)).square().sum(1);
        return InversionLoss{distance, distance < 1e-2};
    };
    InversionOptions options;
    options.prior_weight = 0;
    options.max_steps = 200;
    const InversionResult result = invert(loss, start, options);
    EXPECT_TRUE(result.done.all().item<bool>());
    EXPECT_LT(result.loss.max().item<double>(), 1e-2);
    EXPECT_LT((result.z - goal).square().sum(1).max().item<double>(), 1e-2);
    EXPECT_LT(sizes.back(), 6);
    int64_t rows = 0;
    for (const int64_t size : sizes) rows += size;
    EXPECT_EQ(rows, result.steps.sum().item<int64_t>() + 6);
    EXPECT_TRUE(torch::equal(result.z, invert(loss, start, options).z));

    // Starting where it is good enough costs no step and moves nothing.
    const InversionResult none = invert(loss, goal, options);
    EXPECT_EQ(none.steps.sum().item<int64_t>(), 0);
    EXPECT_TRUE(torch::equal(none.z, goal));
}

TEST(Invert, WeighsThePriorAndKeepsTheBest) {
    const at::Tensor start = torch::zeros({1, 2}), goal = torch::ones({1, 2});
    const auto loss = [&](const at::Tensor& z, const at::Tensor&) { return InversionLoss{(z - goal).square().sum(1), {}}; };
    InversionOptions options;
    options.max_steps = 400;
    options.decay = 1;
    options.prior_weight = 1;  // the minimum of |z - 1|^2 + |z|^2 is half way
    const InversionResult result = invert(loss, start, options);
    EXPECT_LT((result.z - 0.5).norm().item<double>(), 1e-2);
    EXPECT_FALSE(result.done.any().item<bool>());
    options.prior_centre = goal;
    EXPECT_LT((invert(loss, start, options).z - goal).norm().item<double>(), 1e-2);
    EXPECT_THAT(message_of([&] {
                    invert([](const at::Tensor& z, const at::Tensor&) { return InversionLoss{z, {}}; }, start);
                }),
                HasSubstr("the loss should be [1]"));
}

TEST(GradientCheck, PassesRightAndFlagsWrongGradients) {
    const Problem right = network(4);
    const GradientCheck passed = check_gradients(right);
    EXPECT_TRUE(passed.ok) << passed.log;
    EXPECT_EQ(passed.numeric.sizes(), (at::IntArrayRef{4, 5, 6}));
    EXPECT_TRUE(torch::allclose(passed.autograd, passed.numeric, 0.02, 0.01));

    Problem wrong = right;
    wrong.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) {
        const at::Tensor first = z.select(1, 0).detach().unsqueeze(1);  // one coordinate is cut off
        return right.log_likelihood(torch::cat({first, z.narrow(1, 1, 5)}, 1), rows);
    };
    const GradientCheck failed = check_gradients(wrong);
    EXPECT_FALSE(failed.ok);
    EXPECT_EQ(failed.coordinate, 0);
    EXPECT_GT(failed.worst_error, 0.1);
    EXPECT_THAT(failed.log, HasSubstr("disagree"));
}

// A ReLU that turns at the very point: the central difference is the mean of two slopes, the derivative is one of them.
TEST(GradientCheck, ForgivesATurnAtThePointButNoWrongSlope) {
    Problem problem = network(4);
    problem.start = torch::zeros({4, 6});
    problem.start.select(1, 0).fill_(0.004);
    const auto turning = [](double slope) {
        return [slope](const at::Tensor& z, const at::Tensor&) {
            const at::Tensor shown = torch::relu(z) * 2, said = torch::relu(z) * slope;
            return (said + (shown - said).detach()).narrow(1, 0, 5);  // the values of one slope, the gradients of another
        };
    };
    problem.log_likelihood = turning(2);
    const GradientCheck right = check_gradients(problem);
    EXPECT_TRUE(right.ok) << right.log;
    problem.start.fill_(1);
    problem.log_likelihood = turning(1.5);
    EXPECT_FALSE(check_gradients(problem).ok);
    problem.start.fill_(0.004);
    problem.log_likelihood = turning(-1);
    EXPECT_FALSE(check_gradients(problem).ok) << "neither the slope before nor the one after";
}

TEST(Lbfgs, FindsThePointsThatSqpFinds) {
    const Problem problem = network(6);
    SolverOptions options;
    options.starts = 1;
    const Summary ours = solve(problem, options), theirs = solve_by_lbfgs(problem, options);
    ASSERT_TRUE(theirs.is_usable()) << theirs.full_report();
    EXPECT_EQ(theirs.method_used, "augmented-lagrangian-lbfgs");
    expect_constraints(problem, theirs, options);
    for (size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(theirs.solutions[i].status, Status::found);
        EXPECT_LT(ours.solutions[i].distance, 1.1 * theirs.solutions[i].distance) << i;
        EXPECT_GT(theirs.solutions[i].forward, theirs.solutions[i].backward) << "each round ends with a look without a derivative";
    }
}

TEST(Lbfgs, CountsWhatItAsks) {
    Problem problem = network(3);
    int64_t asked = 0, told = 0;
    problem.log_likelihood = [&, inner = problem.log_likelihood](const at::Tensor& z, const at::Tensor& rows) {
        asked += z.size(0);
        return inner(z, rows);
    };
    SolverOptions options;
    options.callback = [&](const IterationReport& report) {
        EXPECT_EQ(report.forward, asked);
        EXPECT_GE(report.rows_active, 1);
        ++told;
        return CallbackAnswer::proceed;
    };
    const Summary summary = solve_by_lbfgs(problem, options);
    EXPECT_EQ(summary.forward, asked);
    EXPECT_EQ(told, asked);
    EXPECT_LE(summary.seconds_forward + summary.seconds_backward, summary.seconds);
}

TEST(Lbfgs, LeavesGuardsOutWhereAskedTo) {
    const at::Tensor W = random({3, 5}, 1), b = random({3}, 2), start = random({4, 5}, 3);
    const Problem problem = linear(start, W, b, true);
    SolverOptions options;
    options.guards = false;
    const Summary summary = solve_by_lbfgs(problem, options);
    ASSERT_TRUE(summary.is_usable()) << summary.full_report();
    for (int64_t i = 0; i < 4; ++i) {
        const at::Tensor normal = W[problem.fact[i].item<int64_t>()] - W[problem.foil[i].item<int64_t>()];
        const at::Tensor constant = b[problem.fact[i].item<int64_t>()] - b[problem.foil[i].item<int64_t>()];
        EXPECT_NEAR(summary.solutions[i].distance,
                    std::abs((start[i].dot(normal) + constant).item<double>()) / normal.norm().item<double>(), 0.02);
    }
}

TEST(Lbfgs, StopsAndGivesUpWhenToldTo) {
    const Problem problem = network(3);
    SolverOptions options;
    options.callback = [](const IterationReport& report) {
        return report.rows_active == 2 ? CallbackAnswer::stop : CallbackAnswer::proceed;
    };
    const Summary summary = solve_by_lbfgs(problem, options);
    EXPECT_EQ(summary.solutions[0].status, Status::found);
    EXPECT_EQ(summary.stopped, 2);
    EXPECT_EQ(summary.solutions[2].forward, 0);
    options.callback = [](const IterationReport&) { return CallbackAnswer::abort; };
    EXPECT_THROW(solve_by_lbfgs(problem, options), Error);
}

TEST(Lbfgs, RefusesWhatSolveRefuses) {
    Problem problem = network(3);
    problem.foil = problem.foil.to(torch::kFloat);
    EXPECT_THROW(solve_by_lbfgs(problem), Error);
    problem = network(3);
    problem.log_likelihood = [](const at::Tensor& z, const at::Tensor&) { return z.detach(); };
    EXPECT_THROW(solve_by_lbfgs(problem), Error);
}

}  // namespace
