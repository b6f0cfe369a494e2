// whynot doctor: is this machine fit for whynot, and if not, what to do?
#include <ATen/Parallel.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "asking/models.h"
#include "base/format.h"
#include "commands/doctor/doctor.h"
#include "console/json.h"
#include "console/terminal.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;

/// Debian's LibTorch over the reference BLAS gives 3, over OpenBLAS 70 a core: in between nothing is doubtful.
constexpr double sensible_gflops = 10;

/// The best of several products of two matrices, for about half a second.
double gflops() {
    constexpr int64_t n = 512;
    const at::Tensor a = at::ones({n, n}), b = at::ones({n, n});
    at::mm(a, b);  // wakes the threads
    using Clock = std::chrono::steady_clock;
    const Clock::time_point began = Clock::now();
    double best = 0;
    for (Clock::time_point now = began; now - began < std::chrono::milliseconds(500);) {
        at::mm(a, b);
        const Clock::time_point then = std::exchange(now, Clock::now());
        best = std::max(best, 2.0 * n * n * n / std::chrono::duration<double>(now - then).count() / 1e9);
    }
    return best;
}

/// The libraries that could do the multiplying, as they lie in this process.
std::set<std::string> mapped_blas() {
    std::set<std::string> libraries;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const size_t path = line.find('/');
        if (path == std::string::npos) continue;
        const std::string name = fs::path(line.substr(path)).filename().string();
        for (const char* const known : {"blas", "libmkl", "libblis", "libatlas"}) {
            if (name.find(known) != std::string::npos) libraries.insert(line.substr(path));
        }
    }
    return libraries;
}

/// What was found, for people and for programs.
struct Findings {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> problems;
    Json plugins = Json::array(), packs = Json::array(), environment = Json::object();
};

void look_at_speed(double speed, const std::set<std::string>& blas, Findings& found) {
    found.rows.push_back({"BLAS", blas.empty() ? "none that is known" : base::joined(blas)});
    found.rows.push_back({"speed", base::fixed(std::floor(speed + 0.5), 0) + " GFLOP/s, matrix product"});
    if (speed < sensible_gflops)
        found.problems.push_back(
            "matrices multiply at " + found.rows.back().back() +
            "; everything will take many times as long as it should. Install "
            "OpenBLAS (on Debian: apt-get install libopenblas0-pthread), or look for other programs that use the processor");
}

void look_at_plugins(const Host& host, Findings& found) {
    bool modality = false;
    for (const PluginEntry& plugin : host.plugins()) {
        std::string state = to_string(plugin.state), reason = plugin.reason;
        if (plugin.state == PluginEntry::State::available) {
            try {
                host.load(plugin.manifest.id);
                modality = modality || !plugin.manifest.modality.empty();
            } catch (const Error& error) {
                state = "broken";
                reason = error.what();
            }
        }
        const std::string name = plugin.manifest.id.empty() ? plugin.file.string() : plugin.manifest.id + ' ' + plugin.manifest.version;
        found.rows.push_back({"plugin", name + (state == "available" ? ", loads" : ", " + state)});
        found.plugins.push_back({{"id", plugin.manifest.id}, {"file", plugin.file.string()}, {"state", state}, {"reason", reason}});
        if (state == "rejected" || state == "broken") found.problems.push_back(reason);
    }
    if (!modality)
        found.problems.emplace_back(
            "there is no plugin that explains anything; build or install one, or name its folder in WHYNOT_PLUGIN_PATH");
}

void look_at_packs(Findings& found) {
    bool usable = false;
    for (const PackEntry& entry : list_packs(default_pack_search())) {
        std::string state = "verified", reason = entry.rejected;
        if (!reason.empty()) {
            state = entry.manifest.id.empty() ? "rejected" : "shadowed";
        } else {
            try {
                open_pack(entry.directory);
                usable = true;
            } catch (const Error& error) {
                state = "bad";
                reason = error.what();
            }
        }
        found.rows.push_back({"pack", (entry.manifest.id.empty() ? entry.directory.string() : entry.manifest.id) + ", " + state});
        found.packs.push_back({{"id", entry.manifest.id}, {"directory", entry.directory.string()}, {"state", state}, {"reason", reason}});
        if (state == "rejected" || state == "bad") found.problems.push_back(reason);
    }
    if (!usable)
        found.problems.emplace_back(
            "there is no pack; install one, make one with 'whynot train', or name its folder's parent in WHYNOT_PACK_PATH");
}

void look_at_environment(Findings& found) {
    for (const char* const name : {"WHYNOT_PLUGIN_PATH", "WHYNOT_PACK_PATH", "WHYNOT_CORPORA", "NO_COLOR", "OMP_NUM_THREADS"}) {
        const char* const value = std::getenv(name);
        found.environment[name] = value ? Json(value) : Json();
        found.rows.push_back({name, value ? value : "(not set)"});
    }
}

}  // namespace

int doctor(const DoctorCommand& command) {
    set_threads(command.threads, 4);
    Findings found;
    const double speed = gflops();
    const std::set<std::string> blas = mapped_blas();
    found.rows.push_back({"whynot", WHYNOT_VERSION});
    found.rows.push_back({"LibTorch", std::string(TORCH_VERSION) + ", " + std::to_string(at::get_num_threads()) + " threads"});
    look_at_speed(speed, blas, found);
    const Host host(plugin_search(command));
    look_at_plugins(host, found);
    look_at_packs(found);
    look_at_environment(found);

    const std::vector<std::string>& problems = found.problems;
    if (command.json) {
        print_line({{"version", WHYNOT_VERSION},
                    {"libtorch", TORCH_VERSION},
                    {"threads", at::get_num_threads()},
                    {"blas", blas},
                    {"gflops", speed},
                    {"plugins", found.plugins},
                    {"packs", found.packs},
                    {"environment", found.environment},
                    {"problems", problems}});
    } else {
        print(table(found.rows));
        print(problems.empty() ? "\nAll is well.\n" : "\n");
        for (const std::string& problem : problems) complain(problem);
    }
    return problems.empty() ? answered : failed;
}

}  // namespace whynot::cli
