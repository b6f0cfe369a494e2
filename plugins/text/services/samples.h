#pragma once

#include "whynot/samples.h"

namespace whynot::text {

/// The service `whynot.samples/1` for text: three sentences in the words of restaurant reviews, or, for a pack of other classes than negative and
/// positive, of requests to an assistant. A pack that knows none of these words
/// refuses them, and wants sentences of its own (`--input`).
class TextSamples : public Samples {
public:
    SampleSet samples(const Pack& pack) override;
};

}  // namespace whynot::text
