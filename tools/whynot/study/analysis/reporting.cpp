#include "study/analysis/reporting.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "console/terminal.h"
#include "study/analysis/curves.h"

namespace whynot::cli::study {
namespace {

using base::Json;
using Cells = std::vector<ExperimentValue>;

// ------------------------------------------------------------------------------------------------------------------------- JSON

Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json json_of(const Interval& interval) { return Json::array({interval.low, interval.high}); }

Json json_of(const TTest& test) {
    return {{"difference", test.difference}, {"error", test.error},      {"t", test.t}, {"df", test.df},
            {"two_sided", test.two_sided},   {"one_sided", test.greater}};
}

Json json_of(const Effect& effect) {
    return {{"d", effect.d}, {"d_interval", json_of(effect.d_interval)}, {"g", effect.g}, {"g_interval", json_of(effect.g_interval)}};
}

Json json_of(const Equivalence& equivalence) {
    return {{"p", equivalence.p},
            {"above_low", equivalence.above_low},
            {"below_high", equivalence.below_high},
            {"interval", json_of(equivalence.interval)}};
}

Json json_of(const Bootstrap& bootstrap) { return {{"difference", bootstrap.difference}, {"interval", json_of(bootstrap.interval)}}; }

Json json_of(const Anova& anova) {
    return {{"f", anova.f},
            {"df_between", anova.df_between},
            {"df_within", anova.df_within},
            {"p", anova.p},
            {"eta_squared", anova.eta_squared}};
}

Json json_of(const Spread& spread) { return {{"chi_squared", spread.chi_squared}, {"df", spread.df}, {"narrower", spread.narrower}}; }

Json json_of(const Grim& grim) { return {{"mean_fits", grim.mean_fits}, {"deviation_fits", grim.deviation_fits}}; }

Json json_of(double value) { return value; }

/// A value, or why there is none.
template <class T>
Json json_of(const Found<T>& found) {
    return found.value ? json_of(*found.value) : Json{{"why", found.why}};
}

Json json_of(const StudyScores& scores, int64_t items) {
    Json arms = Json::array(), comparisons = Json::array();
    for (const ArmScores& arm : scores.arms) {
        const bool known = arm.summary.value.has_value();
        Json each{{"arm", arm.arm},
                  {"n", arm.right.size()},
                  {"mean", json_of(arm.mean)},
                  {"deviation", known ? Json(arm.summary.value->deviation) : Json()}};
        each["mean_share"] = arm.mean && items > 0 ? Json(*arm.mean / static_cast<double>(items)) : Json();
        each["deviation_share"] = known && items > 0 ? Json(arm.summary.value->deviation / static_cast<double>(items)) : Json();
        if (!known) each["why"] = arm.summary.why;
        each["mean_interval"] = json_of(arm.mean_interval);
        each["grim"] = json_of(arm.grim);
        each["beside_chance"] = json_of(arm.beside_chance);
        arms.push_back(std::move(each));
    }
    for (const Compared& compared : scores.comparisons)
        comparisons.push_back({{"first", compared.first},
                               {"second", compared.second},
                               {"welch", json_of(compared.test)},
                               {"interval", json_of(compared.interval)},
                               {"holm", json_of(compared.holm)},
                               {"holm_one_sided", json_of(compared.holm_one_sided)},
                               {"effect", json_of(compared.effect)},
                               {"equivalence", json_of(compared.equivalence)},
                               {"bootstrap_share", json_of(compared.bootstrap)}});
    return {{"arms", arms}, {"comparisons", comparisons}, {"anova", json_of(scores.anova)}, {"beside_guessing", json_of(scores.spread)}};
}

Json declared_json(const StudyResult& result) {
    Json rules = Json::array(), comparisons = Json::array();
    for (const Reason reason : all_reasons())
        if (is_declared(result.exclusions, reason))
            rules.push_back({{"reason", to_string(reason)}, {"rule", rule_of(result.exclusions, reason)}});
    for (const auto& [first, second] : result.declared.comparisons) comparisons.push_back({first, second});
    return {{"measure", result.declared.measure},
            {"items", result.items},
            {"chance", result.declared.chance},
            {"alpha", result.declared.alpha},
            {"confidence", result.confidence_level()},
            {"equivalence", result.declared.equivalence},
            {"comparisons", comparisons},
            {"exclusions", rules},
            {"resamples", result.resamples}};
}

Json flow_json(const std::vector<ArmFlow>& flow) {
    Json all = Json::array();
    for (const ArmFlow& arm : flow) {
        Json reasons = Json::object();
        for (const auto& [reason, n] : arm.reasons) reasons[to_string(reason)] = n;
        all.push_back({{"arm", arm.arm},
                       {"explanation", arm.explanation},
                       {"began", arm.began},
                       {"finished", arm.finished},
                       {"withdrawn", arm.withdrawn},
                       {"left", arm.left},
                       {"excluded", arm.excluded},
                       {"analysed", arm.analysed},
                       {"reasons", reasons}});
    }
    return all;
}

/// Rows of what is described only.
void put_descriptions(const StudyResult& result, Json& json) {
    for (const char* key : {"steps", "learning", "ratings", "by_confidence", "answers_by_side", "times"}) json[key] = Json::array();
    for (const StepScores& row : result.steps)
        json["steps"].push_back({{"step", row.step},
                                 {"ask", row.ask},
                                 {"arm", row.arm},
                                 {"items", row.items},
                                 {"n", row.n},
                                 {"mean", json_of(row.mean)},
                                 {"deviation", json_of(row.deviation)},
                                 {"median_seconds", json_of(row.median_seconds)}});
    for (const LearningCurve& curve : result.learning) {
        Json points = Json::array();
        for (const LearningPoint& point : curve.points)
            points.push_back({{"right", point.right}, {"n", point.n}, {"smooth", json_of(point.smooth)}});
        json["learning"].push_back({{"step", curve.step}, {"arm", curve.arm}, {"window", curve.window}, {"trials", points}});
    }
    for (const RatingRow& row : result.ratings)
        json["ratings"].push_back({{"step", row.step},
                                   {"statement", row.statement},
                                   {"arm", row.arm},
                                   {"points", row.points},
                                   {"n", row.n},
                                   {"mean", json_of(row.mean)},
                                   {"deviation", json_of(row.deviation)},
                                   {"interval", row.interval ? json_of(*row.interval) : Json()}});
    for (const ConfidenceRow& row : result.confidence)
        json["by_confidence"].push_back({{"arm", row.arm}, {"confidence", row.confidence}, {"n", row.n}, {"right", row.right}});
    for (const SideRow& row : result.sides)
        json["answers_by_side"].push_back({{"arm", row.arm}, {"n", row.n}, {"first", row.first}, {"first_is_right", row.first_is_right}});
    for (const ArmTimes& row : result.times)
        json["times"].push_back({{"arm", row.arm},
                                 {"n", row.n},
                                 {"median_seconds", json_of(row.median_seconds)},
                                 {"median_minutes", json_of(row.median_minutes)}});
}

// ----------------------------------------------------------------------------------------------------------------------- tables

std::string fixed_or_nothing(const std::optional<double>& value, int digits) { return value ? base::fixed(*value, digits) : ""; }

std::string p_written(double p) { return p < 0.0001 ? "<0.0001" : base::fixed(p, 4); }

std::string p_written(const std::optional<double>& p) { return p ? p_written(*p) : ""; }

std::string interval_written(const Interval& interval, int digits) {
    return "[" + base::fixed(interval.low, digits) + ", " + base::fixed(interval.high, digits) + "]";
}

template <class Optional>
std::string interval_written(const Optional& interval, int digits) {
    return interval.value ? interval_written(*interval.value, digits) : "";
}

std::string share_written(const std::optional<double>& count, int64_t items) {
    return count && items > 0 ? base::percent(*count / static_cast<double>(items)) : "";
}

ExperimentTable flow_table(const StudyResult& result) {
    ExperimentTable table{"Who took part",
                          {"arm", "shows", "began", "withdrew, data kept", "stopped early", "finished", "left out by rules", "analysed"},
                          {}};
    for (const ArmFlow& arm : result.flow)
        table.rows.push_back({arm.arm, arm.explanation, arm.began, arm.withdrawn, arm.left, arm.finished, arm.excluded, arm.analysed});
    return table;
}

ExperimentTable reasons_table(const StudyResult& result) {
    ExperimentTable table{"Why people are left out, by the rules declared beforehand; one person may have several reasons", {"rule"}, {}};
    for (const ArmFlow& arm : result.flow) table.columns.push_back(arm.arm);
    for (const Reason reason : all_reasons()) {
        if (!is_declared(result.exclusions, reason)) continue;
        Cells row{rule_of(result.exclusions, reason)};
        for (const ArmFlow& arm : result.flow) row.emplace_back(arm.reasons.count(reason) > 0 ? arm.reasons.at(reason) : int64_t{0});
        table.rows.push_back(std::move(row));
    }
    return table;
}

ExperimentTable arms_table(const StudyResult& result, const StudyScores& scores, const std::string& title) {
    ExperimentTable table{title, {"arm", "n", "mean", "SD", "share", "interval of the mean", "GRIM", "note"}, {}};
    for (const ArmScores& arm : scores.arms) {
        const auto& grim = arm.grim.value;
        const std::optional<double> deviation = arm.summary.value ? std::optional<double>(arm.summary.value->deviation) : std::nullopt;
        table.rows.push_back({arm.arm, static_cast<int64_t>(arm.right.size()), fixed_or_nothing(arm.mean, 2),
                              fixed_or_nothing(deviation, 2), share_written(arm.mean, result.items), interval_written(arm.mean_interval, 2),
                              !grim                                     ? ""
                              : grim->mean_fits && grim->deviation_fits ? "fits"
                                                                        : "does not fit",
                              arm.mean_interval.why});
    }
    return table;
}

ExperimentTable tests_table(const StudyScores& scores, const std::string& title) {
    ExperimentTable table{
        title, {"comparison", "difference", "interval", "t", "df", "p, two-sided", "p, Holm", "p, one-sided", "note"}, {}};
    for (const Compared& each : scores.comparisons) {
        Cells row{each.first + " - " + each.second};
        if (const auto& test = each.test.value)
            for (const std::string& cell :
                 {base::fixed(test->difference, 2), interval_written(each.interval, 2), base::fixed(test->t, 3), base::fixed(test->df, 2),
                  p_written(test->two_sided), p_written(each.holm), p_written(test->greater), std::string()})
                row.emplace_back(cell);
        else
            row.insert(row.end(), 7, std::string()), row.emplace_back(each.test.why);
        table.rows.push_back(std::move(row));
    }
    return table;
}

ExperimentTable effects_table(const StudyResult& result) {
    const double bound = result.declared.equivalence;
    ExperimentTable table{
        "How large the differences are. Equivalence: within " + base::percent(bound) +
            " either way, by two one-sided tests (TOST). Bootstrap of people and items, " + std::to_string(result.resamples) + " times",
        {"comparison", "d", "Hedges' g", "interval of g", "difference of shares", "by bootstrap", "TOST p", "equivalent", "note"},
        {}};
    for (const Compared& each : result.scores.comparisons) {
        std::set<std::string> why{each.effect.why, each.equivalence.why, each.bootstrap.why};
        why.erase("");
        const auto& effect = each.effect.value;
        const auto& bootstrap = each.bootstrap.value;
        const auto& equal = each.equivalence.value;
        table.rows.push_back({each.first + " - " + each.second, effect ? base::fixed(effect->d, 2) : "",
                              effect ? base::fixed(effect->g, 2) : "", effect ? interval_written(effect->g_interval, 2) : "",
                              bootstrap ? base::fixed(bootstrap->difference, 3) : "",
                              bootstrap ? interval_written(bootstrap->interval, 3) : "", equal ? p_written(equal->p) : "",
                              !equal                             ? ""
                              : equal->p < result.declared.alpha ? "yes"
                                                                 : "not shown",
                              base::joined(why, "; ")});
    }
    return table;
}

ExperimentTable chance_table(const StudyResult& result) {
    const double guessed = result.declared.chance * static_cast<double>(result.items);
    ExperimentTable table{"Each arm against chance, " + base::number(guessed, 6) + " of " + std::to_string(result.items),
                          {"arm", "difference", "t", "df", "p, two-sided", "p, one-sided", "note"},
                          {}};
    for (const ArmScores& arm : result.scores.arms) {
        const auto& test = arm.beside_chance.value;
        table.rows.push_back({arm.arm, test ? base::fixed(test->difference, 2) : "", test ? base::fixed(test->t, 3) : "",
                              test ? base::fixed(test->df, 0) : "", test ? p_written(test->two_sided) : "",
                              test ? p_written(test->greater) : "", arm.beside_chance.why});
    }
    return table;
}

ExperimentTable variance_table(const StudyResult& result) {
    ExperimentTable table{"Exploratory. All arms together", {"test", "statistic", "df", "p", "note"}, {}};
    const auto& anova = result.scores.anova.value;
    table.rows.push_back({"analysis of variance", anova ? "F = " + base::fixed(anova->f, 3) : "",
                          anova ? base::fixed(anova->df_between, 0) + ", " + base::fixed(anova->df_within, 0) : "",
                          anova ? p_written(anova->p) : "",
                          anova ? "eta squared = " + base::fixed(anova->eta_squared, 3) : result.scores.anova.why});
    const auto& spread = result.scores.spread.value;
    table.rows.push_back({"scores vary less than by guessing", spread ? "chi squared = " + base::fixed(spread->chi_squared, 2) : "",
                          spread ? base::fixed(spread->df, 0) : "", spread ? p_written(spread->narrower) : "", result.scores.spread.why});
    return table;
}

ExperimentTable steps_table(const StudyResult& result) {
    ExperimentTable table{"Exploratory. Every step of trials, described",
                          {"step", "arm", "n", "items", "mean", "SD", "share", "seconds a trial, median"},
                          {}};
    for (const StepScores& row : result.steps)
        table.rows.push_back({row.step, row.arm, row.n, row.items, fixed_or_nothing(row.mean, 2), fixed_or_nothing(row.deviation, 2),
                              share_written(row.mean, row.items), fixed_or_nothing(row.median_seconds, 2)});
    return table;
}

ExperimentTable rated_table(const StudyResult& result) {
    ExperimentTable table{"Exploratory. Ratings: what people say, which is not how much they understood",
                          {"statement", "arm", "n", "mean", "SD", "interval"},
                          {}};
    for (const RatingRow& row : result.ratings)
        table.rows.push_back({row.text + " (1 to " + std::to_string(row.points) + ")", row.arm, row.n, fixed_or_nothing(row.mean, 2),
                              fixed_or_nothing(row.deviation, 2), row.interval ? interval_written(*row.interval, 2) : ""});
    return table;
}

ExperimentTable confidence_table(const StudyResult& result) {
    ExperimentTable table{
        "Exploratory. Right answers by confidence (1: guessed, 5: certain)", {"arm", "confidence", "answers", "right", "share"}, {}};
    for (const ConfidenceRow& row : result.confidence)
        table.rows.push_back({row.arm, row.confidence, row.n, row.right, share_written(static_cast<double>(row.right), row.n)});
    return table;
}

ExperimentTable sides_table(const StudyResult& result) {
    ExperimentTable table{
        "Exploratory. Answers by class: how often the first, '" + result.classes[0] + "', was given, and how often it was right",
        {"arm", "answers", "given", "share", "right", "share"},
        {}};
    for (const SideRow& row : result.sides)
        table.rows.push_back({row.arm, row.n, row.first, share_written(static_cast<double>(row.first), row.n), row.first_is_right,
                              share_written(static_cast<double>(row.first_is_right), row.n)});
    return table;
}

ExperimentTable times_table(const StudyResult& result) {
    ExperimentTable table{"Exploratory. Times, medians of people. Browsers add some hundredths of a second",
                          {"arm", "n", "seconds a measured trial", "minutes in all"},
                          {}};
    for (const ArmTimes& row : result.times)
        table.rows.push_back({row.arm, row.n, fixed_or_nothing(row.median_seconds, 2), fixed_or_nothing(row.median_minutes, 1)});
    return table;
}

/// The arm of the dissertation that shows the same, as `published` calls it; null: there is none.
const PublishedArm* printed_arm(const StudyResult& result, const std::string& arm) {
    static const std::vector<std::pair<std::string, size_t>> places{{"none", 0}, {"map", 1}, {"morph", 2}};
    for (const ArmFlow& flow : result.flow)
        for (const auto& [explanation, place] : places)
            if (flow.arm == arm && flow.explanation == explanation && place < result.published->arms.size())
                return &result.published->arms[place];
    return nullptr;
}

ExperimentTable printed_arms_table(const StudyResult& result) {
    ExperimentTable table{"Beside table 5.2 of the dissertation",
                          {"arm", "n", "mean", "deviation", "items", "printed as", "n", "mean", "deviation", "items"},
                          {}};
    for (const ArmScores& arm : result.scores.arms) {
        const PublishedArm* const printed = printed_arm(result, arm.arm);
        if (!printed) continue;
        const std::optional<double> deviation = arm.summary.value ? std::optional<double>(arm.summary.value->deviation) : std::nullopt;
        table.rows.push_back({arm.arm, static_cast<int64_t>(arm.right.size()), fixed_or_nothing(arm.mean, 2),
                              fixed_or_nothing(deviation, 2), result.items, printed->name, printed->printed.n,
                              base::fixed(printed->printed.mean, 2), base::fixed(printed->printed.deviation, 2), result.published->items});
    }
    return table;
}

ExperimentTable printed_tests_table(const StudyResult& result) {
    ExperimentTable table{"Beside table 5.3: p that the first is not the greater one, one-sided and not adjusted, as it was printed",
                          {"comparison", "p, one-sided", "d", "printed as", "p, one-sided", "d"},
                          {}};
    for (const Compared& each : result.scores.comparisons) {
        const PublishedArm *const first = printed_arm(result, each.first), *const second = printed_arm(result, each.second);
        if (!first || !second) continue;
        for (const PublishedComparison& printed : result.published->comparisons)
            if (printed.first == first->name && printed.second == second->name)
                table.rows.push_back({each.first + " > " + each.second, each.test.value ? p_written(each.test.value->greater) : "",
                                      each.effect.value ? base::fixed(each.effect.value->d, 2) : "", printed.first + " > " + printed.second,
                                      p_written(printed.test.greater), base::fixed(printed.effect.d, 2)});
    }
    return table;
}

std::vector<ExperimentTable> tables_of(const StudyResult& result) {
    const std::string of = " of " + std::to_string(result.items) + " in the step " + result.declared.measure;
    std::vector<ExperimentTable> tables{
        flow_table(result),
        reasons_table(result),
        arms_table(result, result.scores, "Right answers" + of),
        tests_table(result.scores, "Declared comparisons, Welch's test; differences in right answers"),
        effects_table(result),
        chance_table(result),
        variance_table(result),
        arms_table(result, result.everybody, "Sensitivity: right answers" + of + ", of everybody who answered all"),
        tests_table(result.everybody, "Sensitivity: the comparisons without the rules"),
        steps_table(result),
        rated_table(result),
        confidence_table(result),
        sides_table(result),
        times_table(result)};
    if (result.published) {
        tables.push_back(printed_arms_table(result));
        tables.push_back(printed_tests_table(result));
    }
    tables.erase(std::remove_if(tables.begin(), tables.end(), [](const ExperimentTable& table) { return table.rows.empty(); }),
                 tables.end());
    return tables;
}

std::string cell_text(const ExperimentValue& value) {
    if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
    const auto* const text = std::get_if<std::string>(&value);
    return text ? *text : "";
}

/// Columns of numbers are aligned to the right: those whose cells begin with a digit or a sign.
std::string alignment_of(const std::vector<std::vector<std::string>>& rows) {
    std::string right(rows[0].size(), 'l');
    for (size_t column = 0; column < right.size(); ++column)
        right[column] =
            std::all_of(rows.begin() + 1, rows.end(),
                        [&](const std::vector<std::string>& row) {
                            return row[column].empty() || row[column].find_first_not_of("-+<0123456789. %") == std::string::npos;
                        })
                ? 'r'
                : 'l';
    return right;
}

/// Without columns that have nothing in any row, such as notes where there are none.
std::vector<std::vector<std::string>> text_rows(const ExperimentTable& table) {
    std::vector<std::vector<std::string>> rows(table.rows.size() + 1);
    for (size_t column = 0; column < table.columns.size(); ++column) {
        if (std::all_of(table.rows.begin(), table.rows.end(), [&](const Cells& row) { return cell_text(row[column]).empty(); })) continue;
        rows[0].push_back(table.columns[column]);
        for (size_t i = 0; i < table.rows.size(); ++i) rows[i + 1].push_back(cell_text(table.rows[i][column]));
    }
    return rows;
}

/// A page has no columns that say nothing either.
ExperimentTable without_empty_columns(const ExperimentTable& table) {
    ExperimentTable kept{table.title, {}, std::vector<Cells>(table.rows.size())};
    for (size_t column = 0; column < table.columns.size(); ++column) {
        if (std::all_of(table.rows.begin(), table.rows.end(), [&](const Cells& row) { return cell_text(row[column]).empty(); })) continue;
        kept.columns.push_back(table.columns[column]);
        for (size_t i = 0; i < table.rows.size(); ++i) kept.rows[i].push_back(table.rows[i][column]);
    }
    return kept;
}

// ---------------------------------------------------------------------------------------------------------------------- figures

template <class Rows>
std::vector<std::string> steps_in(const Rows& rows) {
    std::vector<std::string> steps;
    for (const auto& row : rows)
        if (std::find(steps.begin(), steps.end(), row.step) == steps.end()) steps.push_back(row.step);
    return steps;
}

StudyPicture learning_picture(const StudyResult& result, const std::string& step) {
    CurveFigure figure;
    figure.title = "Learning: right answers in the step " + step;
    figure.across = "trial, in each person's own order";
    figure.up = "share of right answers";
    figure.chance = result.declared.chance;
    int64_t window = 1;
    std::string people;
    for (const LearningCurve& curve : result.learning) {
        if (curve.step != step) continue;
        window = curve.window;
        FigureLine line{curve.arm, {}};
        int64_t most = 0;
        for (const LearningPoint& point : curve.points) line.shares.push_back(point.smooth), most = std::max(most, point.n);
        people += (people.empty() ? "" : ", ") + curve.arm + " " + std::to_string(most);
        figure.lines.push_back(std::move(line));
    }
    return {"learning-" + step + ".svg",
            "Learning curves of the step " + step + ": the share of right answers by trial, over a moving window of " +
                std::to_string(window) + " trials, shorter at both ends. People: " + people + ". The broken line is chance.",
            to_svg(figure)};
}

StudyPicture ratings_picture(const StudyResult& result, const std::string& step) {
    BarFigure figure;
    figure.title = "Ratings: the step " + step;
    for (const ArmFlow& arm : result.flow) figure.arms.push_back(arm.arm);
    for (const RatingRow& row : result.ratings) {
        if (row.step != step) continue;
        figure.points = row.points;
        if (figure.groups.empty() || figure.groups.back().label != row.text || figure.groups.back().bars.size() == figure.arms.size())
            figure.groups.push_back({row.text, {}});
        figure.groups.back().bars.push_back({row.mean, row.interval});
    }
    figure.low = "1: " + result.scale_ends.at(step).first;
    figure.high = std::to_string(figure.points) + ": " + result.scale_ends.at(step).second;
    return {"ratings-" + step + ".svg",
            "Ratings of the step " + step + ": means with intervals of " + base::percent(result.confidence_level()) +
                ". People like some explanations better that do not help them more.",
            to_svg(figure)};
}

}  // namespace

std::string to_json(const StudyResult& result) {
    Json json{{"schema", "whynot.study-analysis/1"},
              {"study", {{"name", result.name}, {"title", result.title}, {"sha256", result.sha256}, {"seed", result.seed}}},
              {"declared", declared_json(result)},
              {"flow", flow_json(result.flow)}};
    const Json scores = json_of(result.scores, result.items);
    for (const auto& [key, value] : scores.items()) json[key] = value;
    json["everybody"] = json_of(result.everybody, result.items);
    put_descriptions(result, json);
    json["smallest_effect"] = json_of(result.smallest_effect);
    json["simulated"] = result.simulated;
    json["unreadable_events"] = result.unreadable;
    json["notes"] = result.notes;
    return base::write_json(json, 2, ErrorCode::internal, "the analysis") + "\n";
}

std::string to_text(const StudyResult& result) {
    std::string text = result.simulated ? "SIMULATED PARTICIPANTS\n\n" : "";
    for (const ExperimentTable& each : tables_of(result)) {
        const auto rows = text_rows(each);
        text += base::escape_controls(each.title) + "\n" + table(rows, alignment_of(rows)) + "\n";
    }
    for (const std::string& note : result.notes) text += "note: " + base::escape_controls(note) + "\n";
    return text;
}

std::vector<StudyPicture> pictures_of(const StudyResult& result) {
    std::vector<StudyPicture> pictures;
    for (const std::string& step : steps_in(result.learning)) pictures.push_back(learning_picture(result, step));
    for (const std::string& step : steps_in(result.ratings)) pictures.push_back(ratings_picture(result, step));
    return pictures;
}

ExperimentResult to_page_result(const StudyResult& result, const std::vector<StudyPicture>& pictures) {
    ExperimentResult page;
    page.name = "study/analysis";
    page.title = (result.simulated ? "Simulated participants: " : "") + base::escape_controls(result.title);
    page.seed = result.seed;
    Json settings = declared_json(result);
    settings["study_sha256"] = result.sha256;
    page.settings = settings.dump();
    for (const ExperimentTable& each : tables_of(result)) page.tables.push_back(without_empty_columns(each));
    for (const StudyPicture& picture : pictures) page.pictures.push_back({picture.file, picture.caption});
    page.notes = result.notes;
    return page;
}

}  // namespace whynot::cli::study
