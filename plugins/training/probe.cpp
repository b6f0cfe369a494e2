#include "training/probe.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "base/format.h"
#include "training/random.h"
#include "training/torchscript.h"
#include "whynot/error.h"

namespace whynot::training {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what) { throw Error(ErrorCode::invalid_input, name + ": " + what); }

std::string number(double value) { return base::number(value, 4); }

std::string range(const at::Tensor& values) { return number(values.min().item<double>()) + " to " + number(values.max().item<double>()); }

}  // namespace

at::Tensor in_one_batch(const std::string& name, const Forward& network, const at::Tensor& samples) {
    try {
        return network(samples);
    } catch (const Error& error) {
        try {
            network(samples.slice(0, 0, 1));
        } catch (const Error&) {
            throw error;
        }
        refuse(name, "it takes a single input, but no batch of " + std::to_string(samples.size(0)) +
                         ", as if its batch had been fixed by a view or by torch.jit.trace; the batch size must be free: " + error.what());
    }
}

at::Tensor probe_network(const std::string& name, const Forward& network, const at::Tensor& samples) {
    const at::NoGradGuard no_grad;
    const at::Tensor together = in_one_batch(name, network, samples);
    if (together.dim() == 0 || together.size(0) != samples.size(0))
        refuse(name, "expected a row for each of " + std::to_string(samples.size(0)) + " inputs, found " + shape_text(together.sizes()));
    if (!together.isfinite().all().item<bool>())
        refuse(name, "it gives " + std::to_string(together.isfinite().logical_not().sum().item<int64_t>()) + " numbers of " +
                         std::to_string(together.numel()) +
                         " that are not finite; look at its inputs: shape, order of channels, normalisation");
    const double size = together.abs().max().item<double>();
    const auto apart = [&](const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>() / (1e-6 + size); };
    if (const double away = apart(together, network(samples)); away > 1e-5)
        refuse(name, "the same input gets other numbers the second time (by " + number(100 * away) +
                         " % of the largest): dropout or other noise is on; call model.eval() before exporting it");
    for (int64_t i = 0; i < std::min<int64_t>(4, samples.size(0)); ++i) {
        at::Tensor alone;
        try {
            alone = network(samples.slice(0, i, i + 1));
        } catch (const Error& error) {
            refuse(name, "it takes a batch of " + std::to_string(samples.size(0)) +
                             ", but no single input, as if its batch had been fixed by torch.jit.trace: " + error.what());
        }
        if (const double away = apart(together.slice(0, i, i + 1), alone); away > 1e-3)
            refuse(name, "an input gets other numbers in a batch of " + std::to_string(samples.size(0)) + " than alone (by " +
                             number(100 * away) +
                             " % of the largest): batch normalisation in training mode, for which model.eval() has to be called before "
                             "exporting it, or something that mixes the rows, such as a softmax over them");
    }
    return together;
}

Emits probe_emits(const std::string& name, const at::Tensor& outputs, std::optional<Emits> declared) {
    const at::NoGradGuard no_grad;
    const at::Tensor y = outputs.to(at::kDouble);
    if ((y - y[0]).abs().max().item<double>() <= 1e-7 * y.abs().max().item<double>())
        refuse(name, "all " + std::to_string(y.size(0)) +
                         " samples get the same answer; it does not look at its input, or cannot tell anything "
                         "in the range that it is given: check the normalisation");
    const Emits found = recognise_emits(y);
    const std::string numbers = "on " + std::to_string(y.size(0)) + " samples its outputs go from " + range(y) + ", rows sum to " +
                                range(y.sum(1)) + ", their exponentials to " + range(y.exp().sum(1));
    if (declared && !may_be_declared(*declared, found))
        refuse(name, std::string("it is declared to emit ") + to_string(*declared) + ", but emits " + to_string(found) + ": " + numbers);
    if (!declared && found == Emits::logits && y.min().item<double>() >= 0 && y.max().item<double>() <= 1)
        refuse(name, numbers +
                         "; that looks like a sigmoid for each class, which says of no two classes that one excludes the other. If these "
                         "are logits, declare it: emits logits");
    return declared.value_or(found);
}

int64_t probe_gradients(const std::string& name, const Forward& log_likelihood, const at::Tensor& samples) {
    const int64_t count = samples.size(0);
    at::Tensor best;  // the two likeliest classes of each sample
    const auto gaps = [&](const at::Tensor& x) {
        const at::Tensor l = log_likelihood(x);
        if (!best.defined()) best = std::get<1>(l.detach().topk(2, 1));
        const at::Tensor two = l.gather(1, best);
        return two.select(1, 0) - two.select(1, 1);
    };
    // A little beside the samples: where a picture is all one colour, it lies exactly on the kinks of max-pooling.
    const at::Tensor beside = samples.detach() + 0.05 * samples.std() * at::empty_like(samples).normal_(0, 1, make_generator(1));
    const at::Tensor x = beside.clone().set_requires_grad(true);
    const at::Tensor gap = gaps(x);
    if (!gap.requires_grad())
        refuse(name, "its outputs have no gradient; look for torch.no_grad, detach, argmax or numbers taken out of tensors in forward");
    const at::Tensor gradient = torch::autograd::grad({gap.sum()}, {x}, {}, false, false, true)[0];
    if (!gradient.defined()) refuse(name, "its outputs do not depend on its input in a way that gradients can follow");
    if (!gradient.isfinite().all().item<bool>())
        refuse(name, "its gradients are not all finite; look for a root, logarithm or division at 0");
    const at::NoGradGuard no_grad;
    const at::Tensor slope = gradient.flatten(1).norm(2, 1).to(at::kDouble);  // along the gradient's own direction
    if (slope.max().item<double>() == 0)
        refuse(name, "its gradients are 0 in each of " + std::to_string(count) +
                         " samples: a search has nothing to follow. Probabilities so "
                         "near to 0 and 1 do that, for which the model is better exported without its softmax; so does rounding");
    std::vector<int64_t> sizes(static_cast<size_t>(samples.dim()), 1);
    sizes[0] = count;
    const at::Tensor direction = gradient / slope.clamp_min(1e-30).to(at::kFloat).view(sizes);
    at::Tensor agrees = at::zeros({count}, at::kBool);
    double worst = 0;
    for (const double step : {1e-1, 1e-2, 1e-3}) {  // kinks ask for short ones, rounding for long ones
        const at::Tensor difference = (gaps(beside + step * direction) - gaps(beside - step * direction)).to(at::kDouble) / (2 * step);
        const at::Tensor rounding = 1e-6 * (1 + gap.detach().abs().to(at::kDouble)) / step;
        const at::Tensor error = (difference - slope).abs();
        agrees = agrees | (error < 0.05 * slope + rounding);
        worst = (error / slope.clamp_min(1e-30)).median().item<double>();
    }
    const int64_t agreeing = agrees.sum().item<int64_t>();
    if (2 * agreeing < count)
        refuse(name, "its gradients are not the derivatives of what it says: in " + std::to_string(count - agreeing) + " of " +
                         std::to_string(count) + " samples central differences disagree, in the median by " + number(100 * worst) +
                         " %; look for detach, rounding, or a backward of its own in forward");
    return agreeing;
}

}  // namespace whynot::training
