#include "study/planning/statistics.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "base/format.h"
#include "whynot/error.h"

namespace whynot::cli::study {
namespace {

namespace policies = boost::math::policies;
/// What has no answer is NaN, and not an exception of Boost's: it is looked at here.
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>, policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>, policies::rounding_error<policies::ignore_error>>;
using StudentsT = boost::math::students_t_distribution<double, Quiet>;
using NoncentralT = boost::math::non_central_t_distribution<double, Quiet>;

constexpr int64_t most_people = 10'000'000;

[[noreturn]] void not_expected(const std::string& what, const std::string& found) {
    throw Error(ErrorCode::invalid_argument, base::expected(what, found));
}

void expect_finite(double value, const char* what) {
    if (!std::isfinite(value)) not_expected(std::string(what) + " that is a number", base::number(value));
}

void expect_share(double value, const char* what) {
    if (!(value > 0 && value < 1)) not_expected(std::string(what) + " between 0 and 1", base::number(value));
}

void expect_people(int64_t n) {
    if (n < 2 || n > most_people) not_expected("2 to 10,000,000 people in an arm", std::to_string(n));
}

void expect_arm(const Summary& arm) {
    expect_people(arm.n);
    expect_finite(arm.mean, "a mean");
    if (!(std::isfinite(arm.deviation) && arm.deviation >= 0)) not_expected("a deviation of 0 or more", base::number(arm.deviation));
}

double squared(double value) { return value * value; }

double as_real(int64_t n) { return static_cast<double>(n); }

TTest t_test(double difference, double error, double df) {
    if (!(error > 0)) not_expected("people whose scores differ", "a deviation of zero");
    TTest test{difference, error, difference / error, df};
    const StudentsT distribution(df);
    test.greater = cdf(complement(distribution, test.t));
    test.two_sided = std::min(1.0, 2 * cdf(complement(distribution, std::abs(test.t))));
    return test;
}

/// The p of a one-sided test whose difference is measured from a bound.
double beyond(const TTest& test, double bound) { return cdf(complement(StudentsT(test.df), (test.difference - bound) / test.error)); }

/// The sums of whole numbers; nothing: they are not whole, or too large to be summed without rounding.
std::optional<WholeSums> whole_sums(const std::vector<double>& values) {
    const double largest = 1e9 / static_cast<double>(values.size());  // n * squares fits into 63 bits
    WholeSums sums;
    for (const double value : values) {
        if (value != std::floor(value) || std::abs(value) > largest) return std::nullopt;
        const auto whole = static_cast<int64_t>(value);
        sums.sum += whole;
        sums.squares += whole * whole;
    }
    return sums;
}

/// Two passes: squares of differences from the mean lose nothing where the mean is large.
double deviation_of(const std::vector<double>& values, double mean) {
    double squares = 0;
    for (const double value : values) squares += squared(value - mean);
    return std::sqrt(squares / (static_cast<double>(values.size()) - 1));
}

/// The smallest sum of squares of n whole numbers with this sum: of those that are as equal as they can be.
double least_squares_of(double sum, double n) {
    const double floor = std::floor(sum / n), above = sum - floor * n;
    return (n - above) * squared(floor) + above * squared(floor + 1);
}

}  // namespace

Summary summarise(const std::vector<double>& values) {
    Summary summary;
    summary.n = static_cast<int64_t>(values.size());
    expect_people(summary.n);
    for (const double value : values) expect_finite(value, "a score");
    summary.whole = whole_sums(values);
    const double n = as_real(summary.n);
    if (summary.whole) {
        const int64_t spread = summary.n * summary.whole->squares - summary.whole->sum * summary.whole->sum;
        summary.mean = as_real(summary.whole->sum) / n;
        summary.deviation = std::sqrt(as_real(spread) / (n * (n - 1)));
        return summary;
    }
    // Where all are the same, the deviation is zero, and not what rounding the mean has left.
    const bool same = std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; });
    summary.mean = same ? values[0] : std::accumulate(values.begin(), values.end(), 0.0) / n;
    summary.deviation = same ? 0 : deviation_of(values, summary.mean);
    expect_arm(summary);  // sums of what is finite need not be
    return summary;
}

