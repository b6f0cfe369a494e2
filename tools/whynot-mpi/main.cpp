// The program whynot-mpi: the stream of `whynot explain` over the ranks of an MPI job.
#include <mpi.h>

#include <csignal>
#include <sstream>
#include <string>

#include "command_line.h"
#include "console/process.h"
#include "console/terminal.h"
#include "documents/documents.h"
#include "messages.h"
#include "ranks.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace {

using namespace whynot::cli;
using whynot::Error;
using whynot::ErrorCode;
using whynot::mpi::Job;

/// Of all ranks that find the same mistake, rank 0 speaks.
int fail(int rank, int code, const std::string& message) {
    if (rank == 0) complain(message);
    if (rank == 0 && code == usage) complain("see 'whynot-mpi --help'");
    return rank == 0 ? code : 0;
}

int run(int argc, char** argv) {
    whynot::mpi::Messages messages;
    const int rank = messages.rank();
    whynot::mpi::CommandLine line;
    const Job* job = nullptr;
    try {
        job = &line.read(argc, argv);
    } catch (const CLI::Success& asked) {  // --help, --version
        std::ostringstream text;
        line.app().exit(asked, text, text);
        if (rank == 0) print(text.str());
        return answered;
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
    prepare_process();
    if (argc == 3 && std::string(argv[1]) == "documentation") {  // for the build, which has no ranks
        try {
            print(document(whynot::mpi::CommandLine().app(), argv[2]));
            return answered;
        } catch (const Error& error) {
            return fail(0, error.code() == ErrorCode::invalid_argument ? usage : failed, error.what());
        }
    }
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
