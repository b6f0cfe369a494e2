#include "study/taking/course.h"

#include <functional>

#include "base/sha256.h"
#include "study/making/random.h"
#include "whynot/edits.h"

namespace whynot::cli::study {
namespace {

using base::Json;

/// A line with edits as parts: kept, deleted, inserted.
Json parts_of(const std::string& line) {
    constexpr const char* names[] = {"kept", "deleted", "inserted"};
    Json parts = Json::array();
    for (const auto& [kind, text] : edit_parts(line)) parts.push_back({names[static_cast<int>(kind)], std::string(text)});
    return parts;
}

/// A picture or a text, as a participant gets it.
void put_view(Json& into, const Json& view, const OpaqueNames& names) {
    if (view.contains("picture"))
        into["picture"] = names.of(view.at("picture").get<std::string>());
    else
        into["text"] = view.at("text");
}

Json view_of(const Json& view, const OpaqueNames& names) {
    Json made = Json::object();
    put_view(made, view, names);
    return made;
}

Json grid_of(const Design& design, const OpaqueNames& names) {
    Json rows = Json::array();
    for (const std::string& name : design.classes()) {
        Json row{{"name", name}};
        for (const Json& example : design.json().at("grid").at(name)) {
            const Json& stimulus = design.stimulus(example.get<std::string>());
            if (stimulus.contains("picture"))
                row["pictures"].push_back(names.of(stimulus.at("picture").get<std::string>()));
            else
                row["texts"].push_back(stimulus.at("text"));
        }
        rows.push_back(std::move(row));
    }
    return {{"kind", "grid"},
            {"rows", rows},
            {"caption", "Examples of both, from those that it is least sure of to those that it is surest of."}};
}

Json explanation_of(const Design& design, const Arm& arm, const std::string& item, const OpaqueNames& names) {
    const std::string& kind = arm.explanation;
    if (kind == "none") return nullptr;
    if (kind == "grid") return grid_of(design, names);
    const Json& explanation = design.stimulus(item).at("explanations").at(kind);
    Json made{{"kind", kind}};
    if (kind == "map") {
        made["picture"] = names.of(explanation.at("picture").get<std::string>());
        made["caption"] = "Where the computer looked: red counted for its answer, blue against it.";
    } else if (kind == "edit") {
        made["picture"] = names.of(explanation.at("picture").get<std::string>());
        made["caption"] = "A small change of single points after which the computer answers the other one.";
    } else if (kind == "morph") {
        for (const Json& step : explanation.at("steps")) made["steps"].push_back(names.of(step.get<std::string>()));
        made["says"] = explanation.at("says");
        made["caption"] = "How it would have to change until the computer answers the other one.";
    } else if (kind == "words") {
        made["parts"] = explanation.at("parts");
        made["caption"] =
            "How much each word counted. A bar to the right spoke for the computer's answer, a bar to the left against it; longer bars "
            "counted more.";
    } else {
        made["parts"] = parts_of(explanation.at("line").get<std::string>());
        made["caption"] =
            "With these changes the computer would have given the other answer. What is crossed out is removed, what is underlined put in.";
    }
    return made;
}

Json trial(const Design& design, const Step& step, const Screen& screen, const OpaqueNames& names) {
    const Json& stimulus = design.stimulus(screen.item);
    const std::string right = design.right(step, screen.item);
    const bool is_catch = stimulus.value("catch", false);
    Json made{{"kind", "trial"}, {"title", ""}, {"ask", step.ask}};
    made["instruction"] = is_catch ? "This one shows whether you read along: choose " + right + "."
                          : step.ask == "class"
                              ? "What does the computer call this?"
                              : "The computer called it " + stimulus.at("model").get<std::string>() + ". Then it was changed as you see.";
    put_view(made, stimulus, names);
    if (step.ask == "after-edit") made["edited"] = view_of(stimulus.at("edited"), names);
    made["choices"] = {design.classes().at(screen.first_choice), design.classes().at(1 - screen.first_choice)};
    made["confidence"] = step.confidence ? Json{{"points", confidence_points}, {"low", "guessed"}, {"high", "certain"}} : Json();
    made["number"] = screen.number;
    made["of"] = screen.of;
    return made;
}

Json feedback(const Design& design, const Step& step, const Arm& arm, const Screen& screen, const Json& given, const OpaqueNames& names) {
    const std::string right = design.right(step, screen.item);
    Json made{{"kind", "feedback"}, {"right", given == right}, {"says", "The computer calls this " + right + "."}};
    put_view(made, design.stimulus(screen.item), names);
    made["explanation"] = step.explain ? explanation_of(design, arm, screen.item, names) : Json();
    made["button"] = "Next";
    return made;
}

/// Whether each of a list of things, which have ids, has a whole number from `least` to `most`.
std::string problem_of_numbers(const Json& things, const Json& answer, int64_t least, const std::function<int64_t(const Json&)>& most) {
    if (!answer.is_object()) return "expected an answer to each, found none";
    for (const Json& thing : things) {
        const std::string id = thing.at("id").get<std::string>();
        const auto found = answer.find(id);
        if (found == answer.end() || !found->is_number_integer() || found->get<int64_t>() < least || found->get<int64_t>() > most(thing))
            return "'" + id + "': expected a whole number from " + std::to_string(least) + " to " + std::to_string(most(thing));
    }
    return answer.size() == things.size() ? "" : "there are answers to what was not asked";
}

}  // namespace

size_t first_choice_of(uint64_t seed) { return Random(seed, "first button").below(2); }

std::vector<Screen> course_of(const Design& design, uint64_t seed) {
    const size_t first_choice = first_choice_of(seed);
    std::vector<Screen> screens;
    for (const Step& step : design.steps()) {
        if (step.kind != "trials") {
            screens.push_back({step.id, step.kind, "", 0, 0, 0});
            continue;
        }
        std::vector<std::string> items = step.items;
        Random(seed, step.id).shuffle(items);
        const auto of = static_cast<int64_t>(items.size());
        for (int64_t i = 0; i < of; ++i) {
            screens.push_back({step.id, "trial", items[static_cast<size_t>(i)], i + 1, of, first_choice});
            if (step.feedback) screens.push_back({step.id, "feedback", items[static_cast<size_t>(i)], i + 1, of, 0});
        }
    }
    return screens;
}

OpaqueNames::OpaqueNames(const Design& design) {
    const Json files = design.json().value("files", Json::object());
    for (const auto& [file, hash] : files.items()) {
        // Not of its content alone: whoever has the pictures could look that up.
        names_[file] = "/file/" + base::sha256_hex(design.sha256() + " " + file).substr(0, 32);
        files_[names_[file]] = file;
    }
}

std::string OpaqueNames::file_of(const std::string& path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? "" : found->second;
}

Json to_json(const Design& design, const Arm& arm, const Screen& screen, const Json& given, const OpaqueNames& names) {
    const Step& step = design.step(screen.step);
    if (screen.kind == "trial") return trial(design, step, screen, names);
    if (screen.kind == "feedback") return feedback(design, step, arm, screen, given, names);
    Json made{{"kind", screen.kind}};
    for (const char* key : {"title", "text", "button", "points", "low", "high", "statements"})
        if (step.json.contains(key)) made[key] = step.json.at(key);
    if (screen.kind == "questions")
        for (const Json& question : step.json.at("questions"))
            made["questions"].push_back({{"id", question.at("id")}, {"text", question.at("text")}, {"choices", question.at("choices")}});
    if (!made.contains("button")) made["button"] = "Next";
    return made;
}

std::string problem_of(const Design& design, const Screen& screen, const Json& answer, const Json& confidence) {
    const Step& step = design.step(screen.step);
    if (screen.kind == "text" || screen.kind == "feedback") return answer == "next" ? "" : "expected \"next\"";
    if (screen.kind == "scale")
        return problem_of_numbers(step.json.at("statements"), answer, 1,
                                  [&](const Json&) { return step.json.value("points", int64_t{5}); });
    if (screen.kind == "questions")
        return problem_of_numbers(step.json.at("questions"), answer, 0,
                                  [](const Json& question) { return static_cast<int64_t>(question.at("choices").size()) - 1; });
    if (answer != design.classes()[0] && answer != design.classes()[1])
        return "expected " + design.classes()[0] + " or " + design.classes()[1];
    const bool has = confidence.is_number_integer() && confidence.get<int64_t>() >= 1 && confidence.get<int64_t>() <= confidence_points;
    if (step.confidence && !has) return "expected a confidence from 1 to " + std::to_string(confidence_points);
    return "";
}

std::optional<std::string> right_answer(const Design& design, const Screen& screen) {
    if (screen.kind != "trial") return std::nullopt;
    return design.right(design.step(screen.step), screen.item);
}

}  // namespace whynot::cli::study
