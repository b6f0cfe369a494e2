#pragma once

/// Other ways to make a picture that the classifier calls the foil, to be compared with. Each is given what ours is given: the same networks, the
/// same pictures, all of them at once. Written from the papers; every picture ends in [0, 1].
///
/// Each gives a picture for each question, [n, channels, h, w]: where the classifier never said the foil, the last one that was looked at.
/// None of them keeps a third class below, and none ends on a boundary: they stop, or are stopped, where the classifier says the foil.

#include <ATen/core/Tensor.h>

#include "image/measuring/report.h"
#include "image/model/model.h"
#include "image/networks/training.h"

namespace whynot::image {

/// Questions: images [n, channels, h, w] and the foil of each, [n].
struct PeerQuestions {
    at::Tensor images, foil;
    int64_t size() const { return images.size(0); }
};

/// REVISE (Joshi et al. 2019): from the encoder's code, Adam on
///
///     cross_entropy(D(G(z)), foil) + weight |G(z) - I|_1
///
/// and of all the pictures on the way that the classifier calls the foil the one with the least loss. What the
/// generator cannot draw of the image is lost.
struct LatentSearch {
    double weight = 0.5;  ///< of the distance
    int64_t steps = 300;
    double rate = 0.1;
};
at::Tensor search_codes(const ImageModel& model, const PeerQuestions& questions, const LatentSearch& options, const Watch& watch);

/// Wachter et al. 2018, of pixels: Adam on cross_entropy(D(x), foil) + weight |x - I|_1. The weight begins at 0.1 and is halved, up to ten times, until the
/// classifier says the foil; of the pictures on the way that it calls the foil the nearest.
at::Tensor search_pixels(const ImageModel& model, const PeerQuestions& questions, const Watch& watch);

/// Projected gradient descent (Madry et al. 2018) in the smallest ball |x - I|_2 <= r in which it finds the foil: r is doubled from 0.25, then
/// halved in between, four times.
at::Tensor descend_in_balls(const ImageModel& model, const PeerQuestions& questions, const Watch& watch);

/// Along the gradient of l_foil - l_fact at the image, by the smallest multiple of 0.25, up to 10, at which the classifier says the foil.
at::Tensor follow_gradient(const ImageModel& model, const PeerQuestions& questions, const Watch& watch);

/// The training image of the foil that is nearest to each image, whatever the classifier says.
at::Tensor nearest_of_foil(const PeerQuestions& questions, const TrainingImages& train, const Watch& watch);

/// The mean of the foil's training images, whatever the image is.
at::Tensor mean_of_foil(const PeerQuestions& questions, const TrainingImages& train);

}  // namespace whynot::image
