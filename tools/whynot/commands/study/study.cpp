#include "commands/study/study.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/format.h"
#include "base/text.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/terminal.h"
#include "serve/http.h"
#include "serve/known_packs.h"
#include "stream/inputs.h"
#include "study/analysis/analysing.h"
#include "study/analysis/exporting.h"
#include "study/analysis/people.h"
#include "study/analysis/reporting.h"
#include "study/making/making.h"
#include "study/planning/power.h"
#include "study/planning/preregistration.h"
#include "study/planning/published.h"
#include "study/taking/app.h"
#include "study/taking/crowd.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;
using study::Design;

// --- new

/// The pictures of a folder in the order of their names, or the lines of a file.
std::vector<Input> inputs_in(const std::string& place, bool of_texts) {
    std::vector<Input> inputs;
    if (place.empty()) return inputs;
    if (of_texts) {
        std::ifstream file(place);
        if (!file)
            throw Error(ErrorCode::not_found, "--inputs " + base::escape_controls(place) + ": expected a file of sentences, one a line");
        for (std::string line; std::getline(file, line);)
            if (!line.empty()) inputs.push_back({line, ""});
        return inputs;
    }
    std::error_code error;
    if (!fs::is_directory(place, error))
        throw Error(ErrorCode::not_found, "--inputs " + base::escape_controls(place) + ": expected a folder of pictures");
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(place))
        if (entry.path().extension() == ".png") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) inputs.push_back(read_image(file.string()));
    return inputs;
}

// --- serve

class ServingStudy {
public:
    ServingStudy(const Design& design, const StudyCommand& command, study::Taking taking)
        : design_(design),
          store_(design, taking),
          app_(design, store_, command.hosts, command.most_participants),
          server_(
              {}, [this](const HttpRequest& head) { return app_.check(head); },
              [this](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) { app_.answer(request, reply); }),
          port_(server_.listen(static_cast<uint16_t>(command.port), command.port == 0 ? 1 : 1 + further_ports)) {
        app_.set_port(port_);
    }

    uint16_t port() const { return port_; }
    void run(const std::vector<int>& ends) { server_.run(ends); }

private:
    const Design& design_;
    study::Store store_;
    study::App app_;
    HttpServer server_;
    const uint16_t port_;
};

// --- simulate

/// "morph=.65"
std::pair<std::string, double> effect_in(const std::string& text) {
    const size_t equals = text.find('=');
    char* end = nullptr;
    const double skill = equals == std::string::npos ? -1 : std::strtod(text.c_str() + equals + 1, &end);
    if (equals == std::string::npos || !end || *end != '\0' || !(skill >= 0 && skill <= 1))
        throw Error(ErrorCode::invalid_argument,
                    "--effect " + base::in_quotes(text) + ": expected ARM=P, with the probability of a right answer from 0 to 1");
    return {text.substr(0, equals), skill};
}

/// The study without its data, in a folder of its own.
void copy_study(const Design& design, const fs::path& out) {
    std::error_code error;
    if (fs::exists(out, error))
        throw Error(ErrorCode::invalid_argument, "--out " + out.string() + ": expected a folder that is not there yet");
    fs::create_directories(out, error);
    if (error) throw Error(ErrorCode::io, "--out " + out.string() + ": the folder cannot be made: " + error.message());
    fs::copy_file(design.folder() / "study.json", out / "study.json");
    for (const auto& [name, hash] : design.json().at("files").items()) {
        fs::create_directories(study::file_in(out, name).parent_path());
        fs::copy_file(study::file_in(design.folder(), name), study::file_in(out, name));
    }
}

// --- power

/// By how much the people of a pilot differ from one another, once the luck of their items is taken off; arms are pooled.
double between_in_pilot(const std::string& folder) {
    const Design design{fs::path(folder)};
    const study::Respondents people = study::people_of(design, study::read_log(design));
    if (people.simulated)
        throw Error(ErrorCode::invalid_input, "--pilot " + folder + ": these are simulated participants, which say nothing of people");
    const study::StudyResult result = study::analyse(design, people, 100);
    double squares = 0, sum = 0;
    int64_t freedom = 0, count = 0;
    for (const study::ArmScores& arm : result.everybody.arms) {
        if (!arm.summary.value) continue;
        const study::Summary& summary = *arm.summary.value;
        squares += static_cast<double>(summary.n - 1) * summary.deviation * summary.deviation;
        freedom += summary.n - 1;
        sum += static_cast<double>(summary.n) * summary.mean;
        count += summary.n;
    }
    if (freedom < 2)
        throw Error(ErrorCode::invalid_input, "--pilot " + folder + ": too few have come to its end to say how much people differ");
    const auto items = static_cast<double>(result.items);
    return study::between_people(sum / static_cast<double>(count) / items, std::sqrt(squares / static_cast<double>(freedom)) / items,
                                 result.items);
}

