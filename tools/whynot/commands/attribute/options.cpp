#include "options/options.h"
#include "commands/attribute/attribute.h"
#include "options/common.h"

namespace whynot::cli {

void add_attribute(CLI::App& program, AttributeCommand& command) {
    CLI::App& app =
        add_command(program, "attribute", "Which parts of an input a decision rests on, by a published method: a map to compare with");
    const CLI::Option* const inputs = add_inputs(app)->required(false);
    app.add_option("--method", command.method, "The method; --list has those that there are. Default: the first of these")
        ->type_name("NAME")
        ->group("Question");
    app.add_flag("--list", command.list, "List the methods of the pack's plugin, with their sources, and exit")->group("Question");
    add_pack(app, command.pack, "The model: the id of a pack, or its folder. Default: yelp for sentences, mnist for images")
        ->group("Question");
    app.add_option("--fact", command.fact, "The class to be looked at. Default: the one the classifier gives the input")
        ->type_name("CLASS")
        ->group("Question");
    CLI::Option* const foil = app.add_option("--foil", command.foil, "The class that it is contrasted with. Default: the runner-up")
                                  ->type_name("CLASS")
                                  ->group("Question");
    CLI::Option* const alone =
        app.add_flag("--alone", command.alone, "What speaks for the fact, without a foil")->excludes(foil)->group("Question");
    app.add_flag("--sweep", command.sweep, "For images: contrast the maps of both classes as the dissertation does, over 400 weights")
        ->excludes(alone)
        ->group("Question");
    add_seed(app, command.seed, "Seed of all random numbers; the same seed gives the same map")->group("Question");
    app.add_option("--out", command.out, "Write pictures, and each record as ID.json, into this folder")
        ->type_name("DIR")
        ->check(not_empty("a folder"))
        ->group("Output");
    add_json(app, command.json, "Print one record a line, whynot.attribution-record/1, instead of text for people");
    app.add_flag("--no-times", command.no_times, "Leave the times out of records, so that the same request gives the same bytes")
        ->group("Output");
    add_common(app, command, "1 for up to 4 inputs, else one for each core up to 4");
    add_device(app, command);
    app.footer(
        "Examples:\n"
        "  whynot attribute \"the food was gross .\" --method occlusion\n"
        "  whynot attribute digits/4.png --foil 9 --method integrated-gradients --out maps\n"
        "  whynot attribute --list --pack mnist\n\n" +
        std::string(exit_codes));
    app.callback([&command, inputs] {
        if (inputs->count() == 0 && !command.list) throw CLI::ValidationError("INPUT is required, or --list");
        command.inputs = inputs->results();
    });
}

}  // namespace whynot::cli
