#pragma once

/// Who took part, made of a study's log: what each person answered, and whether the rules that were declared beforehand leave him or her out.
///
/// Names do not come over: a person is a running number here, and whatever a browser or a recruiter called itself is not looked at. An answer is kept where it
/// is one that the design has, so that nothing that somebody typed gets into tables, figures or exported files.
///
/// Threads: all may be called from any.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "study/making/design.h"

namespace whynot::cli::study {

/// An answer to a trial.
struct PersonTrial {
    std::string step, item;
    int64_t seq = 0;        ///< of the screen
    int64_t number = 0;     ///< of the trials of its step in this person's order, from 1, catch trials not counted; of a catch trial: 0
    bool is_catch = false;  ///< for attention: what is right was said
    bool measured = false;  ///< of the step that the analysis counts, and no catch trial
    std::string answer, right;
    bool correct = false;
    std::optional<int64_t> confidence;       ///< from 1
    std::optional<double> seconds;           ///< until the choice
    std::optional<double> screen_seconds;    ///< until the screen was left: after the rating of confidence, where there is one
    std::optional<double> feedback_seconds;  ///< on the screen with the right answer and the explanation, where there was one
    std::optional<int64_t> steps_seen;       ///< of the morph there, where it was one
    int64_t blurs = 0, reloads = 0;          ///< how often the page was left and came back, and was loaded again
};

struct PersonRating {
    std::string step, statement;
    int64_t rating = 0;  ///< from 1
};

struct PersonAnswer {
    std::string step, question;
    int64_t choice = 0;         ///< from 0
    std::optional<bool> right;  ///< nothing: the question has no right answer
};

enum class PersonState { finished, withdrawn, left };

/// Why somebody is left out.
enum class Reason { withdrawn, not_finished, incomplete, catches, comprehension, speed, same_answer };

struct Respondent {
    int64_t number = 0;  ///< from 1, in the order in which people began; of the people who are in the log
    std::string arm;
    PersonState state = PersonState::left;  ///< withdrawn, also where that was after the end
    std::vector<PersonTrial> trials;        ///< in order
    std::vector<PersonRating> ratings;
    std::vector<PersonAnswer> answers;  ///< to questions
    std::string first_choice;           ///< the class on the first button
    int64_t comprehension_errors = 0, catches_failed = 0;
    std::optional<double> median_seconds;  ///< of the measured trials
    std::optional<double> same_answer;     ///< share of the measured trials that have the more frequent answer
    std::optional<double> minutes;         ///< from the first screen to the last answer, of those who finished
    std::vector<Reason> reasons;           ///< to leave this person out; none: is analysed
    std::string excluded;                  ///< the same as sentences; empty: is analysed

    bool is_analysed() const { return reasons.empty(); }
};

struct Respondents {
    std::vector<Respondent> people;
    bool simulated = false;  ///< they are none: `whynot study simulate` made them
    int64_t unreadable = 0;  ///< events that do not fit the design, and are not counted
};

/// @param events as `read_log` gives them. Events that do not fit the design are counted, and change nothing.
Respondents people_of(const Design& design, const std::vector<base::Json>& events);

/// "finished", "withdrawn", "left"
const char* to_string(PersonState state);
/// "not-finished", "same-answer", ...: for tables and data
const char* to_string(Reason reason);
const std::vector<Reason>& all_reasons();
/// Whether the design has this rule; leaving out who did not finish, withdrew or has answers missing needs no rule.
bool is_declared(const Exclusions& exclusions, Reason reason);
/// The rule, a sentence: "2 catch trials or more answered wrong".
std::string rule_of(const Exclusions& exclusions, Reason reason);

bool is_catch(const Design& design, const std::string& item);
/// The items of a step of trials that count, in the design's order: without catch trials.
std::vector<std::string> counted_items(const Design& design, const Step& step);
/// Right answers of a step, catch trials not counted. Nothing: not all of its trials were answered.
std::optional<int64_t> right_of(const Design& design, const Respondent& person, const Step& step);

/// Of none: nothing.
std::optional<double> median_of(std::vector<double> values);

}  // namespace whynot::cli::study