Grim grim(const Printed& printed, int64_t n) {
    expect_people(n);
    expect_arm({2, printed.mean, printed.deviation, {}});
    if (printed.decimals < 0 || printed.decimals > 12) not_expected("0 to 12 decimals", std::to_string(printed.decimals));
    if (printed.items < 1 || printed.items > 1'000'000) not_expected("1 to 1,000,000 items", std::to_string(printed.items));
    const double items = as_real(printed.items), people = as_real(n), mean = printed.mean * items, deviation = printed.deviation * items;
    if (std::abs(mean) * people > 1e9 || deviation * std::sqrt(people) > 1e7)
        not_expected("scores that can be counted", base::number(printed.mean));
    // Half a unit of the last digit, whichever way halves are rounded, and what binary fractions lose.
    const double half = .5 * std::pow(10, -printed.decimals) * items * (1 + 1e-9) + 1e-12 * std::abs(mean);

    Grim result;
    for (double sum = std::ceil((mean - half) * people); sum <= (mean + half) * people; ++sum) {
        if (!result.mean_fits || !result.deviation_fits) result.whole = {static_cast<int64_t>(sum), 0};
        result.mean_fits = true;
        const auto squares_at = [&](double s) { return squared(std::max(0.0, s)) * (people - 1) + squared(sum) / people; };
        const double slack = 1e-12 * squares_at(deviation), least = least_squares_of(sum, people);
        for (double squares = std::max(least, std::ceil(squares_at(deviation - half) - slack));
             squares <= squares_at(deviation + half) + slack; ++squares) {
            if (std::fmod(std::abs(squares - sum), 2) != 0) continue;
            result.deviation_fits = true;
            result.whole = {static_cast<int64_t>(sum), static_cast<int64_t>(squares)};
            return result;
        }
    }
    return result;
}

std::vector<int64_t> sizes_that_fit(const Printed& printed, int64_t from, int64_t to) {
    if (from > to) not_expected("bounds in order", std::to_string(from) + " and " + std::to_string(to));
    std::vector<int64_t> sizes;
    for (int64_t n = from; n <= to; ++n)
        if (grim(printed, n).deviation_fits) sizes.push_back(n);
    return sizes;
}

TTest welch(const Summary& first, const Summary& second) {
    expect_arm(first);
    expect_arm(second);
    const double one = squared(first.deviation) / as_real(first.n), other = squared(second.deviation) / as_real(second.n),
                 both = one + other;
    // Shares of the variance: their squares do not vanish where the variances are tiny.
    const double share = one / both;
    const double df = 1 / (squared(share) / as_real(first.n - 1) + squared(1 - share) / as_real(second.n - 1));
    return t_test(first.mean - second.mean, std::sqrt(both), df);
}

TTest welch(const std::vector<double>& first, const std::vector<double>& second) { return welch(summarise(first), summarise(second)); }

TTest against(const Summary& arm, double value) {
    expect_arm(arm);
    expect_finite(value, "a value to compare with");
    return t_test(arm.mean - value, arm.deviation / std::sqrt(as_real(arm.n)), as_real(arm.n - 1));
}

Interval interval_of(const TTest& test, double confidence) {
    expect_share(confidence, "a confidence");
    if (!(test.df > 0 && test.error > 0)) not_expected("a test that was made", "no degrees of freedom");
    const double reach = quantile(complement(StudentsT(test.df), (1 - confidence) / 2)) * test.error;
    return {test.difference - reach, test.difference + reach};
}

std::vector<double> holm(const std::vector<double>& p) {
    for (const double one : p)
        if (!(one >= 0 && one <= 1)) not_expected("p values from 0 to 1", base::number(one));
    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
    std::vector<double> adjusted(p.size());
    double least = 0;
    for (size_t k = 0; k < order.size(); ++k) {
        least = std::min(1.0, std::max(least, static_cast<double>(p.size() - k) * p[order[k]]));
        adjusted[order[k]] = least;
    }
    return adjusted;
}

Equivalence equivalence(const Summary& first, const Summary& second, double low, double high, double alpha) {
    expect_finite(low, "a lower bound");
    expect_finite(high, "an upper bound");
    if (!(low < high)) not_expected("a lower bound below the upper one", base::number(low) + " and " + base::number(high));
    if (!(alpha > 0 && alpha < .5)) not_expected("alpha between 0 and .5", base::number(alpha));
    const TTest test = welch(first, second);
    Equivalence result;
    result.difference = test.difference;
    result.above_low = beyond(test, low);
    result.below_high = cdf(StudentsT(test.df), (test.difference - high) / test.error);
    result.p = std::max(result.above_low, result.below_high);
    result.interval = interval_of(test, 1 - 2 * alpha);
    return result;
}

