#include "options/options.h"
#include "commands/explain/explain.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

constexpr const char* pack_help = "The model: the id of a pack, or its folder. Default: yelp for sentences, mnist for images";

// Options that have a meaning for a stream only.
constexpr const char* of_streams[] = {"--resume", "--shard", "--whole-batches", "--run-deadline", "--run-evaluations"};

void add_question(CLI::App& app, ExplainCommand& command) {
    const std::string group = "Question";
    add_pack(app, command.pack, pack_help)->group(group);
    app.add_option("--fact", command.fact, "The class to be explained. Default: the one the classifier gives the input")
        ->type_name("CLASS")
        ->group(group);
    app.add_option("--foil", command.foil, "The class asked about, or all: each of the others. Default: the runner-up")
        ->type_name("CLASS|all")
        ->group(group);
    app.add_flag("--strict", command.strict, "Refuse inputs that are unlike what the model was made for, instead of warning")->group(group);
}

void add_search(CLI::App& app, ExplainCommand& command) {
    const std::string group = "Search";
    app.add_option("--method", command.method, "How to search: sqp or augmented-lagrangian")
        ->type_name("NAME")
        ->check(one_of({"sqp", "augmented-lagrangian"}))
        ->capture_default_str()
        ->group(group);
    app.add_option("--starts", command.starts, "Points to start from; the shortest way found counts")
        ->type_name("N")
        ->check(between(1, 1000))
        ->capture_default_str()
        ->group(group);
    app.add_flag("--no-guards", command.no_guards, "Let a third class be likelier than the two that are asked about")->group(group);
    add_confidence(app, command.confidence)->group(group);
    add_seed(app, command.seed, "Seed of all random numbers; the same seed gives the same answers")->group(group);
    app.add_option("--deadline", command.deadline,
                   "End the answers to a batch of up to 64 inputs after so many seconds, search and all; 0: never")
        ->type_name("SECONDS")
        ->check(between(0.0))
        ->capture_default_str()
        ->group(group);
    app.add_option("--max-evaluations", command.max_evaluations, "End the search of an input after so many evaluations; 0: no limit")
        ->type_name("N")
        ->check(between<int64_t>(0))
        ->capture_default_str()
        ->group(group);
}

void add_output(CLI::App& app, ExplainCommand& command) {
    const std::string group = "Output";
    app.add_option("--answers", command.answers, "For sentences: how many different answers to give at most, the best first")
        ->type_name("N")
        ->check(between<int64_t>(1, 20))
        ->capture_default_str()
        ->group(group);
    app.add_option("--keep", command.keep, "For sentences: a word, or several in quotes, that no answer may change; may be given again")
        ->type_name("WORD")
        ->allow_extra_args(false)
        ->check(not_empty("a word"))
        ->group(group);
    app.add_option("--decode", command.decode,
                   "How the answer is made: for sentences edit, audit, soft or nearest; 'whynot plugins inspect ID' lists those of others. "
                   "Default: the plugin's, for sentences edit")
        ->type_name("MODE")
        ->group(group);
    app.add_option("--out", command.out,
                   "Write pictures, and but for a stream each record as ID.json, into this folder; a record names its pictures by paths "
                   "relative to it")
        ->type_name("DIR")
        ->check(not_empty("a folder"))
        ->group(group);
    add_html(app, command.html)->group(group);
    app.add_option("--svg", command.svg, "Write the answer to one question as one figure too, for a paper")
        ->type_name("FILE")
        ->check(not_empty("a file"))
        ->group(group);
    add_json(app, command.json, "Print one record a line, whynot.explanation/1, instead of text for people");
    app.add_flag("--no-times", command.no_times,
                 "Leave the times out of records (cost.seconds), so that the same request gives the same bytes")
        ->group(group);
}

