#pragma once

/// Inputs that show what a pack explains. The conformance kit (conformance.h) uses them if it is given no others.
///
///     #include <whynot/modality.h>
///     #include <whynot/plugin.h>
///     #include <whynot/samples.h>
///
///     class PointSamples : public whynot::Samples {
///     public:
///         whynot::SampleSet samples(const whynot::Pack&) override { return {{{"1 0.25", ""}, {"-0.5 2", ""}}, 1e-4}; }
///     };
///
///     WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Points>, whynot::Service<whynot::Samples, PointSamples>);

#include <vector>

#include "whynot/export.h"
#include "whynot/pack.h"
#include "whynot/question.h"

namespace whynot {

/// Inputs of one pack, and what can be expected of them.
struct SampleSet {
    /// At least two that the pack's model reads, all different; a handful, because everything is computed for each of them. The content is
    /// what a file would hold where inputs are files; their paths are names only, nothing opens them.
    std::vector<Input> inputs;

    /// How exactly the generator gives an input back, as the classifier sees it: no class probability at the latent start z0 lies further
    /// than this from that of the input itself. Rows that `Batch::warnings` calls inexact are exempt.
    double round_trip = 0.01;
};

/// The service `whynot.samples/1`. Frozen once released: a new method is a new id, never an added virtual.
class WHYNOT_API Samples {
public:
    static constexpr const char* service_id = "whynot.samples/1";
    virtual ~Samples();

    /// The same for the same pack each time. Thread-safe.
    virtual SampleSet samples(const Pack& pack) = 0;
};

}  // namespace whynot
