#include "asking/asking.h"

#include <algorithm>
#include <exception>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/format.h"
#include "base/names.h"
#include "base/text.h"
#include "stream/records.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

/// Modes of decoding are the plugin's own; its manifest lists them.
void check_decode(const Host& host, const Pack& pack, const std::string& decode) {
    if (decode.empty()) return;
    std::vector<std::string> choices;
    for (const PluginOption& option : host.find_modality(pack.manifest().modality).manifest.options)
        if (option.key == "decode") choices = option.choices;
    if (std::find(choices.begin(), choices.end(), decode) != choices.end()) return;
    throw Error(ErrorCode::invalid_argument, "--decode '" + decode + "': for " + pack.manifest().modality + " there is " +
                                                 (choices.empty() ? "no choice" : base::joined(choices)));
}

SolverOptions solver_options(const ExplainCommand& command) {
    SolverOptions options;
    options.method = method_from_string(command.method);
    options.starts = command.starts;
    options.guards = !command.no_guards;
    options.deadline_seconds = command.deadline;
    options.max_evaluations = command.max_evaluations;
    if (const std::string problem = options.check(); !problem.empty()) throw Error(ErrorCode::invalid_argument, problem);
    return options;
}

}  // namespace

void check_class(const Pack& pack, const char* option, const std::string& name) {
    const std::vector<std::string>& classes = pack.manifest().classes;
    if (name.empty() || std::find(classes.begin(), classes.end(), name) != classes.end()) return;
    throw Error(ErrorCode::invalid_argument, std::string(option) + " '" + name + "': no class of the pack '" + pack.manifest().id +
                                                 "', which has " + base::choice_of(name, classes));
}

void prepare_folder(const fs::path& folder) {
    const auto refuse = [&](const std::string& why) {
        throw Error(ErrorCode::io, "--out " + base::escape_controls(folder.string()) + ": " + why);
    };
    std::error_code error;
    if (fs::exists(folder, error) && !fs::is_directory(folder, error)) refuse("this is a file, and a folder is needed");
    fs::create_directories(folder, error);
    if (error) refuse("the folder cannot be made: " + error.message());
    try {
        base::AtomicFile(folder / ".whynot");  // never committed
    } catch (const Error& wrong) {
        refuse(std::string("nothing can be written there; ") + wrong.what());
    }
}

ExplainOptions explain_options(const ExplainCommand& command) {
    if (!command.fact.empty() && command.fact == command.foil) {
        throw Error(ErrorCode::invalid_argument, "--fact and --foil are both '" + command.fact + "'; ask about two different classes");
    }
    ExplainOptions options;
    options.solver = solver_options(command);
    options.confidence = command.confidence;
    options.answers = command.answers;
    options.keep = command.keep;
    options.strict = command.strict;
    options.decode = command.decode;
    options.seed = command.seed;
    options.out = command.out;
    options.frames = !command.html.empty();
    options.times = !command.no_times;
    if (!command.out.empty()) prepare_folder(command.out);
    return options;
}

std::vector<Answer> explain_each(Explainer& model, const std::vector<Ask>& asks, const ExplainOptions& options,
                                 const ExplainCommand& command) {
    try {
        return model.explain(asks, options);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        std::vector<Answer> answers;
        if (asks.size() == 1) {
            answers.emplace_back().record = refused(question_of(asks[0]), model.pack(), command, error.what());
        } else {
            for (const Ask& ask : asks) answers.push_back(std::move(explain_each(model, {ask}, options, command)[0]));
        }
        return answers;
    }
}

void check_question(const ExplainCommand& command, const Host& host, const std::vector<Pack>& packs) {
    std::exception_ptr first;
    for (const Pack& pack : packs) {
        try {
            check_class(pack, "--fact", command.fact);
            if (command.foil != "all") check_class(pack, "--foil", command.foil);
            check_decode(host, pack, command.decode);
            return;
        } catch (const Error&) {
            if (!first) first = std::current_exception();
        }
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace whynot::cli
