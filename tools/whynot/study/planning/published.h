#pragma once

/// Chapter 5 of the dissertation, recomputed from its printed figures: three arms of 15 people (control, Grad-CAM, CDeepEx), each of whom
/// answered 20 items with two answers to choose from. Table 5.2 has the arms, table 5.3 the comparisons; beside each figure is what a
/// reader needs to judge it, and `does_not_fit` says in sentences what follows.

#include <cstdint>
#include <string>
#include <vector>

#include "study/planning/statistics.h"

namespace whynot::cli::study {

/// A row of table 5.2.
struct PublishedArm {
    std::string name;
    Summary printed;             ///< as the dissertation has it: right answers of 20, 15 people
    int decimals = 6;            ///< of mean and deviation
    std::vector<int64_t> sizes;  ///< numbers of people, of 10 to 20, that mean and deviation can come from
    Summary arm;                 ///< the same figures with that number, where there is one, and their whole sums
    TTest beside_chance;         ///< of `arm`, against 10 of 20
};

/// A row of table 5.3: whether the first arm has more right answers than the second. Of the printed figures, with 15 people in each arm.
struct PublishedComparison {
    std::string first, second;
    TTest test;                   ///< `test.greater` is the p that the dissertation prints
    TTest with_sizes;             ///< with the numbers of people that fit
    double holm = 1;              ///< `test.greater`, adjusted for the three comparisons
    Effect effect;                ///< with its interval of 95 %
    double power = 0;             ///< of two arms of 15 for this effect, two-sided, at .05
    int64_t needed = 0;           ///< people in each arm for a power of .8, two-sided, at .05
    int64_t needed_of_three = 0;  ///< and at .05 / 3
};

struct Published {
    int64_t items = 20;
    double chance = .5;                            ///< of a right answer by guessing
    std::vector<PublishedArm> arms;                ///< control, Grad-CAM, CDeepEx
    std::vector<PublishedComparison> comparisons;  ///< CDeepEx > control, Grad-CAM > control, CDeepEx > Grad-CAM
    Anova anova;                                   ///< of the arms with the sizes that fit
    Spread spread;                                 ///< of the same, beside people who guess
    double smallest_effect = 0;                    ///< d that 15 people in each arm find with power .8, two-sided, at .05
    double remedy_one_sided = 0;                   ///< power of 90 people in each arm for CDeepEx > Grad-CAM, one-sided, at .10
    double remedy_two_sided = 0;                   ///< and two-sided, at .05
    std::vector<std::string> does_not_fit;         ///< sentences
};

Published published();

}  // namespace whynot::cli::study
