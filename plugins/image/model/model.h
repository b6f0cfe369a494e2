#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/model/networks.h"
#include "whynot/modality.h"

namespace whynot::image {

/// The service `whynot.modality/1` for images.
class ImageModality : public Modality {
public:
    std::unique_ptr<Model> open(const Pack& pack, const std::string& device) override;
};

/// An image pack opened.
class ImageModel : public Model {
public:
    explicit ImageModel(const Pack& pack, at::Device device = at::kCPU);
    /// Networks that are not in a pack yet, on the processor.
    ImageModel(std::vector<std::string> classes, Networks networks);

    const ModelInfo& info() const override { return info_; }
    std::unique_ptr<Batch> read(const std::vector<Input>& inputs, std::vector<ReadNotes>& notes) override;

    const Networks& networks() const { return networks_; }

    // The networks where they are: tensors go in and come out on the processor.
    at::Tensor logits(const at::Tensor& images) const;  ///< [b, channels, h, w] -> [b, C]
    at::Tensor decode(const at::Tensor& z) const;       ///< [b, k] -> [b, channels, h, w]
    at::Tensor code(const at::Tensor& images) const;    ///< the encoder's
    at::Device device() const { return device_; }

private:
    Networks networks_;
    at::Device device_ = at::kCPU;
    ModelInfo info_;
};

/// Images on their way through a model.
///
/// What the generator cannot draw of an image is added back to whatever it draws: with Delta = I - G(z0),
///
///     I(z) = G(z) + Delta
///
/// gives back the image itself at z0 (the dissertation's 3.1.4 prints the opposite sign). Far from z0 Delta can stand in the way: a boot's laces do not
/// become a bag. So it may be given up, at a price: the latent space has one coordinate more than the generator, and a point is (z, u) with
///
///     I(z, u) = G(z) + (1 - u / R) Delta,   the share kept between 0 and 1,   R = 3/4 of the typical distance
///
/// Inputs lie at (z0, 0); whoever searches the nearest point gives up no more of Delta than the rest of the way is shortened by. On Fashion-MNIST this
/// and starts in reserve (points.h) find the boundary of 90 and 83 of 100 random and least likely foils where without either it is 82 and 62. I is clipped to [0, 1], what a picture can hold, in the
/// search as in what is shown: what a person sees is what was solved. (Where a pixel is clipped its derivative is 0: nothing can be seen there.)
class ImageBatch : public Batch {
public:
    /// @param images [B, channels, h, w], float in [0, 1]
    ImageBatch(const ImageModel& model, at::Tensor images);

    int64_t size() const override { return images_.size(0); }
    at::Tensor classify() override;

    /// The encoder's mean; for a generator without an encoder the best of several inversions (the dissertation's Procedure 2):
    ///
    ///     z0 = argmin |G(z) - I|^2 + 0.5 cross_entropy(D(G(z)), fact) + 0.02 |z|^2
    ///
    /// each from its own draw of the prior. The small prior improves the fit: it keeps codes where the generator was trained.
    at::Tensor start(const at::Tensor& fact, uint64_t seed) override;
    /// The same from codes that are known, [B, k of the generator]: to begin elsewhere, or not to invert once more.
    at::Tensor start_at(const at::Tensor& codes);
    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& rows) override;

    /// The pack's codes of the foil that lie nearest to z0. A sigmoid that is dark has no gradient to say that it could be bright; a
    /// start at which the foil is drawn already does not need one. The residual is given up there: with it, some of these drawings are no longer the foil.
    at::Tensor extra_starts(const at::Tensor& rows, const at::Tensor& fact, const at::Tensor& foil, int64_t count, uint64_t seed) override;
    std::vector<Rendering> render(const std::vector<RenderRequest>& requests, uint64_t seed) override;
    /// By how much the residual's share of the image, or the distance of its code, exceeds what is usual. Only for a generator with an encoder.
    std::vector<Strangeness> strangeness() const override;
    std::vector<std::string> warnings(int64_t row) const override;

    const at::Tensor& images() const { return images_; }
    const at::Tensor& residual() const { return residual_; }  ///< Delta, [B, channels, h, w]; after `start`

    /// I(z) of rows of the batch, [b, channels, h, w], in [0, 1].
    at::Tensor draw(const at::Tensor& z, const at::Tensor& rows) const;

    /// What `strangeness` looks at, [B, 2]: |I - G(z0)| / |I|, and the mean distance of the code to the five nearest that are stored.
    at::Tensor oddities() const;

private:
    at::Tensor invert_images(const at::Tensor& fact, uint64_t seed) const;

    const ImageModel& model_;
    at::Tensor images_, start_, residual_;
    at::Tensor residual_on_device_;  // where the networks are
};

}  // namespace whynot::image
