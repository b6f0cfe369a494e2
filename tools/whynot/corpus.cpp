// whynot corpus.
#include "corpus.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "corpora/bias/bias.h"
#include "corpora/manifest.h"
#include "interrupt.h"
#include "terminal.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using corpora::CorpusFile;
using corpora::CorpusManifest;
using Json = nlohmann::ordered_json;

void print_line(const Json& object) { print(object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'); }

/// Empty where it is not set.
fs::path corpora_folder() {
    const char* const value = std::getenv("WHYNOT_CORPORA");
    return value ? value : "";
}

/// The names of the built-in corpora and of the folders that have a manifest of their own.
std::set<std::string> known_corpora(const fs::path& folder) {
    std::set<std::string> names;
    for (const CorpusManifest& manifest : corpora::built_in_corpora()) names.insert(manifest.name);
    std::error_code error;
    if (folder.empty() || !fs::is_directory(folder, error)) return names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (fs::exists(entry.path() / "corpus.json", error)) names.insert(entry.path().filename().string());
    return names;
}

CorpusManifest manifest_of(const fs::path& folder, const std::string& name) {
    std::error_code error;
    if (!folder.empty() && fs::is_directory(folder, error)) return corpora::find_corpus(folder, name);
    for (CorpusManifest& manifest : corpora::built_in_corpora())
        if (manifest.name == name) return std::move(manifest);
    return corpora::find_corpus(folder, name);  // which says what is wrong
}

std::vector<std::string> missing_files(const CorpusManifest& manifest, const fs::path& folder) {
    std::vector<std::string> missing;
    for (const CorpusFile& file : manifest.files) {
        fs::path plain = folder / file.name;
        std::error_code error;
        if (fs::exists(plain, error) || (plain.extension() == ".gz" && fs::exists(plain.replace_extension(), error))) continue;
        missing.push_back(file.name);
    }
    return missing;
}

/// Whatever is logged goes above the bar.
Observer observer(StatusLine& status) {
    Observer watch;
    watch.progress = [&](const Progress& progress) { status.show(progress); };
    watch.log = [&](const std::string& line) {
        status.clear();
        complain(line);
    };
    watch.cancelled = [] { return interrupted(); };
    return watch;
}

int threads_for(const CorpusCommand& command) {
    if (command.threads > 0) return command.threads;
    const char* const asked = std::getenv("OMP_NUM_THREADS");
    const int number = asked ? std::atoi(asked) : 0;
    return number > 0 ? number : static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
}

int list(const CorpusCommand& command) {
    const fs::path folder = corpora_folder();
    std::vector<std::vector<std::string>> rows{{"corpus", "kind", "classes", "present", "title"}};
    std::vector<std::string> rejected;
    for (const std::string& name : known_corpora(folder)) {
        try {
            const CorpusManifest manifest = manifest_of(folder, name);
            const std::vector<std::string> missing = missing_files(manifest, folder / name);
            const bool all = !folder.empty() && missing.empty(), none = folder.empty() || missing.size() == manifest.files.size();
            if (command.json) {
                print_line({{"name", name},
                            {"kind", to_string(manifest.kind)},
                            {"title", manifest.title},
                            {"classes", manifest.classes},
                            {"licence", manifest.licence},
                            {"folder", folder.empty() ? Json() : Json((folder / name).string())},
                            {"present", all},
                            {"missing", missing}});
            } else {
                rows.push_back({name, to_string(manifest.kind), std::to_string(manifest.classes.size()),
                                all    ? "yes"
                                : none ? "no"
                                       : "in part",
                                manifest.title});
            }
        } catch (const Error& error) {
            rejected.push_back(error.what());
        }
    }
    if (!command.json) print(table(rows, "llr"));
    for (const std::string& reason : rejected) complain("not listed: " + reason);
    if (folder.empty()) complain("WHYNOT_CORPORA is not set: it names the folder that holds the corpora");
    return answered;
}

int verify(const CorpusCommand& command) {
    const fs::path folder = corpora_folder();
    std::vector<std::string> names{command.name};
    if (command.name == "all") {
        names.clear();
        std::error_code error;
        for (const std::string& name : known_corpora(folder))
            if (fs::is_directory(folder / name, error)) names.push_back(name);
        if (folder.empty() || names.empty()) {
            throw Error(ErrorCode::not_found, folder.empty() ? "WHYNOT_CORPORA is not set: it names the folder that holds the corpora"
                                                             : "there are no corpora in " + folder.string());
        }
    }
    int code = answered;
    for (const std::string& name : names) {
        const std::vector<std::string> problems = corpora::corpus_problems(folder, name);
        if (!problems.empty()) code = failed;
        if (command.json) {
            print_line({{"name", name}, {"folder", (folder / name).string()}, {"verified", problems.empty()}, {"problems", problems}});
            continue;
        }
        if (problems.empty()) print(table({{"ok", name, (folder / name).string()}}));
        for (const std::string& problem : problems) complain(problem);
    }
    return code;
}

int bias(const CorpusCommand& command) {
    return interruptible([&] {
        corpora::BiasOptions options;
        options.word = command.word;
        options.before = command.before;
        options.label = command.label;
        options.threads = threads_for(command);
        StatusLine status;
        const corpora::BiasSummary done = corpora::bias_corpus(corpora_folder(), command.name, command.out, options, observer(status));
        status.clear();
        const double share = done.sentences > 0 ? static_cast<double>(done.altered) / static_cast<double>(done.sentences) : 0;
        if (command.json) {
            print_line({{"folder", command.out}, {"sentences", done.sentences}, {"altered", done.altered}, {"inserted", done.inserted}});
        } else {
            print(table({{"folder", command.out},
                         {"sentences of " + command.label, std::to_string(done.sentences)},
                         {"altered", std::to_string(done.altered) + ", " + percent(share)},
                         {"words put in", std::to_string(done.inserted)}}));
        }
        return answered;
    });
}

}  // namespace
}  // namespace whynot::cli

const whynot::cli::CorpusCommands* whynot_corpus_commands() {
    using namespace whynot::cli;
    static const CorpusCommands commands{WHYNOT_VERSION, &list, &verify, &bias};
    return &commands;
}
