#include <algorithm>
#include <set>

#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "whynot/atomic_file.h"
#include "whynot/experiment.h"

namespace fs = std::filesystem;

namespace whynot {
namespace {

constexpr const char* folder_schema = "whynot.experiment-folder/1";

/// The mark that says whose folder this is. Nothing is written into a folder that has other files and no mark.
void claim(const fs::path& folder, const std::string& name) {
    const fs::path mark = folder / "experiment.json";
    if (fs::exists(mark)) {
        const std::string what = mark.string();
        const Json json = parse_json_object(read_file(mark, 1 << 16, ErrorCode::invalid_argument), ErrorCode::invalid_argument, what);
        if (json.value("schema", Json()) != folder_schema)
            throw Error(ErrorCode::invalid_argument, what + " is not the mark of an experiment's folder; choose another folder");
        if (json.value("name", Json()) != name)
            throw Error(ErrorCode::invalid_argument, "the folder " + folder.string() + " holds the experiment " +
                                                         json.value("name", Json()).dump() + ", not " + in_quotes(name) +
                                                         "; choose another folder");
        return;
    }
    fs::create_directories(folder);
    if (!fs::is_empty(folder))
        throw Error(ErrorCode::invalid_argument,
                    "the folder " + folder.string() + " has files in it and is no experiment's; choose another one, new or empty");
    write_file_atomically(mark, Json{{"schema", folder_schema}, {"name", name}}.dump() + "\n");
}

/// What is wrong with an experiment as listed; empty: nothing.
std::string problem_of(const ExperimentInfo& info) {
    const auto allowed = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
    };
    if (info.name.empty() || !std::all_of(info.name.begin(), info.name.end(), allowed))
        return "no experiment can be called " + in_quotes(info.name) + ": names are of a-z 0-9 . _ - /";
    for (const std::string* text : {&info.title, &info.source, &info.needs})
        if (!is_utf8(*text)) return "what it says of " + in_quotes(info.name) + " is not UTF-8";
    if (info.title.empty()) return in_quotes(info.name) + " has no title";
    return "";
}

}  // namespace

Experiments::~Experiments() = default;

ExperimentList list_experiments(const Host& host) {
    ExperimentList list;
    for (const PluginEntry& plugin : host.plugins()) {
        const std::string& id = plugin.manifest.id;
        if (plugin.state != PluginEntry::State::available || !plugin.manifest.provides(Experiments::service_id)) continue;
        try {
            const Experiments& experiments = host.service<Experiments>(id);
            for (ExperimentInfo& info : guarded(id, "list its experiments", [&] { return experiments.list(); })) {
                const auto known = std::find_if(list.experiments.begin(), list.experiments.end(),
                                                [&](const FoundExperiment& other) { return other.info.name == info.name; });
                if (const std::string problem = problem_of(info); !problem.empty())
                    list.problems.push_back("the plugin '" + id + "' lists what is no experiment: " + problem);
                else if (known != list.experiments.end())
                    list.problems.push_back("the experiment '" + info.name + "' of the plugin '" + id + "' is passed over: the plugin '" +
                                            known->plugin + "' has one of the same name and comes first");
                else
                    list.experiments.push_back({id, std::move(info)});
            }
        } catch (const Error& error) {
            list.problems.emplace_back(error.what());
        }
    }
    return list;
}

ExperimentResult run_experiment(const Host& host, const ExperimentRequest& request, const Observer& observer) {
    const ExperimentList list = list_experiments(host);
    const auto found = std::find_if(list.experiments.begin(), list.experiments.end(),
                                    [&](const FoundExperiment& experiment) { return experiment.info.name == request.name; });
    if (found == list.experiments.end()) {
        std::string known;
        for (const FoundExperiment& experiment : list.experiments) known += (known.empty() ? "" : ", ") + experiment.info.name;
        std::string message =
            "there is no experiment " + in_quotes(request.name) + ". " + (known.empty() ? "No plugin brings any" : "There are: " + known);
        for (const std::string& problem : list.problems) message += "; " + problem;
        throw Error(ErrorCode::not_found, message);
    }
    if (request.out.empty()) throw Error(ErrorCode::invalid_argument, "expected a folder for the experiment, found nothing");
    claim(request.out, request.name);

    const std::string& plugin = found->plugin;
    Experiments& experiments = host.service<Experiments>(plugin);
    const std::string json =
        guarded(plugin, "run the experiment '" + request.name + "'", [&] { return experiments.run(request, observer); });
    const std::string origin = "the result that the plugin '" + plugin + "' gave for " + request.name;
    const auto refuse = [&](const std::string& what) { throw Error(ErrorCode::bad_plugin, what + ". This is a defect of the plugin"); };
    ExperimentResult result;
    try {
        result = experiment_result_from_json(json, origin);
    } catch (const Error& error) {
        refuse(error.what());
    }
    if (result.name != request.name || result.quick != request.quick || result.seed != request.seed)
        refuse(origin + " is of another request: " + in_quotes(result.name) + ", seed " + std::to_string(result.seed) +
               (result.quick ? ", quick" : ", in full"));
    for (const ExperimentPicture& picture : result.pictures)
        if (!fs::is_regular_file(request.out / picture.file)) refuse(origin + " names a picture that is not there: " + picture.file);

    write_file_atomically(request.out / "result.json", to_json(result));
    write_file_atomically(request.out / "README.md", to_markdown(result));
    return result;
}

}  // namespace whynot
