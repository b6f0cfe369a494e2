#pragma once

/// Attribution of images: maps over the pixels of what a classifier's decision for the fact and against the foil rests on.
///
/// Each method is written from its paper. All of them explain
///
///     h(x) = l_fact(x) - l_foil(x),   or l_fact(x) where there is no foil,
///
/// and give a score for each pixel, that of its channels added up, positive where the pixel speaks for the fact. What that means is the method's: a
/// gradient says what more light there would do; the others say what the light that is there does. Inputs are x in [0, 1], 0 is dark.
///
/// Shapes: n questions, images [n, channels, h, w], maps [n, h, w], C classes. Networks compute where they are; tensors are on the processor.
/// Threads: pure functions, one call at a time a model. Errors: `invalid_argument`, naming the method, where a model lacks what it needs.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image/model/model.h"
#include "whynot/attribution.h"

namespace whynot::image {

/// Questions about images.
struct AskedImages {
    at::Tensor images;  ///< [n, channels, h, w]
    at::Tensor fact;    ///< [n]
    at::Tensor foil;    ///< [n]; undefined: the facts alone

    int64_t size() const { return images.size(0); }
    bool alone() const { return !foil.defined(); }
    AskedImages part(int64_t begin, int64_t end) const;
    /// h of logits [n, C], [n]; logits of several images a question one after another: [n r, C], [n r].
    at::Tensor gaps(const at::Tensor& logits) const;
};

/// What there is, the plainest first.
std::vector<AttributionMethod> methods_of_images();

/// What its scores are counted in: "nats"; empty: nothing that has a name.
std::string unit_of_map(const std::string& method);

/// The maps of one method, [n, h, w]. @param seed of what a method draws, the same for each question
at::Tensor attribute_images(const ImageModel& model, const AskedImages& asked, const std::string& method, uint64_t seed);

/// The dissertation's contrast of the maps of both classes (whynot/attribution.h), [n, h, w]. Where no weight lowers the fact's probability and raises
/// the foil's, the map is zero.
at::Tensor attribute_by_sweep(const ImageModel& model, const AskedImages& asked, const std::string& method, uint64_t seed);

// --- by derivatives (gradients.cpp)

/// K. Simonyan, A. Vedaldi, A. Zisserman, Deep Inside Convolutional Networks, 2014, arXiv:1312.6034: dh/dx.
at::Tensor gradient(const ImageModel& model, const AskedImages& asked);
/// A. Shrikumar et al., Not Just a Black Box, 2016, arXiv:1605.01713: x dh/dx.
at::Tensor gradient_times_input(const ImageModel& model, const AskedImages& asked);
/// M. Sundararajan, A. Taly, Q. Yan, ICML 2017, arXiv:1703.01365: x times the mean of dh/dx over the line from darkness. The scores add up to
/// h(x) - h(0). @param steps points of the line, in the middles of as many equal parts
at::Tensor integrated_gradients(const ImageModel& model, const AskedImages& asked, int64_t steps = 32);
/// S. Feghahati, Deep Contrastive Explanation, 2020, 3.1.3: of the gradient what lies in the windows in which it adds up to most, either way; the
/// windows do not meet. @param side of a window, pixels @param count of windows
at::Tensor gradient_in_windows(const ImageModel& model, const AskedImages& asked, int64_t side = 5, int64_t count = 3);
/// The same of any maps [n, h, w]. @param widest side of a window, where the maps are as large
at::Tensor in_windows(const at::Tensor& maps, int64_t widest, int64_t count);

// --- by layers (layers.cpp)

/// R. R. Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391: the rectified maps of the last convolution, each weighed by the mean of dl_c/dmap, added up and
/// rectified, made as large as the image. With a foil the difference of both classes' maps: none of them has a sign of its own.
at::Tensor grad_cam(const ImageModel& model, const AskedImages& asked);
/// Layer-wise relevance propagation, the epsilon rule (S. Bach et al., 2015, doi:10.1371/journal.pone.0130140; the constant as G. Montavon et al., Layer-Wise
/// Relevance Propagation: An Overview, 2019, have it). A layer z = W a + b passes relevance down by R_i = a_i sum_j w_ji R_j / (z_j + epsilon sign(z_j));
/// where all else is piecewise linear through 0 that is x times a gradient in which each layer multiplies by |z| / (|z| + epsilon).
/// @param epsilon in standard deviations of what the layer gives for the image
at::Tensor layerwise_relevance(const ImageModel& model, const AskedImages& asked, double epsilon = 0.25);

// --- by taking away (perturbations.cpp)

/// M. D. Zeiler, R. Fergus, ECCV 2014, arXiv:1311.2901: by how much h falls where a window 5 x 5 is filled with a value; a pixel has the mean of the windows, 2
/// pixels apart, that it lies in.
at::Tensor occlusion(const ImageModel& model, const AskedImages& asked, double value);
/// The same with darkness and with light, whichever lowers h more; negative where light does. A pixel that should be lighter speaks for the foil.
at::Tensor occlusion_either_way(const ImageModel& model, const AskedImages& asked);
/// M. T. Ribeiro, S. Singh, C. Guestrin, KDD 2016, arXiv:1602.04938: weights of a linear model of which of 7 x 7 blocks are there; the others are dark. 300 pictures,
/// half of the blocks each, weighed by exp(-D^2 / (2 .25^2)), D the cosine distance from all of them; ridge 1.
at::Tensor lime(const ImageModel& model, const AskedImages& asked, uint64_t seed);
/// Prediction difference analysis (L. M. Zintgraf et al., ICLR 2017, arXiv:1702.04595): by how much the log odds (base 2) fall where a window 5 x 5 is not
/// known. What may stand there instead is drawn from pictures that the generator makes of the pack's codes, 8 of them.
at::Tensor prediction_difference(const ImageModel& model, const AskedImages& asked, uint64_t seed);

// --- controls that do not ask the classifier (controls.cpp)

/// x minus the mean of what the generator draws of the pack's codes of the foil; and minus the nearest of them.
at::Tensor from_mean_of_foil(const ImageModel& model, const AskedImages& asked);
at::Tensor from_nearest_of_foil(const ImageModel& model, const AskedImages& asked);

}  // namespace whynot::image
