#include "study/making/making.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "stream/inputs.h"
#include "study/making/random.h"
#include "whynot/atomic_file.h"
#include "whynot/edits.h"
#include "whynot/error.h"
#include "whynot/page.h"
#include "whynot/version.h"

namespace fs = std::filesystem;

namespace whynot::cli::study {
namespace {

using base::Json;

constexpr size_t at_once = 64;
constexpr int64_t most_inputs = 3000;
constexpr int64_t longest_edit = 40;  // steps of the closest edit

/// Names that mean nothing. The dissertation's come first.
const std::vector<std::string> made_up{"Ternal", "Peat"};

/// An input with what the model says of it.
struct Candidate {
    Input input;
    std::string model;  ///< the pack's name of its class
    double margin = 0;  ///< log of how much likelier it is than the other of the two
};

double probability_in(const ClassProbabilities& probabilities, const std::string& name) {
    for (const auto& [known, p] : probabilities)
        if (known == name) return p;
    return 0;
}

class Maker {
public:
    Maker(const Making& making, Asker& asker, fs::path folder, const Told& told)
        : making_(making),
          asker_(asker),
          folder_(std::move(folder)),
          told_(told),
          random_(making.seed, "making"),
          classes_(making.classes) {}

    void make() {
        find_candidates();
        choose_names();
        const Preset& preset = making_.preset;
        Json steps = preset.steps;
        for (const Trials& trials : preset.trials)
            for (Json& step : steps)
                if (step.at("id") == trials.step) step["items"] = items_for(trials, step);
        json_["steps"] = steps;
        if (preset.grid > 0) make_grid();
        json_["made"]["passed_over"] = passed_over_;
        json_["made"]["of_the_surer_half"] = of_the_surer_half_;
        json_["stimuli"] = stimuli_;
        json_["exclude"] = preset.exclude;
        json_["completion"] = {{"code", completion_code()}, {"url", ""}};
        json_["analysis"] = preset.analysis;
        json_["files"] = files_;
        const Design checked(json_);  // what was made is a study
        write_file_atomically(folder_ / "study.json", json_.dump(1) + "\n");
    }

    /// What stands before the stimuli.
    void begin() {
        const PackManifest& manifest = making_.pack.manifest;
        json_ = {{"schema", "whynot.study/1"},
                 {"name", manifest.id + "-" + making_.preset.name},
                 {"preset", making_.preset.name},
                 {"seed", making_.seed},
                 {"title", making_.title.empty() ? making_.preset.title : making_.title}};
        result_pack_ = ask(Task::samples, {}, {}).pack;
        json_["made"] = {{"whynot", WHYNOT_VERSION},
                         {"pack",
                          {{"id", result_pack_.id},
                           {"version", result_pack_.version},
                           {"sha256", result_pack_.sha256},
                           {"licence", result_pack_.licence}}},
                         {"inputs", making_.inputs.empty() ? manifest.corpus + ", held out" : "given"},
                         {"chosen", "at random, of the half of each class that the model is less sure of"}};
    }

private:
    AskResult ask(Task task, std::vector<Input> inputs, std::vector<Question> questions, const std::string& method = "") {
        AskRequest request;
        request.task = task;
        request.pack = making_.pack.folder.string();
        request.problems.resize(inputs.size());
        questions.resize(inputs.size());
        request.inputs = std::move(inputs);
        request.questions = std::move(questions);
        request.method = method;
        request.seed = making_.seed;
        request.limit = most_inputs;
        return asker_.ask(request, [&](const AskProgress&) {
            told_(doing_, share_);
            return true;
        });
    }

    void tell(const std::string& doing, double share) {
        doing_ = doing;
        share_ = share;
        told_(doing, share);
    }

    // --- what there is to show

