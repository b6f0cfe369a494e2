// The program whynot-mpi: the stream of `whynot explain` over the ranks of an MPI job.
#include <mpi.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "console/terminal.h"
#include "messages.h"
#include "ranks.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace {

using namespace whynot::cli;
using whynot::Error;
using whynot::ErrorCode;

/// What the ranks are to do.
struct Job {
    ExplainCommand command;
    std::vector<std::string> arguments;  ///< of each explainer
};

const char* const help_footer =
    "All other options are those of 'whynot explain' for a stream, which every rank runs, with one thread unless --threads says "
    "otherwise.\n\n"
    "  mpirun -n 4 whynot-mpi --jsonl --resume answers.jsonl < questions.jsonl\n\n"
    "Exit codes: 0 answered, 1 failed, 2 wrong usage, 3 no answer for at least one input.";

/// What makes sense for one filter, and not for several side by side.
void refuse_options(const std::vector<std::string>& rest) {
    const std::pair<const char*, const char*> senseless[] = {
        {"--shard", "the ranks share out the questions themselves; use --shard with 'whynot explain', without MPI"},
        {"--run-deadline", "it would be counted by each explainer for itself; let your batch system end the run, and go on with --resume"},
        {"--run-evaluations", "it would be counted by each explainer for itself; use --max-evaluations, for each question"},
    };
    for (const auto& [option, why] : senseless)
        for (const std::string& argument : rest)
            if (argument == option || argument.rfind(option + std::string("="), 0) == 0)
                throw Error(ErrorCode::invalid_argument, std::string(option) + ": " + why);
}

/// Nothing for --help and --version, which rank 0 answers.
std::optional<Job> read_command_line(int argc, char** argv, int rank) {
    Job job;
    ExplainCommand& command = job.command;
    CLI::App app("Why A and not B, for thousands of questions: shares out the stream of 'whynot explain' among the ranks of an MPI job.",
                 "whynot-mpi");
    app.set_version_flag("--version", "whynot-mpi " WHYNOT_VERSION, "Print the version and exit");
    app.footer(help_footer);
    app.allow_extras();
    // Rank 0 has to know these, the explainers all but what it does itself.
    app.add_flag("--jsonl", command.jsonl, "Read questions from standard input, each a JSON object on a line");
    app.add_option("--csv", command.csv_column, "Read a CSV file from standard input, with sentences in the column COLUMN")
        ->type_name("COLUMN");
    app.add_flag("--lines", command.lines, "Read sentences from standard input, one a line");
    app.add_option("--resume", command.resume, "Append answers to FILE, and pass over the questions that it answers already")
        ->type_name("FILE");
    app.add_flag("--whole-batches", command.whole_batches, "Wait for 64 questions, or the end, however slowly they come");
    app.add_option("--pack", command.pack, "The model")->type_name("ID|DIR");
    app.add_option("--fact", command.fact, "The class to be explained, where a question names none")->type_name("CLASS");
    app.add_option("--foil", command.foil, "The class asked about, where a question names none")->type_name("CLASS");
    app.add_option("--method", command.method, "How to search")->type_name("NAME")->capture_default_str();
    app.add_option("--seed", command.seed, "For whatever is drawn")->type_name("N")->capture_default_str();
    app.add_option("--device", command.device, "Where the networks compute: cpu, cuda or cuda:N; the same for all ranks")
        ->type_name("DEVICE")
        ->capture_default_str();
    CLI::Option* const threads = app.add_option("--threads", command.threads, "Of each rank")->type_name("N");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        std::ostringstream text;
        app.exit(asked, text, text);
        if (rank == 0) print(text.str());
        return {};
    }
    if (command.jsonl + command.lines + !command.csv_column.empty() != 1)
        throw Error(ErrorCode::invalid_argument, "expected one of --jsonl, --csv COLUMN and --lines");
    refuse_options(app.remaining());

    job.arguments = {"explain"};
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() == 0 || option->check_name("--resume") || option->check_name("--whole-batches")) continue;
        job.arguments.push_back(option->get_name());
        if (option->get_expected_max() > 0) job.arguments.push_back(option->results().back());
    }
    if (threads->count() == 0) job.arguments.insert(job.arguments.end(), {"--threads", "1"});
    const std::vector<std::string> rest = app.remaining();
    job.arguments.insert(job.arguments.end(), rest.begin(), rest.end());
    return job;
}

/// Of all ranks that find the same mistake, rank 0 speaks.
int fail(int rank, int code, const std::string& message) {
    if (rank == 0) complain(message);
    if (rank == 0 && code == usage) complain("see 'whynot-mpi --help'");
    return rank == 0 ? code : 0;
}

int run(int argc, char** argv) {
    whynot::mpi::Messages messages;
    const int rank = messages.rank();
    std::optional<Job> job;
    try {
        job = read_command_line(argc, argv, rank);
        if (!job) return answered;
    } catch (const CLI::ParseError& error) {
        return fail(rank, usage, error.what());
    } catch (const Error& error) {
        return fail(rank, usage, error.what());
    }
    if (rank > 0) {
        try {
            whynot::mpi::serve(messages, job->arguments);
        } catch (const std::exception& error) {
            complain("rank " + std::to_string(rank) + ": " + whynot::what_without_backtrace(error));
            MPI_Abort(MPI_COMM_WORLD, failed);
        }
        messages.flush();
        return answered;
    }
    int code = failed;
    try {
        code = whynot::mpi::hand_out(messages, job->command, job->arguments);
    } catch (const std::exception& error) {
        complain(whynot::what_without_backtrace(error));
    }
    whynot::mpi::stop_others(messages);
    messages.flush();
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // an explainer that has ended reads no more
    MPI_Init(&argc, &argv);
    int code = failed;
    try {
        code = run(argc, argv);
    } catch (const std::exception& error) {
        complain(error.what());
    }
    MPI_Finalize();
    return code;
}
