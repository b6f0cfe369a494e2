// whynot corpus.
#include "commands/corpus/corpus.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "base/format.h"
#include "console/environment.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/long_run.h"
#include "console/process.h"
#include "console/terminal.h"
#include "corpora/bias/bias.h"
#include "corpora/fetch/fetch.h"
#include "corpora/manifest.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;
using corpora::CorpusFile;
using corpora::CorpusManifest;

const char* const unset = "WHYNOT_CORPORA is not set: it names the folder that holds the corpora";

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

int threads_for(const CorpusCommand& command) {
    if (command.threads > 0) return std::min(command.threads, most_threads());
    const int number = std::atoi(variable("OMP_NUM_THREADS").c_str());
    return number > 0 ? number : static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
}

int list(const CorpusCommand& command) {
    const fs::path folder = variable("WHYNOT_CORPORA");
    std::vector<std::vector<std::string>> rows{{"corpus", "kind", "classes", "present", "title"}};
    std::vector<std::string> rejected;
    for (const std::string& name : corpora::corpus_names(folder)) {
        try {
            const CorpusManifest manifest = corpora::known_corpus(folder, name);
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
    std::error_code error;
    if (folder.empty())
        complain(unset);
    else if (!fs::is_directory(folder, error))
        complain("WHYNOT_CORPORA names " + folder.string() + ", which is no folder yet");
    return answered;
}

int verify(const CorpusCommand& command) {
    const fs::path folder = variable("WHYNOT_CORPORA");
    std::set<std::string> names{command.name};
    if (command.name == "all") {
        if (folder.empty()) throw Error(ErrorCode::not_found, unset);
        names.clear();
        std::error_code error;
        for (const std::string& name : corpora::corpus_names(folder))
            if (fs::is_directory(folder / name, error)) names.insert(name);
        if (names.empty()) throw Error(ErrorCode::not_found, "there are no corpora in " + folder.string());
    }
    int code = answered;
    for (const std::string& name : names) {
        std::vector<std::string> problems;
        try {
            problems = corpora::corpus_problems(folder, name);
        } catch (const Error& error) {
            if (names.size() == 1) throw;
            problems.push_back(error.what());
        }
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

/// @return how many files are not there
size_t fetch_one(const CorpusManifest& manifest, const fs::path& folder, const CorpusCommand& command, corpora::Fetcher& fetcher,
                 StatusLine& status) {
    size_t missing = 0, fetched = 0;
    for (size_t i = 0; i < manifest.files.size(); ++i) {
        const CorpusFile& file = manifest.files[i];
        const std::string name = manifest.name + '/' + file.name;
        Observer watch = observer(status);
        watch.progress = [&](const Progress& progress) {
            const double fraction = (static_cast<double>(i) + progress.fraction) / static_cast<double>(manifest.files.size());
            status.show(Progress{"fetching " + name, fraction, progress.detail});
        };
        const corpora::FetchedFile got = fetcher.fetch(folder, file, watch);
        status.clear();
        const bool there = got.reason.empty();
        missing += there ? 0 : 1;
        fetched += got.status == corpora::FetchStatus::fetched ? 1 : 0;
        if (command.json) {
            print_line({{"corpus", manifest.name},
                        {"file", file.name},
                        {"status", to_string(got.status)},
                        {"bytes", got.bytes},
                        {"path", (folder / file.name).string()},
                        {"url", got.url.empty() ? Json() : Json(got.url)},
                        {"reason", there ? Json() : Json(got.reason)}});
        } else if (there) {
            print(std::string(to_string(got.status)) + "  " + table({{name, got.bytes > 0 ? bytes_for_people(got.bytes) : ""}}));
        } else {
            complain(name + " is missing: " + got.reason);
        }
    }
    if (fetched > 0) complain(manifest.name + " comes with these terms: " + manifest.licence);
    if (missing > 0 && !command.json) {
        complain(std::to_string(missing) + " of " + std::to_string(manifest.files.size()) + " files of " + manifest.name +
                 " are missing still. Get them by hand, on a machine that can, into one folder, each under its name here or at its home; "
                 "'whynot corpus fetch " +
                 manifest.name + " --from FOLDER' checks them and puts them into " + folder.string());
    }
    return missing;
}

int fetch(const CorpusCommand& command) {
    return interruptible([&] {
        const fs::path folder = variable("WHYNOT_CORPORA");
        if (folder.empty()) throw Error(ErrorCode::not_found, std::string(unset) + " or is to hold them, as in WHYNOT_CORPORA=~/corpora");
        const auto names = command.name == "all" ? corpora::corpus_names(folder) : std::set<std::string>{command.name};
        corpora::FetchOptions options;
        options.from = command.from;
        options.patience = std::chrono::seconds(command.timeout);
        corpora::Fetcher fetcher(options);
        StatusLine status;
        int code = answered;
        for (const std::string& name : names) {
            try {
                if (fetch_one(corpora::known_corpus(folder, name), folder / name, command, fetcher, status) > 0) code = failed;
            } catch (const Error& error) {
                if (names.size() == 1 || error.code() == ErrorCode::cancelled) throw;
                complain(error.what());
                code = failed;
            }
        }
        return code;
    });
}

int bias(const CorpusCommand& command) {
    return interruptible([&] {
        corpora::BiasOptions options;
        options.word = command.word;
        options.before = command.before;
        options.label = command.label;
        options.threads = threads_for(command);
        StatusLine status;
        const corpora::BiasSummary done =
            corpora::bias_corpus(variable("WHYNOT_CORPORA"), command.name, command.out, options, observer(status));
        status.clear();
        const double share = done.sentences > 0 ? static_cast<double>(done.altered) / static_cast<double>(done.sentences) : 0;
        if (command.json) {
            print_line({{"folder", command.out}, {"sentences", done.sentences}, {"altered", done.altered}, {"inserted", done.inserted}});
        } else {
            print(table({{"folder", command.out},
                         {"sentences of " + command.label, std::to_string(done.sentences)},
                         {"altered", std::to_string(done.altered) + ", " + base::percent(share)},
                         {"words put in", std::to_string(done.inserted)}}));
        }
        return answered;
    });
}

}  // namespace
}  // namespace whynot::cli

const whynot::cli::CorpusCommands* whynot_corpus_commands() {
    using namespace whynot::cli;
    static const CorpusCommands commands{WHYNOT_VERSION, &list, &verify, &fetch, &bias};
    return &commands;
}