Json to_json(const study::Plan& plan) {
    return {{"level", plan.level},
            {"deviation_of_shares", plan.deviation},
            {"d", plan.d},
            {"per_arm_by_t", plan.by_t},
            {"per_arm_by_simulation", plan.by_simulation},
            {"simulated_power", plan.at_by_t.found},
            {"simulated_power_error", plan.at_by_t.error},
            {"power_against_chance", plan.above_chance},
            {"invited_per_arm", plan.invited}};
}

// --- analyse

PackIdentity pack_of(const Design& design) {
    const Json pack = design.json().value("made", Json::object()).value("pack", Json::object());
    return {pack.value("id", ""), pack.value("version", ""), pack.value("sha256", ""), pack.value("licence", "")};
}

Json to_json(const study::Published& published) {
    Json arms = Json::array(), comparisons = Json::array();
    for (const study::PublishedArm& arm : published.arms)
        arms.push_back({{"arm", arm.name},
                        {"n", arm.printed.n},
                        {"mean", arm.printed.mean},
                        {"deviation", arm.printed.deviation},
                        {"n_that_fit", arm.sizes},
                        {"p_against_chance_one_sided", arm.beside_chance.greater}});
    for (const study::PublishedComparison& each : published.comparisons)
        comparisons.push_back({{"first", each.first},
                               {"second", each.second},
                               {"t", each.test.t},
                               {"df", each.test.df},
                               {"p_one_sided", each.test.greater},
                               {"p_two_sided", each.test.two_sided},
                               {"p_one_sided_with_n_that_fit", each.with_sizes.greater},
                               {"p_one_sided_holm", each.holm},
                               {"d", each.effect.d},
                               {"d_interval", {each.effect.d_interval.low, each.effect.d_interval.high}},
                               {"power", each.power},
                               {"needed_per_arm", each.needed},
                               {"needed_per_arm_of_three", each.needed_of_three}});
    return {
        {"schema", "whynot.study-published/1"}, {"table_5_2", arms}, {"table_5_3", comparisons}, {"does_not_fit", published.does_not_fit}};
}

std::string to_text(const study::Published& published) {
    const auto fixed = [](double value, int digits = 4) { return base::fixed(value, digits); };
    std::vector<std::vector<std::string>> arms{{"arm", "n", "mean", "deviation", "n that fit", "p above chance"}};
    for (const study::PublishedArm& arm : published.arms) {
        std::vector<std::string> sizes;
        for (const int64_t n : arm.sizes) sizes.push_back(std::to_string(n));
        arms.push_back({arm.name, std::to_string(arm.printed.n), fixed(arm.printed.mean, 6), fixed(arm.printed.deviation, 6),
                        sizes.empty() ? "none" : base::joined(sizes), fixed(arm.beside_chance.greater)});
    }
    std::vector<std::vector<std::string>> comparisons{
        {"comparison", "t", "df", "p one-sided", "p two-sided", "d", "95 %", "power", "needed (of three)"}};
    for (const study::PublishedComparison& each : published.comparisons)
        comparisons.push_back({each.first + " > " + each.second, fixed(each.test.t, 3), fixed(each.test.df, 2), fixed(each.test.greater),
                               fixed(each.test.two_sided), fixed(each.effect.d, 2),
                               fixed(each.effect.d_interval.low, 2) + " to " + fixed(each.effect.d_interval.high, 2), fixed(each.power, 2),
                               std::to_string(each.needed) + " (" + std::to_string(each.needed_of_three) + ")"});
    std::string text = "Table 5.2, right answers of " + std::to_string(published.items) + "\n\n" + table(arms, "lrrrlr") +
                       "\nTable 5.3, of the printed figures; power and people needed in each arm are two-sided, at .05\n\n" +
                       table(comparisons, "lrrrrrlrl") + "\nWhat does not fit\n\n";
    for (const std::string& sentence : published.does_not_fit) text += "- " + sentence + "\n";
    return text;
}

}  // namespace