    void find_candidates() {
        tell("reading inputs", 0);
        const std::vector<Input> inputs = making_.inputs.empty() ? ask(Task::held_out, {}, {}).samples : making_.inputs;
        std::vector<Classification> said;
        for (size_t begin = 0; begin < inputs.size(); begin += at_once) {
            tell("asking what the model says of " + std::to_string(inputs.size()) + " inputs",
                 0.2 * static_cast<double>(begin) / static_cast<double>(inputs.size()));
            const size_t end = std::min(inputs.size(), begin + at_once);
            for (Classification& each :
                 ask(Task::classify,
                     {inputs.begin() + static_cast<std::ptrdiff_t>(begin), inputs.begin() + static_cast<std::ptrdiff_t>(end)}, {})
                     .classifications)
                said.push_back(std::move(each));
        }
        if (classes_.empty()) classes_ = most_alike(said);
        for (const std::string& name : classes_) {
            const std::vector<std::string>& known = making_.pack.manifest.classes;
            if (std::find(known.begin(), known.end(), name) == known.end())
                throw Error(ErrorCode::invalid_argument,
                            "the pack '" + making_.pack.manifest.id + "' has no class " + base::in_quotes(name));
        }
        for (size_t i = 0; i < said.size(); ++i) {
            if (!said[i].refusal.empty()) continue;
            for (size_t c = 0; c < 2; ++c) {
                if (said[i].predicted != classes_[c]) continue;
                const double mine = probability_in(said[i].probabilities, classes_[c]),
                             other = probability_in(said[i].probabilities, classes_[1 - c]);
                candidates_[c].push_back({inputs[i], classes_[c], std::log(std::max(mine, 1e-12)) - std::log(std::max(other, 1e-12))});
            }
        }
        for (const size_t c : {0, 1}) put_in_order(c);
    }

    /// The half that the model is less sure of comes first, in an order that the seed draws: what it is surest of, anybody tells at once, and where everybody is
    /// right no arm can be better than another.
    void put_in_order(size_t c) {
        std::vector<Candidate>& all = candidates_[c];
        std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.margin < b.margin; });
        const size_t half = half_[c] = (all.size() + 1) / 2;
        std::vector<Candidate> less(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(half)),
            more(all.begin() + static_cast<std::ptrdiff_t>(half), all.end());
        random_.shuffle(less);
        random_.shuffle(more);
        std::move(less.begin(), less.end(), all.begin());
        std::move(more.begin(), more.end(), all.begin() + static_cast<std::ptrdiff_t>(half));
    }

