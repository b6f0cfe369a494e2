// whynot train, whynot evaluate.
#include "whynot/train.h"

#include <filesystem>

#include "asking/models.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/commands.h"
#include "console/interrupt.h"
#include "console/long_run.h"
#include "console/terminal.h"
#include "whynot/error.h"
#include "whynot/import.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;

std::string text_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_null() ? "-" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string figure(const Json& value) {
    if (!value.is_number_float()) return text_of(value);
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value.get<double>());
    return text;
}

/// The figures as a table, then the examples as they are.
std::string report(const Json& evaluation) {
    std::vector<std::vector<std::string>> rows{{"figure", "value", "n", "unit"}};
    for (const Json& one : evaluation.at("figures")) {
        rows.push_back({one.at("name").get<std::string>(), figure(one.at("value")), figure(one.at("n")), one.value("unit", "")});
    }
    std::string text = table(rows, "lrrl");
    for (const Json& example : evaluation.value("examples", Json::array())) {
        if (!example.is_object()) {
            text += '\n' + table({{figure(example)}});
            continue;
        }
        std::vector<std::vector<std::string>> lines;
        for (const auto& [key, value] : example.items()) lines.push_back({key, figure(value)});
        text += '\n' + table(lines);
    }
    return text;
}

}  // namespace

int train(const TrainCommand& command) {
    return interruptible([&] {
        const Host host(plugin_search(command));
        const std::string plugin = host.find_modality(command.modality).manifest.id;
        const auto recipe_text = [&] {
            return command.recipe.empty() ? std::string("{}") : base::read_file(command.recipe, 1 << 20, ErrorCode::invalid_argument);
        };
        const auto report_pack = [&] {
            const Pack pack = open_pack(command.out);
            print(table({{"pack", pack.manifest().id + ", version " + pack.manifest().version},
                         {"folder", pack.directory().string()},
                         {"sha256", pack.sha256()}}));
            return answered;
        };
        if (command.generator_only) {
            Importer& importer = host.service<Importer>(plugin);
            const GeneratorRequest request{find_pack(command.pack, default_pack_search()), command.data, command.out, recipe_text(),
                                           command.seed};
            if (request.pack.manifest().modality != command.modality)
                throw Error(ErrorCode::invalid_argument, "expected a pack of the modality " + command.modality + ", and '" +
                                                             request.pack.manifest().id + "' is of " + request.pack.manifest().modality);
            set_threads(command.threads, 4);
            StatusLine status;
            guarded(plugin, "train a generator", [&] { importer.train_generator(request, observer(status)); });
            status.clear();
            return report_pack();
        }
        Trainer& trainer = host.service<Trainer>(plugin);
        if (command.print_recipe) {
            const std::string recipe = guarded(plugin, "tell its recipe", [&] { return trainer.default_recipe(); });
            print(Json::parse(recipe).dump(2) + '\n');
            return answered;
        }
        TrainRequest request;
        request.corpus = command.corpus;
        request.corpora = variable("WHYNOT_CORPORA");
        if (request.corpora.empty()) {
            throw Error(ErrorCode::not_found,
                        "WHYNOT_CORPORA is not set: it names the folder that holds the corpora, as in "
                        "WHYNOT_CORPORA=/data/corpora for the corpus /data/corpora/" +
                            command.corpus);
        }
        request.out = command.out;
        request.recipe = recipe_text();
        request.seed = command.seed;
        set_threads(command.threads, 4);

        StatusLine status;
        guarded(plugin, "train", [&] { trainer.train(request, observer(status)); });
        status.clear();
        return report_pack();
    });
}

int evaluate(const EvaluateCommand& command) {
    return interruptible([&] {
        const Host host(plugin_search(command));
        const Pack pack = find_pack(command.pack, default_pack_search());
        const std::string plugin = host.find_service(pack.manifest().modality, Evaluator::service_id).manifest.id;
        Evaluator& evaluator = host.service<Evaluator>(plugin);
        EvaluateRequest request;
        request.corpus = command.corpus;
        request.corpora = variable("WHYNOT_CORPORA");
        std::error_code error;
        if (request.corpora.empty() && !fs::is_regular_file(command.corpus, error)) {
            throw Error(ErrorCode::not_found, "'" + command.corpus +
                                                  "' is no file, and WHYNOT_CORPORA, which names the folder that holds "
                                                  "the corpora, is not set");
        }
        request.cache = cache_folder();
        request.limit = command.limit;
        request.seed = command.seed;
        set_threads(command.threads, 4);

        StatusLine status;
        const std::string text = guarded(plugin, "evaluate", [&] { return evaluator.evaluate(pack, request, observer(status)); });
        status.clear();
        const Json evaluation = Json::parse(text);
        print(command.json ? evaluation.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n' : report(evaluation));
        return answered;
    });
}

}  // namespace whynot::cli
