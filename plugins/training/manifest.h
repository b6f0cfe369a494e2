#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "whynot/pack.h"

namespace whynot::training {

/// The manifest of a pack that is made in the folder `out`, which gives it its id. @param plugin that made it and opens it; its modality
/// is of the same name
PackManifest manifest_for(const std::filesystem::path& out, const std::string& plugin, const std::vector<std::string>& classes,
                          uint64_t seed);

/// The figures of a pack, an evaluation: what was measured, with its number of cases (train.h).
class Figures {
public:
    void add(const std::string& name, double value, int64_t n, const std::string& unit);
    const base::Json& json() const { return figures_; }

private:
    base::Json figures_ = base::Json::array();
};

}  // namespace whynot::training
