// whynot classify.
#include "asking/models.h"
#include "base/format.h"
#include "commands/explain/explain.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/terminal.h"
#include "stream/batching.h"
#include "stream/inputs.h"
#include "stream/records.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

const std::string& shown(const Input& input) { return is_image(input) ? input.path : input.content; }

std::vector<std::string> row_of(const Classification& said, size_t classes) {
    std::vector<std::string> row{said.refusal.empty() ? said.predicted : "refused"};
    for (const auto& [name, probability] : said.probabilities) row.push_back(base::probability(probability));
    row.resize(classes + 1, "-");
    std::vector<std::string> notes = said.warnings;
    if (!said.refusal.empty()) notes.insert(notes.begin(), said.refusal);
    row.push_back(shown(said.input) + (notes.empty() ? "" : "  (" + base::joined(notes, "; ") + ')'));
    return row;
}

std::string table_of(const std::vector<Classification>& all, const std::vector<std::string>& classes, bool heading) {
    std::vector<std::vector<std::string>> rows{{"class"}};
    rows[0].insert(rows[0].end(), classes.begin(), classes.end());
    rows[0].emplace_back("input");
    for (const Classification& said : all) rows.push_back(row_of(said, classes.size()));
    std::string text = table(rows, std::string(1, 'l') + std::string(classes.size(), 'r'));
    if (!heading) text.erase(0, text.find('\n') + 1);  // aligned with it all the same
    return text;
}

/// Those that can be read, together; of the others why they cannot.
std::vector<Classification> classify_each(Explainer& model, const std::vector<Given>& inputs) {
    std::vector<Input> readable;
    for (const Given& given : inputs)
        if (given.problem.empty()) readable.push_back(given.input);
    std::vector<Classification> said, all;
    if (!readable.empty()) said = model.classify(readable);
    size_t next = 0;
    for (const Given& given : inputs) {
        if (given.problem.empty()) {
            all.push_back(std::move(said[next++]));
        } else {
            all.emplace_back().input = given.input;
            all.back().refusal = given.problem;
        }
    }
    return all;
}

}  // namespace

int classify(const ClassifyCommand& command) {
    return interruptible([&] {
        const std::vector<Argument> arguments = look_at_each(command.inputs);
        Models models(command, command.pack, arguments);
        set_threads(command.threads, threads_for(arguments));

        StatusLine status;
        int64_t done = 0;
        int code = answered;
        const Explainer* headed = nullptr;  // whose classes the heading names
        InputSource source(arguments);
        for (std::vector<Given> inputs; !(inputs = source.next(max_batch_size)).empty();) {
            if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
            Explainer& model = models.of(inputs.front().input);
            const std::vector<Classification> all = classify_each(model, inputs);
            status.clear();
            for (const Classification& said : all) {
                if (!said.refusal.empty()) code = none_found;
                if (command.json) print_line(record_of(said));
            }
            if (!command.json) print(table_of(all, model.pack().manifest().classes, headed != &model));
            headed = &model;
            done += static_cast<int64_t>(inputs.size());
            status.show(std::to_string(done) + " classified");
        }
        return code;
    });
}

}  // namespace whynot::cli
