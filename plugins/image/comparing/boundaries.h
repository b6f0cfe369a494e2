#pragma once

/// Boundaries as they are shown, with guards and without, side by side: figures 3.8 to 3.10.

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "image/measuring/questions.h"
#include "image/model/model.h"
#include "whynot/experiment.h"
#include "whynot/picture.h"

namespace whynot::image {

/// The same model with the residual always kept, I(z) = G(z) + Delta, as the dissertation has it.
ImageModel keeping_residual(const ImageModel& model);

/// What was found for some questions, each figure of the picture that is shown, read again.
struct Boundaries {
    at::Tensor there;     ///< [n], bool
    at::Tensor pictures;  ///< [n, channels, h, w], of 256 levels; where nothing was found the input
    at::Tensor said;      ///< log-probabilities of the classes there, [n, C], double
    at::Tensor distance;  ///< latent, [n], double

    int64_t size() const { return there.size(0); }
    double found() const;  ///< the share
    /// Where a third class is above both by more than 0.03 nats, as much as rounding to levels may lift one that is tied. [n], bool
    at::Tensor third_wins(const at::Tensor& fact, const at::Tensor& foil) const;
    /// Of the first few questions.
    Boundaries first(int64_t count) const;

    nlohmann::ordered_json to_json() const;
    /// @param images the inputs, for their shape
    static Boundaries from_json(const nlohmann::ordered_json& json, const at::Tensor& images);
};

/// Searched as `whynot explain` does. What is not a boundary but an edge counts as not found. @param foil [n]
Boundaries boundaries_of(const Sample& sample, const at::Tensor& foil, bool guards, const Watch& watch);

/// Both ways, of the same questions.
struct TwoWays {
    Boundaries guarded, free;

    nlohmann::ordered_json to_json() const { return {{"guarded", guarded.to_json()}, {"free", free.to_json()}}; }
    static TwoWays from_json(const nlohmann::ordered_json& json, const at::Tensor& images) {
        return {Boundaries::from_json(json.at("guarded"), images), Boundaries::from_json(json.at("free"), images)};
    }
};

TwoWays both_ways(const Sample& sample, const at::Tensor& foil, const Watch& watch);

/// The cosine of two changes of each question, [n], double. @param one, other [n, channels, h, w]
at::Tensor cosines(const at::Tensor& one, const at::Tensor& other);

/// Of those for which it holds the median, and nothing where it holds for none.
ExperimentValue median_where(const at::Tensor& values, const at::Tensor& holds);

/// A row of panels: the input; the boundary and what it changes, with guards and without.
Picture draw_ways(const std::string& title, const TwoWays& ways, int64_t question, const at::Tensor& image,
                  const std::vector<std::string>& classes, int64_t fact, int64_t foil);

}  // namespace whynot::image
