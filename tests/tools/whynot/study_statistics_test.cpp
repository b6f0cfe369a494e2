// The statistics of `whynot study`, beside values that others computed, and in studies whose truth is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "study/planning/power.h"
#include "study/planning/published.h"
#include "study/planning/statistics.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::cli::study;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double endless = std::numeric_limits<double>::infinity();

/// The message of `invalid_argument`; empty: nothing was thrown.
template <class Call>
std::string refusal_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
        return error.what();
    }
    return "";
}

// Student's sleep: hours gained with two drugs. In R: data(sleep).
const std::vector<double> sleep_one{.7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2};
const std::vector<double> sleep_two{1.9, .8, 1.1, .1, -.1, 4.4, 5.5, 1.6, 4.6, 3.4};

const Summary control{15, 9.714286, 1.637473, {}}, map{15, 10.333333, 1.759329, {}}, morph{15, 10.666667, 1.588650, {}};

/// Normal numbers that are the same on every machine but for the last digits.
double draw_normal(std::mt19937_64& random) {
    return std::sqrt(-2 * std::log(1 - draw_share(random))) * std::cos(6.283185307179586 * draw_share(random));
}

TEST(Summarise, CountsHaveWholeSums) {
    const Summary arm = summarise({9, 11, 8, 12, 10});
    EXPECT_EQ(arm.n, 5);
    EXPECT_EQ(arm.mean, 10);
    EXPECT_DOUBLE_EQ(arm.deviation, std::sqrt(2.5));
    ASSERT_TRUE(arm.whole);
    EXPECT_EQ(arm.whole->sum, 50);
    EXPECT_EQ(arm.whole->squares, 510);
    const Summary sleep = summarise(sleep_one);
    EXPECT_FALSE(sleep.whole);
    EXPECT_NEAR(sleep.mean, .75, 1e-12);
    EXPECT_NEAR(sleep.deviation, 1.78900966, 1e-8);  // R: sd(sleep$extra[1:10])
}

TEST(Summarise, LosesNothingToALargeMean) {
    EXPECT_NEAR(summarise({1e9 + .25, 1e9 + .5, 1e9 + .75}).deviation, .25, 1e-6);
    EXPECT_EQ(summarise({.7, .7, .7}).deviation, 0);
    EXPECT_EQ(summarise({4e12, 4e12 + 1, 4e12 + 2}).deviation, 1);  // too large for whole sums
}

TEST(Summarise, RefusesWhatHasNoDeviation) {
    EXPECT_THAT(refusal_of([] { summarise({}); }), HasSubstr("found 0"));
    EXPECT_THAT(refusal_of([] { summarise({3}); }), HasSubstr("found 1"));
    EXPECT_NE(refusal_of([] { summarise({3, not_a_number}); }), "");
    EXPECT_NE(refusal_of([] { summarise({3, endless}); }), "");
}

TEST(Grim, FindsMeansThatNobodyCanHave) {
    // Brown & Heathers 2017: a mean of 5.19 of 28 people with whole scores; 145 / 28 is 5.18, 146 / 28 is 5.21.
    EXPECT_FALSE(grim({5.19, 1.34, 2}, 28).mean_fits);
    EXPECT_TRUE(grim({5.18, 1.34, 2}, 28).mean_fits);
    EXPECT_TRUE(grim({5.21, 1.34, 2}, 28).mean_fits);
    EXPECT_TRUE(grim({5.19, 1.34, 2}, 27).mean_fits);
    EXPECT_TRUE(grim({.5, .71, 2}, 2).deviation_fits);
    EXPECT_FALSE(grim({.5, .24, 2}, 10).deviation_fits);  // ten whole numbers with this mean have .53 or more
    EXPECT_FALSE(grim({2, 1.22, 2}, 3).deviation_fits);   // sum 6, squares 15: an even sum has even squares
    EXPECT_TRUE(grim({2, 1, 2}, 3).deviation_fits);
}

TEST(Grim, FitsWhateverPeopleScored) {
    for (const int64_t items : {int64_t{1}, int64_t{20}})
        for (int a = 0; a <= 12; ++a)
            for (int b = 0; b <= a; ++b)
                for (int c = 0; c <= b; ++c)
                    for (int d = -2; d <= c; ++d)
                        for (const int decimals : {1, 2, 6}) {
                            const auto share = static_cast<double>(items);
                            const Summary arm = summarise({a / share, b / share, c / share, d / share});
                            const double unit = std::pow(10, decimals);
                            const Printed printed{std::round(arm.mean * unit) / unit, std::round(arm.deviation * unit) / unit, decimals,
                                                  items};
                            ASSERT_TRUE(grim(printed, 4).deviation_fits) << a << ' ' << b << ' ' << c << ' ' << d << " of " << items;
                        }
}

