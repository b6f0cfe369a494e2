#pragma once

/// The options of each command, one function a command; each is written beside its command, in commands/*/options.cpp. They fill in the
/// command's struct and refuse what cannot be meant. What the command then does is not theirs to know.

namespace CLI {
class App;
}

namespace whynot::cli {

struct AttributeCommand;
struct BenchCommand;
struct CheckCommand;
struct ClassifyCommand;
struct CorpusCommand;
struct DoctorCommand;
struct EvaluateCommand;
struct ExperimentCommand;
struct ExplainCommand;
struct ImportCommand;
struct PacksCommand;
struct PluginsCommand;
struct ServeCommand;
struct StudyCommand;
struct TrainCommand;

void add_explain(CLI::App& program, ExplainCommand& command);
void add_classify(CLI::App& program, ClassifyCommand& command);
void add_attribute(CLI::App& program, AttributeCommand& command);
void add_packs(CLI::App& program, PacksCommand& command, ImportCommand& import);
void add_plugins(CLI::App& program, PluginsCommand& command, CheckCommand& check);
void add_train(CLI::App& program, TrainCommand& command);
void add_evaluate(CLI::App& program, EvaluateCommand& command);
void add_bench(CLI::App& program, BenchCommand& command);
void add_experiment(CLI::App& program, ExperimentCommand& command);
void add_corpus(CLI::App& program, CorpusCommand& command);
void add_serve(CLI::App& program, ServeCommand& command);
void add_study(CLI::App& program, StudyCommand& command);
void add_doctor(CLI::App& program, DoctorCommand& command);

/// All that `explain` takes but its INPUTs: for every program that answers a stream as `explain` does.
void add_explain_options(CLI::App& program, ExplainCommand& command);

}  // namespace whynot::cli
