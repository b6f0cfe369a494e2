#include "study/planning/published.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace whynot::cli::study {
namespace {

using base::fixed;
using base::joined;

constexpr int64_t printed_size = 15;
constexpr double printed_level = .05, wanted_power = .8;

PublishedArm arm_of(const std::string& name, double mean, double deviation, double guessed) {
    PublishedArm arm;
    arm.name = name;
    arm.printed = {printed_size, mean, deviation, {}};
    const Printed printed{mean, deviation, arm.decimals};
    arm.sizes = sizes_that_fit(printed, 10, 20);
    arm.arm = arm.printed;
    if (!arm.sizes.empty()) {
        const auto nearer = [](int64_t a, int64_t b) { return std::abs(a - printed_size) < std::abs(b - printed_size); };
        arm.arm.n = *std::min_element(arm.sizes.begin(), arm.sizes.end(), nearer);
        arm.arm.whole = grim(printed, arm.arm.n).whole;
    }
    arm.beside_chance = against(arm.arm, guessed);
    return arm;
}

PublishedComparison compare(const PublishedArm& first, const PublishedArm& second) {
    PublishedComparison comparison;
    comparison.first = first.name;
    comparison.second = second.name;
    comparison.test = welch(first.printed, second.printed);
    comparison.with_sizes = welch(first.arm, second.arm);
    comparison.effect = hedges(first.printed, second.printed);
    comparison.power = power_of(comparison.effect.d, printed_size, printed_size, printed_level);
    comparison.needed = needed_per_arm(comparison.effect.d, wanted_power, printed_level);
    comparison.needed_of_three = needed_per_arm(comparison.effect.d, wanted_power, printed_level / 3);
    return comparison;
}

std::vector<std::string> written(const std::vector<int64_t>& numbers) {
    std::vector<std::string> result;
    for (const int64_t number : numbers) result.push_back(std::to_string(number));
    return result;
}

void say_sizes(Published& study) {
    for (const PublishedArm& arm : study.arms) {
        const std::string figures = fixed(arm.printed.mean, arm.decimals) + " (" + fixed(arm.printed.deviation, arm.decimals) + ")";
        if (arm.sizes.empty()) {
            study.does_not_fit.push_back(arm.name + ": no number of people from 10 to 20 gives " + figures + ".");
        } else if (arm.arm.n != printed_size) {
            study.does_not_fit.push_back(arm.name + ": mean and deviation " + figures + " cannot come from " +
                                         std::to_string(printed_size) + " people with whole scores. Of 10 to 20 people, " +
                                         joined(written(arm.sizes), " or ") + " can: " + std::to_string(arm.arm.whole->sum) +
                                         " right answers, squares " + std::to_string(arm.arm.whole->squares) + ".");
        }
    }
    const PublishedComparison& first = study.comparisons[0];
    study.does_not_fit.push_back("With the numbers of people that fit, p of " + first.first + " > " + first.second + " is " +
                                 fixed(first.with_sizes.greater, 4) + " and not " + fixed(first.test.greater, 4) + ".");
}

void say_chance(Published& study) {
    std::vector<std::string> means;
    const PublishedArm* best = &study.arms[0];
    bool is_above = false;
    for (const PublishedArm& arm : study.arms) {
        means.push_back(fixed(arm.printed.mean, 2));
        if (arm.printed.mean > best->printed.mean) best = &arm;
        is_above = is_above || arm.beside_chance.greater < printed_level;
    }
    if (!is_above)
        study.does_not_fit.push_back("All means are at chance, " + fixed(study.chance * static_cast<double>(study.items), 0) + " of " +
                                     std::to_string(study.items) + ": " + joined(means) + ". The best arm, " + best->name +
                                     ", against chance has p = " + fixed(best->beside_chance.greater, 3) + " one-sided, " +
                                     fixed(best->beside_chance.two_sided, 3) + " two-sided: nothing shows that anybody learned.");
    if (study.spread.narrower >= printed_level) return;
    std::vector<std::string> variances;
    for (const PublishedArm& arm : study.arms) variances.push_back(fixed(arm.printed.deviation * arm.printed.deviation, 2));
    const double guessing = static_cast<double>(study.items) * study.chance * (1 - study.chance);
    study.does_not_fit.push_back("Scores vary too little: variances " + joined(variances) + " where guessing gives " + fixed(guessing, 0) +
                                 " (chi-squared " + fixed(study.spread.chi_squared, 1) + ", df " + fixed(study.spread.df, 0) +
                                 ", p = " + fixed(study.spread.narrower, 3) +
                                 "). Balanced answers or a strategy (\"ten of each\") do that: the order of the answers would tell.");
}

void say_tests(Published& study) {
    double least = 1;
    std::vector<std::string> two_sided;
    for (const PublishedComparison& comparison : study.comparisons) {
        two_sided.push_back(fixed(comparison.test.two_sided, 4));
        least = std::min(least, comparison.holm);
    }
    study.does_not_fit.push_back("The printed p are one-sided. Two-sided they are " + joined(two_sided) + ".");
    study.does_not_fit.push_back("Three comparisons were made and none adjusted: by Holm's method the smallest p, one-sided, is " +
                                 fixed(least, 3) + ".");
    study.does_not_fit.push_back("All arms together: F(" + fixed(study.anova.df_between, 0) + ", " + fixed(study.anova.df_within, 0) +
                                 ") = " + fixed(study.anova.f, 3) + ", p = " + fixed(study.anova.p, 3) +
                                 ", eta squared = " + fixed(study.anova.eta_squared, 3) + ".");
}

void say_power(Published& study) {
    std::vector<std::string> needed;
    for (const PublishedComparison& comparison : study.comparisons)
        needed.push_back(comparison.first + " > " + comparison.second + ": " + std::to_string(comparison.needed) + " (" +
                         std::to_string(comparison.needed_of_three) + ")");
    const PublishedComparison& first = study.comparisons[0];
    study.does_not_fit.push_back("The study was too small. Were its largest effect, d = " + fixed(first.effect.d, 2) + " [" +
                                 fixed(first.effect.d_interval.low, 2) + ", " + fixed(first.effect.d_interval.high, 2) +
                                 "], the true one, " + std::to_string(printed_size) + " people in each arm find it with power " +
                                 fixed(first.power, 2) + ". The smallest effect that they find with power .8 is " +
                                 fixed(study.smallest_effect, 2) + ".");
    study.does_not_fit.push_back("People needed in each arm for a power of .8, two-sided at .05 (at .05 / 3): " + joined(needed, "; ") +
                                 ".");
    study.does_not_fit.push_back("\"About 90 per group\", the remedy named, has power " + fixed(study.remedy_one_sided, 2) +
                                 " for the effect between the two explanations one-sided at .10, and " + fixed(study.remedy_two_sided, 2) +
                                 " two-sided at .05.");
}

}  // namespace

