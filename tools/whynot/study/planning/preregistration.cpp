#include "study/planning/preregistration.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/format.h"
#include "study/analysis/people.h"
#include "study/taking/store.h"

namespace fs = std::filesystem;

namespace whynot::cli::study {
namespace {

using base::Json;

/// Whether somebody has seen it already: a preregistration has to say so.
std::string data_so_far(const Design& design) {
    std::error_code error;
    const fs::path log = design.folder() / "data" / "log.jsonl";
    if (!fs::exists(log, error) || fs::file_size(log, error) == 0) return "No data existed in the study's folder when this was written.";
    const Respondents people = people_of(design, read_log(design));
    return "Data of " + std::to_string(people.people.size()) + " participants existed when this was written.";
}

std::string trials_in_words(const Design& design, const Step& step) {
    const size_t counted = counted_items(design, step).size(), rest = step.items.size() - counted;
    return std::to_string(counted) + " of them" +
           (rest > 0 ? " and " + std::to_string(rest) + (rest > 1 ? " attention trials" : " attention trial") : "");
}

/// What is shown, and where it comes from.
std::string materials(const Design& design) {
    const Json made = design.json().value("made", Json::object()), pack = made.value("pack", Json::object());
    std::string text = "## Materials\n\nAll that is shown is in the study's folder, with its SHA-256 in study.json.";
    if (pack.contains("id"))
        text += " The model is that of the pack " + pack.value("id", "") + " " + pack.value("version", "") + " (SHA-256 " +
                pack.value("sha256", "") + "). Inputs: " + made.value("inputs", "") + "; chosen " + made.value("chosen", "") +
                ", half of each class by the model's answer (passed over, as an arm had nothing to show: " +
                std::to_string(made.value("passed_over", int64_t{0})) +
                "; of the surer half, as the other was used up: " + std::to_string(made.value("of_the_surer_half", int64_t{0})) + ").";
    std::set<std::string> methods;
    for (const auto& [id, stimulus] : design.json().at("stimuli").items()) {
        const Json explanations = stimulus.value("explanations", Json::object());
        for (const auto& [kind, explanation] : explanations.items())
            if (explanation.value("method", Json()).is_string()) methods.insert(explanation.at("method").get<std::string>());
    }
    if (!methods.empty()) text += " Maps by " + base::joined(std::vector<std::string>(methods.begin(), methods.end())) + ".";
    return text +
           " The names of the classes mean the same for everybody; which one is on the first button is drawn for each participant.\n";
}

/// What is tested, and who is left out.
std::string analysis_in_words(const Design& design) {
    const Analysis& analysis = design.analysis();
    std::string text = "## Analysis\n\nThe score is the number of right answers in '" + analysis.measure +
                       "', attention trials not counted; right is what the model says. Each comparison is a two-sided Welch test; Holm "
                       "over all of them, alpha " +
                       base::number(analysis.alpha) + ":\n\n";
    for (const auto& [first, second] : analysis.comparisons) text += "- " + first + " against " + second + "\n";
    const std::string level = base::percent(1 - analysis.alpha);
    text += "\nBeside it, none of it adjusted for the number of comparisons: Hedges' g with its " + level +
            " interval; each arm against chance (" + base::number(analysis.chance) + "), a two-sided t test; equivalence within " +
            base::number(analysis.equivalence) + " of the share, two one-sided Welch tests at " + base::number(analysis.alpha) +
            "; a bootstrap of participants and items, " + level +
            " percentile interval, on which no decision rests; the same without exclusions.\n\n## Exclusions\n\n";
    const Exclusions& rules = design.exclusions();
    text += "Those who withdraw, and those who do not answer all that is asked (the last page, which asks nothing, need not be left).\n";
    if (rules.failed_catches > 0)
        text += "Those who answer " + std::to_string(rules.failed_catches) + " attention trials or more wrongly.\n";
    if (rules.failed_comprehension > 0)
        text += "Those who answer " + std::to_string(rules.failed_comprehension) +
                " comprehension questions or more wrongly, at the first and only time.\n";
    if (rules.least_median_seconds > 0)
        text += "Those whose median time for a measured trial is below " + base::number(rules.least_median_seconds) + " s.\n";
    if (rules.most_same_answer > 0)
        text += "Those who give the same answer to more than " + base::percent(rules.most_same_answer) + " of the measured trials.\n";
    return text;
}

}  // namespace

std::string preregistration(const Design& design, const Plan& plan, const Assumptions& assumptions) {
    const auto arms = static_cast<int64_t>(design.arms().size());
    std::string text = "# Preregistration: " + design.title() + "\n\nStudy " + design.json().value("name", "") +
                       ", study.json with SHA-256 " + design.sha256() + ". Made by `whynot study power`. " + data_so_far(design) +
                       "\n\n## Hypotheses\n\n[One line for each comparison below: which arm is expected to have more right answers, and "
                       "why.] A hypothesis is "
                       "supported if the two-sided p after Holm is below " +
                       base::number(design.analysis().alpha) + " and the difference has the expected sign.\n\n## Arms\n\n";
    for (const Arm& arm : design.arms())
        text += "- **" + arm.id +
                "**: " + (arm.explanation == "none" ? "the answers of the model alone" : "with each answer: " + arm.explanation) + "\n";
    text += "\nParticipants are assigned by permuted blocks of " + std::to_string(design.block()) + ", seed " +
            std::to_string(design.seed()) + "; neither they nor the address of the page say which arm they are in.\n\n## Course\n\n";
    for (const Step& step : design.steps()) {
        text += "1. " + step.id + ": " + step.kind;
        if (step.kind == "trials")
            text += ", " + trials_in_words(design, step) + (step.feedback ? ", with feedback" : ", without feedback") +
                    (step.explain ? " and the arm's explanation" : "") +
                    (step.ask == "after-edit" ? ", asked what the model says after an edit" : "");
        text += "\n";
    }
    text += "\n" + materials(design) + "\n" + analysis_in_words(design);
    text +=
        "\n## Number of participants\n\nAssumed: " + base::percent(assumptions.control) + " right against " +
        base::percent(assumptions.treated) + ", " + std::to_string(assumptions.items) + " items, a standard deviation between people of " +
        base::number(assumptions.between) + ". For a power of " + base::number(assumptions.power) + " at alpha " +
        base::number(plan.level) + " (two-sided, " + std::to_string(assumptions.comparisons) +
        " comparisons): " + std::to_string(plan.by_t) + " in each arm by the noncentral t distribution" +
        (plan.by_simulation > 0 ? ", " + std::to_string(plan.by_simulation) + " by simulation of this one comparison at that level" : "") +
        "; " + std::to_string(plan.invited) + " in each arm are invited, as " + base::percent(assumptions.dropout) +
        " are expected to be lost: " + std::to_string(std::max(plan.by_t, plan.by_simulation) * arms) + " analysed and " +
        std::to_string(plan.invited * arms) +
        " invited in all. [When data collection stops: at that number, or a date.] No test is looked at before.\n"
        "\n## Secondary and exploratory\n\nDescribed, and no decision rests on it: ratings, confidence, times, learning curves, the "
        "other steps of trials, an analysis of "
        "variance of all arms, how far scores vary, answers by class. One-sided p are printed beside because the dissertation printed "
        "those.\n";
    return text;
}

}  // namespace whynot::cli::study
