#include "study/planning/power.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/format.h"
#include "whynot/error.h"

namespace whynot::cli::study {
namespace {

void expect_that(bool holds, const std::string& what, double found) {
    if (!holds) throw Error(ErrorCode::invalid_argument, base::expected(what, base::number(found)));
}

void expect_people_like(double proportion, double between, int64_t items) {
    expect_that(proportion > 0 && proportion < 1, "a proportion correct between 0 and 1", proportion);
    expect_that(items >= 1 && items <= 10'000, "1 to 10,000 test items", static_cast<double>(items));
    expect_that(
        between >= 0 && between * between < proportion * (1 - proportion),
        "a deviation between people from 0 to below sqrt(p (1 - p)), here " + base::number(std::sqrt(proportion * (1 - proportion))),
        between);
}

void check_assumptions(const Assumptions& assumptions) {
    expect_people_like(assumptions.control, assumptions.between, assumptions.items);
    expect_people_like(assumptions.treated, assumptions.between, assumptions.items);
    expect_that(assumptions.chance > 0 && assumptions.chance < 1, "chance between 0 and 1", assumptions.chance);
    expect_that(assumptions.alpha > 0 && assumptions.alpha < .5, "alpha between 0 and .5", assumptions.alpha);
    expect_that(assumptions.comparisons >= 1, "a comparison or more", static_cast<double>(assumptions.comparisons));
    expect_that(assumptions.power > assumptions.alpha && assumptions.power < 1, "a power between alpha and 1", assumptions.power);
    expect_that(assumptions.dropout >= 0 && assumptions.dropout < 1, "a share of drop-out from 0 to below 1", assumptions.dropout);
}

double level_of(const Assumptions& assumptions) { return assumptions.alpha / static_cast<double>(assumptions.comparisons); }

/// The people of an arm, as numbers of items right.
class Group {
public:
    Group(double proportion, double between, int64_t items) : items_(items), all_(1), right_(proportion) {
        if (between == 0) return;
        all_ = proportion * (1 - proportion) / (between * between) - 1;
        right_ = proportion * all_;
        added_ = 1;
    }

    /// A person whose probability has a beta distribution answers, one item after another, as a draw from Polya's urn: with the probability
    /// that the answers so far leave to expect of them. So no function is needed that libraries compute differently.
    double answer(std::mt19937_64& random) const {
        double right = 0, all = all_, in_favour = right_;
        for (int64_t item = 0; item < items_; ++item, all += added_) {
            if (draw_share(random) * all >= in_favour) continue;
            ++right;
            in_favour += added_;
        }
        return right;
    }

private:
    int64_t items_;
    double all_, right_;  ///< balls in the urn: a + b and a of the beta distribution with this mean and deviation
    double added_ = 0;    ///< with each answer; none where people are all alike
};

/// The generator of an arm in a run: the same people come first, however many are asked, so that power grows evenly with them.
std::mt19937_64 generator(uint64_t seed, int64_t run, uint32_t arm) {
    std::seed_seq sequence{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(run), arm};
    return std::mt19937_64(sequence);
}

Summary arm_of(const Group& people, int64_t n, std::mt19937_64 random) {
    std::vector<double> scores(static_cast<size_t>(n));
    for (double& score : scores) score = people.answer(random);
    return summarise(scores);
}

constexpr double most_answers = 5e8;  // in a simulation: some seconds

}  // namespace

double deviation_of_shares(double proportion, double between, int64_t items) {
    expect_people_like(proportion, between, items);
    const auto t = static_cast<double>(items);
    return std::sqrt(proportion * (1 - proportion) / t + between * between * (1 - 1 / t));
}

double between_people(double proportion, double deviation, int64_t items) {
    expect_people_like(proportion, 0, items);
    expect_that(items >= 2, "2 test items or more", static_cast<double>(items));
    expect_that(deviation >= 0 && deviation < 1, "a deviation of shares from 0 to below 1", deviation);
    const auto t = static_cast<double>(items);
    return std::sqrt(std::max(0.0, (deviation * deviation - proportion * (1 - proportion) / t) / (1 - 1 / t)));
}

Simulated simulate(const Assumptions& assumptions, int64_t per_arm, int64_t runs, uint64_t seed) {
    check_assumptions(assumptions);
    expect_that(per_arm >= 2 && per_arm <= 1'000'000, "2 to 1,000,000 people in an arm", static_cast<double>(per_arm));
    expect_that(runs >= 1 && runs <= 10'000'000, "1 to 10,000,000 runs", static_cast<double>(runs));
    const Group control(assumptions.control, assumptions.between, assumptions.items);
    const Group treated(assumptions.treated, assumptions.between, assumptions.items);
    const double level = level_of(assumptions), guessing = assumptions.chance * static_cast<double>(assumptions.items);
    const double sign = assumptions.treated < assumptions.control ? -1 : 1;
    int64_t found = 0, misled = 0, above = 0;
    for (int64_t run = 0; run < runs; ++run) {
        const Summary one = arm_of(control, per_arm, generator(seed, run, 0)), other = arm_of(treated, per_arm, generator(seed, run, 1));
        if (other.deviation > 0) {
            const TTest test = against(other, guessing);
            if (test.two_sided < assumptions.alpha && test.difference > 0) ++above;
        }
        if (one.deviation == 0 && other.deviation == 0) continue;  // no test without spread
        const TTest test = welch(other, one);
        if (test.two_sided >= level) continue;
        ++found;
        if (test.difference * sign < 0) ++misled;
    }
    const auto all = static_cast<double>(runs);
    Simulated result{runs, static_cast<double>(found) / all, static_cast<double>(misled) / all, static_cast<double>(above) / all, 0};
    result.error = std::sqrt(result.found * (1 - result.found) / all);
    return result;
}

namespace {

/// The fewest people in an arm with whom the simulated power is what is wanted. @param near where to begin
int64_t needed_by_simulation(const Assumptions& assumptions, int64_t near, int64_t runs, uint64_t seed) {
    const auto suffices = [&](int64_t n) { return simulate(assumptions, n, runs, seed).found >= assumptions.power; };
    int64_t enough = near, too_few = 1;
    for (int64_t step = 1 + near / 32; !suffices(enough); step *= 2) too_few = enough, enough += step;
    for (int64_t step = 1 + near / 32; enough - too_few > 1; step *= 2) {
        // In growing steps until some are too few, then by halves.
        const int64_t n = too_few == 1 ? std::max<int64_t>(2, enough - step) : too_few + (enough - too_few) / 2;
        (suffices(n) ? enough : too_few) = n;
    }
    return enough;
}

}  // namespace

Plan plan_study(const Assumptions& assumptions, int64_t runs, uint64_t seed) {
    check_assumptions(assumptions);
    expect_that(assumptions.control != assumptions.treated, "two proportions that differ", assumptions.control);
    Plan plan;
    plan.level = level_of(assumptions);
    // At the mean of the two: a little more than what the arms have, each by itself, so errs on the side of more people.
    plan.deviation = deviation_of_shares((assumptions.control + assumptions.treated) / 2, assumptions.between, assumptions.items);
    plan.d = (assumptions.treated - assumptions.control) / plan.deviation;
    plan.by_t = needed_per_arm(plan.d, assumptions.power, plan.level);
    const double from_chance =
        (assumptions.treated - assumptions.chance) / deviation_of_shares(assumptions.treated, assumptions.between, assumptions.items);
    plan.above_chance = power_against(from_chance, plan.by_t, assumptions.alpha);

    if (static_cast<double>(plan.by_t * assumptions.items * 2) * static_cast<double>(runs) <= most_answers) {
        plan.by_simulation = needed_by_simulation(assumptions, plan.by_t, runs, seed);
        plan.at_by_t = simulate(assumptions, plan.by_t, runs, seed);
    }
    const double left = static_cast<double>(std::max(plan.by_t, plan.by_simulation)) / (1 - assumptions.dropout);
    plan.invited = static_cast<int64_t>(std::ceil(left - 1e-9));  // 40 / (1 - .2) is 50, whatever binary fractions make of it
    return plan;
}

}  // namespace whynot::cli::study
