#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "training/network.h"

namespace whynot::text {

/// What a classifier that sees the order of words is made of: `network.classifier` in pack.json.
struct SentenceNetworkSizes {
    std::string kind;      ///< "convolution", "recurrent", "attention"
    int64_t hidden = 128;  ///< convolution: filters of each width; recurrent: units of each direction; attention: numbers a position
    int64_t layers = 1;    ///< recurrent, attention; convolution has one
    int64_t heads = 4;     ///< attention; they divide `hidden`
    double dropout = 0.3;  ///< in training: of what goes in, and of what the last map is given
};

/// From embedded sentences of one length [b, m, d] to logits [b, C]; differentiable in both, m >= 1.
///
/// - `convolution` (Kim 2014): filters over 2, 3 and 4 words in a row, zeros beyond both ends, of each the largest response in the sentence.
/// - `recurrent`: gated recurrent units (Cho et al. 2014) in both directions, of each the largest state in the sentence.
/// - `attention` (Vaswani et al. 2017): positions as sines and cosines, blocks of attention and a rectified layer four times as wide, each behind a
///   layer normalisation and beside what goes in; then the mean over the positions.
class SentenceNetwork : public training::Network {
public:
    const SentenceNetworkSizes& sizes() const { return sizes_; }
    virtual at::Tensor logits(const at::Tensor& embedded, const training::Mode& mode = {}) const = 0;

    /// A copy on a device.
    std::shared_ptr<SentenceNetwork> on(at::Device device) const;

    int64_t dimension() const { return dimension_; }  ///< d
    int64_t classes() const { return classes_; }      ///< C

protected:
    SentenceNetwork(SentenceNetworkSizes sizes, int64_t dimension, int64_t classes)
        : sizes_(std::move(sizes)), dimension_(dimension), classes_(classes) {}

private:
    SentenceNetworkSizes sizes_;
    int64_t dimension_, classes_;
};

/// The kinds there are.
const std::vector<std::string>& sentence_network_kinds();

/// A network of those sizes, its weights declared (training/pack_contents.h). Throws `invalid_argument` for sizes that cannot be.
std::shared_ptr<SentenceNetwork> make_sentence_network(const SentenceNetworkSizes& sizes, int64_t dimension, int64_t classes);

}  // namespace whynot::text
