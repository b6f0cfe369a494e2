#pragma once

#include <filesystem>
#include <vector>

#include "image/model/fit.h"
#include "image/networks/classifier.h"
#include "image/networks/generator.h"
#include "training/torchscript.h"
#include "whynot/pack.h"

namespace whynot::image {

/// What has to be known of a classifier that was brought along and cannot be seen from its file.
struct ScriptClassifierOptions {
    Emits emits = Emits::logits;
    /// It is given (image - mean) / deviation, a number for each channel or one for all; images have values in [0, 1].
    std::vector<double> mean{0}, deviation{1};
};

/// A classifier in a TorchScript file: `forward` takes [b, channels, h, w] and gives [b, C].
class ScriptClassifier : public Classifier {
public:
    /// Throws `invalid_argument` for a normalisation that does not fit the shape, `invalid_input` as ScriptNetwork does.
    ScriptClassifier(const std::filesystem::path& file, ScriptClassifierOptions options, const ImageShape& shape, int64_t classes);

    const ScriptClassifierOptions& options() const { return options_; }
    const std::filesystem::path& file() const { return network_.file(); }

    /// What the file itself says, [b, C]. Throws `invalid_input` where it gives another shape.
    at::Tensor outputs(const at::Tensor& images) const;
    at::Tensor logits(const at::Tensor& images, const Mode& mode = {}, const Probe& probe = {}) const override;
    bool can_be_probed() const override { return false; }
    void to(at::Device device) override;

private:
    training::ScriptNetwork network_;
    ScriptClassifierOptions options_;
    at::Tensor mean_, deviation_;  // [channels or 1, 1, 1]
    int64_t classes_;
};

/// A generator in two TorchScript files: an encoder from images [b, channels, h, w] to codes [b, k], and a decoder the other way round;
/// images have values in [0, 1] on both sides, whatever the classifier is given.
class ScriptGenerator : public Generator {
public:
    ScriptGenerator(const std::filesystem::path& encoder, const std::filesystem::path& decoder, const ImageShape& shape, int64_t latent);

    const std::filesystem::path& encoder_file() const { return encoder_.file(); }
    const std::filesystem::path& decoder_file() const { return decoder_.file(); }

    int64_t latent() const override { return latent_; }
    bool has_encoder() const override { return true; }
    /// Images that come as rows of h x w x channels numbers are given their shape.
    at::Tensor decode(const at::Tensor& z) const override;
    at::Tensor code(const at::Tensor& images) const override;
    void to(at::Device device) override;

private:
    training::ScriptNetwork encoder_, decoder_;
    ImageShape shape_;
    int64_t latent_;
};

}  // namespace whynot::image
