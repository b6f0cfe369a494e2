#pragma once

#include <cstdint>
#include <memory>

#include "image/model/fit.h"
#include "image/networks/classifier.h"
#include "image/networks/generator.h"
#include "whynot/pack.h"

namespace whynot::image {

/// Everything that an image pack holds, and how it is stored:
///
///     weights.safetensors  "classifier.*", "generator.*", "codes", 16-bit floats
///     classifier.pt        in its place a classifier that was brought along, TorchScript
///     encoder.pt           likewise a generator
///     decoder.pt
///
/// `pack.json` has the sizes of the networks under `network` and the images' shape under `input`.
struct Networks {
    ImageShape shape;
    ClassifierSizes classifier_sizes;  ///< of one of ours
    std::shared_ptr<Classifier> classifier;
    std::shared_ptr<Generator> generator;  ///< null beside a classifier that was brought along and has none yet

    /// Codes of examples, [n, k], and the classes that the classifier gives to what the generator draws of them, [n]: points
    /// for the solver to start from beyond the boundary.
    at::Tensor codes, code_classes;

    /// The residual is always kept, I(z) = G(z) + Delta, as the dissertation has it (`ImageBatch`). For experiments: no pack says so.
    bool keeps_residual = false;

    double typical_distance = 1;  ///< median |z_e - z0| of explanations, measured after training
    /// 99 of 100 images like those it was trained on have a residual |I - G(z0)| of at most this; 0: not measured
    double usual_residual = 0;
    /// 99 of 100 images like those it was trained on have both a residual of at most that share of the image, |I - G(z0)| / |I|, and a
    /// code that lies no farther from those that are stored; 0: not measured
    double usual_residual_share = 0, usual_code_distance = 0;

    /// The generator; throws `bad_pack`, with what to do, where there is none yet.
    const Generator& required_generator() const;

    /// Takes a generator, and forgets the codes of another.
    void set_generator(std::shared_ptr<Generator> generator);

    /// Reads a verified pack; frozen. Throws `bad_pack` where the files do not fit the manifest or one another.
    static Networks load(const Pack& pack);

    /// Writes the files, and fills in `manifest.network` and `manifest.input`.
    void save(PackWriter& writer, PackManifest& manifest) const;
};

}  // namespace whynot::image
