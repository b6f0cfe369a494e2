#pragma once

#include <ATen/core/Tensor.h>

#include "corpora/images.h"
#include "image/model/fit.h"
#include "whynot/held_out.h"

namespace whynot::image {

/// The service `whynot.held-out/1` for images: held-out images as PNG files, which are read back to the very same values. The few of a pack
/// light on dark that are lighter at their border than in their middle are not: the reader takes them for negatives.
class ImageHeldOut : public HeldOut {
public:
    std::vector<Input> inputs(const Pack& pack, const std::filesystem::path& corpora, const std::string& corpus, int64_t limit) override;
};

/// Throws Error `invalid_argument` where a corpus has other classes, or images of another shape, than a pack.
void expect_corpus_of(const Pack& pack, const ImageShape& shape, const corpora::ImageCorpus& corpus, const std::string& name);

/// Rows of images in the order of their hash: the same for everybody. [n], int64
at::Tensor hash_order(const corpora::LabelledImages& images);

}  // namespace whynot::image