Published published() {
    Published study;
    const double guessed = study.chance * static_cast<double>(study.items);
    study.arms = {arm_of("control", 9.714286, 1.637473, guessed), arm_of("Grad-CAM", 10.333333, 1.759329, guessed),
                  arm_of("CDeepEx", 10.666667, 1.588650, guessed)};
    const PublishedArm &control = study.arms[0], &map = study.arms[1], &morph = study.arms[2];
    study.comparisons = {compare(morph, control), compare(map, control), compare(morph, map)};
    std::vector<double> p;
    for (const PublishedComparison& comparison : study.comparisons) p.push_back(comparison.test.greater);
    const std::vector<double> adjusted = holm(p);
    for (size_t i = 0; i < adjusted.size(); ++i) study.comparisons[i].holm = adjusted[i];

    const std::vector<Summary> arms{control.arm, map.arm, morph.arm};
    study.anova = anova(arms);
    study.spread = spread_beside_guessing(arms, study.items, study.chance);
    study.smallest_effect = smallest_effect(printed_size, wanted_power, printed_level);
    const double between_explanations = study.comparisons[2].effect.d;
    study.remedy_one_sided = power_of(between_explanations, 90, 90, .1, Sides::one);
    study.remedy_two_sided = power_of(between_explanations, 90, 90, printed_level, Sides::two);

    say_sizes(study);
    say_chance(study);
    say_tests(study);
    say_power(study);
    return study;
}

}  // namespace whynot::cli::study