int make_study(const StudyCommand& command, const std::function<std::unique_ptr<Asker>()>& open_asker) {
    return interruptible([&] {
        const study::Preset& preset = study::preset(command.preset);
        if (!command.classes.empty() && command.classes.size() != 2)
            throw Error(ErrorCode::invalid_argument, "--classes: expected two, found " + std::to_string(command.classes.size()));
        PluginSearch search;
        search.plugin_path = command.plugin_path;
        const std::string pack = !command.pack.empty() ? command.pack : preset.of_texts ? "yelp" : "kannada";
        const KnownPacks packs(Host(search), {pack});
        const study::Making making{preset,         packs.all().front(), command.classes, inputs_in(command.inputs, preset.of_texts),
                                   command.method, command.seed,        command.title};
        if ((making.pack.manifest.modality == "text") != preset.of_texts)
            throw Error(ErrorCode::invalid_argument, "the preset '" + preset.name + "' is of " + (preset.of_texts ? "texts" : "pictures") +
                                                         ", and the pack '" + making.pack.manifest.id + "' explains " +
                                                         making.pack.manifest.modality);
        StatusLine status;
        const std::unique_ptr<Asker> asker = open_asker();
        study::make_study(making, *asker, command.out, [&](const std::string& doing, double share) {
            if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
            status.show(Progress{doing, share, ""});
        });
        status.clear();
        const Design made{fs::path(command.out)};
        if (command.json)
            print_line({{"study", command.out},
                        {"sha256", made.sha256()},
                        {"arms", made.arms().size()},
                        {"stimuli", made.json().at("stimuli").size()},
                        {"files", made.json().at("files").size()}});
        else
            print("study: " + base::escape_controls(command.out) + ", " + std::to_string(made.arms().size()) + " arms, " +
                  std::to_string(made.json().at("stimuli").size()) + " stimuli\nRead " +
                  base::escape_controls((fs::path(command.out) / "study.json").string()) +
                  ": the texts in [brackets] are yours to write.\n");
        return int{answered};
    });
}

int serve_study(const StudyCommand& command) {
    return interruptible([&] {
        const Design design{fs::path(command.folder)};
        if (const std::vector<std::string> open = study::unfinished(design); !open.empty() && !command.unfinished)
            throw Error(ErrorCode::invalid_input,
                        base::joined(open, "; ") + ": write what belongs there into study.json, or look at it with --unfinished");
        ServingStudy serving(design, command, study::Taking::people);
        const std::string address = "http://127.0.0.1:" + std::to_string(serving.port()) + "/";
        if (command.port != 0 && serving.port() != command.port)
            complain("port " + std::to_string(command.port) + " is in use; this is port " + std::to_string(serving.port()));
        if (command.json)
            print_line({{"url", address}, {"port", serving.port()}});
        else
            print(address + "\n");
        std::vector<int> ends{interruption()};
        if (command.end_with_input) ends.push_back(STDIN_FILENO);
        serving.run(ends);
        return int{answered};
    });
}

int delete_from_study(const StudyCommand& command) {
    return interruptible([&] {
        const Design design{fs::path(command.folder)};
        study::read_log(design);  // there are data
        study::Store store(design);
        if (command.forget_ids) {
            store.forget_externals();
        } else {
            if (!store.find(command.participant))
                throw Error(ErrorCode::not_found, "there is no participant " + base::in_quotes(command.participant) + " in " +
                                                      base::escape_controls(command.folder) + ", or not any more");
            store.remove(command.participant);
        }
        return int{answered};
    });
}

