#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/model/fit.h"
#include "image/networks/layers.h"

namespace whynot::image {

/// What a generator is made of: `network.generator` in pack.json.
struct GeneratorSizes {
    std::string kind = "vae";  ///< "vae", "autoencoder", "dcgan"
    int64_t latent = 32;       ///< k
    std::vector<int64_t> channels{16,
                                  32};  ///< of the encoder's convolutions, outermost first; each halves the sides. The decoder mirrors them
    int64_t hidden = 256;               ///< units between convolutions and code; 0: none
};

/// From codes to images, and back where it has an encoder.
class Generator : public Network {
public:
    virtual int64_t latent() const = 0;  ///< k
    virtual bool has_encoder() const = 0;

    /// Images [b, channels, h, w] with values in [0, 1] of codes [b, k]; differentiable.
    virtual at::Tensor decode(const at::Tensor& z) const = 0;

    /// The codes of images, [b, k]. Only where there is an encoder.
    virtual at::Tensor code(const at::Tensor& images) const = 0;
};

/// A convolutional decoder, and for kinds that have one the encoder that goes with it.
///
///     z [b, k] -> hidden -> convT 4 x 4, stride 2, a doubling for each of `channels` -> sigmoid -> images [b, channels, h, w]
///
/// `vae` and `autoencoder` have exponential linear units, which give the solver fewer kinks and no dead gradients to stop at; `dcgan`
/// (Radford et al. 2016) has batch normalisation and rectifiers, no hidden layer and no encoder: its codes are found by inversion.
///
/// The code of an `autoencoder` is whitened after training (`whiten`), so that latent distances mean the same in every direction.
class ConvolutionalGenerator : public Generator {
public:
    ConvolutionalGenerator(const GeneratorSizes& sizes, const ImageShape& shape);

    const GeneratorSizes& sizes() const { return sizes_; }
    int64_t latent() const override { return sizes_.latent; }
    bool has_encoder() const override { return sizes_.kind != "dcgan"; }

    /// What the sigmoid is taken of, [b, channels, h, w].
    at::Tensor decode_logits(const at::Tensor& z, const Mode& mode = {}) const;
    at::Tensor decode(const at::Tensor& z) const override { return decode_logits(z).sigmoid(); }

    /// The approximate posterior of a code, both [b, k]; an autoencoder has a mean only.
    struct Code {
        at::Tensor mean, log_variance;
    };
    Code encode(const at::Tensor& images) const;
    at::Tensor code(const at::Tensor& images) const override { return encode(images).mean; }

    /// Changes the code to u with code = mean + L u, L L' being the covariance of `codes` [n, k] with 1e-4 of its largest eigenvalue added
    /// to the diagonal: the weights beside the code are changed, what the generator draws is not.
    void whiten(const at::Tensor& codes);

private:
    GeneratorSizes sizes_;
    ImageShape shape_;
    int64_t height_, width_;  // of the innermost convolution
    std::vector<Convolution> encoder_, decoder_;
    std::vector<BatchNorm> norms_;  // dcgan: after the first linear map and each doubling but the last
    Linear encoder_hidden_, mean_, log_variance_, decoder_hidden_, spread_;
};

}  // namespace whynot::image