Anova anova(const std::vector<Summary>& arms) {
    if (arms.size() < 2) not_expected("two arms or more", std::to_string(arms.size()));
    double people = 0, sum = 0, between = 0, within = 0;
    for (const Summary& arm : arms) {
        expect_arm(arm);
        people += as_real(arm.n);
        sum += as_real(arm.n) * arm.mean;
        within += as_real(arm.n - 1) * squared(arm.deviation);
    }
    for (const Summary& arm : arms) between += as_real(arm.n) * squared(arm.mean - sum / people);
    if (!(within > 0)) not_expected("people whose scores differ", "a deviation of zero in every arm");
    Anova result;
    result.df_between = static_cast<double>(arms.size() - 1);
    result.df_within = people - static_cast<double>(arms.size());
    result.f = (between / result.df_between) / (within / result.df_within);
    result.p = cdf(complement(boost::math::fisher_f_distribution<double, Quiet>(result.df_between, result.df_within), result.f));
    result.eta_squared = between / (between + within);
    return result;
}

Spread spread_beside_guessing(const std::vector<Summary>& arms, int64_t items, double chance) {
    if (arms.empty()) not_expected("an arm or more", "none");
    if (items < 1) not_expected("an item or more", std::to_string(items));
    expect_share(chance, "chance");
    Spread spread;
    for (const Summary& arm : arms) {
        expect_arm(arm);
        spread.chi_squared += as_real(arm.n - 1) * squared(arm.deviation) / (as_real(items) * chance * (1 - chance));
        spread.df += as_real(arm.n - 1);
    }
    spread.narrower = cdf(boost::math::chi_squared_distribution<double, Quiet>(spread.df), spread.chi_squared);
    return spread;
}

Effect hedges(const Summary& first, const Summary& second, double confidence) {
    expect_arm(first);
    expect_arm(second);
    expect_share(confidence, "a confidence");
    const double n1 = as_real(first.n), n2 = as_real(second.n), df = n1 + n2 - 2;
    const double pooled = std::sqrt(((n1 - 1) * squared(first.deviation) + (n2 - 1) * squared(second.deviation)) / df);
    if (!(pooled > 0)) not_expected("people whose scores differ", "a deviation of zero in both arms");
    Effect effect;
    effect.d = (first.mean - second.mean) / pooled;
    const double unbiased = 1 - 3 / (4 * df - 1), z = quantile(complement(boost::math::normal(), (1 - confidence) / 2));
    const double reach = z * std::sqrt((n1 + n2) / (n1 * n2) + squared(effect.d) / (2 * (n1 + n2)));
    effect.g = unbiased * effect.d;
    effect.d_interval = {effect.d - reach, effect.d + reach};
    effect.g_interval = {unbiased * effect.d_interval.low, unbiased * effect.d_interval.high};
    return effect;
}

// ------------------------------------------------------------------------------------------------------------------ planning

