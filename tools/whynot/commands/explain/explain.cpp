// whynot explain.
#include <algorithm>
#include <filesystem>

#include "asking/asking.h"
#include "asking/models.h"
#include "base/atomic_file.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/explain/explain.h"
#include "console/interrupt.h"
#include "console/terminal.h"
#include "stream/batching.h"
#include "stream/inputs.h"
#include "stream/records.h"
#include "stream/stream.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;

/// What is asked of each input.
std::vector<std::vector<Question>> questions(Explainer& model, const std::vector<Input>& inputs, const ExplainCommand& command) {
    if (command.foil != "all") return std::vector<std::vector<Question>>(inputs.size(), {{command.fact, command.foil, ""}});
    std::vector<std::vector<Question>> all;
    for (const Classification& said : model.classify(inputs)) {
        std::vector<Question>& asked = all.emplace_back();
        if (!said.refusal.empty()) {  // the explainer tells why
            asked.push_back({command.fact, "", ""});
            continue;
        }
        const std::string& fact = command.fact.empty() ? said.predicted : command.fact;
        for (const std::string& foil : model.pack().manifest().classes)
            if (foil != fact) asked.push_back({fact, foil, ""});
    }
    return all;
}

/// The picture of the whole explanation, where there is one: its path in the folder for answers.
std::string sheet_of(const Explanation& record) {
    if (record.rendering.empty()) return "";
    const Json rendering = Json::parse(record.rendering);
    const auto sheet = rendering.find("sheet");
    return sheet != rendering.end() && sheet->is_string() ? sheet->get<std::string>() : "";
}

}  // namespace

int explain(const ExplainCommand& command) {
    if (command.is_stream()) return explain_stream(command);
    return interruptible([&] {
        ExplainOptions options = explain_options(command);
        const std::vector<Argument> arguments = look_at(command.inputs);
        Models models(command, command.pack, arguments);
        for (const Pack& pack : models.packs()) check_question(command, models.host(), pack);
        set_threads(command.threads, threads_for(arguments));

        const TerminalStyle style = terminal_style();
        StatusLine status;
        int64_t done = 0;
        options.solver.callback = [&](const IterationReport& report) {
            const std::string active = std::to_string(report.rows_active) + " of " + std::to_string(report.questions);
            using Stage = IterationReport::Stage;
            status.show(std::to_string(done) + " answered, " +
                        (report.stage == Stage::search ? "searching: " + active + " under way, step " + std::to_string(report.iteration + 1)
                         : report.stage == Stage::render ? "making answers: " + active + " to go"
                                                         : "finding starts for " + std::to_string(report.questions)));
            return interrupted() ? CallbackAnswer::abort : CallbackAnswer::proceed;
        };

        int code = answered;
        const auto answer_all = [&](Explainer& model, std::vector<Ask>& batch) {
            if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
            const std::vector<Answer> answers = model.explain(batch, options);
            batch.clear();
            status.clear();
            for (const Answer& answer : answers) {
                const std::string line = to_json(answer.record) + '\n';
                if (!command.out.empty()) write_file_atomically(fs::path(command.out) / (answer.record.id + ".json"), line);
                std::string text =
                    command.json ? line : (done > 0 ? "\n" : "") + to_terminal(answer.record, answer.terminal, style, answer.pictures);
                const std::string sheet = command.json || command.out.empty() ? "" : sheet_of(answer.record);
                if (!sheet.empty()) text += "sheet: " + base::escape_controls((fs::path(command.out) / sheet).string()) + '\n';
                print(text);
                if (!has_answer(answer.record)) code = none_found;
                ++done;
            }
            status.show(std::to_string(done) + " answered");
        };

        InputSource source(arguments);
        for (std::vector<Input> inputs; !(inputs = source.next(max_batch_size)).empty();) {
            Explainer& model = models.of(inputs.front());
            const std::vector<std::vector<Question>> asked = questions(model, inputs, command);
            // The questions of one input go together, as they share the work of reading it, unless they alone are too many.
            std::vector<Ask> batch;
            for (size_t i = 0; i < inputs.size(); ++i) {
                if (!batch.empty() && batch.size() + asked[i].size() > max_batch_size) answer_all(model, batch);
                for (const Question& question : asked[i]) {
                    batch.push_back({inputs[i], question});
                    if (batch.size() == max_batch_size) answer_all(model, batch);
                }
            }
            if (!batch.empty()) answer_all(model, batch);
        }
        return code;
    });
}

}  // namespace whynot::cli
