#pragma once

/// What lies between the program, which reads the command line and needs no tensors, and the commands that do.
///
/// The program links whynot_core only, so that `--version`, `--help` and the lists start at once; LibTorch takes its time to load. The
/// commands below live in the library LIBDIR/whynot/whynot_commands.so, which the program opens when one of them is asked for.

#include <cstdint>
#include <string>
#include <vector>

#include "whynot/export.h"
#include "whynot/version.h"

namespace whynot::cli {

/// What scripts may rely on. A signal is never one of these.
enum ExitCode {
    answered = 0,
    failed = 1,
    usage = 2,       ///< Error `invalid_argument`, or a command line that cannot be read
    none_found = 3,  ///< at least one input has no answer
};

/// What several commands take.
struct CommonOptions {
    std::string plugin_path;     ///< folders separated by `:`
    int threads = 0;             ///< 0: `choose_threads`
    std::string device = "cpu";  ///< where the networks compute, of those that explain or classify
    bool json = false;
};

struct ExplainCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;  ///< id or folder; empty: the default for the kind of input
    std::string fact;
    std::string foil;  ///< "all": every class other than the fact
    std::string method = "sqp";
    int64_t starts = 3;  // as in SolverOptions, which this header cannot include
    bool no_guards = false;
    std::string decode;
    uint64_t seed = 1;
    double deadline = 0;
    int64_t max_evaluations = 0;
    std::string out;

    // A stream of questions on standard input, one answer a line: stream.h.
    bool jsonl = false;          ///< a question a line
    bool lines = false;          ///< a sentence a line
    std::string csv_column;      ///< inputs in a column of a CSV file
    std::string resume;          ///< the file of answers, which is gone on with
    std::string shard;           ///< "I/N": only every Nth question, from the Ith
    bool whole_batches = false;  ///< wait for all questions of a batch, however slowly they come
    double run_deadline = 0;
    int64_t run_evaluations = 0;

    bool is_stream() const { return jsonl || lines || !csv_column.empty(); }
};

struct ClassifyCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;
};

struct TrainCommand : CommonOptions {
    std::string modality;
    std::string corpus;
    std::string out;
    std::string recipe;  ///< a file; empty: the defaults
    uint64_t seed = 1;
    bool print_recipe = false;
    bool generator_only = false;  ///< with `pack` and `data` instead of `corpus`
    std::string pack;
    std::string data;
};

/// A model that somebody brings along: whynot/import.h.
struct ImportCommand : CommonOptions {
    std::string modality;
    std::string classifier, encoder, decoder, embedding, vocabulary;  ///< files
    std::string classes;                                              ///< separated by commas
    std::string shape;                                                ///< "3x64x64": channels, height, width
    std::string mean, deviation;                                      ///< numbers separated by commas
    std::string emits;                                                ///< empty: what it is found to emit
    std::string framing = "plain";
    bool light_on_dark = false;
    std::string data;
    std::string out;
    std::string licence;
    uint64_t seed = 1;
};

struct EvaluateCommand : CommonOptions {
    std::string pack;
    std::string corpus;
    int64_t limit = 500;
    uint64_t seed = 1;
};

struct BenchCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;    ///< id or folder; empty: the default for the kind of input, for a corpus the pack of its name
    std::string corpus;  ///< names, separated by commas
    std::string batches = "1,16,64,256";
    std::string methods = "sqp,augmented-lagrangian,augmented-lagrangian-lbfgs";
    std::string foil;  ///< empty: the runner-up
    int64_t limit = 256;
    int64_t starts = 1;
    double seconds = 4;
    double step = 0;  ///< of the gradient descent; 0: the solver's
    uint64_t seed = 1;
};

struct ExperimentCommand : CommonOptions {
    std::string name;
    std::string out;
    std::string pack;  ///< id or folder; empty: what the experiment says
    bool quick = false;
    uint64_t seed = 1;
};

struct CheckCommand : CommonOptions {
    std::string plugin;  ///< its id, or its library
    std::string pack;    ///< id or folder; empty: the first of its modality
    std::vector<std::string> inputs;
    std::vector<std::string> only, except;  ///< names of checks, with * and ?
    uint64_t seed = 1;
    double timeout = 60;  ///< seconds
    bool in_process = false;
};

struct DoctorCommand : CommonOptions {};

int explain(const ExplainCommand& command);
int classify(const ClassifyCommand& command);
int train(const TrainCommand& command);
int import_model(const ImportCommand& command);
int evaluate(const EvaluateCommand& command);
int bench(const BenchCommand& command);
int list_experiments(const ExperimentCommand& command);
int run_experiment(const ExperimentCommand& command);
int check_in_process(const CheckCommand& command);
int doctor(const DoctorCommand& command);

/// The commands of the library. Each returns an exit code or throws `whynot::Error`.
struct Commands {
    const char* version;  ///< WHYNOT_VERSION: program and library belong to one build
    int (*explain)(const ExplainCommand&);
    int (*classify)(const ClassifyCommand&);
    int (*train)(const TrainCommand&);
    int (*evaluate)(const EvaluateCommand&);
    int (*doctor)(const DoctorCommand&);
    int (*list_experiments)(const ExperimentCommand&);
    int (*run_experiment)(const ExperimentCommand&);
    int (*check_in_process)(const CheckCommand&);
    int (*import_model)(const ImportCommand&);
    int (*bench)(const BenchCommand&);
};

}  // namespace whynot::cli

/// The one symbol of the library.
extern "C" WHYNOT_API const whynot::cli::Commands* whynot_commands();
#define WHYNOT_COMMANDS_ENTRY "whynot_commands"
