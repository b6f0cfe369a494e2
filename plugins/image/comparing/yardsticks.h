#pragma once

/// How good a map is as a proposal: what becomes of the image that follows it.
///
/// A change E has a value for each pixel: above 0 it should be lighter, below darker. An attribution's scores s say what speaks for the fact; as a change
/// they are read in one of two ways:
///
///     added      E = -s                        as the dissertation does: the map is put upon the image
///     inverted   E = s where s > 0, towards dark where the pixel is light and towards light where it is dark
///
/// A method is given whichever serves it better.

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <string>

#include "image/measuring/report.h"
#include "image/model/model.h"
#include "image/networks/training.h"

namespace whynot::image {

/// The scores of attribution as changes, [n, h, w].
at::Tensor added(const at::Tensor& scores);
/// @param images [n, channels, h, w]
at::Tensor inverted(const at::Tensor& scores, const at::Tensor& images);

/// Those that judge: the classifier, another that had no part in the map, and training images.
struct Jury {
    const ImageModel& model;
    const Classifier& second;
    const TrainingImages& train;
};

/// What a method's changes come to, over n questions.
struct Worth {
    // The k % of the pixels with the largest |E| that have room are set to light or dark.
    double flips_5 = 0, flips_10 = 0;  ///< share called the foil then
    double area = 0, second_area = 0;  ///< mean probability of the foil over k = 0 to 20 %, by the classifier and the second one
    // The image follows E until the classifier says the foil: x + s E / |E|, s up to 10 in steps of 1/4.
    double turned = 0, length = 0;  ///< share that it says the foil of; the median of s among these
    double plausible = 0;           ///< share of all of which, at 1.5 s, three of the five nearest training images are of the foil
    int64_t n = 0;

    nlohmann::ordered_json to_json() const;
    static Worth from_json(const nlohmann::ordered_json& json);
};

/// @param changes E [n, h, w], the same for all channels @param foil [n]
Worth worth_of(const at::Tensor& changes, const at::Tensor& images, const at::Tensor& foil, const Jury& jury, const Watch& watch);

}  // namespace whynot::image
