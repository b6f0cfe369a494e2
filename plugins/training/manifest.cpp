#include "training/manifest.h"

#include "whynot/version.h"

namespace whynot::training {

PackManifest manifest_for(const std::filesystem::path& out, const std::string& plugin, const std::vector<std::string>& classes,
                          uint64_t seed) {
    PackManifest manifest;
    manifest.id = out.filename().empty() ? out.parent_path().filename().string() : out.filename().string();
    manifest.modality = plugin;
    manifest.plugin_id = plugin;
    manifest.plugin_version = WHYNOT_VERSION;
    manifest.classes = classes;
    manifest.seed = seed;
    return manifest;
}

void Figures::add(const std::string& name, double value, int64_t n, const std::string& unit) {
    figures_.push_back({{"name", name}, {"value", value}, {"n", n}, {"unit", unit}});
}

}  // namespace whynot::training
