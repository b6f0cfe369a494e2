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
    return text_step(
        "consent", "Before you begin",
        "You are asked to take part in a study of how people learn what a computer does. It takes about [minutes], and "
        "[what is paid].\n\n"
        "We save your answers, when and how fast you gave them, how much of what is shown you looked at, and how often this page "
        "was loaded again or left, under a random number. If you came from a recruiting site, its ids of you are saved to pay "
        "you, are kept apart from what we publish, and are deleted by [date]. The data without those ids may be published for "
        "other researchers.\n\n"
        "There are no known risks. You may stop at any time, without giving a reason [and are paid what is said here], and "
        "have everything deleted that was saved of you: the button for that is on every page from the next one on.\n\n"
        "Responsible: [name, institution, address]. Ethics approval: [number]. Questions and complaints: [address].\n\n"
        "By going on you say that you are of age and take part of your own will.",
        "I agree");
}

Json debriefing() {
    return text_step("debriefing", "What this was about",
                     "People saw different things after each answer, and we compare how well they could tell the computer's answers "
                     "afterwards. [What each group saw, and where results will stand.]\n\nIf you want your data to be deleted, press the "
                     "button below, now or on the next page.",
                     "Finish");
}

Json instructions(const std::string& what) {
    return text_step(
        "instructions", "What you will do",
        "A computer sorts " + what +
            " into two kinds, which have made-up names. You will learn to tell what it calls them.\n\nWhat counts is the computer's "
            "answer, also where you would have called it something else. The keys 1 and 2 answer as well.",
        "Next");
}

/// What comes now, before each part of the trials.
Json announcement(const std::string& of, const std::string& title, const std::string& text) {
    return text_step("before-" + of, title, text, "Begin");
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

/// For everybody: whoever had it wrong reads it once more.
Json reminder() {
    return text_step("reminder", "Once more",
                     "Right is what the computer calls it, not what most people call it. The two names are made up: what they stand for is "
                     "what you find out.",
                     "Next");
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
        consent(),
        instructions("pictures"),
        announcement("learning", "Twenty pictures",
                     "Say of each what you think the computer calls it. After each of your answers you see what it does."),
        trials_step("learning", "class", true, false),
        rating("rating", "One more question", {{"helped", "What I saw after each answer helped me to tell what the computer does."}}, 5),
        debriefing()};
    made.trials = {{"learning", 20, false}};
    made.exclude = Json::object();
    made.analysis = {
        {"measure", "learning"}, {"chance", 0.5},
        {"alpha", 0.05},         {"comparisons", pairs({{"cdeepex", "control"}, {"grad-cam", "control"}, {"cdeepex", "grad-cam"}})},
        {"equivalence", 0.1},    {"published", true}};
    return made;
}

/// In words that fit each arm, also the one that saw the answers alone.
Json satisfaction() {
    return rating("satisfaction", "What you saw after each answer",
                  {{"understand", "From what I saw after each answer, I understand how the computer decides."},
                   {"satisfying", "What I saw after each answer was satisfying."},
                   {"enough", "It had enough detail."},
                   {"complete", "It was complete."},
                   {"useful", "It helped me to tell what the computer will answer."},
                   {"trust", "It shows me how far I can trust the computer."}},
                  5);
}

/// @param seconds below which nobody has looked
Json exclusions(double seconds) {
    return {{"failed_catches", 2}, {"failed_comprehension", 2}, {"least_median_seconds", seconds}, {"most_same_answer", 0.9}};
}

Json steps_of_learning(const std::string& what) {
    return {
        consent(),
        instructions(what),
        comprehension(),
        reminder(),
        announcement("pre-test", "First, without answers",
                     "So that we know where you start: eight questions after which you are not told the computer's "
                     "answer. You cannot know it yet; please guess."),
        trials_step("pre-test", "class", false, false),
        announcement("learning", "Now you learn", "After each of your answers you see what the computer calls it. Take your time to look."),
        trials_step("learning", "class", true, false),
        announcement("test", "Now show what you have learned",
                     "You are not told the computer's answer any more. After each choice, say how sure you are."),
        trials_step("test", "class", false, true),
        announcement(
            "after-edit", "The last part",
            "You see one before and after a change, and are told what the computer called it before. Say what it calls it after the "
            "change. Again you are not told its answer."),
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
    made.exclude = exclusions(0.6);
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
    made.exclude = exclusions(1);
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
