#include "study/analysis/people.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <set>

#include "base/format.h"
#include "study/taking/course.h"

namespace whynot::cli::study {
namespace {

using base::Json;

std::string text_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<int64_t> whole_at(const Json& object, const std::string& key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<int64_t>();
}

int64_t count_at(const Json& object, const char* key) { return std::max<int64_t>(0, whole_at(object, key).value_or(0)); }

std::optional<double> seconds_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    const double value = found->get<double>();
    return std::isfinite(value) && value >= 0 ? std::optional<double>(value) : std::nullopt;
}

/// Seconds since 1970 of "2026-01-31T12:00:00.123Z".
std::optional<double> time_at(const Json& event) {
    const std::string text = text_at(event, "time");
    std::tm parts{};
    // Whole seconds: a point in a number would be read as the locale has it.
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                    &parts.tm_sec) != 6)
        return std::nullopt;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return static_cast<double>(timegm(&parts));
}

template <class List, class Value>
bool is_among(const List& list, const Value& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

const Step* step_at(const Design& design, const Json& event) {
    const std::string id = text_at(event, "step");
    for (const Step& step : design.steps())
        if (step.id == id) return &step;
    return nullptr;
}

/// Takes the events of one person, one after another.
class PersonReader {
public:
    PersonReader(const Design& design, Respondent& person, const Json& begin) : design_(design), person_(person), began_(time_at(begin)) {}

    /// False: it does not fit the design.
    bool take(const Json& event) {
        const std::string kind = text_at(event, "event");
        if (kind == "end") ended_ = true;
        if (kind == "withdraw") withdrew_ = true;
        if (kind == "reload") ++reloads_[count_at(event, "seq")];
        if (kind == "answer") return take_answer(event);
        return kind == "end" || kind == "withdraw" || kind == "reload";
    }

    /// When there is no more to come.
    void finish() {
        const bool finished = ended_ || answered_.size() >= screens_with_answers();
        person_.state = withdrew_ ? PersonState::withdrawn : finished ? PersonState::finished : PersonState::left;
        if (finished && began_ && last_ && *last_ >= *began_) person_.minutes = (*last_ - *began_) / 60;
        std::vector<double> seconds;
        std::map<std::string, int64_t> answers;
        int64_t measured = 0, most = 0;
        for (const PersonTrial& trial : person_.trials) {
            if (trial.is_catch && !trial.correct) ++person_.catches_failed;
            if (!trial.measured) continue;
            ++measured;
            most = std::max(most, ++answers[trial.answer]);
            if (trial.seconds) seconds.push_back(*trial.seconds);
        }
        person_.median_seconds = median_of(seconds);
        if (measured > 0) person_.same_answer = static_cast<double>(most) / static_cast<double>(measured);
    }

private:
    /// So many come before the texts at the end, which ask nothing: as many for everybody.
    size_t screens_with_answers() const {
        const std::vector<Screen> course = course_of(design_, 0);
        size_t count = course.size();
        while (count > 0 && course[count - 1].kind == "text") --count;
        return count > 0 ? count : course.size();
    }

    bool take_answer(const Json& event) {
        const Step* const step = step_at(design_, event);
        const std::optional<int64_t> seq = whole_at(event, "seq");
        if (!step || !seq || *seq < 0 || answered_.count(*seq) > 0) return false;
        const auto given = event.find("answer");
        if (given == event.end()) return false;
        const std::string kind = text_at(event, "kind");
        const bool fits = kind == "trial"       ? take_trial(*step, event, *given, *seq)
                          : kind == "questions" ? take_questions(*step, *given)
                          : kind == "scale"     ? take_ratings(*step, *given)
                          : kind == "feedback"  ? take_feedback(*step, event)
                                                : kind == "text";
        if (!fits) return false;
        answered_.insert(*seq);
        last_ = time_at(event);
        return true;
    }

    bool take_trial(const Step& step, const Json& event, const Json& given, int64_t seq) {
        PersonTrial trial;
        trial.step = step.id;
        trial.item = text_at(event, "item");
        trial.answer = given.is_string() ? given.get<std::string>() : "";
        if (step.kind != "trials" || !is_among(step.items, trial.item) || !is_among(design_.classes(), trial.answer)) return false;
        if (!seen_.insert({step.id, trial.item}).second) return false;
        trial.seq = seq;
        trial.is_catch = is_catch(design_, trial.item);
        trial.measured = step.id == design_.analysis().measure && !trial.is_catch;
        trial.number = trial.is_catch ? 0 : ++numbers_[step.id];
        trial.right = design_.right(step, trial.item);
        trial.correct = trial.answer == trial.right;
        trial.confidence = whole_at(event, "confidence");
        if (!step.confidence || (trial.confidence && (*trial.confidence < 1 || *trial.confidence > confidence_points)))
            trial.confidence.reset();
        trial.screen_seconds = seconds_at(event, "seconds");
        trial.seconds = step.confidence && event.contains("choice_seconds") ? seconds_at(event, "choice_seconds") : trial.screen_seconds;
        trial.blurs = count_at(event, "blurs");
        trial.reloads = std::max(count_at(event, "reloads"), reloads_[seq]);
        person_.trials.push_back(std::move(trial));
        return true;
    }

    /// Belongs to the trial before it.
    bool take_feedback(const Step& step, const Json& event) {
        if (person_.trials.empty()) return false;
        PersonTrial& trial = person_.trials.back();
        if (trial.step != step.id || trial.item != text_at(event, "item")) return false;
        trial.feedback_seconds = seconds_at(event, "seconds");
        trial.steps_seen = whole_at(event, "steps_seen");
        return true;
    }

    bool take_questions(const Step& step, const Json& given) {
        if (step.kind != "questions" || !given.is_object()) return false;
        for (const Json& question : step.json.at("questions")) {
            const std::string id = text_at(question, "id");
            const std::optional<int64_t> choice = whole_at(given, id), right = whole_at(question, "right");
            if (right && choice != right) ++person_.comprehension_errors;
            if (choice && *choice >= 0 && *choice < static_cast<int64_t>(question.at("choices").size()))
                person_.answers.push_back({step.id, id, *choice, right ? std::optional<bool>(choice == right) : std::nullopt});
        }
        return true;
    }

    bool take_ratings(const Step& step, const Json& given) {
        if (step.kind != "scale" || !given.is_object()) return false;
        const int64_t points = step.json.value("points", int64_t{5});
        for (const Json& statement : step.json.at("statements")) {
            const std::string id = text_at(statement, "id");
            const std::optional<int64_t> rating = whole_at(given, id);
            if (rating && *rating >= 1 && *rating <= points) person_.ratings.push_back({step.id, id, *rating});
        }
        return true;
    }

    const Design& design_;
    Respondent& person_;
    const std::optional<double> began_;
    std::optional<double> last_;
    bool ended_ = false, withdrew_ = false;
    std::set<int64_t> answered_;                          ///< seq
    std::set<std::pair<std::string, std::string>> seen_;  ///< step and item
    std::map<std::string, int64_t> numbers_;
    std::map<int64_t, int64_t> reloads_;  ///< by seq
};

bool has_all_measured(const Design& design, const Respondent& person) {
    return right_of(design, person, design.step(design.analysis().measure)).has_value();
}

/// The rules, applied. Who did not finish is not asked about the others: there are not all answers to go by.
std::vector<Reason> reasons_of(const Design& design, const Respondent& person) {
    const Exclusions& rules = design.exclusions();
    if (person.state == PersonState::withdrawn) return {Reason::withdrawn};
    if (person.state == PersonState::left) return {Reason::not_finished};
    std::vector<Reason> reasons;
    if (!has_all_measured(design, person)) reasons.push_back(Reason::incomplete);
    const auto check = [&](Reason reason, bool fails) {
        if (is_declared(rules, reason) && fails) reasons.push_back(reason);
    };
    check(Reason::catches, person.catches_failed >= rules.failed_catches);
    check(Reason::comprehension, person.comprehension_errors >= rules.failed_comprehension);
    check(Reason::speed, person.median_seconds && *person.median_seconds < rules.least_median_seconds);
    check(Reason::same_answer, person.same_answer && *person.same_answer > rules.most_same_answer);
    return reasons;
}

/// What is so of this person, a sentence.
std::string sentence_of(const Respondent& person, Reason reason) {
    switch (reason) {
        case Reason::withdrawn: return "Withdrew.";
        case Reason::not_finished: return "Did not finish.";
        case Reason::incomplete: return "Answers of the measured step are missing in the log.";
        case Reason::catches: return "Catch trials answered wrong: " + std::to_string(person.catches_failed) + ".";
        case Reason::comprehension: return "Comprehension questions answered wrong: " + std::to_string(person.comprehension_errors) + ".";
        case Reason::speed: return "Answered in " + base::number(person.median_seconds.value_or(0)) + " s, the median.";
        case Reason::same_answer: return "Gave the same answer in " + base::percent(person.same_answer.value_or(0)) + " of the trials.";
    }
    return "";
}

}  // namespace

