#pragma once

#include <string>

#include "whynot/host.h"

namespace whynot::cli {

/// What to do where a service is missing that not all plugins have.
constexpr const char* build_all_hint =
    "Training, evaluation and experiments come in plugins of their own: 'cmake --build build' builds them, tools/demo alone does not";

/// The id of the plugin that has a service for packs of that modality. Throws `not_found`, and says what to do.
std::string plugin_with(const char* service, const Host& host, const std::string& modality);

}  // namespace whynot::cli