void add_stream(CLI::App& app, ExplainCommand& command) {
    const std::string group = "Stream";
    app.add_flag("--jsonl", command.jsonl,
                 "Read questions from standard input, each a JSON object on a line: one of input, image_path and image_base64, and id, "
                 "fact and foil as needed; print a record a line in the same order, refused lines included")
        ->group(group);
    app.add_option(
           "--csv", command.csv_column,
           "Read a CSV file from standard input, with sentences in the column COLUMN; columns called id, fact and foil are used too")
        ->type_name("COLUMN")
        ->check(not_empty("the heading of a column"))
        ->group(group);
    app.add_flag("--lines", command.lines, "Read sentences from standard input, one a line")->group(group);
    app.add_option("--resume", command.resume,
                   "Append answers to FILE instead of printing them, and pass over the questions that it answers already")
        ->type_name("FILE")
        ->check(not_empty("a file"))
        ->group(group);
    app.add_option("--shard", command.shard, "Answer every Nth question only, from the Ith: one of N runs side by side")
        ->type_name("I/N")
        ->group(group);
    app.add_flag("--whole-batches", command.whole_batches,
                 "Wait for 64 questions, or the end, however slowly they come: answers that are the same to the last digit")
        ->group(group);
    app.add_option("--run-deadline", command.run_deadline, "End the whole run after so many seconds; 0: never")
        ->type_name("SECONDS")
        ->check(between(0.0))
        ->group(group);
    app.add_option("--run-evaluations", command.run_evaluations, "End the whole run after so many evaluations; 0: no limit")
        ->type_name("N")
        ->check(between<int64_t>(0))
        ->group(group);
}

/// Inputs on the command line, or a stream, and not both.
void check_source(const CLI::App& app, bool inputs, bool stream) {
    if (stream == inputs)
        throw CLI::ValidationError(stream ? "with --jsonl, --csv and --lines, what to ask about comes from standard input alone"
                                          : "INPUT is required, or --jsonl, --csv COLUMN or --lines");
    if (stream && app.count("--svg") > 0) throw CLI::ValidationError("--svg is for one question, and a stream has many");
    for (const char* option : of_streams)
        if (!stream && app.count(option) > 0) throw CLI::ValidationError(std::string(option) + " needs --jsonl, --csv or --lines");
}

}  // namespace

void add_explain_options(CLI::App& program, ExplainCommand& command) {
    add_question(program, command);
    add_search(program, command);
    add_output(program, command);
    add_stream(program, command);
    add_common(program, command,
               "1 for up to 4 inputs, else one for each core up to 4; a stream goes through as many explainers of one thread");
    add_device(program, command);
}

void add_explain(CLI::App& program, ExplainCommand& command) {
    CLI::App& app =
        add_command(program, "explain", "Why this class and not that one: the smallest realistic change that makes them equally likely");
    CLI::Option* const inputs = add_inputs(app)->required(false);
    add_explain_options(app, command);
    CLI::Option* const jsonl = app.get_option("--jsonl");
    CLI::Option* const csv = app.get_option("--csv")->excludes(jsonl);
    app.get_option("--lines")->excludes(jsonl)->excludes(csv);
    app.footer(
        "Examples:\n"
        "  whynot explain \"the food was gross .\"\n"
        "  whynot explain digits/3.png --foil 8 --out answers\n"
        "  whynot explain --json - < sentences.txt\n"
        "  whynot explain --jsonl --resume answers.jsonl < questions.jsonl\n\n" +
        std::string(exit_codes));
    app.callback([&app, &command, inputs] {
        check_source(app, inputs->count() > 0, command.is_stream());
        command.inputs = inputs->results();
    });
}

void add_classify(CLI::App& program, ClassifyCommand& command) {
    CLI::App& app = add_command(program, "classify", "What the classifier says");
    const CLI::Option* const inputs = add_inputs(app);
    add_pack(app, command.pack, pack_help)->group("Question");
    add_json(app, command.json, "Print one object a line: input, class, probabilities; strangeness, warnings, reason where there are some");
    add_common(app, command, "1 for up to 4 inputs, else one for each core up to 4");
    add_device(app, command);
    app.callback([&command, inputs] { command.inputs = inputs->results(); });
}

}  // namespace whynot::cli
