#include "study/making/presets.h"

#include "base/format.h"
#include "base/text.h"
#include "whynot/error.h"

namespace whynot::cli::study {
namespace {

using base::Json;

Json text_step(const std::string& id, const std::string& title, const std::string& text, const std::string& button) {
    return {{"id", id}, {"kind", "text"}, {"title", title}, {"text", text}, {"button", button}};
}

Json trials_step(const std::string& id, const std::string& ask, bool feedback, bool confidence) {
    return {{"id", id},
            {"kind", "trials"},
            {"items", Json::array()},
            {"ask", ask},
            {"feedback", feedback},
            {"explain", feedback},
            {"confidence", confidence}};
}

/// Arms to compare, the first against the second.
Json pairs(const std::vector<std::pair<std::string, std::string>>& arms) {
    Json list = Json::array();
    for (const auto& [first, second] : arms) list.push_back(Json::array({first, second}));
    return list;
}

Json consent() {
    return text_step("consent", "Before you begin",
                     "You are asked to take part in a study of how people learn what a computer does. [Who runs it, how long it takes, "
                     "what is paid, and whom to write "
                     "to: fill this in.]\n\n"
                     "Your answers, how long they take, and whether this page loses your attention are saved, under a random number. You "
                     "may stop at any time with the "
                     "button below, and have everything deleted that was saved of you.\n\n"
                     "By going on you say that you are of age and take part of your own will.",
                     "I agree");
}

Json debriefing() {
    return text_step("debriefing", "What this was about",
                     "People saw different things beside the answers of the computer, and we compare how well they could tell its answers "
                     "afterwards. [Say here what "
                     "each group saw, and where results will stand.]\n\nIf you want your data to be deleted, press the button below before "
                     "you close this page.",
                     "Finish");
}

Json instructions(const std::string& what) {
    return text_step(
        "instructions", "What you will do",
        "A computer sorts " + what +
            " into two kinds, which have made-up names. You will learn to tell what it calls them: you see one, say what you think the "
            "computer calls it, "
            "and then see what it does.\n\nWhat counts is the computer's answer, also where you would have called it something else. The "
            "keys 1 and 2 answer as well.",
        "Begin");
}

Json comprehension() {
    return {{"id", "comprehension"},
            {"kind", "questions"},
            {"title", "Two questions first"},
            {"questions",
             {{{"id", "what-counts"},
               {"text", "Which answer is right?"},
               {"choices", {"What the computer calls it", "What most people call it", "What is written on it"}},
               {"right", 0}},
              {{"id", "names"},
               {"text", "What do the two names mean?"},
               {"choices", {"Two places", "Two made-up kinds", "Two people"}},
               {"right", 1}}}}};
}

Json rating(const std::string& id, const std::string& title, const std::vector<std::pair<std::string, std::string>>& statements,
            int64_t points) {
    Json step{{"id", id}, {"kind", "scale"}, {"title", title}, {"points", points}, {"low", "not at all"}, {"high", "very much"}};
    for (const auto& [name, text] : statements) step["statements"].push_back({{"id", name}, {"text", text}});
    return step;
}

/// Three arms, twenty trials with feedback, a rating: chapter 5 of the dissertation. What is wrong with it, 'whynot study analyse --published' says.
Preset feghahati2020() {
    Preset made;
    made.name = "feghahati2020";
    made.about =
        "the dissertation's: control, Grad-CAM, contrastive morph; 20 trials with feedback, a rating. It is underpowered: see --published";
    made.title = "What does the computer call it?";
    made.arms = {{"control", "none"}, {"grad-cam", "map"}, {"cdeepex", "morph"}};
    made.steps = {
        consent(), instructions("pictures"), trials_step("learning", "class", true, false),
        rating("rating", "One more question", {{"helped", "What I saw beside the answers helped me to tell what the computer does."}}, 5),
        debriefing()};
    made.trials = {{"learning", 20, false}};
    made.exclude = Json::object();
    made.analysis = {{"measure", "learning"},
                     {"chance", 0.5},
                     {"alpha", 0.05},
                     {"comparisons", pairs({{"cdeepex", "control"}, {"grad-cam", "control"}, {"cdeepex", "grad-cam"}})},
                     {"equivalence", 0.1}};
    return made;
}

Json satisfaction() {
    return rating("satisfaction", "What you saw beside the answers",
                  {{"understand", "From it I understand how the computer decides."},
                   {"satisfying", "It was satisfying."},
                   {"enough", "It had sufficient detail."},
                   {"complete", "It was complete."},
                   {"useful", "It was useful for telling what the computer will answer."},
                   {"trust", "It shows me how far I can trust the computer."}},
                  5);
}

Json exclusions() {
    return {{"failed_catches", 2}, {"failed_comprehension", 2}, {"least_median_seconds", 0.3}, {"most_same_answer", 0.95}};
}

Json steps_of_learning(const std::string& what) {
    return {consent(),
            instructions(what),
            comprehension(),
            trials_step("pre-test", "class", false, false),
            trials_step("learning", "class", true, false),
            trials_step("test", "class", false, true),
            trials_step("after-edit", "after-edit", false, true),
            satisfaction(),
            debriefing()};
}

Json analysis_of_test(const Json& comparisons) {
    return {{"measure", "test"}, {"chance", 0.5}, {"alpha", 0.05}, {"comparisons", comparisons}, {"equivalence", 0.1}};
}

Preset five_arms() {
    Preset made;
    made.name = "five-arms";
    made.about =
        "a fairer one: control, map, morph, closest edit, sorted examples; learning with feedback, then a test without, before and after "
        "an edit";
    made.title = "What does the computer call it?";
    made.arms = {{"control", "none"}, {"map", "map"}, {"morph", "morph"}, {"edit", "edit"}, {"grid", "grid"}};
    made.steps = steps_of_learning("pictures");
    made.trials = {{"pre-test", 8, false}, {"learning", 20, true}, {"test", 20, true}, {"after-edit", 20, false}};
    made.grid = 6;
    made.exclude = exclusions();
    made.analysis =
        analysis_of_test(pairs({{"morph", "control"}, {"morph", "map"}, {"morph", "grid"}, {"edit", "control"}, {"map", "control"}}));
    return made;
}

Preset words() {
    Preset made;
    made.name = "sentences";
    made.about = "of texts: control, the words that the answer rests on, the sentence edited until the answer is the other one";
    made.title = "What does the computer call it?";
    made.of_texts = true;
    made.arms = {{"control", "none"}, {"words", "words"}, {"edits", "edits"}};
    made.steps = steps_of_learning("sentences");
    made.trials = {{"pre-test", 8, false}, {"learning", 16, true}, {"test", 20, true}, {"after-edit", 16, false}};
    made.exclude = exclusions();
    made.analysis = analysis_of_test(pairs({{"edits", "control"}, {"edits", "words"}, {"words", "control"}}));
    return made;
}

}  // namespace

const std::vector<Preset>& presets() {
    static const std::vector<Preset> all{feghahati2020(), five_arms(), words()};
    return all;
}

const Preset& preset(const std::string& name) {
    std::vector<std::string> names;
    for (const Preset& each : presets()) {
        if (each.name == name) return each;
        names.push_back(each.name);
    }
    throw Error(ErrorCode::invalid_argument, "--preset " + base::in_quotes(name) + ": there are " + base::joined(names));
}

}  // namespace whynot::cli::study
