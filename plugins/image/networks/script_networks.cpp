#include "image/networks/script_networks.h"

#include "whynot/error.h"

namespace whynot::image {

namespace {

at::Tensor per_channel(const std::vector<double>& values, const ImageShape& shape, const char* what) {
    const auto count = static_cast<int64_t>(values.size());
    if (count != 1 && count != shape.channels)
        throw Error(ErrorCode::invalid_argument, std::string("expected the ") + what + " of the normalisation to be one number" +
                                                     (shape.channels > 1 ? " or " + std::to_string(shape.channels) : "") + ", found " +
                                                     std::to_string(count));
    const at::Tensor tensor = at::tensor(values, at::kFloat).view({count, 1, 1});
    if (!tensor.isfinite().all().item<bool>())
        throw Error(ErrorCode::invalid_argument, std::string("expected the ") + what + " of the normalisation to be finite");
    return tensor;
}

[[noreturn]] void refuse_shape(const std::filesystem::path& file, at::IntArrayRef expected, at::IntArrayRef found) {
    throw Error(ErrorCode::invalid_input, file.filename().string() + ": expected it to give " + training::shape_text(expected) +
                                              ", found " + training::shape_text(found));
}

}  // namespace

ScriptClassifier::ScriptClassifier(const std::filesystem::path& file, ScriptClassifierOptions options, const ImageShape& shape,
                                   int64_t classes)
    : network_(file),
      options_(std::move(options)),
      mean_(per_channel(options_.mean, shape, "mean")),
      deviation_(per_channel(options_.deviation, shape, "std")),
      classes_(classes) {
    if (deviation_.min().item<double>() <= 0)
        throw Error(ErrorCode::invalid_argument, "expected the deviation of the normalisation to be positive");
}

at::Tensor ScriptClassifier::outputs(const at::Tensor& images) const {
    const at::Tensor result = network_((images - mean_) / deviation_);
    if (result.sizes() != at::IntArrayRef{images.size(0), classes_}) refuse_shape(file(), {images.size(0), classes_}, result.sizes());
    return result;
}

at::Tensor ScriptClassifier::logits(const at::Tensor& images, const Mode&, const Probe&) const {
    return training::log_likelihoods(outputs(images), options_.emits);
}

void ScriptClassifier::to(at::Device device) {
    network_.to(device);
    mean_ = mean_.to(device);
    deviation_ = deviation_.to(device);
}

ScriptGenerator::ScriptGenerator(const std::filesystem::path& encoder, const std::filesystem::path& decoder, const ImageShape& shape,
                                 int64_t latent)
    : encoder_(encoder), decoder_(decoder), shape_(shape), latent_(latent) {}

void ScriptGenerator::to(at::Device device) {
    encoder_.to(device);
    decoder_.to(device);
}

at::Tensor ScriptGenerator::decode(const at::Tensor& z) const {
    const at::Tensor images = decoder_(z);
    const std::vector<int64_t> expected{z.size(0), shape_.channels, shape_.height, shape_.width};
    if (images.dim() == 0 || images.size(0) != z.size(0) || images.numel() != c10::multiply_integers(expected))
        refuse_shape(decoder_file(), expected, images.sizes());
    return images.reshape(expected);
}

at::Tensor ScriptGenerator::code(const at::Tensor& images) const {
    const at::Tensor codes = encoder_(images);
    if (codes.sizes() != at::IntArrayRef{images.size(0), latent_}) refuse_shape(encoder_file(), {images.size(0), latent_}, codes.sizes());
    return codes;
}

}  // namespace whynot::image
