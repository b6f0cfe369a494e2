// whynot packs new --from-torchscript.
#include "whynot/import.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>

#include "asking/models.h"
#include "asking/services.h"
#include "base/format.h"
#include "commands/packs/packs.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/long_run.h"
#include "console/terminal.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

using base::Json;

[[noreturn]] void refuse(const std::string& option, const std::string& expected, const std::string& found) {
    throw Error(ErrorCode::invalid_argument, option + ": " + base::expected(expected, '\'' + found + '\''));
}

Json numbers(const char* option, const std::string& text) {
    Json values = Json::array();
    for (const std::string& part : base::split(text, ',')) {
        double value = 0;
        const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
        if (read.ec != std::errc() || read.ptr != part.data() + part.size() || !std::isfinite(value))
            refuse(option, "numbers separated by commas, as in 0.485,0.456,0.406", text);
        values.push_back(value);
    }
    return values;
}

Json input_of(const ImportCommand& command) {
    const auto refuse_shape = [&] { refuse("--shape", "channels x height x width, as in 3x64x64", command.shape); };
    const std::vector<std::string> sizes = base::split(command.shape, 'x');
    if (sizes.size() != 3) refuse_shape();
    Json input;
    for (size_t i = 0; i < 3; ++i) {
        uint32_t size = 0;
        const auto read = std::from_chars(sizes[i].data(), sizes[i].data() + sizes[i].size(), size);
        if (read.ec != std::errc() || read.ptr != sizes[i].data() + sizes[i].size()) refuse_shape();
        input[i == 0 ? "channels" : i == 1 ? "height" : "width"] = size;
    }
    input["mean"] = numbers("--mean", command.mean);
    input["std"] = numbers("--std", command.deviation);
    input["framing"] = command.framing;
    input["light_on_dark"] = command.light_on_dark;
    return input;
}

/// What somebody says of how a tokenizer reads.
Json reading_of(const ImportCommand& command) {
    Json input = Json::object();
    if (!command.letter_case.empty()) input["case"] = command.letter_case;
    if (command.nothing_around) input["before"] = input["after"] = Json::array();
    if (!command.before.empty()) input["before"] = base::split(command.before, ',');
    if (!command.after.empty()) input["after"] = base::split(command.after, ',');
    return input;
}

Emits emits_of(const std::string& name) {
    for (const Emits emits : {Emits::logits, Emits::log_probabilities, Emits::probabilities})
        if (name == to_string(emits)) return emits;
    refuse("--emits", "logits, log-probabilities or probabilities", name);
}

ImportRequest request_of(const ImportCommand& command) {
    ImportRequest request;
    request.files["classifier"] = command.classifier;
    for (const auto& [role, file] :
         {std::pair("encoder", command.encoder), std::pair("decoder", command.decoder), std::pair("embedding", command.embedding),
          std::pair("vocabulary", command.vocabulary), std::pair("tokenizer", command.tokenizer)})
        if (!file.empty()) request.files[role] = file;
    request.classes = base::split(command.classes, ',');
    if (!command.emits.empty()) request.emits = emits_of(command.emits);
    request.input = (command.modality == "image" ? input_of(command) : reading_of(command)).dump();
    if (command.modality == "text" && command.generator != "none") request.generator = command.generator;
    request.verify = command.verify;
    request.data = command.data;
    request.out = command.out;
    request.licence = command.licence;
    request.seed = command.seed;
    return request;
}

std::string for_people(const Json& value) {
    if (value.is_number_float()) return base::number(value, 4);
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) return value;
    if (!value.is_object() || value.empty()) return value.dump();
    std::vector<std::string> parts;
    for (const auto& [name, count] : value.items()) parts.push_back(name + ' ' + count.dump());
    return base::joined(parts);
}

}  // namespace

int import_model(const ImportCommand& command) {
    return interruptible([&] {
        const Host host(plugin_search(command));
        const std::string plugin = plugin_with(Importer::service_id, host, command.modality);
        const ImportRequest request = request_of(command);
        set_threads(command.threads, 4);

        complain("a TorchScript file is a program: this runs what the author of " + command.classifier + " wrote");
        StatusLine status;
        Importer& importer = host.service<Importer>(plugin);
        const std::string found = guarded(plugin, "bring the model in", [&] { return importer.import_model(request, observer(status)); });
        status.clear();
        const Pack pack = open_pack(command.out);
        const Json findings = base::parse_json_object(found, ErrorCode::bad_plugin, "the findings of the plugin '" + plugin + '\'');
        if (command.json) {
            print_line(
                {{"id", pack.manifest().id}, {"directory", pack.directory().string()}, {"sha256", pack.sha256()}, {"findings", findings}});
        } else {
            std::vector<std::vector<std::string>> rows{{"pack", pack.manifest().id + ", version " + pack.manifest().version},
                                                       {"folder", pack.directory().string()}};
            for (const auto& [key, value] : findings.items()) rows.push_back({key, for_people(value)});
            print(table(rows));
        }
        if (command.modality == "image" ? !pack.has("decoder.pt") : request.generator.empty())
            complain("it classifies; to explain it needs a generator: whynot train " + command.modality + " --generator-only --pack " +
                     for_shell(pack.directory().string()) + " --data DATA --out DIR");
        return answered;
    });
}

}  // namespace whynot::cli