namespace {

double power_of_t(double df, double noncentrality, double alpha, Sides sides) {
    expect_share(alpha, "alpha");
    expect_finite(noncentrality, "an effect");
    if (sides == Sides::two) noncentrality = std::abs(noncentrality);
    const double critical = quantile(complement(StudentsT(df), sides == Sides::two ? alpha / 2 : alpha));
    // So far beyond that it cannot be missed, also where two degrees of freedom stretch the critical value tenfold; Boost's series would be
    // long.
    if (noncentrality > 40 && noncentrality > 10 * critical) return 1;
    if (noncentrality < -40 && noncentrality < -10 * std::abs(critical)) return 0;
    const NoncentralT distribution(df, noncentrality);
    double power = cdf(complement(distribution, critical));
    if (sides == Sides::two) power += cdf(distribution, -critical);
    if (!std::isfinite(power)) throw Error(ErrorCode::internal, "the noncentral t distribution did not converge");
    return std::clamp(power, 0.0, 1.0);
}

void expect_reachable(double power, double alpha) {
    expect_share(alpha, "alpha");
    if (!(power > alpha && power < 1)) not_expected("a power between alpha and 1", base::number(power));
}

/// The quantile between sorted values, R's type 7.
double quantile_of(const std::vector<double>& sorted, double share) {
    const double position = share * static_cast<double>(sorted.size() - 1), below = std::floor(position);
    const auto i = static_cast<size_t>(below);
    return i + 1 < sorted.size() ? sorted[i] + (position - below) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/// The sum of an arm's answers, and how many there are. People count as often as they are listed, items as often as `times` says.
struct Total {
    double sum = 0, answers = 0;

    void add(const std::vector<double>& person, const std::vector<double>& times) {
        for (size_t item = 0; item < times.size(); ++item) {
            if (std::isnan(person[item])) continue;
            sum += times[item] * person[item];
            answers += times[item];
        }
    }
    double mean() const { return sum / answers; }
};

void expect_answers(const Answers& arm, size_t items) {
    expect_people(static_cast<int64_t>(arm.size()));
    for (const std::vector<double>& person : arm) {
        if (person.size() != items) not_expected(std::to_string(items) + " items for each person", std::to_string(person.size()));
        for (const double answer : person)
            if (std::isinf(answer)) not_expected("answers that are numbers", base::number(answer));
        if (std::all_of(person.begin(), person.end(), [](double answer) { return std::isnan(answer); }))
            not_expected("an answer by each person", "a person with none");
    }
}

Total resample(const Answers& arm, const std::vector<double>& times, std::mt19937_64& random) {
    Total total;
    for (size_t i = 0; i < arm.size(); ++i) total.add(arm[draw_below(random, arm.size())], times);
    return total;
}

}  // namespace

double power_of(double d, int64_t n_first, int64_t n_second, double alpha, Sides sides) {
    expect_people(n_first);
    expect_people(n_second);
    expect_finite(d, "an effect");
    const double n1 = as_real(n_first), n2 = as_real(n_second);
    return power_of_t(n1 + n2 - 2, d * std::sqrt(n1 * n2 / (n1 + n2)), alpha, sides);
}

double power_against(double d, int64_t n, double alpha, Sides sides) {
    expect_people(n);
    expect_finite(d, "an effect");
    return power_of_t(as_real(n - 1), d * std::sqrt(as_real(n)), alpha, sides);
}

int64_t needed_per_arm(double d, double power, double alpha, Sides sides) {
    expect_reachable(power, alpha);
    expect_finite(d, "an effect");
    if (d == 0 || (d < 0 && sides == Sides::one))
        not_expected(sides == Sides::one ? "an effect above 0" : "an effect that is not 0", base::number(d));
    const auto suffices = [&](int64_t n) { return power_of(d, n, n, alpha, sides) >= power; };
    int64_t enough = 2, too_few = 1;
    while (!suffices(enough)) {
        if (enough == most_people) not_expected("an effect that ten million people in an arm find", base::number(d));
        too_few = enough;
        enough = std::min(2 * enough, most_people);
    }
    while (enough - too_few > 1) {
        const int64_t middle = too_few + (enough - too_few) / 2;
        (suffices(middle) ? enough : too_few) = middle;
    }
    return enough;
}

double smallest_effect(int64_t n_per_arm, double power, double alpha, Sides sides) {
    expect_reachable(power, alpha);
    expect_people(n_per_arm);
    double low = 0, high = 1;
    while (power_of(high, n_per_arm, n_per_arm, alpha, sides) < power) {
        low = high;
        high *= 2;
        if (high > 1e6) not_expected("people enough to find any effect", std::to_string(n_per_arm));
    }
    for (int i = 0; i < 60 && high - low > 1e-12 * high; ++i) {
        const double middle = (low + high) / 2;
        (power_of(middle, n_per_arm, n_per_arm, alpha, sides) < power ? low : high) = middle;
    }
    return high;
}

Bootstrap bootstrap_difference(const Answers& first, const Answers& second, uint64_t seed, int64_t resamples, double confidence) {
    if (first.empty() || first[0].size() < 2)
        not_expected("two items or more", first.empty() ? "no people" : std::to_string(first[0].size()));
    const size_t items = first[0].size();
    expect_answers(first, items);
    expect_answers(second, items);
    expect_share(confidence, "a confidence");
    if (resamples < 100 || resamples > most_people) not_expected("100 to 10,000,000 resamples", std::to_string(resamples));

    Total one, other;
    for (const auto& person : first) one.add(person, std::vector<double>(items, 1));
    for (const auto& person : second) other.add(person, std::vector<double>(items, 1));
    Bootstrap result;
    result.difference = one.mean() - other.mean();

    std::mt19937_64 random(seed);
    std::vector<double> differences, times(items);
    differences.reserve(static_cast<size_t>(resamples));
    for (int64_t tries = 0; static_cast<int64_t>(differences.size()) < resamples; ++tries) {
        if (tries == 10 * resamples) not_expected("more answers", "resamples with none");
        std::fill(times.begin(), times.end(), 0.0);
        for (size_t item = 0; item < items; ++item) ++times[draw_below(random, items)];
        one = resample(first, times, random);
        other = resample(second, times, random);
        if (one.answers > 0 && other.answers > 0) differences.push_back(one.mean() - other.mean());
    }
    std::sort(differences.begin(), differences.end());
    result.interval = {quantile_of(differences, (1 - confidence) / 2), quantile_of(differences, (1 + confidence) / 2)};
    return result;
}

uint64_t draw_below(std::mt19937_64& random, uint64_t bound) {
    if (bound == 0) not_expected("a bound above 0", "0");
    const uint64_t uneven =
        (std::numeric_limits<uint64_t>::max() % bound + 1) % bound;  // 2^64 modulo the bound: so many would be too frequent
    for (;;) {
        const uint64_t drawn = random();
        if (drawn >= uneven) return drawn % bound;
    }
}

double draw_share(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

}  // namespace whynot::cli::study
