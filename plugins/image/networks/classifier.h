#pragma once

#include <functional>
#include <memory>
#include <string>

#include "image/model/fit.h"
#include "image/networks/layers.h"

namespace whynot::image {

/// What a classifier is made of: `network.classifier` in pack.json.
struct ClassifierSizes {
    std::string kind = "lenet";  ///< "lenet", "vgg", "resnet"
    int64_t depth = 0;           ///< vgg: 11, 13, 16, 19; resnet: 50, 101, 152; lenet has one
    double width = 1;            ///< share of the published numbers of channels; lenet has one
    double dropout = 0;          ///< before the last layer, vgg only
};

/// Looks into a classifier that computes, and may put something else in the place of what it sees.
struct Probe {
    using Hook = std::function<at::Tensor(const at::Tensor&)>;

    Hook linear;  ///< sees what each convolution and linear layer gives, after its normalisation where it has one
    Hook maps;    ///< sees the rectified maps of the last convolution, before they are made smaller
};

/// From images [b, channels, h, w] with values in [0, 1] to logits [b, C].
///
/// - `lenet`: two convolutions 5 x 5 of 20 channels, each with a maximum over 2 x 2 and a rectifier, then 50 units (dissertation, 3.2.1).
/// - `vgg`: blocks of convolutions 3 x 3 with batch normalisation (Simonyan & Zisserman 2015); the maximum over 2 x 2 that ends a block is
///   left out where sides are under 6 already, so that small images keep something to look at.
/// - `resnet`: bottleneck blocks (He et al. 2016): 7 x 7 with stride 2, a maximum, four stages, the mean over what is left.
class Classifier : public Network {
public:
    virtual at::Tensor logits(const at::Tensor& images, const Mode& mode = {}, const Probe& probe = {}) const = 0;
    /// Whether a probe sees anything: not of a classifier that was brought along.
    virtual bool can_be_probed() const { return true; }
};

/// A classifier of those sizes with all weights zero. Throws `invalid_argument` naming what there is where a size is not possible.
std::shared_ptr<Classifier> make_classifier(const ClassifierSizes& sizes, const ImageShape& shape, int64_t classes);

}  // namespace whynot::image
