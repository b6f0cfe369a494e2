#include <algorithm>

#include "base/file.h"
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "experiment/plain_path.h"
#include "whynot/atomic_file.h"
#include "whynot/experiment.h"

namespace fs = std::filesystem;

namespace whynot {
namespace {

constexpr const char* folder_schema = "whynot.experiment-folder/1";

/// The mark that says whose folder this is. Nothing is written into a folder that has other files and no mark.
void claim(const fs::path& folder, const std::string& name) try {
    const std::string what = "the folder " + base::escape_controls(folder.string());
    const fs::path mark = folder / "experiment.json";
    fs::create_directories(folder);
    if (fs::exists(mark)) {
        const base::Json json = base::parse_json_object(base::read_file(mark, 1 << 16, ErrorCode::invalid_argument),
                                                        ErrorCode::invalid_argument, base::escape_controls(mark.string()));
        const base::Json schema = json.value("schema", base::Json()), holds = json.value("name", base::Json());
        if (schema != folder_schema || !holds.is_string())
            throw Error(ErrorCode::invalid_argument, what + " has an experiment.json that is not ours; choose another folder");
        if (holds != name)
            throw Error(ErrorCode::invalid_argument, what + " holds the experiment " + base::in_quotes(holds.get<std::string>()) +
                                                         ", not " + base::in_quotes(name) + "; choose another folder");
    } else if (fs::is_empty(folder)) {
        write_file_atomically(mark, base::Json{{"schema", folder_schema}, {"name", name}}.dump() + "\n");
    } else {
        throw Error(ErrorCode::invalid_argument, what + " has files in it and is no experiment's; choose another one, new or empty");
    }
} catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::io, "cannot use " + base::escape_controls(folder.string()) + " as a folder: " + error.code().message());
}

/// What is wrong with an experiment as listed; empty: nothing.
std::string problem_of(const ExperimentInfo& info) {
    const auto is_capital = [](unsigned char c) { return c >= 'A' && c <= 'Z'; };
    if (!internal::is_plain_path(info.name) || std::any_of(info.name.begin(), info.name.end(), is_capital))
        return "no experiment can be called " + base::in_quotes(info.name) + ": names are parts of a-z 0-9 . _ - joined by /";
    for (const std::string* text : {&info.title, &info.source, &info.needs})
        if (!base::is_utf8(*text)) return "what it says of " + base::in_quotes(info.name) + " is not UTF-8";
    if (info.title.empty()) return base::in_quotes(info.name) + " has no title";
    return "";
}

}  // namespace

Experiments::~Experiments() = default;

ExperimentList list_experiments(const Host& host) {
    ExperimentList list;
    for (const PluginEntry& plugin : host.plugins()) {
        const std::string& id = plugin.manifest.id;
        if (!plugin.manifest.provides(Experiments::service_id)) continue;
        if (plugin.state == PluginEntry::State::rejected) list.problems.push_back(plugin.reason);
        if (plugin.state != PluginEntry::State::available) continue;
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
        std::vector<std::string> known;
        for (const FoundExperiment& experiment : list.experiments) known.push_back(experiment.info.name);
        std::string message = "there is no experiment " + base::in_quotes(request.name) + ". " +
                              (known.empty() ? "No plugin brings any" : "There are: " + base::joined(known));
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
        refuse(origin + " is of another request: " + base::in_quotes(result.name) + ", seed " + std::to_string(result.seed) +
               (result.quick ? ", quick" : ", in full"));
    std::error_code ignored;  // a picture that cannot be looked at is not there
    for (const ExperimentPicture& picture : result.pictures)
        if (!fs::is_regular_file(request.out / picture.file, ignored))
            refuse(origin + " names a picture that is not there: " + picture.file);

    write_file_atomically(request.out / "result.json", to_json(result));
    write_file_atomically(request.out / "README.md", to_markdown(result));
    return result;
}

}  // namespace whynot
