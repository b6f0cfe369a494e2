#pragma once

/// The options of whynot-mpi: those of `whynot explain`, but for what makes sense for one process only.

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "commands/explain/explain.h"

namespace whynot::mpi {

/// What the ranks are to do.
struct Job {
    cli::ExplainCommand command;
    std::vector<std::string> arguments;  ///< of each explainer
};

class CommandLine {
public:
    CommandLine();

    /// Throws what CLI11 throws, `CLI::Success` for --help and --version, and Error `invalid_argument`.
    const Job& read(int argc, char** argv);

    CLI::App& app() { return app_; }

private:
    /// `whynot explain` with what we were given, but for what rank 0 does itself.
    void pass_on();

    CLI::App app_;
    Job job_;
};

}  // namespace whynot::mpi
