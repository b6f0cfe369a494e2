#pragma once

/// How many people a study needs, before anybody has seen it: from what is assumed of them.
///
/// A person gets each of T test items right with a probability of their own, which varies between the people of an arm. Their share of
/// right answers then has the deviation `deviation_of_shares`, and a difference of arms is so many of these: d. From d, people are counted
/// twice:
///
/// - by the noncentral t distribution, which takes shares as normal: at once, and what others will recompute;
/// - by simulation: whole participants answer item by item, and each study goes through `welch`, as the real one will.
///
/// The two agree to a few people unless scores lie near 0 or 1, or arms have fewer than ten people; then believe the simulation.
///
///     Assumptions assumptions;      // 55 % against 65 %, 20 items, between people .1, alpha .05, power .8
///     const Plan plan = plan_study(assumptions);   // plan.by_t is 35; plan.by_simulation about that
///
/// A pilot of ten people says how much people vary (`between_people`), and nearly nothing of the difference: take the smallest difference
/// that would matter, not the one that the pilot happened to show.
///
/// Errors: `invalid_argument`, with what was expected and what was found. Threads: all may be called from any.

#include <cstdint>

#include "study/planning/statistics.h"

namespace whynot::cli::study {

/// Of two arms that are compared. Probabilities and deviations are shares of 1.
struct Assumptions {
    double chance = .5;       ///< of a right answer by guessing
    double control = .55;     ///< proportion correct in the one arm
    double treated = .65;     ///< and in the other
    double between = .1;      ///< deviation of people's own probabilities around their arm's
    int64_t items = 20;       ///< test items a person
    double alpha = .05;       ///< two-sided, of all comparisons together
    int64_t comparisons = 1;  ///< of which this is one; each is planned at alpha / comparisons, the level of Holm's first step
    double power = .8;        ///< wanted
    double dropout = .2;      ///< share of the people invited who leave or are excluded
};

/// The deviation of the share of right answers of a person among T: sqrt(p (1 - p) / T + between^2 (1 - 1 / T)). It holds for any
/// distribution of people's probabilities with mean p.
double deviation_of_shares(double proportion, double between, int64_t items);

/// That solved for `between`, for a pilot: how much people differ once the luck of T items is taken off. 0: no more than by luck.
/// @param deviation of shares of right answers. Two items or more
double between_people(double proportion, double deviation, int64_t items);

struct Simulated {
    int64_t runs = 0;
    double found = 0;         ///< share of studies with p below alpha / comparisons: the power, or false alarms where arms are the same
    double misled = 0;        ///< share of studies that found a difference of the wrong sign
    double above_chance = 0;  ///< share of studies whose treated arm is above chance, at alpha, two-sided
    double error = 0;         ///< standard error of `found` for so many runs
};

/// Runs studies. People's probabilities have a beta distribution, whose two parameters mean and deviation settle; a person's items are
/// drawn one after another. Arms may be the same. A study in which nobody differs from anybody found nothing. The same seed gives the same
/// result on every machine.
Simulated simulate(const Assumptions& assumptions, int64_t per_arm, int64_t runs, uint64_t seed);

struct Plan {
    double level = 0;           ///< alpha / comparisons
    double deviation = 0;       ///< of shares, at the mean of the two proportions
    double d = 0;               ///< (treated - control) / deviation
    int64_t by_t = 0;           ///< people needed in each arm, by the noncentral t distribution
    int64_t by_simulation = 0;  ///< and by simulation; some more or less with another seed. 0: thousands, too many to simulate
    Simulated at_by_t;          ///< what simulation says of `by_t` people; no runs where they are too many
    int64_t invited = 0;        ///< people to invite for each arm, so that the larger of the two is left: n / (1 - dropout), rounded up
    double above_chance = 0;    ///< power, by the noncentral t, to tell the treated arm of `by_t` people from chance, at alpha
};

/// @param runs of each simulation; 4,000 know a power of .8 to .006
Plan plan_study(const Assumptions& assumptions, int64_t runs = 4000, uint64_t seed = 1);

}  // namespace whynot::cli::study
