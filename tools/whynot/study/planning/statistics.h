#pragma once

/// The statistics of a user study: two arms of people, each with a score, compared as was declared before.
///
/// All are functions of numbers alone: no files, no state, no random numbers but from a seed. A score may have any unit (items right of
/// twenty, a share, seconds); means, deviations, differences, bounds and intervals of differences are in that unit, effects (`d`, `g`) in
/// standard deviations. p values and levels are shares of 1. Prefer counts of items to shares: whole sums are exact, and GRIM can check
/// them.
///
///     const Summary control = summarise({9, 11, 8, 12, 10}), morph = summarise({12, 11, 14, 10, 13});  // items right of 20
///     const TTest test = welch(morph, control);                   // test.two_sided is the p; where it may lie: interval_of(test)
///     const Effect effect = hedges(morph, control);               // effect.g, effect.g_interval
///     const std::vector<double> p = holm({test.two_sided, .2, .01});  // with those of the other comparisons
///
/// Errors: `invalid_argument` for what has no answer: fewer than two people in an arm, nobody different from anybody, a number that is not
/// finite, a level that is not between 0 and 1. The message says which. Threads: all may be called from any.

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace whynot::cli::study {

struct Interval {
    double low = 0, high = 0;
};

// ---------------------------------------------------------------------------------------------------------------- describing

/// Of values that are all whole numbers. mean = sum / n, and (n - 1) deviation^2 = squares - sum^2 / n, with no error of rounding.
struct WholeSums {
    int64_t sum = 0, squares = 0;
};

/// An arm.
struct Summary {
    int64_t n = 0;
    double mean = 0;
    double deviation = 0;            ///< standard deviation with n - 1
    std::optional<WholeSums> whole;  ///< nothing: some value is no whole number, or it is not known
};

/// @param values one for each person, two or more
Summary summarise(const std::vector<double>& values);

/// A mean and a deviation as somebody printed them.
struct Printed {
    double mean = 0, deviation = 0;
    int decimals = 2;   ///< digits after the point, of both
    int64_t items = 1;  ///< a person's score is a whole number of 1/items: 1 for counts, 20 for shares of 20 items
};

struct Grim {
    bool mean_fits = false;       ///< some whole sum gives this mean with n people
    bool deviation_fits = false;  ///< and some sum of squares that whole scores can have gives this deviation with that sum
    WholeSums whole;              ///< the sums that fit, where they do: of scores times `items`
};

/// Whether printed figures can come from n people with whole scores. GRIM: the mean times n must be within rounding of a whole number
/// (Brown & Heathers 2017, Social Psychological and Personality Science 8, 363); GRIMMER: so must (n - 1) deviation^2 + sum^2 / n, which
/// has the parity of the sum, as x^2 has that of x, and is no less than that of n scores as equal as they can be (Anaya 2016, PeerJ
/// Preprints 4:e2400v1; Allard 2018). Where n is so large that every mean fits (n items > 10^decimals), fitting says little.
Grim grim(const Printed& printed, int64_t n);

/// The n between two bounds, both included, that mean and deviation both fit.
std::vector<int64_t> sizes_that_fit(const Printed& printed, int64_t from, int64_t to);

// ------------------------------------------------------------------------------------------------------------------- testing

/// A t test of a difference.
struct TTest {
    double difference = 0, error = 0;   ///< and its standard error
    double t = 0, df = 0;               ///< difference / error, degrees of freedom
    double two_sided = 1, greater = 1;  ///< p that there is no difference; that the first is not the greater one
};

/// Welch's test: arms may vary differently. error^2 = v1 + v2 with v = deviation^2 / n, df = (v1 + v2)^2 / (v1^2/(n1-1) + v2^2/(n2-1))
/// (Welch 1947, Biometrika 34, 28). One arm may have a deviation of zero, not both.
TTest welch(const Summary& first, const Summary& second);
TTest welch(const std::vector<double>& first, const std::vector<double>& second);

/// One arm against a known value, such as chance: error = deviation / sqrt(n), df = n - 1.
TTest against(const Summary& arm, double value);

/// Where the true difference is: difference -+ t(df) error, for which `confidence` is the share of studies whose interval holds it.
Interval interval_of(const TTest& test, double confidence = .95);

/// Holm's adjusted p values, in the order given: below alpha is what is found while the chance of any false alarm among all stays alpha.
/// The k-th smallest of m becomes (m - k + 1) p, no smaller than the one before it, at most 1 (Holm 1979, Scandinavian Journal of
/// Statistics 6, 65). Of none: none.
std::vector<double> holm(const std::vector<double>& p);

struct Equivalence {
    double difference = 0;
    double above_low = 1, below_high = 1;  ///< one-sided p that the difference is not above `low`, not below `high`
    double p = 1;                          ///< the larger of the two: below alpha, the arms are equivalent within the bounds
    Interval interval;                     ///< with confidence 1 - 2 alpha; within the bounds exactly where p < alpha
};

/// Two one-sided Welch tests (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657): whether arms differ by less than
/// matters. No significant difference is not yet this. @param low,high in the unit of the scores; usually -bound and bound
Equivalence equivalence(const Summary& first, const Summary& second, double low, double high, double alpha = .05);

struct Anova {
    double f = 0, df_between = 0, df_within = 0, p = 1;
    double eta_squared = 0;  ///< share of the variance that is between arms
};

/// One-way analysis of variance, from summaries. Assumes that arms vary alike.
Anova anova(const std::vector<Summary>& arms);

struct Spread {
    double chi_squared = 0, df = 0;
    double narrower = 1;  ///< p that people who only guess vary so little
};

/// Whether numbers of right answers vary less than those of people who guess each item by itself, which has no good reason: answers that
/// were counterbalanced ("ten of each") do that. chi^2 = sum of (n - 1) deviation^2 / (items chance (1 - chance)).
Spread spread_beside_guessing(const std::vector<Summary>& arms, int64_t items, double chance);

// ------------------------------------------------------------------------------------------------------------------- effects

struct Effect {
    double d = 0;         ///< Cohen's: difference / pooled deviation
    double g = 0;         ///< Hedges': d without its bias in small samples, J d with J = 1 - 3 / (4 (n1 + n2 - 2) - 1)
    Interval d_interval;  ///< d -+ z s with s^2 = (n1 + n2) / (n1 n2) + d^2 / (2 (n1 + n2))
    Interval g_interval;  ///< J times that
};

/// The size of a difference, in deviations of people. The intervals are the large-sample ones (Hedges & Olkin 1985, Statistical Methods for
/// Meta-Analysis, chapter 5; for g as in Borenstein et al. 2009, Introduction to Meta-Analysis, chapter 4), not those of the noncentral t:
/// from 15 people in an arm on, ends differ by a hundredth or two. Assumes that arms vary alike.
Effect hedges(const Summary& first, const Summary& second, double confidence = .95);

// ------------------------------------------------------------------------------------------------------------------ planning

enum class Sides { one, two };

/// The power of a t test of two arms: how often a study of so many people finds a true effect d, from the noncentral t with
/// n1 + n2 - 2 degrees of freedom and d sqrt(n1 n2 / (n1 + n2)) (Cohen 1988, Statistical Power Analysis, chapter 2). For arms that vary
/// alike; Welch's test has a little less there where people are few. @param d in deviations; one-sided: of the first over the second
double power_of(double d, int64_t n_first, int64_t n_second, double alpha, Sides sides = Sides::two);

/// The power of a one-sample test: n - 1 degrees of freedom, d sqrt(n). @param d difference from the known value / deviation
double power_against(double d, int64_t n, double alpha, Sides sides = Sides::two);

/// The people needed in each of two equal arms for a power. Two-sided, the sign of d does not matter; one-sided it must be positive.
/// `invalid_argument` too where that is above ten million.
int64_t needed_per_arm(double d, double power, double alpha, Sides sides = Sides::two);

/// The smallest d that two arms of n people find with a power.
double smallest_effect(int64_t n_per_arm, double power, double alpha, Sides sides = Sides::two);

// ---------------------------------------------------------------------------------------------------------------- resampling

/// An arm's answers: [person][item], right as 1 and wrong as 0, or any score. NaN: was not answered. Items are the same in both arms.
using Answers = std::vector<std::vector<double>>;

struct Bootstrap {
    double difference = 0;  ///< mean of all answers of the first arm - of the second
    Interval interval;
};

/// Where the difference lies when other people had answered *other items*: a t test has people drawn at random and items given. Resamples
/// items, the same for both arms, and people within each arm; the interval has the quantiles of the differences (R's type 7). Errs on the
/// side of too wide (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 386). The same seed gives the same interval on
/// every machine. At least two people in an arm, two items, and an answer by each person.
Bootstrap bootstrap_difference(const Answers& first, const Answers& second, uint64_t seed, int64_t resamples = 10000,
                               double confidence = .95);

/// A number below a bound, each as probable. What the standard library has for this differs between libraries.
uint64_t draw_below(std::mt19937_64& random, uint64_t bound);

/// A number from 0 to 1, without 1.
double draw_share(std::mt19937_64& random);

}  // namespace whynot::cli::study