TEST(Grim, RefusesWhatIsNoPrintedFigure) {
    EXPECT_NE(refusal_of([] { grim({5, 1, -1}, 5); }), "");
    EXPECT_NE(refusal_of([] { grim({5, -1, 2}, 5); }), "");
    EXPECT_NE(refusal_of([] { grim({5, 1, 2, 0}, 5); }), "");
    EXPECT_NE(refusal_of([] { grim({not_a_number, 1, 2}, 5); }), "");
    EXPECT_NE(refusal_of([] { grim({1e300, 1, 2}, 5); }), "");
    EXPECT_NE(refusal_of([] { grim({5, 1, 2}, 1); }), "");
    EXPECT_NE(refusal_of([] { sizes_that_fit({5, 1, 2}, 20, 10); }), "");
}

TEST(Welch, HasTheValuesOfOthers) {
    // R: t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p-value = 0.07939, -3.3654832 0.2054832. More digits: mpmath 1.3.
    const TTest test = welch(sleep_one, sleep_two);
    EXPECT_NEAR(test.difference, -1.58, 1e-12);
    EXPECT_NEAR(test.error, .849091017, 1e-9);
    EXPECT_NEAR(test.t, -1.86081347, 1e-8);
    EXPECT_NEAR(test.df, 17.7764735, 1e-7);
    EXPECT_NEAR(test.two_sided, .0793941402, 1e-10);
    EXPECT_NEAR(test.greater, .96030293, 1e-8);
    EXPECT_NEAR(interval_of(test).low, -3.36548323, 1e-8);
    EXPECT_NEAR(interval_of(test).high, .205483231, 1e-8);
    EXPECT_NEAR(interval_of(test, .9).low, -3.0533815, 1e-7);
    EXPECT_NEAR(interval_of(test, .9).high, -.106618503, 1e-8);
}

TEST(Welch, DoesNotDependOnUnitsOrOrder) {
    const TTest test = welch(sleep_one, sleep_two), swapped = welch(sleep_two, sleep_one);
    EXPECT_DOUBLE_EQ(swapped.t, -test.t);
    EXPECT_DOUBLE_EQ(swapped.two_sided, test.two_sided);
    EXPECT_NEAR(swapped.greater + test.greater, 1, 1e-14);
    std::vector<double> one = sleep_one, two = sleep_two;
    for (auto* arm : {&one, &two})
        for (double& value : *arm) value = 60 * value + 1000;
    const TTest minutes = welch(one, two);
    EXPECT_NEAR(minutes.t, test.t, 1e-9);
    EXPECT_NEAR(minutes.df, test.df, 1e-9);
    EXPECT_NEAR(minutes.difference, 60 * test.difference, 1e-9);
    EXPECT_NEAR(hedges(summarise(one), summarise(two)).g, hedges(summarise(sleep_one), summarise(sleep_two)).g, 1e-9);
    const TTest tiny = welch(Summary{10, 2e-100, 1e-100, {}}, Summary{10, 1e-100, 1e-100, {}});
    EXPECT_NEAR(tiny.df, 18, 1e-9) << "squares of variances vanish";
}

TEST(Welch, OneArmMayBeOfOneMind) {
    EXPECT_DOUBLE_EQ(welch({1, 2, 3, 4}, {2, 2, 2}).df, 3);
    EXPECT_THAT(refusal_of([] { welch(std::vector<double>{1, 1}, {2, 2}); }), HasSubstr("zero"));
    EXPECT_NE(refusal_of([] { welch(Summary{1, 1, 1, {}}, Summary{9, 1, 1, {}}); }), "");
    EXPECT_NE(refusal_of([] { welch(Summary{9, 1, -1, {}}, Summary{9, 1, 1, {}}); }), "");
    EXPECT_NE(refusal_of([] { welch(Summary{9, endless, 1, {}}, Summary{9, 1, 1, {}}); }), "");
    EXPECT_NE(refusal_of([] { interval_of(TTest{}); }), "");
    EXPECT_NE(refusal_of([] { interval_of(welch(sleep_one, sleep_two), 1); }), "");
}