Respondents people_of(const Design& design, const std::vector<Json>& events) {
    Respondents result;
    std::map<std::string, size_t> places;
    std::vector<std::string> arms;
    for (const Arm& arm : design.arms()) arms.push_back(arm.id);
    // Readers hold references to people: all people are there before the first reader is.
    std::vector<const Json*> begins;
    for (const Json& event : events) {
        if (event.is_object() && text_at(event, "event") == "study") result.simulated = event.value("simulated", Json()) == true;
        if (!event.is_object() || text_at(event, "event") != "begin") continue;
        const std::string id = text_at(event, "participant"), arm = text_at(event, "arm");
        if (id.empty() || !is_among(arms, arm) || !places.emplace(id, begins.size()).second) {
            ++result.unreadable;
            continue;
        }
        begins.push_back(&event);
        Respondent person;
        person.number = static_cast<int64_t>(begins.size());
        person.arm = arm;
        const auto seed = event.find("seed");
        if (seed != event.end() && seed->is_number_integer())
            person.first_choice = design.classes()[first_choice_of(seed->get<uint64_t>())];
        result.people.push_back(std::move(person));
    }
    std::vector<PersonReader> readers;
    for (size_t i = 0; i < begins.size(); ++i) readers.emplace_back(design, result.people[i], *begins[i]);
    for (const Json& event : events) {
        const std::string kind = event.is_object() ? text_at(event, "event") : "";
        if (kind == "begin" || kind == "study" || kind == "gap") continue;
        const auto place = kind.empty() ? places.end() : places.find(text_at(event, "participant"));
        if (place == places.end() || !readers[place->second].take(event)) ++result.unreadable;
    }
    for (PersonReader& reader : readers) reader.finish();
    for (Respondent& person : result.people) {
        person.reasons = reasons_of(design, person);
        std::vector<std::string> sentences;
        for (const Reason reason : person.reasons) sentences.push_back(sentence_of(person, reason));
        person.excluded = base::joined(sentences, " ");
    }
    return result;
}

