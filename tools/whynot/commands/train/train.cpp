// whynot train, whynot evaluate.
#include "whynot/train.h"

#include <filesystem>

#include "asking/models.h"
#include "asking/services.h"
#include "base/file.h"
#include "base/format.h"
#include "base/members.h"
#include "commands/train/train.h"
#include "console/environment.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/long_run.h"
#include "console/terminal.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/import.h"
#include "whynot/page.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;

std::string text_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_null() ? "-" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string figure(const Json& value) { return value.is_number_float() ? base::number(value.get<double>(), 4) : text_of(value); }

/// The figures as a table, then the examples as they are.
std::string report(const Json& evaluation) {
    std::vector<std::vector<std::string>> rows{{"figure", "value", "n", "unit"}};
    base::Members found(evaluation, ErrorCode::bad_plugin, "the evaluation");
    for (base::Members& one : found.objects("figures"))
        rows.push_back({one.text("name"), figure(one.take("value")), figure(one.take("n")), one.text("unit", "")});
    std::string text = table(rows, "lrrl");
    for (const Json& example : found.has("examples") ? found.array("examples") : Json::array()) {
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

std::string recipe_of(const TrainCommand& command) {
    const std::string text = command.recipe.empty() ? "{}" : base::read_file(command.recipe, 1 << 20, ErrorCode::invalid_argument);
    if (command.classifier.empty()) return text;
    Json recipe = base::parse_json_object(text, ErrorCode::invalid_argument, "the recipe " + command.recipe);
    if (recipe.contains("classifier") && !recipe["classifier"].is_object())
        throw Error(ErrorCode::invalid_argument, "the recipe " + command.recipe + ": expected an object as 'classifier'");
    recipe["classifier"]["kind"] = command.classifier;
    return recipe.dump();
}

fs::path corpora_folder(const std::string& corpus) {
    fs::path folder = variable("WHYNOT_CORPORA");
    if (folder.empty())
        throw Error(ErrorCode::not_found,
                    "WHYNOT_CORPORA is not set: it names the folder that holds the corpora, as in "
                    "WHYNOT_CORPORA=/data/corpora for the corpus /data/corpora/" +
                        corpus);
    return folder;
}

void train_generator(const TrainCommand& command, const Host& host) {
    const std::string plugin = plugin_with(Importer::service_id, host, command.modality);
    Importer& importer = host.service<Importer>(plugin);
    GeneratorRequest request{{}, command.data, command.out, recipe_of(command), command.seed, {}, {}, command.words_only};
    if (!command.pack.empty()) {
        request.pack = find_pack(command.pack, default_pack_search());
        if (request.pack->manifest().modality != command.modality)
            throw Error(ErrorCode::invalid_argument, "expected a pack of the modality " + command.modality + ", and '" +
                                                         request.pack->manifest().id + "' is of " + request.pack->manifest().modality);
    }
    if (!command.corpus.empty()) {
        request.corpora = base::split(command.corpus, ',');
        request.corpora_folder = corpora_folder(command.corpus);
    }
    set_threads(command.threads, 4);
    StatusLine status;
    guarded(plugin, "train a generator", [&] { importer.train_generator(request, observer(status)); });
}

void print_recipe(const TrainCommand& command, const Host& host) {
    const std::string plugin = plugin_with(Trainer::service_id, host, command.modality);
    const Trainer& trainer = host.service<Trainer>(plugin);
    const std::string recipe = guarded(plugin, "tell its recipe", [&] { return trainer.default_recipe(); });
    print(base::parse_json_object(recipe, ErrorCode::bad_plugin, "the recipe of the plugin '" + plugin + '\'').dump(2) + '\n');
}

void train_pack(const TrainCommand& command, const Host& host) {
    const std::string plugin = plugin_with(Trainer::service_id, host, command.modality);
    Trainer& trainer = host.service<Trainer>(plugin);
    TrainRequest request;
    request.corpus = command.corpus;
    request.corpora = corpora_folder(command.corpus);
    request.out = command.out;
    request.recipe = recipe_of(command);
    request.seed = command.seed;
    request.generator = command.generator;
    if (command.opinion_only) request.opinion_for = command.pack;
    set_threads(command.threads, 4);
    StatusLine status;
    guarded(plugin, "train", [&] { trainer.train(request, observer(status)); });
}

}  // namespace

int train(const TrainCommand& command) {
    return interruptible([&] {
        const Host host(plugin_search(command));
        const bool of_generator = command.generator_only || command.words_only;
        if (command.print_recipe) {
            print_recipe(command, host);
            return answered;
        }
        if (of_generator)
            train_generator(command, host);
        else
            train_pack(command, host);
        const Pack pack = open_pack(command.out);
        print(table({{"pack", pack.manifest().id + ", version " + pack.manifest().version},
                     {"folder", pack.directory().string()},
                     {"sha256", pack.sha256()}}));
        return answered;
    });
}

int evaluate(const EvaluateCommand& command) {
    return interruptible([&] {
        const Host host(plugin_search(command));
        const Pack pack = find_pack(command.pack, default_pack_search());
        const std::string plugin = plugin_with(Evaluator::service_id, host, pack.manifest().modality);
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
        request.confidence = command.confidence;
        set_threads(command.threads, 4);

        StatusLine status;
        const std::string text = guarded(plugin, "evaluate", [&] { return evaluator.evaluate(pack, request, observer(status)); });
        status.clear();
        const Json evaluation = base::parse_json_object(text, ErrorCode::bad_plugin, "the evaluation by the plugin '" + plugin + '\'');
        if (!command.html.empty()) {
            const PageInfo info{pack.manifest().id + " on " + command.corpus, command.line, {pack.identity()}};
            write_file_atomically(command.html, figures_to_html(text, info));
        }
        if (command.json)
            print_line(evaluation);
        else
            print(report(evaluation));
        return answered;
    });
}

}  // namespace whynot::cli