TEST(Against, HasTheValuesOfOthers) {
    // R: t.test(Pair(extra[11:20], extra[1:10]) ~ 1): t = 4.0621, df = 9, p-value = 0.002833; mpmath: 4.06212768, .0028328902.
    std::vector<double> gain(sleep_one.size());
    std::transform(sleep_two.begin(), sleep_two.end(), sleep_one.begin(), gain.begin(), std::minus<>());
    const TTest test = against(summarise(gain), 0);
    EXPECT_NEAR(test.t, 4.06212768, 1e-8);
    EXPECT_EQ(test.df, 9);
    EXPECT_NEAR(test.two_sided, .0028328902, 1e-10);
    EXPECT_NEAR(test.greater, .0014164451, 1e-10);
    EXPECT_NEAR(against(summarise(gain), 1.58).two_sided, 1, 1e-9);
    EXPECT_NE(refusal_of([] { against({5, 1, 0, {}}, 1); }), "");
    EXPECT_NE(refusal_of([] { against({5, 1, 1, {}}, not_a_number); }), "");
}

TEST(Holm, AdjustsAsOthersDo) {
    // R: p.adjust(c(.01, .02, .03, .04, .05), "holm"), c(.05, .01, .04) and the study's
    EXPECT_THAT(holm({.01, .02, .03, .04, .05}),
                testing::Pointwise(testing::DoubleNear(1e-12), std::vector<double>{.05, .08, .09, .09, .09}));
    EXPECT_THAT(holm({.05, .01, .04}), testing::Pointwise(testing::DoubleNear(1e-12), std::vector<double>{.08, .03, .08}));
    EXPECT_THAT(holm({.0586, .1635, .2952}), testing::Pointwise(testing::DoubleNear(1e-12), std::vector<double>{.1758, .327, .327}));
    EXPECT_THAT(holm({.9, .8}), ElementsAre(1, 1));
    EXPECT_THAT(holm({.2}), ElementsAre(.2));
    EXPECT_THAT(holm({}), IsEmpty());
    EXPECT_NE(refusal_of([] { holm({.2, not_a_number}); }), "");
    EXPECT_NE(refusal_of([] { holm({.2, 1.1}); }), "");
}

TEST(Holm, KeepsTheOrderOfTheP) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 200; ++i) {
        std::vector<double> p(1 + draw_below(random, 8));
        for (double& one : p) one = draw_share(random);
        const std::vector<double> adjusted = holm(p);
        for (size_t a = 0; a < p.size(); ++a) {
            EXPECT_GE(adjusted[a], p[a]);
            EXPECT_LE(adjusted[a], std::min(1.0, static_cast<double>(p.size()) * p[a]));
            for (size_t b = 0; b < p.size(); ++b) EXPECT_TRUE(p[a] > p[b] || adjusted[a] <= adjusted[b]);
        }
    }
}

TEST(Equivalence, HasTheValuesOfOthers) {
    // mpmath: t distribution at (difference - bound) / error with the df of Welch's test
    const Summary one = summarise(sleep_one), two = summarise(sleep_two);
    const Equivalence wide = equivalence(one, two, -4, 4), narrow = equivalence(one, two, -2, 1);
    EXPECT_NEAR(wide.above_low, .0053616241, 1e-10);
    EXPECT_NEAR(wide.below_high, 1.90040568e-6, 1e-13);
    EXPECT_EQ(wide.p, wide.above_low);
    EXPECT_NEAR(narrow.above_low, .313453626, 1e-9);
    EXPECT_NEAR(narrow.below_high, .00357066917, 1e-11);
    EXPECT_EQ(narrow.p, narrow.above_low);
    EXPECT_NEAR(wide.interval.low, -3.0533815, 1e-7);
    EXPECT_NEAR(wide.interval.high, -.106618503, 1e-8);
}

TEST(Equivalence, IsWhereTheIntervalLiesWithinTheBounds) {
    const Summary one{20, 12, 3, {}}, two{25, 11.5, 2, {}};
    for (double bound = .1; bound < 5; bound += .1) {
        const Equivalence result = equivalence(one, two, -bound, bound);
        EXPECT_EQ(result.p<.05, result.interval.low> - bound && result.interval.high < bound) << bound;
        const Equivalence swapped = equivalence(two, one, -bound, bound);
        EXPECT_NEAR(swapped.above_low, result.below_high, 1e-12);
    }
    EXPECT_NE(refusal_of([&] { equivalence(one, two, 1, 1); }), "");
    EXPECT_NE(refusal_of([&] { equivalence(one, two, -endless, 1); }), "");
    EXPECT_NE(refusal_of([&] { equivalence(one, two, -1, 1, .5); }), "");
}

