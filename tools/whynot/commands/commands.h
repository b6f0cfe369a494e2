#pragma once

/// What lies between the program, which reads the command line and needs no tensors, and the commands that do.
///
/// The program links whynot_core only, so that `--version`, `--help` and the lists start at once; LibTorch takes its time to load. The
/// commands below live in the library LIBDIR/whynot/whynot_commands.so, which the program opens when one of them is asked for.

#include <memory>

#include "commands/common.h"

namespace whynot::cli {

// Each is defined beside its command, in commands/*/*.h.
struct ExplainCommand;
struct ClassifyCommand;
struct AttributeCommand;
struct TrainCommand;
struct EvaluateCommand;
struct DoctorCommand;
struct ExperimentCommand;
struct CheckCommand;
struct ImportCommand;
struct BenchCommand;
struct ServeCommand;
class Asker;

/// The commands of the library. Each returns an exit code or throws `whynot::Error`.
struct Commands {
    const char* version;  ///< WHYNOT_VERSION: program and library belong to one build
    int (*explain)(const ExplainCommand&);
    int (*classify)(const ClassifyCommand&);
    int (*attribute)(const AttributeCommand&);
    int (*train)(const TrainCommand&);
    int (*evaluate)(const EvaluateCommand&);
    int (*doctor)(const DoctorCommand&);
    int (*list_experiments)(const ExperimentCommand&);
    int (*run_experiment)(const ExperimentCommand&);
    int (*check_in_process)(const CheckCommand&);
    int (*import_model)(const ImportCommand&);
    int (*bench)(const BenchCommand&);
    std::unique_ptr<Asker> (*open_asker)(const ServeCommand&);  ///< for `whynot serve`, which is in a library of its own
};

}  // namespace whynot::cli

/// The one symbol of the library.
extern "C" WHYNOT_API const whynot::cli::Commands* whynot_commands();
#define WHYNOT_COMMANDS_ENTRY "whynot_commands"