int simulate_study(const StudyCommand& command) {
    return interruptible([&] {
        study::Crowd crowd = command.crowd;
        crowd.seed = command.seed;
        for (const std::string& effect : command.effects) crowd.skills.insert(effect_in(effect));
        copy_study(Design(fs::path(command.folder)), command.out);
        const Design design{fs::path(command.out)};
        StudyCommand serve = command;
        serve.port = 0;
        serve.most_participants = crowd.participants;
        ServingStudy serving(design, serve, study::Taking::simulated);
        int ended[2];
        if (::pipe(ended) != 0) throw Error(ErrorCode::io, "no pipe can be made");
        std::thread server([&] { serving.run({ended[0]}); });
        StatusLine status;
        std::exception_ptr failure;
        try {
            study::send(design, crowd, serving.port(), [](int64_t) { return !interrupted(); });
        } catch (...) {
            failure = std::current_exception();
        }
        ::close(ended[1]);
        server.join();
        ::close(ended[0]);
        if (failure) std::rethrow_exception(failure);
        if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
        if (command.json)
            print_line({{"study", command.out}, {"participants", crowd.participants}});
        else
            print(std::to_string(crowd.participants) + " participants went through " + base::escape_controls(command.out) +
                  "\nwhynot study analyse " + for_shell(command.out) + "\n");
        return int{answered};
    });
}

int plan_study(const StudyCommand& command) {
    return interruptible([&] {
        study::Assumptions assumptions = command.assumptions;
        std::optional<Design> design;
        if (!command.folder.empty()) {
            design.emplace(fs::path(command.folder));
            const study::Step& measured = design->step(design->analysis().measure);
            assumptions.items =
                static_cast<int64_t>(std::count_if(measured.items.begin(), measured.items.end(),
                                                   [&](const std::string& item) { return !design->stimulus(item).value("catch", false); }));
            assumptions.chance = design->analysis().chance;
            assumptions.alpha = design->analysis().alpha;
            assumptions.comparisons = std::max<int64_t>(1, static_cast<int64_t>(design->analysis().comparisons.size()));
        }
        if (!command.pilot.empty()) assumptions.between = between_in_pilot(command.pilot);
        if (!command.preregistration.empty() && !design)
            throw Error(ErrorCode::invalid_argument, "--preregistration needs the folder of a study, whose design it writes down");
        const study::Plan plan = study::plan_study(assumptions, 4000, command.seed);
        const int64_t arms = design ? static_cast<int64_t>(design->arms().size()) : 2;
        if (!command.preregistration.empty())
            write_file_atomically(command.preregistration, study::preregistration(*design, plan, assumptions));
        if (command.json)
            print_line(to_json(plan));
        else
            print(table({{"people in each arm, by the noncentral t distribution", std::to_string(plan.by_t)},
                         {"by simulation of whole participants", std::to_string(plan.by_simulation)},
                         {"power that simulation finds for the former",
                          base::number(plan.at_by_t.found) + " (error " + base::number(plan.at_by_t.error) + ")"},
                         {"to invite for each arm, as " + base::percent(assumptions.dropout) + " are lost", std::to_string(plan.invited)},
                         {"in all " + std::to_string(arms) + " arms: analysed, invited",
                          std::to_string(std::max(plan.by_t, plan.by_simulation) * arms) + ", " + std::to_string(plan.invited * arms)},
                         {"standard deviation between people",
                          base::number(assumptions.between) + (command.pilot.empty() ? "" : " (of the pilot)")},
                         {"difference, standard deviations (d)", base::number(plan.d)},
                         {"level of each comparison, two-sided", base::number(plan.level)},
                         {"power of the better arm against chance", base::probability(plan.above_chance)}}));
        return int{answered};
    });
}

int analyse_study(const StudyCommand& command) {
    return interruptible([&] {
        if (command.published) {
            const study::Published published = study::published();
            if (command.json)
                print_line(to_json(published));
            else
                print(to_text(published));
            return int{answered};
        }
        const Design design{fs::path(command.folder)};
        const study::Respondents people = study::people_of(design, study::read_log(design));
        const study::StudyResult result = study::analyse(design, people);
        print(command.json ? study::to_json(result) + "\n" : study::to_text(result));
        if (command.out.empty()) return int{answered};
        const fs::path out = command.out;
        study::write_analysis(design, people, result, out / "results", {design.title(), command.line, {pack_of(design)}});
        study::export_study(design, people, out / "psych-ds");
        if (!command.json)
            print("\npage: " + base::escape_controls((out / "results" / "analysis.html").string()) +
                  "\ndata: " + base::escape_controls((out / "psych-ds").string()) + "\n");
        return int{answered};
    });
}

}  // namespace whynot::cli
