// Attribution that looks into a classifier's layers.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "image/attribution/maps.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

/// The identity whose gradient is multiplied by |z| / (|z| + epsilon): what the epsilon rule does to the relevance of a layer's outputs z.
class EpsilonRule : public torch::autograd::Function<EpsilonRule> {
public:
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& z, double deviations) {
        const at::Tensor size = z.abs();
        std::vector<int64_t> sizes(static_cast<size_t>(z.dim()), 1);
        sizes[0] = z.size(0);
        const at::Tensor epsilon = z.flatten(1).std(1, false).mul(deviations).view(sizes);
        context->save_for_backward({size / (size + epsilon).clamp_min(1e-12)});
        return z.clone();
    }
    static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context, const torch::autograd::tensor_list& gradients) {
        return {gradients[0] * context->get_saved_variables()[0], {}};
    }
};

const Classifier& opened(const ImageModel& model, const char* method) {
    const Classifier& classifier = *model.networks().classifier;
    if (!classifier.can_be_probed())
        throw Error(ErrorCode::invalid_argument,
                    std::string("the method '") + method +
                        "' looks at the layers of a classifier of ours (lenet, vgg, resnet); this one is a " +
                        "TorchScript file, which shows none: choose gradient, integrated-gradients, occlusion, lime or pda");
    return classifier;
}

/// The rectified sum of the maps of one class a question, [n, h, w].
at::Tensor class_activation(const at::Tensor& maps, const at::Tensor& of_class, at::IntArrayRef size) {
    const at::Tensor slopes = torch::autograd::grad({of_class.sum()}, {maps}, {}, true)[0];
    const at::NoGradGuard no_grad;
    const at::Tensor sum = (slopes.mean({2, 3}, true) * maps).sum(1, true).relu();
    return at::upsample_bilinear2d(sum, size, false).squeeze(1);
}

}  // namespace

at::Tensor grad_cam(const ImageModel& model, const AskedImages& asked) {
    const Classifier& classifier = opened(model, "grad-cam");
    const at::AutoGradMode with_gradients(true);
    at::Tensor maps;
    Probe probe;
    probe.maps = [&](const at::Tensor& seen) { return maps = seen.detach().clone().requires_grad_(); };
    const at::Tensor logits = classifier.logits(asked.images.to(model.device()), {}, probe);
    const auto size = asked.images.sizes().slice(2);
    const auto of = [&](const at::Tensor& classes) {
        return class_activation(maps, logits.gather(1, classes.to(model.device()).unsqueeze(1)), size).cpu();
    };
    return asked.alone() ? of(asked.fact) : of(asked.fact) - of(asked.foil);
}

at::Tensor layerwise_relevance(const ImageModel& model, const AskedImages& asked, double epsilon) {
    const Classifier& classifier = opened(model, "lrp");
    const at::AutoGradMode with_gradients(true);
    Probe probe;
    probe.linear = [&](const at::Tensor& z) { return EpsilonRule::apply(z, epsilon); };
    const at::Tensor x = asked.images.detach().clone().requires_grad_();
    const at::Tensor logits = classifier.logits(x.to(model.device()), {}, probe).cpu();
    return (x.detach() * torch::autograd::grad({asked.gaps(logits).sum()}, {x})[0]).sum(1);
}

}  // namespace whynot::image
