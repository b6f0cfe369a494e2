#pragma once

#include "whynot/samples.h"

namespace whynot::image {

/// The service `whynot.samples/1` for images: what the pack's own generator draws of the first code of each of its first classes, as PNG
/// files; of draws of the prior where the pack has no codes.
class ImageSamples : public Samples {
public:
    SampleSet samples(const Pack& pack) override;
};

}  // namespace whynot::image