TEST(Anova, HasTheValuesOfOthers) {
    // R: anova(lm(weight ~ group, PlantGrowth)): F value 4.8461, Pr(>F) 0.01591; mpmath: 4.84608786, .0159099583, eta squared .264148297.
    const Anova plants = anova({{10, 5.032, .583091378, {}}, {10, 4.661, .793675696, {}}, {10, 5.526, .442573283, {}}});
    EXPECT_NEAR(plants.f, 4.84608786, 1e-7);
    EXPECT_EQ(plants.df_between, 2);
    EXPECT_EQ(plants.df_within, 27);
    EXPECT_NEAR(plants.p, .0159099583, 1e-9);
    EXPECT_NEAR(plants.eta_squared, .264148297, 1e-8);
    // Of two arms of a size, F is the square of t.
    const TTest test = welch(map, control);
    EXPECT_NEAR(anova({map, control}).f, test.t * test.t, 1e-9);
    EXPECT_NE(refusal_of([] { anova({map}); }), "");
    EXPECT_NE(refusal_of([] { anova({{5, 1, 0, {}}, {5, 2, 0, {}}}); }), "");
}

TEST(Hedges, HasTheValuesOfOthers) {
    // mpmath, by the formulas of the header. Exact intervals of d, of the noncentral t: .590 [-.1467, 1.3174] for the first of the study.
    const Effect effect = hedges(summarise(sleep_one), summarise(sleep_two));
    EXPECT_NEAR(effect.d, -.832181081, 1e-8);
    EXPECT_NEAR(effect.g, -.7970185, 1e-7);
    EXPECT_NEAR(effect.d_interval.low, -1.74585469, 1e-8);
    EXPECT_NEAR(effect.d_interval.high, .0814925227, 1e-8);
    EXPECT_NEAR(effect.g_interval.low, -1.67208618, 1e-8);
    EXPECT_NEAR(effect.g_interval.high, .0780491767, 1e-8);
    EXPECT_NEAR(hedges(morph, control).d_interval.low, -.1467, .01);
    EXPECT_NEAR(hedges(morph, control).d_interval.high, 1.3174, .01);
    EXPECT_DOUBLE_EQ(hedges(control, morph).g, -hedges(morph, control).g);
    EXPECT_NE(refusal_of([] { hedges({5, 1, 0, {}}, {5, 2, 0, {}}); }), "");
    EXPECT_NE(refusal_of([] { hedges(control, map, 0); }), "");
}

TEST(Hedges, IntervalHoldsTheTruth) {
    std::mt19937_64 random(11);
    int holds = 0, runs = 2000;
    double sum = 0;
    for (int run = 0; run < runs; ++run) {
        std::vector<double> one(15), two(15);
        for (double& value : one) value = .6 + draw_normal(random);
        for (double& value : two) value = draw_normal(random);
        const Effect effect = hedges(summarise(one), summarise(two));
        holds += effect.g_interval.low < .6 && .6 < effect.g_interval.high;
        sum += effect.g;
    }
    EXPECT_NEAR(holds / static_cast<double>(runs), .95, .02);
    EXPECT_NEAR(sum / runs, .6, .03);  // without bias; standard error .0085
}

TEST(Power, HasTheValuesOfOthers) {
    // R: power.t.test(n = 20, delta = 1): 0.8689528. G*Power: two arms of 64, d .5: .8015; one arm of 34, d .5: .8078. The others, and more
    // digits: mpmath, the integral of the normal distribution over the deviation.
    EXPECT_NEAR(power_of(1, 20, 20, .05), .868953028, 1e-8);
    EXPECT_NEAR(power_of(.5, 64, 64, .05), .801459558, 1e-8);
    EXPECT_NEAR(power_of(.59, 15, 15, .05), .344977807, 1e-8);
    EXPECT_NEAR(power_of(.59, 15, 14, .05), .334336762, 1e-8);
    EXPECT_NEAR(power_of(.2, 90, 90, .1, Sides::one), .522723858, 1e-8);
    EXPECT_NEAR(power_of(.3, 40, 60, .01), .129081732, 1e-8);
    EXPECT_NEAR(power_of(1.5, 3, 3, .05), .2931947, 1e-7);
    EXPECT_NEAR(power_of(.01, 1000, 1000, .05), .0557417087, 1e-8);
    EXPECT_NEAR(power_of(-.5, 20, 20, .05, Sides::one), .000690946668, 1e-9);
    EXPECT_NEAR(power_against(.5, 34, .05), .807777501, 1e-8);
}

