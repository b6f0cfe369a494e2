// whynot explain, whynot classify.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "core/atomic_file.h"
#include "inputs.h"
#include "interrupt.h"
#include "models.h"
#include "terminal.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t batch_size = 64;  // well over half of what large batches win, and answers keep flowing

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

void check_class(const Pack& pack, const char* option, const std::string& name) {
    const std::vector<std::string>& classes = pack.manifest().classes;
    if (name.empty() || std::find(classes.begin(), classes.end(), name) != classes.end()) return;
    throw Error(ErrorCode::invalid_argument,
                std::string(option) + " '" + name + "': no class of the pack '" + pack.manifest().id + "', which has " + listed(classes));
}

/// Ways to decode are the plugin's own; its manifest lists them.
void check_decode(const Host& host, const Pack& pack, const std::string& decode) {
    if (decode.empty()) return;
    std::vector<std::string> choices;
    for (const PluginOption& option : host.find_modality(pack.manifest().modality).manifest.options)
        if (option.key == "decode") choices = option.choices;
    if (std::find(choices.begin(), choices.end(), decode) != choices.end()) return;
    throw Error(ErrorCode::invalid_argument, "--decode '" + decode + "': for " + pack.manifest().modality + " there is " +
                                                 (choices.empty() ? "no choice" : listed(choices)));
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

std::vector<Ask> questions(Explainer& model, const std::vector<Input>& inputs, const ExplainCommand& command) {
    std::vector<Ask> asks;
    if (command.foil != "all") {
        for (const Input& input : inputs) asks.push_back({input, {command.fact, command.foil, ""}});
        return asks;
    }
    for (const Classification& said : model.classify(inputs)) {
        if (!said.refusal.empty()) {  // the explainer tells why
            asks.push_back({said.input, {command.fact, "", ""}});
            continue;
        }
        const std::string& fact = command.fact.empty() ? said.predicted : command.fact;
        for (const std::string& foil : model.pack().manifest().classes)
            if (foil != fact) asks.push_back({said.input, {fact, foil, ""}});
    }
    return asks;
}

/// There is an answer for people: the search came to rest, or was cut short with a point that the classifier calls the foil.
bool has_answer(const Explanation& record) {
    if (record.status == "found") return true;
    const ClassProbabilities& answer = record.probabilities.answer;
    if (record.status != "best-effort" || answer.empty()) return false;
    const auto likeliest = std::max_element(answer.begin(), answer.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return likeliest->first == record.question.foil;
}

}  // namespace

int explain(const ExplainCommand& command) {
    return interruptible([&] {
        if (!command.fact.empty() && command.fact == command.foil) {
            throw Error(ErrorCode::invalid_argument, "--fact and --foil are both '" + command.fact + "'; ask about two different classes");
        }
        ExplainOptions options;
        options.solver = solver_options(command);
        options.decode = command.decode;
        options.seed = command.seed;
        options.out = command.out;

        Models models(command, command.pack, command.inputs);
        for (const Pack& pack : models.packs()) {
            check_class(pack, "--fact", command.fact);
            if (command.foil != "all") check_class(pack, "--foil", command.foil);
            check_decode(models.host(), pack, command.decode);
        }
        set_threads(command.threads, threads_for(command.inputs));
        if (!command.out.empty()) fs::create_directories(command.out);

        const TerminalStyle style = terminal_style();
        StatusLine status;
        int64_t done = 0;
        options.solver.callback = [&](const IterationReport& report) {
            status.show(std::to_string(done) + " answered, searching: " + std::to_string(report.rows_active) + " of " +
                        std::to_string(report.questions) + " under way, step " + std::to_string(report.iteration + 1));
            return interrupted() ? CallbackAnswer::abort : CallbackAnswer::proceed;
        };

        int code = answered;
        InputSource source(command.inputs);
        for (std::vector<Input> inputs; !(inputs = source.next(batch_size)).empty();) {
            Explainer& model = models.of(inputs.front());
            const std::vector<Ask> asks = questions(model, inputs, command);
            for (size_t begin = 0; begin < asks.size(); begin += batch_size) {  // one input has many questions with --foil all
                if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
                const std::vector<Ask> batch(asks.begin() + static_cast<std::ptrdiff_t>(begin),
                                             asks.begin() + static_cast<std::ptrdiff_t>(std::min(begin + batch_size, asks.size())));
                const std::vector<Answer> answers = model.explain(batch, options);
                status.clear();
                for (const Answer& answer : answers) {
                    const std::string line = to_json(answer.record) + '\n';
                    if (!command.out.empty()) write_file_atomically(fs::path(command.out) / (answer.record.id + ".json"), line);
                    print(command.json ? line : (done > 0 ? "\n" : "") + to_terminal(answer.record, answer.terminal, style));
                    if (!has_answer(answer.record)) code = none_found;
                    ++done;
                }
                status.show(std::to_string(done) + " answered");
            }
        }
        return code;
    });
}

int classify(const ClassifyCommand& command) {
    return interruptible([&] {
        Models models(command, command.pack, command.inputs);
        set_threads(command.threads, threads_for(command.inputs));

        StatusLine status;
        int64_t done = 0;
        int code = answered;
        const Explainer* headed = nullptr;  // whose classes the heading names
        InputSource source(command.inputs);
        for (std::vector<Input> inputs; !(inputs = source.next(batch_size)).empty();) {
            if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
            Explainer& model = models.of(inputs.front());
            const std::vector<std::string>& classes = model.pack().manifest().classes;
            std::vector<std::vector<std::string>> rows{{"class"}};
            rows[0].insert(rows[0].end(), classes.begin(), classes.end());
            rows[0].emplace_back("input");
            std::string lines;
            for (const Classification& said : model.classify(inputs)) {
                const std::string& input = is_image(said.input) ? said.input.path : said.input.content;
                if (!said.refusal.empty()) code = none_found;
                if (command.json) {
                    Json record{{"input", input}, {"class", nullptr}, {"probabilities", Json::object()}};
                    if (said.refusal.empty()) record["class"] = said.predicted;
                    for (const auto& [name, probability] : said.probabilities) record["probabilities"][name] = probability;
                    if (!said.refusal.empty()) record["reason"] = said.refusal;
                    if (!said.warnings.empty()) record["warnings"] = said.warnings;
                    lines += record.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
                    continue;
                }
                std::vector<std::string>& row = rows.emplace_back();
                row.push_back(said.refusal.empty() ? said.predicted : "refused");
                for (const auto& probability : said.probabilities) row.push_back(percent(probability.second));
                row.resize(classes.size() + 1, "-");
                std::string notes = said.refusal;
                for (const std::string& warning : said.warnings) notes += (notes.empty() ? "" : "; ") + warning;
                row.push_back(input + (notes.empty() ? "" : "  (" + notes + ')'));
            }
            status.clear();
            done += static_cast<int64_t>(inputs.size());
            if (!command.json) {
                lines = table(rows, std::string(1, 'l') + std::string(classes.size(), 'r'));
                if (headed == &model) lines.erase(0, lines.find('\n') + 1);  // aligned with the heading all the same
                headed = &model;
            }
            print(lines);
            status.show(std::to_string(done) + " classified");
        }
        return code;
    });
}

}  // namespace whynot::cli
