#include "image/networks/generator.h"

#include "whynot/error.h"

namespace whynot::image {

namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

}  // namespace

ConvolutionalGenerator::ConvolutionalGenerator(const GeneratorSizes& sizes, const ImageShape& shape) : sizes_(sizes), shape_(shape) {
    if (sizes.kind != "vae" && sizes.kind != "autoencoder" && sizes.kind != "dcgan")
        refuse("there is no generator '" + sizes.kind + "'; there are vae, autoencoder and dcgan");
    if (sizes.latent < 1 || sizes.latent > 65536) refuse("a generator's latent size must be from 1 to 65536");
    if (sizes.channels.empty() || sizes.channels.size() > 8) refuse("a generator has from 1 to 8 convolutions");
    for (const int64_t channels : sizes.channels)
        if (channels < 1 || channels > 4096) refuse("a generator's convolutions have from 1 to 4096 channels");
    if (sizes.hidden < 0 || sizes.hidden > 65536) refuse("a generator's hidden layer has from 0 to 65536 units");
    const int64_t halvings = int64_t{1} << sizes.channels.size();
    if (shape.height % halvings != 0 || shape.width % halvings != 0)
        refuse("a generator of " + std::to_string(sizes.channels.size()) + " convolutions takes images whose sides are multiples of " +
               std::to_string(halvings) + ", these have " + std::to_string(shape.width) + " x " + std::to_string(shape.height));
    height_ = shape.height / halvings;
    width_ = shape.width / halvings;

    const int64_t innermost = sizes.channels.back() * height_ * width_;
    const int64_t hidden = sizes.hidden > 0 ? sizes.hidden : innermost;
    if (has_encoder()) {
        int64_t in = shape.channels;
        for (const int64_t out : sizes.channels) {
            encoder_.push_back(convolution("encoder.layer" + std::to_string(encoder_.size()), in, out, 4, 2, 1));
            in = out;
        }
        if (sizes.hidden > 0) encoder_hidden_ = linear("encoder.hidden", innermost, hidden);
        mean_ = linear("encoder.mean", hidden, sizes.latent);
        if (sizes.kind == "vae") log_variance_ = linear("encoder.log_variance", hidden, sizes.latent);
        if (sizes.hidden > 0) decoder_hidden_ = linear("decoder.hidden", sizes.latent, hidden);
    }
    spread_ = linear("decoder.spread", decoder_hidden_.weight.defined() ? hidden : sizes.latent, innermost);
    if (!has_encoder()) norms_.push_back(batch_norm("decoder.spread.norm", innermost));
    for (size_t level = sizes.channels.size(); level-- > 0;) {
        const std::string name = "decoder.layer" + std::to_string(level);
        decoder_.push_back(doubling(name, sizes.channels[level], level > 0 ? sizes.channels[level - 1] : shape.channels));
        if (!has_encoder() && level > 0) norms_.push_back(batch_norm(name + ".norm", sizes.channels[level - 1]));
    }
}

at::Tensor ConvolutionalGenerator::decode_logits(const at::Tensor& z, const Mode& mode) const {
    const auto activate = [&](const at::Tensor& x, size_t norm) { return has_encoder() ? at::elu(x) : at::relu(norms_[norm](x, mode)); };
    at::Tensor x = decoder_hidden_.weight.defined() ? at::elu(decoder_hidden_(z)) : z;
    x = activate(spread_(x), 0).view({z.size(0), sizes_.channels.back(), height_, width_});
    for (size_t i = 0; i + 1 < decoder_.size(); ++i) x = activate(decoder_[i](x), i + 1);
    return decoder_.back()(x);
}

ConvolutionalGenerator::Code ConvolutionalGenerator::encode(const at::Tensor& images) const {
    if (!has_encoder()) throw Error(ErrorCode::internal, "a dcgan has no encoder");
    at::Tensor x = images;
    for (const Convolution& layer : encoder_) x = at::elu(layer(x));
    x = x.flatten(1);
    if (encoder_hidden_.weight.defined()) x = at::elu(encoder_hidden_(x));
    return {mean_(x), log_variance_.weight.defined() ? log_variance_(x) : at::Tensor()};
}

void ConvolutionalGenerator::whiten(const at::Tensor& codes) {
    const at::NoGradGuard no_grad;
    const at::Tensor centre = codes.mean(0).to(at::kDouble);
    const at::Tensor spread = codes.to(at::kDouble) - centre;
    at::Tensor covariance = at::mm(spread.t(), spread) / static_cast<double>(codes.size(0));
    const double largest = std::get<0>(at::linalg_eigh(covariance)).max().item<double>();
    covariance += 1e-4 * largest * at::eye(sizes_.latent, at::kDouble);
    const at::Tensor root = at::linalg_cholesky(covariance);
    const at::Tensor inverse = at::linalg_inv(root);
    // u = inverse (code - centre) behind the encoder, code = centre + root u before the decoder.
    mean_.bias.copy_(at::mv(inverse, mean_.bias.to(at::kDouble) - centre));
    mean_.weight.copy_(at::mm(inverse, mean_.weight.to(at::kDouble)));
    const Linear& first = decoder_hidden_.weight.defined() ? decoder_hidden_ : spread_;
    first.bias.add_(at::mv(first.weight.to(at::kDouble), centre));
    first.weight.copy_(at::mm(first.weight.to(at::kDouble), root));
}

}  // namespace whynot::image