const char* to_string(PersonState state) {
    return state == PersonState::finished ? "finished" : state == PersonState::withdrawn ? "withdrawn" : "left";
}

const char* to_string(Reason reason) {
    switch (reason) {
        case Reason::withdrawn: return "withdrawn";
        case Reason::not_finished: return "not-finished";
        case Reason::incomplete: return "incomplete";
        case Reason::catches: return "catches";
        case Reason::comprehension: return "comprehension";
        case Reason::speed: return "speed";
        case Reason::same_answer: return "same-answer";
    }
    return "";
}

const std::vector<Reason>& all_reasons() {
    static const std::vector<Reason> reasons{Reason::withdrawn,     Reason::not_finished, Reason::incomplete, Reason::catches,
                                             Reason::comprehension, Reason::speed,        Reason::same_answer};
    return reasons;
}

bool is_declared(const Exclusions& exclusions, Reason reason) {
    switch (reason) {
        case Reason::catches: return exclusions.failed_catches > 0;
        case Reason::comprehension: return exclusions.failed_comprehension > 0;
        case Reason::speed: return exclusions.least_median_seconds > 0;
        case Reason::same_answer: return exclusions.most_same_answer > 0;
        default: return true;
    }
}

std::string rule_of(const Exclusions& exclusions, Reason reason) {
    switch (reason) {
        case Reason::withdrawn: return "withdrew";
        case Reason::not_finished: return "did not answer all that was asked";
        case Reason::incomplete: return "answers of the measured step are missing in the log";
        case Reason::catches: return std::to_string(exclusions.failed_catches) + " catch trials or more answered wrong";
        case Reason::comprehension:
            return std::to_string(exclusions.failed_comprehension) + " comprehension questions or more answered wrong";
        case Reason::speed: return "median of the measured trials below " + base::number(exclusions.least_median_seconds) + " s";
        case Reason::same_answer:
            return "the same answer in more than " + base::percent(exclusions.most_same_answer) + " of the measured trials";
    }
    return "";
}

bool is_catch(const Design& design, const std::string& item) {
    const Json& stimulus = design.stimulus(item);
    const auto found = stimulus.find("catch");
    return found != stimulus.end() && found->is_boolean() && found->get<bool>();
}

std::vector<std::string> counted_items(const Design& design, const Step& step) {
    std::vector<std::string> items;
    for (const std::string& item : step.items)
        if (!is_catch(design, item)) items.push_back(item);
    return items;
}

std::optional<int64_t> right_of(const Design& design, const Respondent& person, const Step& step) {
    size_t answered = 0;
    int64_t right = 0;
    for (const PersonTrial& trial : person.trials) {
        if (trial.step != step.id || trial.is_catch) continue;
        ++answered;
        if (trial.correct) ++right;
    }
    const size_t items = counted_items(design, step).size();
    return items > 0 && answered == items ? std::optional<int64_t>(right) : std::nullopt;
}

std::optional<double> median_of(std::vector<double> values) {
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace whynot::cli::study
