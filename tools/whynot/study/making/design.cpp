#include "study/making/design.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/file.h"
#include "base/format.h"
#include "base/names.h"
#include "base/sha256.h"
#include "base/text.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli::study {
namespace {

using base::Json;

constexpr const char* schema = "whynot.study/1";
constexpr double page_takes_nothing = 0.3;  // seconds: study.js, startClock
constexpr uint64_t largest_file = 16 * 1024 * 1024;

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::invalid_input, "the study: " + why); }

const Json& member(const Json& object, const char* key, const std::string& where) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end()) refuse(where + " has no '" + key + "'");
    return *found;
}

std::string text(const Json& object, const char* key, const std::string& where) {
    const Json& value = member(object, key, where);
    if (!value.is_string()) refuse(where + ", '" + key + "': expected a text, found " + base::shown(value));
    return value.get<std::string>();
}

const Json& list(const Json& object, const char* key, const std::string& where) {
    const Json& value = member(object, key, where);
    if (!value.is_array()) refuse(where + ", '" + key + "': expected a list, found " + base::shown(value));
    return value;
}

double number(const Json& object, const char* key, double least, double most, double otherwise, const std::string& where) {
    const auto found = object.find(key);
    if (found == object.end()) return otherwise;
    const double value = found->is_number() ? found->get<double>() : most + 1;
    if (!(value >= least && value <= most))
        refuse(where + ", '" + key + "': expected a number from " + base::number(least) + " to " + base::number(most) + ", found " +
               base::shown(*found));
    return value;
}

int64_t whole(const Json& object, const char* key, double least, double most, int64_t otherwise, const std::string& where) {
    const double value = number(object, key, least, most, static_cast<double>(otherwise), where);
    if (value != std::floor(value)) refuse(where + ", '" + key + "': expected a whole number, found " + base::number(value));
    return static_cast<int64_t>(value);
}

bool flag(const Json& object, const char* key, const std::string& where) {
    const auto found = object.find(key);
    if (found == object.end()) return false;
    if (!found->is_boolean()) refuse(where + ", '" + key + "': expected true or false, found " + base::shown(*found));
    return found->get<bool>();
}

std::vector<std::string> texts(const Json& object, const char* key, const std::string& where) {
    std::vector<std::string> all;
    for (const Json& one : list(object, key, where)) {
        if (!one.is_string()) refuse(where + ", '" + key + "': expected texts, found " + base::shown(one));
        all.push_back(one.get<std::string>());
    }
    return all;
}

/// No key but these: one that is misspelt would silently be none, and with it what was declared.
void expect_keys(const Json& object, const std::vector<std::string>& keys, const std::string& where) {
    if (!object.is_object()) refuse(where + ": expected an object, found " + base::shown(object));
    for (const auto& [key, value] : object.items())
        if (std::find(keys.begin(), keys.end(), key) == keys.end())
            refuse(where + " has " + base::in_quotes(key) + ", which means nothing there; there is " + base::choice_of(key, keys));
}

/// What a step of each kind may say.
const std::map<std::string, std::vector<std::string>>& keys_of_steps() {
    static const std::map<std::string, std::vector<std::string>> keys{
        {"text", {"id", "kind", "title", "text", "button"}},
        {"questions", {"id", "kind", "title", "button", "questions"}},
        {"scale", {"id", "kind", "title", "button", "points", "low", "high", "statements"}},
        {"trials", {"id", "kind", "items", "ask", "feedback", "explain", "confidence"}}};
    return keys;
}

/// A name that stands in files, tables and addresses.
void check_id(const std::string& id, const std::string& where) {
    const bool good = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!good) refuse(where + ": expected an id of a-z, 0-9, - and _, found " + base::in_quotes(id));
}

void check_new_id(const std::string& id, std::set<std::string>& known, const std::string& where) {
    check_id(id, where);
    if (!known.insert(id).second) refuse(where + " has the id " + base::in_quotes(id) + " twice");
}

/// What something looks like: a picture in the folder, or a text.
void check_view(const Json& view, const std::string& where) {
    const bool is_picture = view.is_object() && view.contains("picture"), is_text = view.is_object() && view.contains("text");
    if (is_picture == is_text) refuse(where + ": expected 'picture' or 'text', one of them");
    text(view, is_picture ? "picture" : "text", where);
}

