#include "study/analysis/analysing.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/format.h"
#include "study/taking/course.h"
#include "whynot/error.h"

namespace whynot::cli::study {
namespace {

using PeopleList = std::vector<const Respondent*>;

constexpr double ceiling = .85;  // share of right answers
constexpr double wished_power = .8;
constexpr int64_t learning_window = 5;  // trials: single ones of 20 people have errors of a tenth

/// The value of a computation, or why there is none.
template <class Compute>
auto attempt(const Compute& compute) -> Found<decltype(compute())> {
    try {
        return {compute(), ""};
    } catch (const Error& error) {
        return {std::nullopt, error.what()};
    }
}

template <class T, class From>
Found<T> missing(const Found<From>& from) {
    return {std::nullopt, from.why};
}

double real(int64_t value) { return static_cast<double>(value); }

double at_two_decimals(double value) { return std::round(value * 100) / 100; }

PeopleList of_arm(const PeopleList& people, const std::string& arm) {
    PeopleList found;
    for (const Respondent* const person : people)
        if (person->arm == arm) found.push_back(person);
    return found;
}

std::optional<double> mean_of(const std::vector<double>& values) {
    if (values.empty()) return std::nullopt;
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

// ------------------------------------------------------------------------------------------------------------------ the scores

ArmScores scores_of(const Design& design, const PeopleList& people, const std::string& arm, int64_t items) {
    const Analysis& declared = design.analysis();
    ArmScores scores;
    scores.arm = arm;
    for (const Respondent* const person : people)
        if (const std::optional<int64_t> right = right_of(design, *person, design.step(declared.measure)))
            scores.right.push_back(real(*right));
    scores.mean = mean_of(scores.right);
    scores.summary =
        scores.right.size() < 2 ? Found<Summary>{std::nullopt, "fewer than two people"} : attempt([&] { return summarise(scores.right); });
    if (!scores.summary.value) {
        scores.mean_interval = missing<Interval>(scores.summary);
        scores.grim = missing<Grim>(scores.summary);
        scores.beside_chance = missing<TTest>(scores.summary);
        return scores;
    }
    const Summary& summary = *scores.summary.value;
    scores.mean_interval = attempt([&] { return interval_of(against(summary, 0), 1 - declared.alpha); });
    scores.grim = attempt([&] {
        Printed printed;
        printed.mean = at_two_decimals(summary.mean);
        printed.deviation = at_two_decimals(summary.deviation);
        printed.decimals = 2;
        return grim(printed, summary.n);
    });
    scores.beside_chance = attempt([&] { return against(summary, declared.chance * real(items)); });
    return scores;
}

/// [person][item], in the design's order of items.
Answers answers_of(const Design& design, const PeopleList& people) {
    const Step& step = design.step(design.analysis().measure);
    const std::vector<std::string> items = counted_items(design, step);
    Answers all;
    for (const Respondent* const person : people) {
        if (!right_of(design, *person, step)) continue;
        std::map<std::string, double> right;
        for (const PersonTrial& trial : person->trials)
            if (trial.measured) right[trial.item] = trial.correct ? 1 : 0;
        std::vector<double> row;
        for (const std::string& item : items) row.push_back(right.at(item));
        all.push_back(std::move(row));
    }
    return all;
}

const ArmScores& arm_in(const std::vector<ArmScores>& arms, const std::string& id) {
    return *std::find_if(arms.begin(), arms.end(), [&](const ArmScores& arm) { return arm.arm == id; });
}

Compared compared(const Design& design, const ArmScores& first, const ArmScores& second, int64_t items) {
    const Analysis& declared = design.analysis();
    Compared result;
    result.first = first.arm;
    result.second = second.arm;
    for (const ArmScores* const arm : {&first, &second}) {
        if (arm->summary.value) continue;
        const std::string why = "the arm " + arm->arm + " has " + arm->summary.why;
        result.test.why = result.interval.why = result.effect.why = result.equivalence.why = result.bootstrap.why = why;
        return result;
    }
    const Summary &one = *first.summary.value, &other = *second.summary.value;
    result.test = attempt([&] { return welch(one, other); });
    result.interval =
        result.test.value ? attempt([&] { return interval_of(*result.test.value, 1 - declared.alpha); }) : missing<Interval>(result.test);
    result.effect = attempt([&] { return hedges(one, other, 1 - declared.alpha); });
    const double bound = declared.equivalence * real(items);
    result.equivalence = attempt([&] { return equivalence(one, other, -bound, bound, declared.alpha); });
    return result;
}

/// Holm over all comparisons that were declared: one that could not be made counts as one that found nothing.
void adjust(std::vector<Compared>& comparisons) {
    std::vector<double> two_sided, one_sided;
    for (const Compared& each : comparisons) {
        two_sided.push_back(each.test.value ? each.test.value->two_sided : 1);
        one_sided.push_back(each.test.value ? each.test.value->greater : 1);
    }
    const std::vector<double> two_adjusted = holm(two_sided), one_adjusted = holm(one_sided);
    for (size_t i = 0; i < comparisons.size(); ++i) {
        if (!comparisons[i].test.value) continue;
        comparisons[i].holm = two_adjusted[i];
        comparisons[i].holm_one_sided = one_adjusted[i];
    }
}

StudyScores scores_of_all(const Design& design, const PeopleList& people, int64_t items, int64_t resamples) {
    StudyScores scores;
    std::map<std::string, Answers> answers;
    std::vector<Summary> summaries;
    for (const Arm& arm : design.arms()) {
        const PeopleList members = of_arm(people, arm.id);
        scores.arms.push_back(scores_of(design, members, arm.id, items));
        if (scores.arms.back().summary.value) summaries.push_back(*scores.arms.back().summary.value);
        answers[arm.id] = answers_of(design, members);
    }
    for (const auto& [first, second] : design.analysis().comparisons) {
        Compared made = compared(design, arm_in(scores.arms, first), arm_in(scores.arms, second), items);
        if (made.bootstrap.why.empty())
            made.bootstrap = attempt([&, &one = answers[first], &other = answers[second]] {
                return bootstrap_difference(one, other, design.seed(), resamples, 1 - design.analysis().alpha);
            });
        scores.comparisons.push_back(std::move(made));
    }
    adjust(scores.comparisons);
    scores.anova = attempt([&] { return anova(summaries); });
    scores.spread = attempt([&] { return spread_beside_guessing(summaries, items, design.analysis().chance); });
    return scores;
}

// ------------------------------------------------------------------------------------------------------- what is described only

std::vector<ArmFlow> flow_of(const Design& design, const std::vector<Respondent>& people) {
    std::vector<ArmFlow> flow;
    for (const Arm& arm : design.arms()) {
        ArmFlow each;
        each.arm = arm.id;
        each.explanation = arm.explanation;
        for (const Respondent& person : people) {
            if (person.arm != arm.id) continue;
            ++each.began;
            ++(person.state == PersonState::finished ? each.finished : person.state == PersonState::withdrawn ? each.withdrawn : each.left);
            if (person.state == PersonState::finished) ++(person.is_analysed() ? each.analysed : each.excluded);
            for (const Reason reason : person.reasons) ++each.reasons[reason];
        }
        flow.push_back(std::move(each));
    }
    return flow;
}

/// The median of the medians of people's seconds in a step.
std::optional<double> seconds_in(const PeopleList& people, const std::string& step) {
    std::vector<double> medians;
    for (const Respondent* const person : people) {
        std::vector<double> seconds;
        for (const PersonTrial& trial : person->trials)
            if (trial.step == step && !trial.is_catch && trial.seconds) seconds.push_back(*trial.seconds);
        if (const std::optional<double> median = median_of(seconds)) medians.push_back(*median);
    }
    return median_of(medians);
}

std::vector<StepScores> steps_of(const Design& design, const PeopleList& people) {
    std::vector<StepScores> rows;
    for (const Step& step : design.steps()) {
        if (step.kind != "trials") continue;
        for (const Arm& arm : design.arms()) {
            const PeopleList members = of_arm(people, arm.id);
            StepScores row;
            row.step = step.id;
            row.ask = step.ask;
            row.arm = arm.id;
            row.items = static_cast<int64_t>(counted_items(design, step).size());
            std::vector<double> right;
            for (const Respondent* const person : members)
                if (const std::optional<int64_t> count = right_of(design, *person, step)) right.push_back(real(*count));
            row.n = static_cast<int64_t>(right.size());
            row.mean = mean_of(right);
            if (right.size() >= 2) row.deviation = summarise(right).deviation;
            row.median_seconds = seconds_in(members, step.id);
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

LearningCurve curve_of(const Design& design, const PeopleList& members, const Step& step, const std::string& arm) {
    LearningCurve curve;
    curve.step = step.id;
    curve.arm = arm;
    const auto items = static_cast<int64_t>(counted_items(design, step).size());
    curve.window = std::min(learning_window, items % 2 == 1 ? items : items - 1);
    curve.window = std::max<int64_t>(1, curve.window);
    curve.points.resize(static_cast<size_t>(items));
    for (const Respondent* const person : members)
        for (const PersonTrial& trial : person->trials) {
            if (trial.step != step.id || trial.is_catch) continue;
            LearningPoint& point = curve.points[static_cast<size_t>(trial.number - 1)];
            ++point.n;
            if (trial.correct) ++point.right;
        }
    for (int64_t i = 0; i < items; ++i) {
        int64_t right = 0, n = 0;
        for (int64_t j = std::max<int64_t>(0, i - curve.window / 2); j <= std::min(items - 1, i + curve.window / 2); ++j) {
            right += curve.points[static_cast<size_t>(j)].right;
            n += curve.points[static_cast<size_t>(j)].n;
        }
        if (n > 0) curve.points[static_cast<size_t>(i)].smooth = real(right) / real(n);
    }
    return curve;
}

RatingRow rating_of(const PeopleList& members, const Step& step, const base::Json& statement, const std::string& arm, double confidence) {
    RatingRow row;
    row.step = step.id;
    row.statement = statement.at("id").get<std::string>();
    row.text = statement.at("text").get<std::string>();
    row.arm = arm;
    row.points = step.json.value("points", int64_t{5});
    std::vector<double> values;
    for (const Respondent* const person : members)
        for (const PersonRating& rating : person->ratings)
            if (rating.step == row.step && rating.statement == row.statement) values.push_back(real(rating.rating));
    row.n = static_cast<int64_t>(values.size());
    row.mean = mean_of(values);
    if (const Found<Summary> summary = attempt([&] { return summarise(values); }); summary.value) {
        row.deviation = summary.value->deviation;
        row.interval = attempt([&] { return interval_of(against(*summary.value, 0), confidence); }).value;
    }
    return row;
}

void describe_answers(const Design& design, const PeopleList& members, const std::string& arm, StudyResult& result) {
    std::vector<ConfidenceRow> rows;
    for (int64_t confidence = 1; confidence <= confidence_points; ++confidence) rows.push_back({arm, confidence, 0, 0});
    SideRow side;
    side.arm = arm;
    ArmTimes times;
    times.arm = arm;
    times.n = static_cast<int64_t>(members.size());
    std::vector<double> minutes;
    for (const Respondent* const person : members) {
        if (person->minutes) minutes.push_back(*person->minutes);
        for (const PersonTrial& trial : person->trials) {
            if (!trial.measured) continue;
            ++side.n;
            if (trial.answer == design.classes()[0]) ++side.first;
            if (trial.right == design.classes()[0]) ++side.first_is_right;
            if (!trial.confidence) continue;
            ConfidenceRow& row = rows[static_cast<size_t>(*trial.confidence - 1)];
            ++row.n;
            if (trial.correct) ++row.right;
        }
    }
    times.median_seconds = seconds_in(members, design.analysis().measure);
    times.median_minutes = median_of(minutes);
    if (design.step(design.analysis().measure).confidence) result.confidence.insert(result.confidence.end(), rows.begin(), rows.end());
    result.sides.push_back(side);
    result.times.push_back(times);
}

void describe(const Design& design, const PeopleList& people, StudyResult& result) {
    result.steps = steps_of(design, people);
    for (const Arm& arm : design.arms()) describe_answers(design, of_arm(people, arm.id), arm.id, result);
    for (const Step& step : design.steps()) {
        if (step.kind == "trials" && step.feedback)
            for (const Arm& arm : design.arms()) result.learning.push_back(curve_of(design, of_arm(people, arm.id), step, arm.id));
        if (step.kind != "scale") continue;
        result.scale_ends[step.id] = {step.json.at("low").get<std::string>(), step.json.at("high").get<std::string>()};
        for (const base::Json& statement : step.json.at("statements"))
            for (const Arm& arm : design.arms())
                result.ratings.push_back(rating_of(of_arm(people, arm.id), step, statement, arm.id, result.confidence_level()));
    }
}

// -------------------------------------------------------------------------------------------------------------------- the notes

void note_people(StudyResult& result) {
    int64_t began = 0, analysed = 0, most_lost = 0, least_lost = -1;
    for (const ArmFlow& arm : result.flow) {
        began += arm.began;
        analysed += arm.analysed;
        const int64_t lost = arm.began > 0 ? 100 * (arm.began - arm.analysed) / arm.began : 0;
        most_lost = std::max(most_lost, lost);
        least_lost = least_lost < 0 ? lost : std::min(least_lost, lost);
    }
    if (result.simulated)
        result.notes.push_back(
            "These are simulated participants: no person took part. It says what the analysis does, and nothing about people.");
    if (began == 0) result.notes.push_back("Nobody has taken part yet: there is nothing to analyse.");
    if (began > 0 && analysed == 0) result.notes.push_back("Nobody is left to analyse.");
    if (began >= 20 && most_lost - least_lost >= 15)
        result.notes.push_back("The arms lost different shares of their people (" + std::to_string(least_lost) + " % to " +
                               std::to_string(most_lost) +
                               " %): who is left in one arm may differ from who is left in another, whatever it showed.");
    if (result.unreadable > 0)
        result.notes.push_back(std::to_string(result.unreadable) + " events of the log do not fit the design and are not counted.");
    if (result.items == 0) result.notes.push_back("The measured step has catch trials only: there is nothing to count.");
}

void note_tests(StudyResult& result) {
    const double alpha = result.declared.alpha;
    const auto count = static_cast<int64_t>(result.scores.comparisons.size());
    result.notes.push_back("Intervals hold the true value in " + base::percent(1 - alpha) + " of studies. Alpha is " + base::number(alpha) +
                           ", two-sided; one-sided p stand beside only because the dissertation printed those.");
    if (count == 0) result.notes.push_back("The design declares no comparisons: none is made.");
    if (count > 0)
        result.notes.push_back("Holm's method counts all comparisons that were declared, " + std::to_string(count) +
                               ", also those that could not be made. Intervals, equivalence tests and tests against chance are not "
                               "adjusted for it: decide by the "
                               "column \"p, Holm\".");
    const bool any =
        std::any_of(result.scores.arms.begin(), result.scores.arms.end(), [](const ArmScores& arm) { return arm.beside_chance.value; });
    const bool above = std::any_of(result.scores.arms.begin(), result.scores.arms.end(), [&](const ArmScores& arm) {
        return arm.beside_chance.value && arm.beside_chance.value->difference > 0 && arm.beside_chance.value->two_sided < alpha;
    });
    if (any && !above)
        result.notes.push_back(
            "No arm is above chance: either nobody learned, or the items could not be learned. Differences of arms say little then.");
    // The scores of people who know much vary less in any case.
    if (!above && result.scores.spread.value && result.scores.spread.value->narrower < alpha)
        result.notes.push_back(
            "Scores vary less than those of people who only guess (p " +
            (result.scores.spread.value->narrower < 1e-4 ? "< 0.0001" : "= " + base::fixed(result.scores.spread.value->narrower, 4)) +
            "). Balanced answers or a strategy (\"ten of each\") do that; see the answers by class.");
    for (const ArmScores& arm : result.scores.arms)
        if (arm.mean && result.items > 0 && *arm.mean >= ceiling * real(result.items))
            result.notes.push_back("The arm " + arm.arm + " has " + base::percent(*arm.mean / real(result.items)) +
                                   " right: near the ceiling, where differences of arms cannot show. Pilot harder items.");
    if (result.smallest_effect.value)
        result.notes.push_back("The smallest effect that the smallest compared arm finds with a power of .8 is d = " +
                               base::fixed(*result.smallest_effect.value, 2) +
                               ". That no difference was found says nothing of smaller ones.");
    for (const ArmScores& arm : result.scores.arms)
        if (arm.right.size() > 100) {
            result.notes.push_back("From 101 people on every mean with two decimals fits: GRIM says nothing of such arms.");
            break;
        }
}

void note_sides(StudyResult& result) {
    for (const SideRow& side : result.sides) {
        if (side.n == 0) continue;
        const double given = real(side.first) / real(side.n), right = real(side.first_is_right) / real(side.n);
        if (std::abs(given - right) >= .15)
            result.notes.push_back("The arm " + side.arm + " answered the first class in " + base::percent(given) +
                                   " of trials, where it was right in " + base::percent(right) +
                                   ": a preference for one answer, which lowers scores whatever was understood.");
    }
}

Found<double> smallest_found(const StudyResult& result) {
    int64_t least = 0;
    for (const Compared& each : result.scores.comparisons)
        for (const std::string& arm : {each.first, each.second}) {
            const auto n = static_cast<int64_t>(arm_in(result.scores.arms, arm).right.size());
            least = least == 0 ? n : std::min(least, n);
            if (n == 0) return {std::nullopt, "the arm " + arm + " has nobody"};
        }
    if (least == 0) return {std::nullopt, "no comparison is declared"};
    return attempt([&] {
        return smallest_effect(least, wished_power, result.declared.alpha / real(static_cast<int64_t>(result.scores.comparisons.size())));
    });
}

}  // namespace

std::string name_of(const Design& design) {
    const auto found = design.json().find("name");
    const std::string name = found != design.json().end() && found->is_string() ? found->get<std::string>() : "";
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    const bool good = !name.empty() && name.size() <= 64 && name[0] != '-' && std::all_of(name.begin(), name.end(), fits);
    return good ? name : "study";
}

StudyResult analyse(const Design& design, const Respondents& people, int64_t resamples) {
    StudyResult result;
    result.name = name_of(design);
    result.title = design.title();
    result.sha256 = design.sha256();
    result.seed = design.seed();
    result.declared = design.analysis();
    result.exclusions = design.exclusions();
    result.classes = design.classes();
    result.items = static_cast<int64_t>(counted_items(design, design.step(result.declared.measure)).size());
    result.resamples = resamples;
    result.unreadable = people.unreadable;
    result.simulated = people.simulated;
    result.flow = flow_of(design, people.people);
    PeopleList analysed, everybody;
    for (const Respondent& person : people.people) {
        if (person.is_analysed()) analysed.push_back(&person);
        if (person.state != PersonState::withdrawn) everybody.push_back(&person);
    }
    result.scores = scores_of_all(design, analysed, result.items, resamples);
    // Who answered only a part of the measured step has no score, and is in neither.
    result.everybody = scores_of_all(design, everybody, result.items, resamples);
    describe(design, analysed, result);
    result.smallest_effect = smallest_found(result);
    const base::Json& analysis = design.json().at("analysis");
    if (const auto found = analysis.find("published"); found != analysis.end() && found->is_boolean() && found->get<bool>())
        result.published = published();
    note_people(result);
    if (!people.people.empty()) note_tests(result);
    note_sides(result);
    return result;
}

}  // namespace whynot::cli::study
