#pragma once

/// Where networks compute.

#include <c10/core/Device.h>

#include <string>

#include "whynot/export.h"

namespace whynot {

/// The device that is called "cpu", "cuda" or "cuda:N" (the Nth graphics card, from 0), for `Modality::open`.
/// Throws `invalid_argument` for another name, and for a card that this LibTorch does not see.
///
///     const at::Device device = whynot::device_named("cuda:1");
WHYNOT_API at::Device device_named(const std::string& name);

}  // namespace whynot