TEST(Power, IsAlphaWithoutAnEffectAndGrowsWithPeople) {
    EXPECT_NEAR(power_of(0, 20, 20, .05), .05, 1e-10);
    EXPECT_NEAR(power_of(0, 20, 20, .05, Sides::one), .05, 1e-10);
    EXPECT_DOUBLE_EQ(power_of(-.5, 20, 30, .05), power_of(.5, 30, 20, .05));
    double before = 0;
    for (int64_t n = 2; n < 100'000; n += 1 + n / 3) {
        const double now = power_of(.3, n, n, .05);
        EXPECT_GE(now, before - 1e-12) << n;
        before = now;
    }
    EXPECT_NEAR(before, 1, 1e-12);
    EXPECT_EQ(power_of(1e6, 10, 10, .05), 1);
    EXPECT_EQ(power_of(-1e6, 10, 10, .05, Sides::one), 0);
    EXPECT_NE(refusal_of([] { power_of(.5, 1, 20, .05); }), "");
    EXPECT_NE(refusal_of([] { power_of(.5, 20, 20, 0); }), "");
    EXPECT_NE(refusal_of([] { power_of(endless, 20, 20, .05); }), "");
}

TEST(Needed, HasTheValuesOfOthers) {
    // For d of .59, .384 and .199 by a program in Python that integrates by Simpson's rule. R: power.t.test(power = .9, delta = 1): n =
    // 22.02110.
    struct Case {
        double d;
        int64_t one_05, one_10, two_05, two_05_90, two_three;
    };
    for (const Case& known : {Case{.59, 37, 27, 47, 62, 62}, Case{.384, 85, 62, 108, 144, 144}, Case{.199, 313, 229, 398, 532, 531}}) {
        EXPECT_EQ(needed_per_arm(known.d, .8, .05, Sides::one), known.one_05);
        EXPECT_EQ(needed_per_arm(known.d, .8, .1, Sides::one), known.one_10);
        EXPECT_EQ(needed_per_arm(known.d, .8, .05), known.two_05);
        EXPECT_EQ(needed_per_arm(known.d, .9, .05), known.two_05_90);
        EXPECT_EQ(needed_per_arm(known.d, .8, .05 / 3), known.two_three);
        EXPECT_EQ(needed_per_arm(-known.d, .8, .05), known.two_05);
    }
    EXPECT_EQ(needed_per_arm(1, .9, .05), 23);
    EXPECT_EQ(needed_per_arm(.5, .8, .05), 64);
    EXPECT_EQ(needed_per_arm(100, .8, .05), 2);
    EXPECT_NEAR(static_cast<double>(needed_per_arm(.002, .8, .05)), 2 * std::pow(2.80158522 / .002, 2), 10);  // (1.95996398 + .84162123)
}

TEST(Needed, IsTheFewestThatSuffice) {
    for (const double d : {.1, .35, .8, 2.0, 7.0})
        for (const double alpha : {.01, .05})
            for (const Sides sides : {Sides::one, Sides::two}) {
                const int64_t n = needed_per_arm(d, .8, alpha, sides);
                EXPECT_GE(power_of(d, n, n, alpha, sides), .8);
                EXPECT_TRUE(n == 2 || power_of(d, n - 1, n - 1, alpha, sides) < .8);
                EXPECT_LE(smallest_effect(n, .8, alpha, sides), d * (1 + 1e-9));
            }
    EXPECT_NE(refusal_of([] { needed_per_arm(0, .8, .05); }), "");
    EXPECT_NE(refusal_of([] { needed_per_arm(-.5, .8, .05, Sides::one); }), "");
    EXPECT_NE(refusal_of([] { needed_per_arm(.5, 1, .05); }), "");
    EXPECT_NE(refusal_of([] { needed_per_arm(.5, .04, .05); }), "");
    EXPECT_NE(refusal_of([] { needed_per_arm(.001, .8, .05); }), "");
}

TEST(SmallestEffect, HasTheValuesOfOthers) {
    EXPECT_NEAR(smallest_effect(15, .8, .05), 1.05979958, 1e-7);  // mpmath
    EXPECT_NEAR(smallest_effect(2, .8, .05), 5.65348927, 1e-7);
    EXPECT_NE(refusal_of([] { smallest_effect(1, .8, .05); }), "");
}

TEST(Draws, AreThoseOfTheStandardsGenerator) {
    std::mt19937_64 random;  // the C++ standard: the 10,000th number is 9981545732273789042
    random.discard(9999);
    EXPECT_EQ(draw_below(random, std::numeric_limits<uint64_t>::max()), 9981545732273789042u);
    std::vector<int> seen(6);
    for (int i = 0; i < 60000; ++i) ++seen[draw_below(random, 6)];
    for (const int count : seen) EXPECT_NEAR(count, 10000, 500);
    for (int i = 0; i < 1000; ++i) {
        const double share = draw_share(random);
        EXPECT_TRUE(share >= 0 && share < 1);
    }
    EXPECT_NE(refusal_of([&] { draw_below(random, 0); }), "");
}

