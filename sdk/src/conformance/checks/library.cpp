// Checks of the library and what it says of itself: no pack is needed.
#include <algorithm>
#include <chrono>
#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "conformance/checks/subject.h"
#include "plugin/elf.h"
#include "plugin/library.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::conformance {
namespace {

bool is_mapped(const fs::path& library) {
    const std::string path = fs::canonical(library).string();
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.size() > path.size() && line.compare(line.size() - path.size(), path.size(), path) == 0) return true;
    return false;
}

}  // namespace

void exported_symbol(Subject& subject) {
    std::vector<std::string> names = internal::ElfFile(subject.library()).exports();
    const auto entry = std::find(names.begin(), names.end(), WHYNOT_PLUGIN_ENTRY);
    const bool has_entry = entry != names.end();
    if (has_entry) names.erase(entry);
    constexpr size_t most = 4;
    std::string others;
    for (size_t i = 0; i < std::min(most, names.size()); ++i) others += (i > 0 ? ", " : "") + base::escape_controls(names[i]);
    if (names.size() > most) others += " and " + std::to_string(names.size() - most) + " more";
    expect(has_entry, "it exports no " WHYNOT_PLUGIN_ENTRY ", but " + (others.empty() ? "nothing" : others) +
                          ". A plugin has WHYNOT_PLUGIN(...) in one of its files");
    expect(names.empty(), "beside " WHYNOT_PLUGIN_ENTRY " it exports " + others +
                              ", which may meet what other libraries have under these names. Build it with whynot_add_plugin, "
                              "or link it with a version script that makes everything else local");
}

void loads(Subject& subject) {
    const whynot_plugin_v1& first = subject.descriptor();
    expect(&subject.descriptor() == &first, "its entry answers with another descriptor each time; it should be one static object");
}

void required_fields(Subject& subject) {
    const std::string problem = internal::problem_of_descriptor(subject.descriptor());
    expect(problem.empty(), problem);
}

void manifest(Subject& subject) {
    required_fields(subject);
    const fs::path file = subject.manifest_file();
    expect(fs::exists(file),
           "there is no manifest " + internal::quoted(file) +
               " beside the library, so no host will find it; whynot_add_plugin writes one, or run whynot-describe on it");
    const std::string differing = internal::names_of_differences(read_plugin_manifest(file), internal::manifest_of(subject.descriptor()));
    expect(differing.empty(), "manifest and library say different things on: " + differing +
                                  ". The manifest is stale; run whynot-describe on the library, or install both files again");
}

void listing(Subject& subject) {
    using Clock = std::chrono::steady_clock;
    constexpr double usual = 0.1;  // seconds; it takes less than a millisecond
    const bool before = is_mapped(subject.library());
    double best = 1e9;
    for (int attempt = 0; attempt < 3; ++attempt) {
        PluginSearch search;
        search.files = {subject.library()};
        search.environment = search.installed = false;
        const Clock::time_point began = Clock::now();
        const Host host(search);
        best = std::min(best, std::chrono::duration<double>(Clock::now() - began).count());
        for (const PluginEntry& plugin : host.plugins()) expect(plugin.reason.empty(), plugin.reason);
    }
    expect(before || !is_mapped(subject.library()), "listing the plugin loads it");
    if (best > usual) warn("listing the plugin takes " + number(best) + " seconds; people wait for lists");
}

void unique_id(Subject& subject) {
    PluginSearch search;
    search.plugin_path = subject.request().plugin_path;
    const Host host(search);
    for (const PluginEntry& other : host.plugins()) {
        if (other.manifest.id != subject.id() || other.state != PluginEntry::State::available ||
            fs::equivalent(other.file, subject.library()))
            continue;
        warn("the plugin " + internal::quoted(other.file) + " has the id '" + subject.id() +
             "' too, and lies where hosts look: they use whichever they find first");
    }
}

void services(Subject& subject) {
    required_fields(subject);
    const whynot_plugin_v1& plugin = internal::start_plugin(subject.library(), subject.manifest());
    for (const std::string& id : subject.manifest().services) {
        void* given[2] = {};
        for (void*& service : given) {
            char message[1024] = "";
            service = subject.call("make its service " + id, [&] { return plugin.service(id.c_str(), message, sizeof message); });
            expect(service != nullptr, "it lists the service " + id + " but gives none" +
                                           (*message ? ": " + what_without_backtrace(std::runtime_error(message)) : std::string()));
        }
        expect(given[0] == given[1], "it gives another service " + id + " each time; it should be one that it owns");
    }
}

void unknown_services(Subject& subject) {
    required_fields(subject);
    const whynot_plugin_v1& plugin = internal::start_plugin(subject.library(), subject.manifest());
    std::vector<std::string> unknown{"", "whynot.nothing/1", "whynot.modality/", "whynot.modality/99"};
    for (const std::string& id : subject.manifest().services) unknown.push_back(id + '0');
    for (const std::string& id : unknown) {
        char message[1024] = "";
        void* const service =
            subject.call("say that it has no service", [&] { return plugin.service(id.c_str(), message, sizeof message); });
        expect(service == nullptr, "asked for the service '" + id + "', which it does not list, it gives one");
        expect(*message == '\0', "asked for the service '" + id + "', which it does not list, it says '" + base::escape_controls(message) +
                                     "'; the message is for services that could not be made");
    }
}

}  // namespace whynot::conformance
