#include "command_line.h"

#include <utility>

#include "options/common.h"
#include "options/options.h"
#include "whynot/error.h"

namespace whynot::mpi {
namespace {

constexpr const char* help_footer =
    "The options are those of 'whynot explain' for a stream, which every rank runs.\n\n"
    "Example:\n  mpirun -n 4 whynot-mpi --jsonl --resume answers.jsonl < questions.jsonl\n\n";

/// What makes sense for one filter, and not for several side by side.
constexpr std::pair<const char*, const char*> senseless[] = {
    {"--shard", "the ranks share out the questions themselves; use --shard with 'whynot explain', without MPI"},
    {"--run-deadline", "it would be counted by each explainer for itself; let your batch system end the run, and go on with --resume"},
    {"--run-evaluations", "it would be counted by each explainer for itself; use --max-evaluations, for each question"},
};

}  // namespace

CommandLine::CommandLine()
    : app_("Why A and not B, for thousands of questions: shares out the stream of 'whynot explain' among the ranks of an MPI job.",
           "whynot-mpi") {
    app_.set_version_flag("--version", "whynot-mpi " WHYNOT_VERSION, "Print the version and exit");
    app_.footer(help_footer + std::string(cli::exit_codes));
    app_.allow_extras();  // the explainers refuse them
    cli::use_our_help(app_);
    cli::add_explain_options(app_, job_.command);
    app_.get_option("--threads")->description("Threads of each rank. Default: 1");
    for (const auto& [option, why] : senseless) app_.get_option(option)->group("");  // hidden
}

const Job& CommandLine::read(int argc, char** argv) {
    app_.parse(argc, argv);
    const cli::ExplainCommand& command = job_.command;
    if (command.jsonl + command.lines + !command.csv_column.empty() != 1)
        throw Error(ErrorCode::invalid_argument, "expected one of --jsonl, --csv COLUMN and --lines");
    for (const auto& [option, why] : senseless)
        if (app_.count(option) > 0) throw Error(ErrorCode::invalid_argument, std::string(option) + ": " + why);
    pass_on();
    return job_;
}

void CommandLine::pass_on() {
    std::vector<std::string>& arguments = job_.arguments;
    arguments = {"explain"};
    for (const CLI::Option* option : app_.get_options()) {
        if (option->count() == 0 || option->check_name("--resume") || option->check_name("--whole-batches")) continue;
        arguments.push_back(option->get_name());
        if (option->get_expected_max() > 0) arguments.push_back(option->results().back());
    }
    if (app_.count("--threads") == 0) arguments.insert(arguments.end(), {"--threads", "1"});
    const std::vector<std::string> rest = app_.remaining();
    arguments.insert(arguments.end(), rest.begin(), rest.end());
}

}  // namespace whynot::mpi
