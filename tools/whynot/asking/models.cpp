#include "asking/models.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "console/process.h"
#include "whynot/device.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

/// Those that this process may use. Two threads on one core are slower than one at what we do.
int physical_cores() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        std::string siblings = "cpu " + std::to_string(cpu);  // where the kernel does not say: a core of its own
        std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
        std::getline(file, siblings);
        cores.insert(siblings);
    }
    return std::max(1, static_cast<int>(cores.size()));
}

Pack find_default(const char* id, const char* kind, const PackSearch& search) {
    try {
        return find_pack(id, search);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        throw Error(ErrorCode::not_found,
                    std::string("for ") + kind + " there has to be the pack '" + id + "', or another one named by --pack: " + error.what());
    }
}

}  // namespace

PluginSearch plugin_search(const CommonOptions& options) {
    PluginSearch search;
    search.plugin_path = options.plugin_path;
    // Whoever names a folder means it: here it is refused, where `plugins list` shows why it is passed over.
    std::istringstream folders(options.plugin_path);
    for (std::string folder; std::getline(folders, folder, ':');)
        if (!std::filesystem::path(folder).is_absolute())
            throw Error(ErrorCode::invalid_argument, "--plugin-path: expected absolute folders, found '" + folder + '\'');
    return search;
}

void set_threads(int asked, int max) {
    const bool chosen = asked == 0 && std::getenv("OMP_NUM_THREADS");  // where LibTorch looks itself
    if (!chosen) at::set_num_threads(std::min(asked > 0 ? asked : std::min(max, physical_cores()), most_threads()));
    // Sentences and positions are shared out among those threads. OpenBLAS built on plain threads does not hear of them and would start
    // its own below each; they would wait for one another. Other libraries have no such function.
    if (void* const set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(1);
}

int workers_for(int asked) {
    const char* const chosen = std::getenv("OMP_NUM_THREADS");
    const int number = asked > 0 ? asked : chosen ? std::atoi(chosen) : 0;
    return std::min(number > 0 ? number : std::min(4, physical_cores()), most_threads());
}

int threads_for(const std::vector<Argument>& inputs) {
    constexpr size_t few = 4;
    const auto lines = [](const Argument& input) { return input.kind == Argument::Kind::lines; };
    return inputs.size() <= few && std::none_of(inputs.begin(), inputs.end(), lines) ? 1 : 4;
}

Models::Models(const CommonOptions& options, const std::string& pack, const std::vector<Argument>& inputs)
    : host_(plugin_search(options)), device_(options.device) {
    device_named(device_);  // at once: it concerns all questions
    const auto names_image = [](const Argument& input) { return is_image(input); };
    const auto image = std::find_if(inputs.begin(), inputs.end(), names_image);
    const auto sentence = std::find_if_not(inputs.begin(), inputs.end(), names_image);
    const PackSearch search = default_pack_search();
    if (!pack.empty()) {
        packs_.push_back(find_pack(pack, search));
        const PackManifest& manifest = packs_.front().manifest();
        const bool explains_images = manifest.modality == "image";
        if (explains_images && sentence != inputs.end()) {
            throw Error(ErrorCode::invalid_argument,
                        "the pack '" + manifest.id + "' explains images, and '" + sentence->text + "' is no image file that exists");
        }
        if (!explains_images && image != inputs.end()) {
            throw Error(ErrorCode::invalid_argument,
                        "the pack '" + manifest.id + "' explains " + manifest.modality + ", and '" + image->text + "' is an image file");
        }
    } else {
        if (sentence != inputs.end()) packs_.push_back(find_default("yelp", "sentences", search));
        if (image != inputs.end()) packs_.push_back(find_default("mnist", "images", search));
    }
    explainers_.resize(packs_.size());
}

Models::Models(const CommonOptions& options, const std::string& pack) : host_(plugin_search(options)), device_(options.device) {
    device_named(device_);
    const PackSearch search = default_pack_search();
    if (!pack.empty()) {
        packs_.push_back(find_pack(pack, search));
    } else {
        for (const auto& [id, kind] : {std::pair{"yelp", "sentences"}, {"mnist", "images"}}) {
            try {
                packs_.push_back(find_default(id, kind, search));
            } catch (const Error& error) {
                if (error.code() != ErrorCode::not_found || !missing_.empty()) throw;
                missing_ = error.what();
            }
        }
    }
    explainers_.resize(packs_.size());
}

std::string Models::why_not(bool image) const {
    const PackManifest& manifest = pack(image).manifest();
    if (packs_.size() > 1 || (manifest.modality == "image") == image) return "";
    if (!missing_.empty()) return missing_;
    return "the pack '" + manifest.id + "' explains " + manifest.modality + ", and this is " + (image ? "an image" : "a sentence");
}

Explainer& Models::opened(size_t index) {
    if (!explainers_[index]) explainers_[index] = std::make_unique<Explainer>(host_, packs_[index], device_);
    return *explainers_[index];
}

}  // namespace whynot::cli