bool is_of(const std::string& name, const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> unfinished(const Design& design) {
    std::vector<std::string> found;
    for (const Step& step : design.steps()) {
        for (const char* key : {"title", "text"}) {
            const std::string text = step.json.value(key, "");
            for (size_t begin = text.find('['); begin != std::string::npos; begin = text.find('[', begin + 1)) {
                const size_t end = text.find(']', begin);
                if (end == std::string::npos) break;
                found.push_back("the step '" + step.id + "' says " + base::in_quotes(text.substr(begin, end + 1 - begin)));
            }
        }
    }
    return found;
}

const std::vector<std::string>& explanation_kinds() {
    static const std::vector<std::string> kinds{"none", "map", "morph", "edit", "grid", "words", "edits"};
    return kinds;
}

fs::path file_in(const fs::path& folder, const std::string& name) {
    const fs::path relative(name);
    const bool leads_out =
        relative.is_absolute() || std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
    if (name.empty() || leads_out) refuse("expected a file in its folder, found " + base::in_quotes(name));
    return folder / relative;
}

Design::Design(const fs::path& folder) : folder_(folder) {
    const std::string bytes = base::read_file(folder / "study.json", largest_file, ErrorCode::not_found);
    json_ = base::parse_json_object(bytes, ErrorCode::invalid_input, (folder / "study.json").string(), {});
    sha256_ = base::sha256_hex(bytes);
    check();
    check_files();
}

Design::Design(Json json) : json_(std::move(json)) {
    sha256_ = base::sha256_hex(json_.dump());
    check();
}

const Step& Design::step(const std::string& id) const {
    for (const Step& each : steps_)
        if (each.id == id) return each;
    refuse("there is no step " + base::in_quotes(id));
}

const Json& Design::stimulus(const std::string& id) const { return member(json_.at("stimuli"), id.c_str(), "'stimuli'"); }

std::string Design::right(const Step& step, const std::string& item) const {
    const Json& stimulus = this->stimulus(item);
    return (step.ask == "after-edit" ? stimulus.at("edited") : stimulus).at("model").get<std::string>();
}

void Design::check() {
    const std::string found = text(json_, "schema", "study.json");
    if (found != schema)
        refuse("expected " + std::string(schema) + ", found " + base::in_quotes(found) +
               ": it was made by another version of whynot; run it with that one");
    expect_keys(json_,
                {"schema", "name", "preset", "title", "seed", "made", "classes", "arms", "block", "steps", "stimuli", "grid", "exclude",
                 "completion", "analysis", "files"},
                "study.json");
    text(json_, "title", "study.json");
    const Json& seed = member(json_, "seed", "study.json");
    if (!seed.is_number_integer() || seed.get<int64_t>() < 0)
        refuse("'seed': expected a whole number of 0 or more, found " + base::shown(seed));
    if (json_.contains("made") && !json_.at("made").is_object()) refuse("'made': expected an object");
    const Json completion = json_.value("completion", Json::object());
    expect_keys(completion, {"code", "url"}, "'completion'");
    check_classes_and_arms();
    check_stimuli();
    check_steps();
    check_analysis();
}

void Design::check_classes_and_arms() {
    for (const Json& each : list(json_, "classes", "study.json")) {
        classes_.push_back(text(each, "name", "a class"));
        expect_keys(each, {"name", "of"}, "a class");
        text(each, "of", "a class");
    }
    if (classes_.size() != 2 || classes_[0] == classes_[1] || classes_[0].empty() || classes_[1].empty())
        refuse("'classes': expected two with different names, found " + std::to_string(classes_.size()));
    std::set<std::string> ids;
    for (const Json& each : list(json_, "arms", "study.json")) {
        Arm arm{text(each, "id", "an arm"), text(each, "explanation", "an arm")};
        check_id(arm.id, "an arm");
        expect_keys(each, {"id", "explanation"}, "the arm '" + arm.id + "'");
        if (!ids.insert(arm.id).second) refuse("there are two arms " + base::in_quotes(arm.id));
        if (!is_of(arm.explanation, explanation_kinds()))
            refuse("the arm '" + arm.id + "' shows " + base::in_quotes(arm.explanation) + "; there are " +
                   base::joined(explanation_kinds()));
        arms_.push_back(std::move(arm));
    }
    if (arms_.empty()) refuse("'arms': expected one or more, found none");
    const auto many = static_cast<int64_t>(arms_.size());
    const double block = number(json_, "block", 1, 10000, -1, "study.json");
    if (block < 1 || block != static_cast<double>(static_cast<int64_t>(block)) || static_cast<int64_t>(block) % many != 0)
        refuse("'block': expected a multiple of the " + std::to_string(many) + " arms, so that each block has all of them equally often");
}

void Design::check_stimuli() const {
    const Json& stimuli = member(json_, "stimuli", "study.json");
    if (!stimuli.is_object()) refuse("'stimuli': expected an object");
    for (const auto& [id, stimulus] : stimuli.items()) {
        const std::string of = "the stimulus " + base::in_quotes(id);
        check_id(id, of);
        expect_keys(stimulus, {"picture", "text", "model", "margin", "catch", "edited", "explanations"}, of);
        check_view(stimulus, of);
        flag(stimulus, "catch", of);
        if (!is_of(text(stimulus, "model", of), classes_)) refuse(of + ": the model should say " + classes_[0] + " or " + classes_[1]);
        if (!stimulus.contains("edited")) continue;
        const Json& edited = stimulus.at("edited");
        expect_keys(edited, {"picture", "text", "model"}, of + ", 'edited'");
        check_view(edited, of + ", 'edited'");
        if (!is_of(text(edited, "model", of), classes_)) refuse(of + ": after its edit the model should say one of the two");
    }
}

void Design::check_steps() {
    std::set<std::string> ids;
    for (const Json& each : list(json_, "steps", "study.json")) {
        Step step;
        step.id = text(each, "id", "a step");
        check_id(step.id, "a step");
        if (!ids.insert(step.id).second) refuse("there are two steps " + base::in_quotes(step.id));
        const std::string where = "the step '" + step.id + "'";
        std::set<std::string> within;  // ids of its questions or statements
        step.kind = text(each, "kind", where);
        step.json = each;
        if (const auto keys = keys_of_steps().find(step.kind); keys != keys_of_steps().end()) expect_keys(each, keys->second, where);
        for (const char* key : {"title", "button"})
            if (each.contains(key)) text(each, key, where);
        if (step.kind == "text") {
            for (const char* key : {"title", "text", "button"}) text(each, key, where);
        } else if (step.kind == "questions") {
            for (const Json& question : list(each, "questions", where)) {
                check_new_id(text(question, "id", where), within, where);
                text(question, "text", where);
                expect_keys(question, {"id", "text", "choices", "right"}, where + ", a question");
                const size_t choices = texts(question, "choices", where).size();
                if (choices < 2) refuse(where + ": a question should have two choices or more");
                whole(question, "right", 0, static_cast<double>(choices) - 1, 0, where);  // without it none is wrong
                if (question.contains("right") && !question.at("right").is_number_integer())
                    refuse(where + ", 'right': expected a whole number, found " + base::shown(question.at("right")));
            }
        } else if (step.kind == "scale") {
            whole(each, "points", 2, 11, 5, where);
            for (const char* key : {"title", "low", "high"}) text(each, key, where);
            for (const Json& statement : list(each, "statements", where)) {
                expect_keys(statement, {"id", "text"}, where + ", a statement");
                check_new_id(text(statement, "id", where), within, where);
                text(statement, "text", where);
            }
        } else if (step.kind == "trials") {
            step.items = texts(each, "items", where);
            step.ask = text(each, "ask", where);
            step.feedback = flag(each, "feedback", where);
            step.explain = flag(each, "explain", where);
            step.confidence = flag(each, "confidence", where);
            check_trials(step);
        } else {
            refuse(where + " is of the kind " + base::in_quotes(step.kind) + "; there are text, questions, trials, scale");
        }
        steps_.push_back(std::move(step));
    }
    if (steps_.empty()) refuse("'steps': expected one or more, found none");
}

void Design::check_trials(const Step& step) const {
    const std::string where = "the step '" + step.id + "'";
    if (step.items.empty()) refuse(where + " has no items");
    if (step.ask != "class" && step.ask != "after-edit")
        refuse(where + " asks " + base::in_quotes(step.ask) + "; there are class, after-edit");
    if (std::set<std::string>(step.items.begin(), step.items.end()).size() != step.items.size()) refuse(where + " has an item twice");
    if (step.explain && !step.feedback) refuse(where + " explains without feedback: an explanation comes with what the model says");
    for (const std::string& item : step.items) {
        const std::string of = where + ", the item " + base::in_quotes(item);
        check_id(item, of);
        const Json& stimuli = json_.at("stimuli");
        if (!stimuli.contains(item)) refuse(of + " is none of the stimuli, of which there are " + std::to_string(stimuli.size()));
        if (step.ask == "after-edit") member(stimuli.at(item), "edited", of);
        if (!step.explain) continue;
        for (const Arm& arm : arms_) check_explanation(step, item, arm);
    }
}

void Design::check_explanation(const Step& step, const std::string& item, const Arm& arm) const {
    const std::string& kind = arm.explanation;
    if (kind == "none") return;
    const std::string of = "the step '" + step.id + "', the item '" + item + "', its " + kind;
    if (kind == "grid") {
        const Json& grid = member(json_, "grid", "study.json, for the arm '" + arm.id + "',");
        for (const std::string& name : classes_)
            for (const std::string& example : texts(grid, name.c_str(), "'grid'")) check_view(stimulus(example), "the grid's " + example);
        return;
    }
    const Json& all = stimulus(item).value("explanations", Json::object());
    const Json& explanation = member(all, kind.c_str(), of);
    if (kind == "map" || kind == "edit") {
        text(explanation, "picture", of);
    } else if (kind == "morph") {
        if (texts(explanation, "steps", of).size() < 2 || texts(explanation, "says", of).size() != texts(explanation, "steps", of).size())
            refuse(of + ": expected two steps or more, and what is said of each");
    } else if (kind == "edits") {
        text(explanation, "line", of);
    } else {
        for (const Json& part : list(explanation, "parts", of))
            if (!part.is_array() || part.size() != 2 || !part[0].is_string() || !part[1].is_number())
                refuse(of + ": expected words with a number each");
    }
}

void Design::check_analysis() {
    const Json& analysis = member(json_, "analysis", "study.json");
    expect_keys(analysis, {"measure", "chance", "alpha", "equivalence", "comparisons", "published"}, "'analysis'");
    analysis_.measure = text(analysis, "measure", "'analysis'");
    const Step& measured = step(analysis_.measure);
    if (measured.kind != "trials") refuse("'analysis' measures the step '" + measured.id + "', which has no trials");
    analysis_.chance = number(analysis, "chance", 0, 1, 0.5, "'analysis'");
    analysis_.alpha = number(analysis, "alpha", 1e-6, 0.5, 0.05, "'analysis'");
    analysis_.equivalence = number(analysis, "equivalence", 1e-6, 1, 0.1, "'analysis'");
    const auto known = [&](const std::string& id) {
        return std::any_of(arms_.begin(), arms_.end(), [&](const Arm& arm) { return arm.id == id; });
    };
    for (const Json& pair : list(analysis, "comparisons", "'analysis'")) {
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string() || pair[0] == pair[1])
            refuse("'comparisons': expected pairs of different arms, found " + base::shown(pair));
        for (const Json& arm : pair)
            if (!known(arm.get<std::string>())) refuse("'comparisons' names the arm " + base::shown(arm) + ", which there is not");
        analysis_.comparisons.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
    }
    const Json exclude = json_.value("exclude", Json::object());
    expect_keys(exclude, {"failed_catches", "failed_comprehension", "least_median_seconds", "most_same_answer"}, "'exclude'");
    exclusions_.failed_catches = whole(exclude, "failed_catches", 0, 1000, 0, "'exclude'");
    exclusions_.failed_comprehension = whole(exclude, "failed_comprehension", 0, 1000, 0, "'exclude'");
    exclusions_.least_median_seconds = number(exclude, "least_median_seconds", 0, 3600, 0, "'exclude'");
    if (exclusions_.least_median_seconds > 0 && exclusions_.least_median_seconds <= page_takes_nothing)
        refuse("'exclude', 'least_median_seconds': the page takes no answer in the first " + base::number(page_takes_nothing) +
               " s, so this leaves out nobody");
    exclusions_.most_same_answer = number(exclude, "most_same_answer", 0, 1, 0, "'exclude'");
}

void Design::check_files() const {
    const Json& files = member(json_, "files", "study.json");
    std::set<std::string> known;
    for (const auto& [name, hash] : files.items()) {
        known.insert(name);
        const std::string bytes = base::read_file(file_in(folder_, name), largest_file, ErrorCode::invalid_input);
        if (!hash.is_string() || base::sha256_hex(bytes) != hash.get<std::string>())
            refuse("the file " + base::in_quotes(name) + " is not the one any more with which it was made");
    }
    const auto expect = [&](const Json& view) {
        if (const auto picture = view.find("picture"); picture != view.end() && known.count(picture->get<std::string>()) == 0)
            refuse("the picture " + base::shown(*picture) + " is none of its 'files'");
    };
    for (const auto& [id, stimulus] : json_.at("stimuli").items()) {
        expect(stimulus);
        if (stimulus.contains("edited")) expect(stimulus.at("edited"));
        const Json explanations = stimulus.value("explanations", Json::object());
        for (const auto& [kind, explanation] : explanations.items()) {
            expect(explanation);
            for (const Json& step : explanation.value("steps", Json::array())) expect({{"picture", step}});
        }
    }
}

}  // namespace whynot::cli::study