TEST(BootstrapDifference, HasTheValuesOfAnotherProgram) {
    // The same in Python, its generator written anew: the interval is that of every machine.
    const Answers one{{1, 0, 1, 1}, {1, 1, 1, 0}, {0, 1, 1, 1}, {1, 1, 0, 1}, {1, 1, 1, 1}};
    const Answers two{{0, 0, 1, 0}, {1, 0, 0, 1}, {0, 1, 0, 1}, {1, 0, 1, not_a_number}};
    const Bootstrap result = bootstrap_difference(one, two, 7, 1000);
    EXPECT_NEAR(result.difference, 1.0 / 3, 1e-12);
    EXPECT_NEAR(result.interval.low, -.07499999999999996, 1e-12);
    EXPECT_NEAR(result.interval.high, .6834374999999999, 1e-12);
    const Bootstrap other = bootstrap_difference(one, two, 8, 1000, .9);
    EXPECT_NEAR(other.interval.low, .029855769230769023, 1e-12);
    EXPECT_NEAR(other.interval.high, .6499999999999999, 1e-12);
}

TEST(BootstrapDifference, RefusesWhatCannotBeResampled) {
    const Answers arm{{1, 0}, {0, 1}};
    EXPECT_NE(refusal_of([&] { bootstrap_difference({}, arm, 1); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference({{1, 0}}, arm, 1); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference({{1}, {0}}, {{1}, {0}}, 1); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference(arm, {{1, 0}, {1, 0, 1}}, 1); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference(arm, {{1, 0}, {endless, 0}}, 1); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference(arm, {{1, 0}, {not_a_number, not_a_number}}, 1); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference(arm, arm, 1, 99); }), "");
    EXPECT_NE(refusal_of([&] { bootstrap_difference(arm, arm, 1, 1000, 1); }), "");
}

TEST(BootstrapDifference, IntervalHoldsTheTruth) {
    // People and items both differ, and some items suit one arm better. The true difference is .1.
    std::mt19937_64 random(5);
    const size_t people = 20, items = 12;
    int holds = 0, runs = 200;
    for (int run = 0; run < runs; ++run) {
        std::vector<double> hard(items), suits(items);
        for (size_t item = 0; item < items; ++item) hard[item] = .3 * draw_share(random) - .15, suits[item] = .4 * draw_share(random) - .2;
        const auto arm = [&](double mean, double sign) {
            Answers answers(people, std::vector<double>(items));
            for (auto& person : answers) {
                const double able = .3 * draw_share(random) - .15;
                for (size_t item = 0; item < items; ++item)
                    person[item] = draw_share(random) < mean + able + hard[item] + sign * suits[item] / 2 ? 1 : 0;
            }
            return answers;
        };
        const Answers one = arm(.6, 1), two = arm(.5, -1);
        const Interval interval = bootstrap_difference(one, two, static_cast<uint64_t>(run), 400).interval;
        holds += interval.low <= .1 && .1 <= interval.high;
    }
    EXPECT_GE(holds, .92 * runs);
}

TEST(Planning, AgreesWithAnotherProgram) {
    struct Case {
        int64_t items;
        double difference;
        int64_t alone, of_three;
    };
    for (const Case& known : {Case{20, .05, 136, 182}, Case{20, .1, 35, 47}, Case{20, .15, 17, 22}, Case{40, .05, 100, 134},
                              Case{40, .1, 26, 35}, Case{40, .15, 13, 17}}) {
        Assumptions assumptions;
        assumptions.items = known.items;
        assumptions.control = .6 - known.difference / 2;
        assumptions.treated = .6 + known.difference / 2;
        // A small arm has a power that is a few hundredths above what was wanted, as people are whole: more runs, to tell.
        const Plan alone = plan_study(assumptions, known.alone < 20 ? 4000 : 500);
        EXPECT_EQ(alone.by_t, known.alone);
        EXPECT_GE(alone.at_by_t.found, .75) << known.items << " items, " << known.difference;
        EXPECT_LE(alone.at_by_t.found, .85) << known.items << " items, " << known.difference;
        EXPECT_NEAR(static_cast<double>(alone.by_simulation), static_cast<double>(alone.by_t), 2 + .12 * static_cast<double>(alone.by_t));
        assumptions.comparisons = 3;
        EXPECT_EQ(plan_study(assumptions, 100).by_t, known.of_three);
    }
}

