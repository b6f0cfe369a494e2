#pragma once

/// A job as it comes: JSON (docs/serve.md), from whoever could send it.

#include <string>

#include "serve/asker.h"
#include "serve/known_packs.h"

namespace whynot::cli {

constexpr size_t most_inputs = 64;           ///< of a job
constexpr int64_t most_pixels = 16'000'000;  ///< of a picture

/// Throws `invalid_argument` for what is no job, `not_found` for a pack that there is not.
AskRequest request_from_json(const std::string& body, const KnownPacks& packs);

/// An input as a job has it, such as those that `samples` gives.
base::Json to_json(const Input& input);

}  // namespace whynot::cli