    /// The two classes that are each other's runner-up most often: what is learned of them is not seen at once.
    static std::vector<std::string> most_alike(const std::vector<Classification>& said) {
        std::map<std::pair<std::string, std::string>, double> alike;
        for (const Classification& each : said) {
            if (!each.refusal.empty()) continue;
            for (const auto& [name, p] : each.probabilities)
                if (name != each.predicted) alike[std::minmax(name, each.predicted)] += p;
        }
        if (alike.empty()) throw Error(ErrorCode::invalid_argument, "none of the inputs can be asked about; give others with --inputs");
        const auto most = std::max_element(alike.begin(), alike.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return {most->first.first, most->first.second};
    }

    void choose_names() {
        std::vector<std::string> names = made_up;
        random_.shuffle(names);
        for (size_t c = 0; c < 2; ++c) {
            names_[classes_[c]] = names[c];
            json_["classes"].push_back({{"name", names[c]}, {"of", classes_[c]}});
        }
        for (const Arm& arm : making_.preset.arms) json_["arms"].push_back({{"id", arm.id}, {"explanation", arm.explanation}});
        json_["block"] = making_.preset.arms.size();
    }

    std::string completion_code() {
        std::string code;
        for (int i = 0; i < 8; ++i) code += "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[random_.below(32)];
        return code;
    }

    // --- stimuli

    /// The next candidate of a class that nobody has seen yet.
    Candidate next(size_t c) {
        std::vector<Candidate>& all = candidates_[c];
        if (used_[c] >= all.size())
            throw Error(ErrorCode::invalid_argument, "there are too few inputs that the model calls '" + classes_[c] +
                                                         "': " + std::to_string(all.size()) +
                                                         "; give more with --inputs, or choose other --classes");
        if (used_[c] >= half_[c]) ++of_the_surer_half_;
        return all[used_[c]++];
    }

    Json items_for(const Trials& trials, const Json& step) {
        Json items = Json::array();
        for (int64_t i = 0; i < trials.items; ++i) {
            tell("making the trials of '" + trials.step + "'", 0.2 + 0.8 * static_cast<double>(done_++) / static_cast<double>(all_items()));
            items.push_back(item(static_cast<size_t>(i % 2), trials.step + "-" + std::to_string(i + 1), step, i % 4 < 2));
        }
        if (!trials.catch_too) return items;
        const std::string id = trials.step + "-catch";
        items.push_back(item(random_.below(2), id, step, true));
        stimuli_[id]["catch"] = true;
        return items;
    }

    /// A stimulus of a class, with all that its step shows of it: those for which an arm has nothing to show are passed over.
    /// @param turns of a question after an edit: whether that turns the class
    std::string item(size_t c, const std::string& id, const Json& step, bool turns) {
        for (;;) {
            const Candidate candidate = next(c);
            Json made = stimulus(candidate, id);
            const bool fits = (step.at("explain") != true || explain(candidate, id, made)) &&
                              (step.at("ask") != "after-edit" || edit(candidate, id, turns, made));
            if (!fits) {
                ++passed_over_;
                continue;
            }
            stimuli_[id] = std::move(made);
            return id;
        }
    }

    int64_t all_items() const {
        int64_t all = 0;
        for (const Trials& trials : making_.preset.trials) all += trials.items;
        return std::max<int64_t>(1, all);
    }

    Json stimulus(const Candidate& candidate, const std::string& id) {
        Json made = Json::object();
        put(made, candidate.input, id);
        made["model"] = names_.at(candidate.model);
        made["margin"] = candidate.margin;
        return made;
    }

    /// What an input looks like: a picture in the folder, or its text.
    void put(Json& into, const Input& input, const std::string& id) {
        if (is_image(input))
            into["picture"] = write("stimuli/" + id + ".png", input.content);
        else
            into["text"] = input.content;
    }

    std::string write(const std::string& name, const std::string& bytes) {
        fs::create_directories((folder_ / name).parent_path());
        write_file_atomically(folder_ / name, bytes);
        files_[name] = base::sha256_hex(bytes);
        return name;
    }

    const std::string& other(const std::string& name) const { return name == classes_[0] ? classes_[1] : classes_[0]; }

    Question question_of(const Candidate& candidate) const { return {candidate.model, other(candidate.model), ""}; }

    /// Explained in the way of each arm. False: one of them has nothing to show.
    bool explain(const Candidate& candidate, const std::string& id, Json& made_of_it) {
        Json explanations = Json::object();
        for (const Arm& arm : making_.preset.arms) {
            if (arm.explanation == "none" || arm.explanation == "grid") continue;
            Json made = arm.explanation == "morph"   ? morph(candidate, id)
                        : arm.explanation == "map"   ? map(candidate, id)
                        : arm.explanation == "edit"  ? closest_edit(candidate, id)
                        : arm.explanation == "words" ? words(candidate)
                                                     : edits(candidate);
            if (made.is_null()) return false;
            explanations[arm.explanation] = std::move(made);
        }
        made_of_it["explanations"] = std::move(explanations);
        return true;
    }

    /// The answer, with its steps; nothing where the model did not reach it.
    std::optional<Answer> answer_to(const Candidate& candidate) {
        Answer answer = std::move(ask(Task::explain, {candidate.input}, {question_of(candidate)}).answers.at(0));
        if (answer.record.status != "found" || !answer.record.answer || answer.record.answer->status != "found") return std::nullopt;
        return answer;
    }

    /// Which of the two names the model gives to a step. Not how sure it is: no other arm is told that.
    const std::string& name_of(const ClassProbabilities& before, const Frame& frame) const {
        double p[2] = {0, 0};
        for (size_t c = 0; c < before.size(); ++c)
            for (const size_t i : {0, 1})
                if (before[c].first == classes_[i]) p[i] = frame.probabilities.at(c);
        return names_.at(classes_[p[1] > p[0] ? 1 : 0]);
    }

    Json morph(const Candidate& candidate, const std::string& id) {
        const std::optional<Answer> answer = answer_to(candidate);
        if (!answer || answer->frames.size() < 2) return nullptr;
        Json made = Json::object();
        for (size_t i = 0; i < answer->frames.size(); ++i) {
            made["steps"].push_back(
                write("explanations/" + id + "-morph-" + std::to_string(i + 1) + ".png", to_png(answer->frames[i].picture)));
            made["says"].push_back("step " + std::to_string(i + 1) + " of " + std::to_string(answer->frames.size()) + ": " +
                                   name_of(answer->record.probabilities.before, answer->frames[i]));
        }
        return made;
    }

    const std::string& method() {
        if (!method_.empty()) return method_;
        method_ = making_.method;
        if (!method_.empty()) return method_;
        const std::vector<AttributionMethod> methods = ask(Task::attribute, {}, {}).methods;
        if (methods.empty())
            throw Error(ErrorCode::not_found, "the pack '" + making_.pack.manifest.id + "' has no methods of attribution for the maps");
        method_ = methods.front().name;
        for (const AttributionMethod& each : methods)
            if (each.name == "grad-cam") method_ = each.name;
        return method_;
    }

    Attributed attributed(const Candidate& candidate, const std::string& by) {
        return std::move(ask(Task::attribute, {candidate.input}, {question_of(candidate)}, by).attributions.at(0));
    }

    Json map(const Candidate& candidate, const std::string& id) {
        const Attributed said = attributed(candidate, method());
        if (!said.reason.empty()) return nullptr;
        for (const NamedPicture& named : said.map.pictures)
            if (named.name == "map")
                return {{"picture", write("explanations/" + id + "-map.png", to_png(named.picture))}, {"method", method()}};
        return nullptr;
    }

    Json words(const Candidate& candidate) {
        const Attributed said = attributed(candidate, method());
        if (!said.reason.empty()) return nullptr;
        Json parts = Json::array();
        for (size_t i = 0; i < said.map.parts.size(); ++i) parts.push_back({said.map.parts[i], said.map.scores.at(i)});
        return {{"parts", parts}, {"method", method()}};
    }

    Json edits(const Candidate& candidate) {
        const std::optional<Answer> answer = answer_to(candidate);
        if (!answer) return nullptr;
        return {{"line", answer->terminal.substr(0, answer->terminal.find('\n'))}};
    }

    Classification said_of(const Input& input) { return std::move(ask(Task::classify, {input}, {}).classifications.at(0)); }

    /// A change of single pixels that turns the class, near the smallest, by linear steps: with the gap f between the two and its gradient g, the nearest point
    /// where f would be zero lies f g / |g|^2 away (Moosavi-Dezfooli and others, DeepFool, 2016). A little more than that, so that rounding to 256
    /// levels does not undo it.
    Json closest_edit(const Candidate& candidate, const std::string& id) {
        constexpr double overshoot = 1.1;
        Candidate moved = candidate;
        std::optional<std::vector<double>> levels;  // of the picture as the model sees it, 0 to 255
        for (int64_t step = 0; step < longest_edit; ++step) {
            const Attributed said = attributed(moved, "gradient");
            if (!said.reason.empty() || said.map.pictures.empty() || said.map.pictures.front().picture.channels != 1) return nullptr;
            const Picture& seen = said.map.pictures.front().picture;
            if (!levels) levels.emplace(seen.bytes.begin(), seen.bytes.end());
            const double gap = std::log(probability_in(said.probabilities, candidate.model) /
                                        std::max(1e-300, probability_in(said.probabilities, other(candidate.model))));
            double squares = 0;
            for (const double g : said.map.scores) squares += g * g;
            if (!(squares > 0) || said.map.scores.size() != levels->size()) return nullptr;
            Picture changed = seen;
            for (size_t i = 0; i < levels->size(); ++i) {
                (*levels)[i] = std::clamp((*levels)[i] - 255 * overshoot * std::max(gap, 0.05) * said.map.scores[i] / squares, 0.0, 255.0);
                changed.bytes[i] = static_cast<uint8_t>(std::lround((*levels)[i]));
            }
            moved.input.content = to_png(changed);
            if (said_of(moved.input).predicted == other(candidate.model))
                return {{"picture", write("explanations/" + id + "-edit.png", moved.input.content)}};
        }
        return nullptr;
    }

    /// What an edit made of it, for the question what the model says then: one that turns the class, or one that stops short of that.
    bool edit(const Candidate& candidate, const std::string& id, bool turns, Json& made_of_it) {
        const std::optional<Answer> answer = answer_to(candidate);
        if (!answer) return false;
        Input edited = candidate.input;
        if (is_image(candidate.input)) {
            // Half of the way to the boundary, or all of the way to the answer.
            const auto boundary =
                std::find_if(answer->frames.begin(), answer->frames.end(), [](const Frame& frame) { return frame.name == "boundary"; });
            if (boundary == answer->frames.end()) return false;
            const auto half = (boundary - answer->frames.begin()) / 2;
            edited.content = to_png((turns ? answer->frames.back() : answer->frames[static_cast<size_t>(half)]).picture);
        } else {
            edited.content = turns ? edited_text(*answer) : half_edited_text(*answer);
        }
        const Classification said = said_of(edited);
        if (!said.refusal.empty() || edited.content == candidate.input.content ||
            said.predicted != (turns ? other(candidate.model) : candidate.model))
            return false;
        put(made_of_it["edited"], edited, id + "-edited");
        made_of_it["edited"]["model"] = names_.at(said.predicted);
        return true;
    }

    static std::string edited_text(const Answer& answer) {
        const Json section = answer.record.rendering.empty() ? Json::object() : base::parse_own_json(answer.record.rendering);
        return section.value("answer", "");
    }

    /// The first of the edits alone, where there are several; nothing else is known to stop short.
    static std::string half_edited_text(const Answer& answer) {
        const std::string line = answer.terminal.substr(0, answer.terminal.find('\n'));
        using Kind = EditPart::Kind;
        std::string text;
        bool first = true;
        for (const auto& [kind, part] : edit_parts(line, answer.record.question.input)) {
            if (kind == Kind::kept || (kind == Kind::inserted) == first) text += part;
            if (kind == Kind::inserted) first = false;
        }
        // What stood beside a word that is gone are two spaces now.
        text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }), text.end());
        return text.substr(std::min(text.find_first_not_of(' '), text.size()));
    }

    /// Examples of both classes, from those that the model is least sure of to those that it is surest of: evenly spread.
    void make_grid() {
        for (size_t c = 0; c < 2; ++c) {
            std::vector<Candidate> rest(candidates_[c].begin() + static_cast<std::ptrdiff_t>(used_[c]), candidates_[c].end());
            const auto wanted = static_cast<size_t>(making_.preset.grid);
            if (rest.size() < wanted)
                throw Error(ErrorCode::invalid_argument,
                            "there are too few inputs that the model calls '" + classes_[c] + "' for the examples");
            std::sort(rest.begin(), rest.end(), [](const Candidate& a, const Candidate& b) { return a.margin < b.margin; });
            for (size_t i = 0; i < wanted; ++i) {
                const Candidate& candidate = rest[i * (rest.size() - 1) / (wanted - 1)];
                const std::string id = "grid-" + std::to_string(c + 1) + "-" + std::to_string(i + 1);
                stimuli_[id] = stimulus(candidate, id);
                json_["grid"][names_.at(classes_[c])].push_back(id);
            }
        }
    }

    const Making& making_;
    Asker& asker_;
    const fs::path folder_;
    const Told& told_;
    Random random_;
    std::vector<std::string> classes_;
    std::map<std::string, std::string> names_;  // the pack's to the made-up ones
    std::vector<Candidate> candidates_[2];
    size_t used_[2] = {0, 0}, half_[2] = {0, 0};  ///< of the candidates: shown, or passed over; those that the model is less sure of
    std::string method_, doing_;
    double share_ = 0;
    int64_t done_ = 0, passed_over_ = 0;  // of the latter an arm had nothing to show
    int64_t of_the_surer_half_ = 0;       // taken, as the other was used up
    PackIdentity result_pack_;
    Json json_, stimuli_ = Json::object(), files_ = Json::object();
};

}  // namespace

void make_study(const Making& making, Asker& asker, const fs::path& folder, const Told& told) {
    std::error_code error;
    if (fs::exists(folder, error) && (!fs::is_directory(folder, error) || !fs::is_empty(folder, error)))
        throw Error(ErrorCode::invalid_argument, "--out " + folder.string() + ": expected a folder that is new or empty");
    const fs::path hidden = folder.parent_path() / ("." + folder.filename().string() + ".making");
    fs::remove_all(hidden, error);
    fs::create_directories(hidden, error);
    if (error) throw Error(ErrorCode::io, "--out " + folder.string() + ": the folder cannot be made: " + error.message());
    try {
        Maker maker(making, asker, hidden, told);
        maker.begin();
        maker.make();
        fs::remove(folder, error);
        fs::rename(hidden, folder);
    } catch (...) {
        fs::remove_all(hidden, error);
        throw;
    }
}

}  // namespace whynot::cli::study
