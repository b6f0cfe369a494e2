#include "options/options.h"
#include "bench/bench.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

/// @return the option --corpus
CLI::Option* add_questions(CLI::App& app, BenchCommand& command) {
    const std::string group = "Questions";
    add_pack(
        app, command.pack,
        "The model: the id of a pack, or its folder. Default: yelp for sentences, mnist for images; with --corpus the pack of its name")
        ->group(group);
    CLI::Option* const corpus =
        app.add_option("--corpus", command.corpus,
                       "Ask about held-out inputs of a corpus in the folder WHYNOT_CORPORA; several are measured one after the other. "
                       "Default where there is no INPUT: yelp,mnist")
            ->type_name("NAME,...")
            ->group(group);
    app.add_option("--limit", command.limit, "The maximum number of inputs")
        ->type_name("N")
        ->check(between<int64_t>(1))
        ->capture_default_str()
        ->group(group);
    app.add_option("--foil", command.foil, "The class asked about. Default: the runner-up")->type_name("CLASS")->group(group);
    return corpus;
}

void add_search(CLI::App& app, BenchCommand& command) {
    const std::string group = "Search";
    app.add_option("--methods", command.methods,
                   "Methods to solve with; distances are compared with those of the first. The last of the three takes one question after "
                   "the other, whatever the batch")
        ->type_name("NAME,...")
        ->capture_default_str()
        ->group(group);
    app.add_option("--batch", command.batches, "How many questions are solved together")
        ->type_name("N,...")
        ->capture_default_str()
        ->group(group);
    app.add_option("--starts", command.starts, "Points to start from; augmented-lagrangian-lbfgs takes the first only")
        ->type_name("N")
        ->check(between(1, 1000))
        ->capture_default_str()
        ->group(group);
    app.add_option("--step", command.step,
                   "Step of augmented-lagrangian's gradient descent: where it is too long, constraints are not met. 0.003 suits images, "
                   "0.01 sentences. Default: the solver's, 0.003")
        ->type_name("X")
        ->check(between(1e-9, 1.0))
        ->group(group);
    app.add_option("--seconds", command.seconds,
                   "Time for each case, a method with a size of batch: slow ones get to fewer of the questions, but to one batch at least. "
                   "A case whose batch would take more than ten times as long is left out")
        ->type_name("S")
        ->check(between(0.0))
        ->capture_default_str()
        ->group(group);
    add_seed(app, command.seed, "Seed of all random numbers")->group(group);
}

}  // namespace

void add_bench(CLI::App& program, BenchCommand& command) {
    CLI::App& app =
        add_command(program, "bench",
                    "How fast and how good the methods to solve are, side by side: questions a second, work, distances, memory, "
                    "and how far all that is from what the networks alone would take");
    CLI::Option* const inputs = add_inputs(app)->required(false);
    CLI::Option* const corpus = add_questions(app, command)->excludes(inputs);
    add_search(app, command);
    add_html(app, command.html);
    add_json(app, command.json, "Print one object on a line, whynot.bench/1");
    add_common(app, command, "1");
    add_device(app, command);
    app.footer(
        "Examples:\n"
        "  WHYNOT_CORPORA=~/corpora whynot bench\n"
        "  whynot bench --batch 1,64 - < sentences.txt\n\n" +
        std::string(exit_codes));
    app.callback([&command, inputs, corpus] {
        command.inputs = inputs->results();
        if (command.inputs.empty() && corpus->count() == 0) command.corpus = "yelp,mnist";
    });
}

}  // namespace whynot::cli
