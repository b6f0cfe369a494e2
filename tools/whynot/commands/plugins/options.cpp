#include "options/options.h"
#include "commands/plugins/check.h"
#include "commands/plugins/plugins.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

/// An option that may be given several times, each with one value.
void may_be_repeated(CLI::Option* option) {
    option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_check(CLI::App& plugins, CheckCommand& command) {
    CLI::App& app = add_command(plugins, "check",
                                "Does a plugin keep what it promises? Each check runs in a process of its own, which may crash or hang");
    app.add_option("PLUGIN", command.plugin, "Its library, or its id")->type_name("FILE|ID");
    app.add_flag("--list", command.list, "Print the checks, each with what it asserts, and exit");
    add_pack(app, command.pack, "The pack to check a modality with: its id or its folder. Default: the first that is found");
    may_be_repeated(app.add_option("--input", command.inputs,
                                   "An input instead of the plugin's own samples: a sentence or a picture. May be given several times")
                        ->type_name("INPUT"));
    may_be_repeated(app.add_option("--only", command.only,
                                   "Run the checks of this name only; * and ? stand for other letters. May be given several times")
                        ->type_name("NAME"));
    may_be_repeated(app.add_option("--except", command.except, "Leave out the checks of this name")->type_name("NAME"));
    app.add_option("--timeout", command.timeout, "Kill a check after so many seconds; it counts as failed")
        ->type_name("SECONDS")
        ->check(between(0.001, 1e6))
        ->capture_default_str();
    app.add_flag("--in-process", command.in_process, "Run the checks in this process, where a debugger sees them");
    add_seed(app, command.seed, "Seed of all random numbers");
    add_json(app, command.json, "Print one object a line");
    add_common(app, command, "1");
    app.footer(
        "A check ends passed, skipped (there was nothing to check), warning, failed or crashed.\n"
        "Exit codes: 0 none failed or crashed, 1 some did, 2 wrong usage.");
    app.callback([&command] {
        if (!command.list && command.plugin.empty()) throw CLI::RequiredError("PLUGIN");
    });
}

}  // namespace

void add_plugins(CLI::App& program, PluginsCommand& command, CheckCommand& check) {
    CLI::App& plugins = add_command(program, "plugins", "What can be explained");
    plugins.require_subcommand(1, 1);
    CLI::App& list = add_command(plugins, "list", "All plugins that can be used");
    list.add_flag("--all", command.all, "Those too that cannot be used, with the reason");
    add_json(list, command.json, "Print one object a line");
    add_plugin_path(list, command.plugin_path);

    CLI::App& inspect =
        add_command(plugins, "inspect", "All that is known of a plugin without loading it: how it was built, services, options");
    inspect.add_option("PLUGIN", command.plugin, "Its id")->required()->type_name("ID");
    add_json(inspect, command.json, "Print the manifest as one object on a line");
    add_plugin_path(inspect, command.plugin_path);

    CLI::App& create = add_command(plugins, "new", "A project to make a plugin of your own from: it builds, and explains");
    create.add_option("NAME", command.plugin, "The plugin's id: a-z, 0-9 and _")->required()->type_name("");
    create.add_option("--out", command.out, "Its folder, new or empty. Default: NAME")->type_name("DIR")->check(not_empty("a folder"));
    add_json(create, command.json, "Print one object on a line: name, directory, files");

    add_check(plugins, check);
}

}  // namespace whynot::cli
