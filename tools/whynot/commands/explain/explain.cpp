// whynot explain.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "asking/answer_page.h"
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
    const Json rendering = base::parse_own_json(record.rendering);
    const auto sheet = rendering.find("sheet");
    return sheet != rendering.end() && sheet->is_string() ? sheet->get<std::string>() : "";
}

/// `whynot explain` with its inputs as arguments, or sentences line by line.
class Explaining {
public:
    explicit Explaining(const ExplainCommand& command)
        : command_(command),
          options_(explain_options(command)),
          arguments_(look_at_each(command.inputs)),
          alone_(arguments_.size() == 1 && arguments_.front().kind != Argument::Kind::lines),
          models_(command, command.pack, arguments_),
          page_(command, models_.packs()),
          style_(terminal_style()) {
        check_question(command, models_.host(), models_.packs());
        if (!command.svg.empty() && (!alone_ || command.foil == "all"))
            throw Error(ErrorCode::invalid_argument, "--svg is for one question: one INPUT, and one foil");
        expect_writable("--svg", command.svg);
        set_threads(command.threads, threads_for(arguments_));
        options_.solver.callback = [this](const IterationReport& report) {
            show(report);
            return interrupted() ? CallbackAnswer::abort : CallbackAnswer::proceed;
        };
    }

    int run() {
        InputSource source(arguments_);
        for (std::vector<Given> given; !(given = source.next(max_batch_size)).empty();) {
            Explainer& model = models_.of(given.front().input);
            std::vector<Input> inputs;  // those between two that cannot be read
            for (Given& each : given) {
                if (each.problem.empty()) {
                    inputs.push_back(std::move(each.input));
                    continue;
                }
                answer(model, std::exchange(inputs, {}));
                const Ask ask{std::move(each.input), {command_.fact, command_.foil == "all" ? "" : command_.foil, ""}};
                give({Answer{refused(question_of(ask), model.pack(), command_, each.problem), {}, {}, {}}});
            }
            answer(model, inputs);
        }
        page_.write();
        if (!command_.html.empty() && !command_.json) print("page: " + base::escape_controls(command_.html) + '\n');
        return code_;
    }

private:
    /// The questions of one input go together, as they share the work of reading it, unless they alone are too many.
    void answer(Explainer& model, const std::vector<Input>& inputs) {
        if (inputs.empty()) return;
        const std::vector<std::vector<Question>> asked = questions(model, inputs, command_);
        std::vector<Ask> batch;
        for (size_t i = 0; i < inputs.size(); ++i) {
            if (!batch.empty() && batch.size() + asked[i].size() > max_batch_size) ask_all(model, std::exchange(batch, {}));
            for (const Question& question : asked[i]) {
                batch.push_back({inputs[i], question});
                if (batch.size() == max_batch_size) ask_all(model, std::exchange(batch, {}));
            }
        }
        if (!batch.empty()) ask_all(model, batch);
    }

    /// What fails for a single input is the failure of the program; among several it is that of its question.
    void ask_all(Explainer& model, const std::vector<Ask>& batch) {
        if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
        give(alone_ ? model.explain(batch, options_) : explain_each(model, batch, options_, command_));
    }

    void give(const std::vector<Answer>& answers) {
        status_.clear();
        for (const Answer& answer : answers) {
            const std::string line = to_json(answer.record) + '\n';
            if (!command_.out.empty()) write_file_atomically(fs::path(command_.out) / (answer.record.id + ".json"), line);
            std::string text =
                command_.json ? line : (done_ > 0 ? "\n" : "") + to_terminal(answer.record, answer.terminal, style_, answer.pictures);
            const std::string sheet = command_.json || command_.out.empty() ? "" : sheet_of(answer.record);
            if (!sheet.empty()) text += "sheet: " + base::escape_controls((fs::path(command_.out) / sheet).string()) + '\n';
            print(text);
            page_.add(answer);
            if (!command_.svg.empty()) write_file_atomically(command_.svg, to_svg(answer));
            if (!has_answer(answer.record)) code_ = none_found;
            ++done_;
        }
        status_.show(std::to_string(done_) + " answered");
    }

    void show(const IterationReport& report) {
        const std::string active = std::to_string(report.rows_active) + " of " + std::to_string(report.questions);
        using Stage = IterationReport::Stage;
        status_.show(std::to_string(done_) + " answered, " +
                     (report.stage == Stage::search   ? "searching: " + active + " under way, step " + std::to_string(report.iteration + 1)
                      : report.stage == Stage::render ? "making answers: " + active + " to go"
                                                      : "finding starts for " + std::to_string(report.questions)));
    }

    const ExplainCommand& command_;
    ExplainOptions options_;
    const std::vector<Argument> arguments_;
    const bool alone_;
    Models models_;
    AnswerPage page_;
    const TerminalStyle style_;
    StatusLine status_;
    int64_t done_ = 0;
    int code_ = answered;
};

}  // namespace

int explain(const ExplainCommand& command) {
    if (command.is_stream()) return explain_stream(command);
    return interruptible([&] { return Explaining(command).run(); });
}

}  // namespace whynot::cli
