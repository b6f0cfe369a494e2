#pragma once

/// The analysis of a study, as its design declared it before anybody took part: who is left out, the arms' scores, the declared comparisons and no others.
///
///     const Design design(folder);
///     const StudyResult result = analyse(design, people_of(design, read_log(design)));
///     std::cout << to_text(result);                                       // reporting.h has this, JSON and the page
///
/// A score is the number of right answers to the trials of the measured step, catch trials not counted. Comparisons are of scores, one a person: Welch's test,
/// Holm over all that were declared. The cluster bootstrap beside it has items drawn too. What has no answer - an arm with fewer than two people, nobody
/// different from anybody - stands as such in its place, with the reason; nothing here throws for it.
///
/// The same log gives the same result, on every machine. Threads: all may be called from any.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "study/analysis/people.h"
#include "study/making/design.h"
#include "study/planning/published.h"
#include "study/planning/statistics.h"

namespace whynot::cli::study {

/// What may have no answer: then why, a sentence.
template <class T>
struct Found {
    std::optional<T> value;
    std::string why;
};

/// What became of an arm's people. began = finished + withdrawn + left, finished = excluded + analysed.
struct ArmFlow {
    std::string arm, explanation;
    int64_t began = 0, finished = 0, withdrawn = 0, left = 0, excluded = 0, analysed = 0;
    std::map<Reason, int64_t> reasons;  ///< one person may have several
};

/// An arm's right answers.
struct ArmScores {
    std::string arm;
    std::vector<double> right;      ///< one a person
    std::optional<double> mean;     ///< from one person on
    Found<Summary> summary;         ///< from two on
    Found<Interval> mean_interval;  ///< of the mean, by the t distribution
    Found<Grim> grim;               ///< of mean and deviation as they are printed here, with two decimals
    Found<TTest> beside_chance;     ///< against chance times the number of items
};

/// A declared comparison, of the first arm against the second. In right answers; the bootstrap in shares.
struct Compared {
    std::string first, second;
    Found<TTest> test;
    Found<Interval> interval;  ///< of the difference
    std::optional<double> holm, holm_one_sided;
    Found<Effect> effect;
    Found<Equivalence> equivalence;
    Found<Bootstrap> bootstrap;
};

/// What is computed of a set of people: those whom the rules leave, and, to see what the rules do, everybody.
struct StudyScores {
    std::vector<ArmScores> arms;
    std::vector<Compared> comparisons;
    Found<Anova> anova;    ///< of the arms with two people or more
    Found<Spread> spread;  ///< likewise
};

/// A step of trials in an arm, beside the measured one: described, not tested.
struct StepScores {
    std::string step, ask, arm;
    int64_t items = 0, n = 0;
    std::optional<double> mean, deviation;
    std::optional<double> median_seconds;  ///< median of people's medians, of a trial
};

struct LearningPoint {
    int64_t right = 0, n = 0;      ///< at this trial
    std::optional<double> smooth;  ///< share of right answers in the window around it
};

/// The share of right answers by trial, in the order in which each person had them. From a step with feedback.
struct LearningCurve {
    std::string step, arm;
    int64_t window = 1;                 ///< so many trials, this one in the middle; fewer at both ends
    std::vector<LearningPoint> points;  ///< of trial 1, 2, ...
};

struct RatingRow {
    std::string step, statement, text, arm;
    int64_t points = 5, n = 0;
    std::optional<double> mean, deviation;
    std::optional<Interval> interval;  ///< of the mean
};

/// Answers of the measured step that were given with a confidence.
struct ConfidenceRow {
    std::string arm;
    int64_t confidence = 0, n = 0, right = 0;
};

/// How often the answers of the measured step were the first of the two classes, and how often that was right.
struct SideRow {
    std::string arm;
    int64_t n = 0, first = 0, first_is_right = 0;
};

struct ArmTimes {
    std::string arm;
    int64_t n = 0;
    std::optional<double> median_seconds;  ///< of a measured trial: median of people's medians
    std::optional<double> median_minutes;  ///< from the first screen to the last
};

struct StudyResult {
    std::string name, title, sha256;  ///< of the design
    uint64_t seed = 0;
    Analysis declared;
    Exclusions exclusions;
    std::vector<std::string> classes;
    int64_t items = 0;  ///< of the measured step, catch trials not counted
    int64_t resamples = 0;
    int64_t unreadable = 0;  ///< events
    bool simulated = false;  ///< the people are none
    std::vector<ArmFlow> flow;
    StudyScores scores;     ///< of those whom the rules leave: the analysis
    StudyScores everybody;  ///< of all who answered the whole measured step and did not withdraw
    std::vector<StepScores> steps;
    std::vector<LearningCurve> learning;
    std::vector<RatingRow> ratings;
    std::map<std::string, std::pair<std::string, std::string>> scale_ends;  ///< of each step of ratings: what 1 and the highest are called
    std::vector<ConfidenceRow> confidence;
    std::vector<SideRow> sides;
    std::vector<ArmTimes> times;
    Found<double> smallest_effect;       ///< d that the smallest arm that is compared finds with power .8, at alpha / comparisons
    std::optional<Published> published;  ///< the dissertation's figures to stand beside, where the design says so
    std::vector<std::string> notes;      ///< what a careful reader must know, a sentence each

    double confidence_level() const { return 1 - declared.alpha; }  ///< of intervals
};

constexpr int64_t usual_resamples = 10000;

/// @param resamples of each bootstrap
StudyResult analyse(const Design& design, const Respondents& people, int64_t resamples = usual_resamples);

/// The design's name, where it can be one of a file; else "study". Letters, digits, - and _.
std::string name_of(const Design& design);

}  // namespace whynot::cli::study
