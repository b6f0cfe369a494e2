#include "options/options.h"
#include "commands/experiment/experiment.h"
#include "options/common.h"

namespace whynot::cli {

void add_experiment(CLI::App& program, ExperimentCommand& command) {
    CLI::App& experiment = add_command(program, "experiment", "Published figures measured again");
    experiment.require_subcommand(1, 1);
    CLI::App& list = add_command(experiment, "list", "The experiments that the plugins bring");
    add_json(list, command.json, "Print one object a line");
    add_plugin_path(list, command.plugin_path);

    CLI::App& run =
        add_command(experiment, "run", "Run one: its table beside the published figures, and in DIR a page, pictures and result.json");
    run.add_option("NAME", command.name, "As 'whynot experiment list' has it")->required()->type_name("");
    run.add_option("--out", command.out, "The experiment's folder: new or empty, or that of a run that was stopped, which goes on")
        ->required()
        ->type_name("DIR")
        ->check(not_empty("a folder"));
    run.add_flag("--quick", command.quick, "A small run that shows the way; its figures are not those of the full one");
    add_pack(run, command.pack, "The model to explain: the id of a pack, or its folder. Default: the experiment's own");
    add_seed(run, command.seed, "Seed of all random numbers");
    add_html(run, command.html);
    add_json(run, command.json, "Print the result, whynot.experiment-result/1, as one object on a line");
    add_common(run, command, "one for each core up to 4");
    run.footer("The same command again goes on where it was stopped, and repeats nothing that it has done.\n\n" + std::string(exit_codes));
}

}  // namespace whynot::cli
