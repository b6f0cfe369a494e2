#include "commands/plugins/check.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "console/json.h"
#include "console/terminal.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

bool matches(const std::vector<std::string>& patterns, const char* name) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return fnmatch(pattern.c_str(), name, 0) == 0; });
}

}  // namespace

int list_checks(bool json) {
    std::vector<std::vector<std::string>> rows;
    for (const ConformanceCheck& check : conformance_checks()) {
        if (json)
            print_line({{"check", check.name}, {"sentence", check.sentence}, {"needs", check.needs}});
        else
            rows.push_back({check.name, check.sentence});
    }
    if (!json) print(table(rows));
    return answered;
}

fs::path library_of(const CheckCommand& command) {
    const std::string& name = command.plugin;
    if (name.find('/') != std::string::npos || fs::path(name).extension() == ".so") {
        if (!fs::is_regular_file(name)) {
            throw Error(ErrorCode::not_found, "there is no plugin library " + base::in_quotes(name) +
                                                  "; expected the .so file that whynot_add_plugin built, or the id of a plugin");
        }
        return fs::canonical(name);
    }
    PluginSearch search;
    search.plugin_path = command.plugin_path;
    const Host host(search);
    const auto of_id = [&](const PluginEntry& plugin) { return plugin.manifest.id == name; };
    const auto found = std::find_if(host.plugins().begin(), host.plugins().end(), of_id);
    if (found != host.plugins().end() && !name.empty()) return found->file;
    if (fs::is_regular_file(name)) return fs::canonical(name);  // ids may have a dot, so they come first
    return host.find(name).file;                                // throws
}

std::vector<std::string> chosen_checks(const CheckCommand& command) {
    std::vector<std::string> names;
    const std::vector<ConformanceCheck>& all = conformance_checks();
    for (const auto& [option, patterns] : {std::pair("--only", &command.only), std::pair("--except", &command.except)})
        for (const std::string& pattern : *patterns)
            if (std::none_of(all.begin(), all.end(), [&](const ConformanceCheck& check) { return matches({pattern}, check.name); }))
                throw Error(ErrorCode::invalid_argument,
                            std::string(option) + ": there is no check '" + pattern + "'; 'whynot plugins check --list' shows all");
    for (const ConformanceCheck& check : all)
        if ((command.only.empty() || matches(command.only, check.name)) && !matches(command.except, check.name))
            names.emplace_back(check.name);
    if (names.empty()) throw Error(ErrorCode::invalid_argument, "--only and --except leave no check");
    return names;
}

int check_apart(const CheckCommand& command) {
    const std::vector<std::string> names = chosen_checks(command);
    ApartOptions options;
    options.timeout = command.timeout;
    options.command = {fs::read_symlink("/proc/self/exe").string(),
                       "plugins",
                       "check",
                       library_of(command).string(),
                       "--in-process",
                       "--json",
                       "--seed",
                       std::to_string(command.seed)};
    const auto add = [&](const char* option, const std::string& value) {
        if (!value.empty()) options.command.push_back(std::string(option) + '=' + value);
    };
    add("--pack", command.pack);
    add("--plugin-path", command.plugin_path);
    if (command.threads > 0) add("--threads", std::to_string(command.threads));
    for (const std::string& input : command.inputs) options.command.push_back("--input=" + input);
    options.command.emplace_back("--only");
    CheckReport report(command.json);
    run_checks_apart(names, options, [&](const CheckResult& result) { report.add(result); });
    const int code = report.finish();
    if (!report.crashed().empty()) {
        complain("to see where it crashes: gdb --args whynot plugins check " + for_shell(command.plugin) +
                 (command.pack.empty() ? "" : " --pack " + for_shell(command.pack)) + " --in-process --only " + report.crashed());
    }
    return code;
}

void CheckReport::add(const CheckResult& result) {
    ++counts_[result.outcome];
    if (result.outcome == Outcome::crashed && crashed_.empty()) crashed_ = result.check;
    if (json_) return print(to_json(result) + '\n');
    constexpr size_t width = 9;
    std::string text = to_string(result.outcome);
    text += std::string(width - text.size(), ' ') + result.check + '\n';
    const std::string& message = result.message;
    for (size_t begin = 0; result.outcome != Outcome::passed && begin < message.size();) {  // some messages are tables
        const size_t end = std::min(message.find('\n', begin), message.size());
        text += std::string(width, ' ') + base::escape_controls(message.substr(begin, end - begin)) + '\n';
        begin = end + 1;
    }
    print(text);
}

int CheckReport::finish() const {
    std::vector<std::string> counts;
    for (const auto& [outcome, count] : counts_) counts.push_back(std::to_string(count) + ' ' + to_string(outcome));
    if (!json_) print(base::joined(counts) + '\n');
    return counts_.count(Outcome::failed) + counts_.count(Outcome::crashed) > 0 ? failed : answered;
}

}  // namespace whynot::cli