TEST(Planning, NullsAreFoundAsOftenAsAlphaSays) {
    Assumptions same;
    same.control = same.treated = .6;
    const Simulated null = simulate(same, 35, 500, 1);
    EXPECT_GE(null.found, .03);
    EXPECT_LE(null.found, .07);
    EXPECT_LT(null.misled, null.found);
    same.control = same.treated = .5;
    EXPECT_LE(simulate(same, 35, 500, 2).above_chance, .05);
}

TEST(Planning, ThreeComparisonsStayWithinAlphaByHolm) {
    std::mt19937_64 random(8);
    int alarms = 0, runs = 500;
    for (int run = 0; run < runs; ++run) {
        std::vector<Summary> arms;
        for (int arm = 0; arm < 3; ++arm) {
            std::vector<double> scores(15);
            for (double& score : scores)
                for (int item = 0; item < 20; ++item) score += draw_share(random) < .5;
            arms.push_back(summarise(scores));
        }
        const std::vector<double> p =
            holm({welch(arms[0], arms[1]).two_sided, welch(arms[0], arms[2]).two_sided, welch(arms[1], arms[2]).two_sided});
        alarms += *std::min_element(p.begin(), p.end()) < .05;
    }
    EXPECT_GE(alarms, .02 * runs);
    EXPECT_LE(alarms, .07 * runs);
}

TEST(Planning, SaysWhatEachFigureIs) {
    Assumptions assumptions;
    assumptions.dropout = .2;
    const Plan plan = plan_study(assumptions, 500, 3), again = plan_study(assumptions, 500, 3);
    EXPECT_EQ(plan.level, .05);
    EXPECT_NEAR(plan.deviation, std::sqrt(.24 / 20 + .01 * .95), 1e-12);
    EXPECT_NEAR(plan.d, .682, .0005);
    EXPECT_EQ(plan.invited, static_cast<int64_t>(std::ceil(static_cast<double>(std::max(plan.by_t, plan.by_simulation)) / .8 - 1e-9)));
    EXPECT_EQ(plan.by_simulation, again.by_simulation);
    EXPECT_EQ(plan.at_by_t.found, again.at_by_t.found);
    EXPECT_NEAR(plan.at_by_t.error, .018, .002);
    EXPECT_NEAR(plan.above_chance, plan.at_by_t.above_chance, .02);
    std::swap(assumptions.control, assumptions.treated);
    EXPECT_EQ(plan_study(assumptions, 100).by_t, 35);
    assumptions.treated = assumptions.control - .003;  // tens of thousands
    EXPECT_EQ(plan_study(assumptions).by_simulation, 0);
}

TEST(Planning, TakesTheSpreadFromAPilot) {
    for (const double between : {0.0, .05, .1, .25}) {
        const double deviation = deviation_of_shares(.6, between, 20);
        EXPECT_NEAR(between_people(.6, deviation, 20), between, 1e-7);
        // The simulated people have it too.
        Assumptions assumptions;
        assumptions.between = between;
        assumptions.control = .6;
        assumptions.treated = .6 + 2.8 * deviation / 10;  // 200 people an arm find this effect of .28 with power .8
        EXPECT_NEAR(simulate(assumptions, 200, 500, 4).found, power_of(.28, 200, 200, .05), .06) << between;
    }
    EXPECT_EQ(between_people(.5, .05, 20), 0);
}

TEST(Planning, RefusesWhatCannotBe) {
    const auto with = [](auto change) {
        return refusal_of([&] {
            Assumptions assumptions;
            change(assumptions);
            plan_study(assumptions, 100);
        });
    };
    EXPECT_THAT(with([](Assumptions& a) { a.control = 1.2; }), HasSubstr("1.2"));
    EXPECT_THAT(with([](Assumptions& a) { a.treated = a.control; }), HasSubstr("differ"));
    EXPECT_THAT(with([](Assumptions& a) { a.between = .5; }), HasSubstr("0.5"));
    EXPECT_NE(with([](Assumptions& a) { a.between = not_a_number; }), "");
    EXPECT_NE(with([](Assumptions& a) { a.items = 0; }), "");
    EXPECT_NE(with([](Assumptions& a) { a.alpha = 0; }), "");
    EXPECT_NE(with([](Assumptions& a) { a.comparisons = 0; }), "");
    EXPECT_NE(with([](Assumptions& a) { a.power = 1; }), "");
    EXPECT_NE(with([](Assumptions& a) { a.dropout = 1; }), "");
    EXPECT_NE(with([](Assumptions& a) { a.chance = 0; }), "");
    EXPECT_NE(refusal_of([] { simulate({}, 1, 100, 1); }), "");
    EXPECT_NE(refusal_of([] { between_people(.5, .1, 1); }), "");
}

