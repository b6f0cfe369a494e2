#pragma once

/// Ways to propose a change of an image: our explanation, and maps of attribution.

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "image/comparing/ground.h"

namespace whynot::image {

/// One way to propose a change.
struct Proposer {
    std::string key;             ///< of its step
    std::string name;            ///< for people
    bool reads_content = false;  ///< the scores are of what is there: read as added and as inverted
    bool is_published = false;   ///< one that the dissertation compares with
    /// Changes, or for what `reads_content` scores, [n, h, w].
    std::function<at::Tensor(const Asked&, const Kind&, const Watch&)> make;
};

/// Ours with its default starts, from z0 alone, without guards, and in pixels; attribution, those that the dissertation compares with also by its sweep;
/// controls that ask no classifier. They keep a reference to the model.
std::vector<Proposer> all_proposers(const ImageModel& model, uint64_t seed);

}  // namespace whynot::image
