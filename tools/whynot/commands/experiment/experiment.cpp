// whynot experiment.
#include "whynot/experiment.h"

#include "asking/models.h"
#include "asking/services.h"
#include "base/text.h"
#include "commands/experiment/experiment.h"
#include "console/environment.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/long_run.h"
#include "console/terminal.h"
#include "whynot/atomic_file.h"
#include "whynot/page.h"

namespace whynot::cli {
namespace {

using base::Json;

}  // namespace

int list_experiments(const ExperimentCommand& command) {
    const Host host(plugin_search(command));
    const ExperimentList list = whynot::list_experiments(host);
    std::string text;
    for (const auto& [plugin, info] : list.experiments) {
        if (command.json) {
            const Json line{{"name", info.name}, {"title", info.title}, {"source", info.source}, {"needs", info.needs}, {"plugin", plugin}};
            text += line.dump() + '\n';
        } else {
            text += (text.empty() ? "" : "\n") + info.name + ": " + base::escape_controls(info.title) + '\n' +
                    table({{"  published", info.source}, {"  needs", info.needs}, {"  plugin", plugin}});
        }
    }
    print(text);
    for (const std::string& problem : list.problems) complain(problem);
    if (list.experiments.empty() && list.problems.empty()) complain(std::string("no plugin brings any experiment. ") + build_all_hint);
    return list.problems.empty() ? answered : failed;
}

int run_experiment(const ExperimentCommand& command) {
    return interruptible([&] {
        const Host host(plugin_search(command));
        ExperimentRequest request;
        request.name = command.name;
        request.corpora = variable("WHYNOT_CORPORA");
        request.out = command.out;
        request.pack = command.pack;
        request.quick = command.quick;
        request.seed = command.seed;
        request.cache = cache_folder();
        set_threads(command.threads, 4);

        StatusLine status;
        const ExperimentResult result = whynot::run_experiment(host, request, observer(status));
        status.clear();
        if (!command.html.empty()) write_file_atomically(command.html, to_html(result, command.out, {result.title, command.line, {}}));
        if (command.json) {
            print(base::parse_own_json(to_json(result)).dump() + '\n');
        } else {
            print(to_terminal(result, terminal_style()));
            complain("written: README.md and result.json in " + command.out);
        }
        return answered;
    });
}

}  // namespace whynot::cli