TEST(PublishedStudy, HasTheFiguresOfTheTables) {
    const Published study = published();
    struct Case {
        const char *first, *second;
        double t, df, one_sided, two_sided, with_sizes, d, low, high, power;
        int64_t needed, needed_of_three;
    };
    const std::vector<Case> cases{{"CDeepEx", "control", 1.617, 27.97, .0586, .1172, .0620, .590, -.14, 1.32, .35, 47, 62},
                                  {"Grad-CAM", "control", .998, 27.86, .1635, .3271, .1676, .364, -.36, 1.09, .16, 120, 160},
                                  {"CDeepEx", "Grad-CAM", .545, 27.71, .2952, .5904, .2952, .199, -.52, .92, .08, 398, 531}};
    ASSERT_EQ(study.comparisons.size(), cases.size());
    for (size_t i = 0; i < cases.size(); ++i) {
        const Case& known = cases[i];
        const PublishedComparison& row = study.comparisons[i];
        EXPECT_EQ(row.first, known.first);
        EXPECT_EQ(row.second, known.second);
        EXPECT_NEAR(row.test.t, known.t, .0005);
        EXPECT_NEAR(row.test.df, known.df, .005);
        EXPECT_NEAR(row.test.greater, known.one_sided, .00005);
        EXPECT_NEAR(row.test.two_sided, known.two_sided, .00005);
        EXPECT_NEAR(row.with_sizes.greater, known.with_sizes, .00005);
        EXPECT_NEAR(row.effect.d, known.d, .0005);
        EXPECT_NEAR(row.effect.d_interval.low, known.low, .005);
        EXPECT_NEAR(row.effect.d_interval.high, known.high, .005);
        EXPECT_NEAR(row.power, known.power, .005);
        EXPECT_EQ(row.needed, known.needed);
        EXPECT_EQ(row.needed_of_three, known.needed_of_three);
    }
    EXPECT_NEAR(study.comparisons[0].effect.g, .574, .0005);
    EXPECT_NEAR(study.comparisons[0].holm, .176, .0005);
    EXPECT_NEAR(study.anova.f, 1.215, .0005);
    EXPECT_EQ(study.anova.df_within, 41);
    EXPECT_NEAR(study.anova.p, .307, .0005);
    EXPECT_NEAR(study.anova.eta_squared, .056, .0005);
    EXPECT_NEAR(study.spread.chi_squared, 22.70, .01);
    EXPECT_NEAR(study.spread.narrower, .0092, .0001);
    EXPECT_NEAR(study.smallest_effect, 1.060, .0005);
    EXPECT_NEAR(study.remedy_one_sided, .52, .005);
    EXPECT_NEAR(study.remedy_two_sided, .26, .005);
}

TEST(PublishedStudy, SaysWhatDoesNotFit) {
    const Published study = published();
    ASSERT_EQ(study.arms.size(), 3u);
    EXPECT_THAT(study.arms[0].sizes, ElementsAre(14));
    EXPECT_THAT(study.arms[1].sizes, ElementsAre(15));
    EXPECT_THAT(study.arms[2].sizes, ElementsAre(15));
    const std::vector<WholeSums> sums{{136, 1356}, {155, 1645}, {160, 1742}};
    const std::vector<double> chance{.737, .238, .063};
    for (size_t i = 0; i < 3; ++i) {
        ASSERT_TRUE(study.arms[i].arm.whole);
        EXPECT_EQ(study.arms[i].arm.whole->sum, sums[i].sum);
        EXPECT_EQ(study.arms[i].arm.whole->squares, sums[i].squares);
        EXPECT_NEAR(study.arms[i].beside_chance.greater, chance[i], .0005);
        EXPECT_EQ(study.arms[i].printed.n, 15);
    }
    for (const char* sentence :
         {"control: mean and deviation 9.714286 (1.637473) cannot come from 15 people", "With the numbers of people",
          "All means are at chance, 10 of 20: 9.71, 10.33, 10.67", "Scores vary too little: variances 2.68, 3.10, 2.52",
          "The printed p are one-sided", "Three comparisons were made", "All arms together: F(2, 41) = 1.215", "The study was too small",
          "People needed", "\"About 90 per group\""})
        EXPECT_THAT(study.does_not_fit, Contains(StartsWith(sentence)));
    EXPECT_THAT(study.does_not_fit, Contains(HasSubstr("47 (62)")));
    for (const std::string& sentence : study.does_not_fit) EXPECT_EQ(sentence.back(), '.');
}

}  // namespace
