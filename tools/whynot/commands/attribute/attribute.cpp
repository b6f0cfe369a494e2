// whynot attribute.
#include "commands/attribute/attribute.h"

#include <filesystem>

#include "asking/asking.h"
#include "asking/models.h"
#include "base/json.h"
#include "base/text.h"
#include "console/interrupt.h"
#include "console/terminal.h"
#include "stream/batching.h"
#include "stream/inputs.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;

void list_methods(const Explainer& model, bool json) {
    std::vector<std::vector<std::string>> rows{{"method", "asks", "what it says"}};
    for (const AttributionMethod& method : model.attribution_methods()) {
        if (json)
            print(Json{{"name", method.name},
                       {"title", method.title},
                       {"source", method.source},
                       {"needs", method.needs.empty() ? Json() : Json(method.needs)},
                       {"asks_classifier", method.asks_classifier}}
                      .dump() +
                  '\n');
        rows.push_back({method.name, method.asks_classifier ? "yes" : "no", method.title + " (" + method.source + ")"});
    }
    if (!json) print(table(rows));
}

/// `whynot attribute` with its inputs.
class Attributing {
public:
    explicit Attributing(const AttributeCommand& command)
        : command_(command),
          arguments_(look_at_each(command.inputs)),
          models_(command, command.pack, arguments_),
          style_(terminal_style()) {
        for (const Pack& pack : models_.packs()) {
            check_class(pack, "--fact", command.fact);
            check_class(pack, "--foil", command.foil);
        }
        if (!command.out.empty()) prepare_folder(command.out);
        set_threads(command.threads, threads_for(arguments_));
        options_.method = command.method;
        options_.alone = command.alone;
        options_.sweep = command.sweep;
        options_.seed = command.seed;
        options_.out = command.out;
        options_.times = !command.no_times;
    }

    int run() {
        const InterruptionScope scope([] {
            if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
        });
        InputSource source(arguments_);
        for (std::vector<Given> given; !(given = source.next(max_batch_size)).empty();) {
            Explainer& model = models_.of(given.front().input);
            std::vector<Ask> asked;
            for (const Given& each : given) {
                if (each.problem.empty()) {
                    asked.push_back({each.input, {command_.fact, command_.foil, ""}});
                } else {  // where it alone was bad, the program has said so and ended
                    complain(each.input.path + ": " + each.problem);
                    code_ = none_found;
                }
            }
            if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
            if (!asked.empty()) give(model.attribute(asked, options_));
        }
        return code_;
    }

private:
    void give(const std::vector<Attributed>& all) {
        status_.clear();
        for (const Attributed& one : all) {
            const std::string line = to_json(one) + '\n';
            if (!command_.out.empty()) write_file_atomically(fs::path(command_.out) / (one.id + ".json"), line);
            std::string text = command_.json ? line : (done_ > 0 ? "\n" : "") + to_terminal(one, style_);
            for (const auto& [name, path] : one.map.files)
                if (name == "sheet" && !command_.json)
                    text += "sheet: " + base::escape_controls((fs::path(command_.out) / path).string()) + '\n';
            print(text);
            if (!one.reason.empty()) code_ = none_found;
            ++done_;
        }
        status_.show(std::to_string(done_) + " attributed");
    }

    const AttributeCommand& command_;
    AttributionOptions options_;
    const std::vector<Argument> arguments_;
    Models models_;
    const TerminalStyle style_;
    StatusLine status_;
    int64_t done_ = 0;
    int code_ = answered;
};

}  // namespace

int attribute(const AttributeCommand& command) {
    return interruptible([&] {
        if (!command.list) return Attributing(command).run();
        // Of the pack that was named, or of both defaults.
        Models models(command, command.pack);
        const bool both = command.pack.empty() && models.packs().size() > 1;
        if (both && !command.json) print("sentences\n");
        list_methods(models.sentences(), command.json);
        if (!both) return int{answered};
        if (!command.json) print("\nimages\n");
        list_methods(models.images(), command.json);
        return int{answered};
    });
}

}  // namespace whynot::cli
