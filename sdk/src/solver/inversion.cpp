#include "whynot/inversion.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "solver/shape.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot {
namespace {

void expect(bool good, const std::string& message) {
    if (!good) throw Error(ErrorCode::invalid_argument, message);
}

}  // namespace

InversionResult invert(const InversionFunction& function, const at::Tensor& start, const InversionOptions& options) {
    expect(static_cast<bool>(function), "invert needs a loss function");
    expect(start.defined() && start.dim() == 2 && start.is_floating_point(),
           "start should be [B, k] floating point; it is " + internal::shape_of(start));
    expect(options.learning_rate > 0 && std::isfinite(options.learning_rate), "learning_rate should be above 0");
    expect(options.decay >= 0 && options.decay <= 1, "decay should be from 0 to 1");
    expect(options.prior_weight >= 0 && std::isfinite(options.prior_weight), "prior_weight should be 0 or more");
    expect(options.max_steps >= 0, "max_steps should be 0 or more");
    const at::Tensor centre =
        options.prior_centre.defined() ? options.prior_centre.detach().to(start.options().requires_grad(false)) : start.detach();
    expect(centre.sizes() == start.sizes(),
           "prior_centre should be " + internal::shape_of(start.sizes()) + " as start is; it is " + internal::shape_of(centre));

    const at::NoGradGuard no_grad;
    const int64_t count = start.size(0);
    constexpr double beta1 = 0.9, beta2 = 0.999, tiny = 1e-8;
    const double infinity = std::numeric_limits<double>::infinity();
    at::Tensor z = start.detach().clone(), mean = at::zeros_like(z), square = at::zeros_like(z);
    at::Tensor best = at::full({count}, infinity, at::kDouble);
    InversionResult result{z.clone(), best.clone(), at::zeros({count}, at::kLong), at::zeros({count}, at::kBool)};
    at::Tensor active = at::arange(count);  // bookkeeping is on the CPU; z, mean, square are where start is

    for (int64_t taken = 0; active.size(0) > 0; ++taken) {
        check_interruption();
        if (options.cancelled && options.cancelled()) throw Error(ErrorCode::cancelled, "the latent inversion was cancelled");
        const at::Tensor rows = active.to(start.device());
        at::Tensor points = z.index_select(0, rows);
        at::Tensor gradient, loss, done;
        {
            const at::AutoGradMode with_graph(true);
            points.set_requires_grad(true);
            const InversionLoss answer = function(points, rows);
            expect(answer.loss.defined() && answer.loss.sizes() == at::IntArrayRef{active.size(0)} && answer.loss.requires_grad(),
                   "the loss should be " + internal::shape_of({active.size(0)}) + ", differentiable in z; it is " +
                       internal::shape_of(answer.loss) + (answer.loss.defined() && !answer.loss.requires_grad() ? " without a graph" : ""));
            expect(!answer.done.defined() || (answer.done.sizes() == answer.loss.sizes() && answer.done.scalar_type() == at::kBool),
                   "done should be undefined or " + internal::shape_of(answer.loss.sizes()) + " Bool; it is " +
                       internal::shape_of(answer.done));
            gradient = torch::autograd::grad({answer.loss.sum()}, {points}, {}, c10::nullopt, false, true)[0];
            expect(gradient.defined(), "the loss should depend on z; z is no part of its graph");
            loss = answer.loss.detach().to(at::kCPU, at::kDouble);
            if (answer.done.defined()) done = answer.done.to(at::kCPU);
        }
        points = points.detach();
        const at::Tensor away = points - centre.index_select(0, rows);
        gradient = gradient + 2 * options.prior_weight * away;
        const at::Tensor total = loss + options.prior_weight * away.square().sum(1).to(at::kCPU, at::kDouble);
        const at::Tensor sound = at::isfinite(total).logical_and(at::isfinite(gradient).all(1).to(at::kCPU));
        if (!done.defined()) done = at::zeros_like(sound);
        done = done.logical_and(at::isfinite(total));

        // A row that is done keeps this z, whatever the loss was before.
        const at::Tensor better = done.logical_or(total < best.index_select(0, active));
        const at::Tensor kept = active.masked_select(better), kept_there = kept.to(start.device());
        best.index_put_({kept}, total.masked_select(better));
        result.loss.index_put_({kept}, loss.masked_select(better));
        result.z.index_put_({kept_there}, z.index_select(0, kept_there));
        result.done.index_put_({active}, done);
        if (taken == options.max_steps) break;

        const at::Tensor going = sound.logical_and(done.logical_not());
        active = active.masked_select(going);
        if (active.size(0) == 0) break;
        const at::Tensor next = active.to(start.device());
        gradient = gradient.index_select(0, going.nonzero().squeeze(1).to(start.device()));
        const double step = static_cast<double>(taken + 1);
        const at::Tensor m = mean.index_select(0, next).mul_(beta1).add_(gradient, 1 - beta1);
        const at::Tensor v = square.index_select(0, next).mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
        mean.index_copy_(0, next, m);
        square.index_copy_(0, next, v);
        const double rate =
            options.learning_rate * (1 - options.decay * static_cast<double>(taken) / static_cast<double>(options.max_steps));
        const at::Tensor scale = (v / (1 - std::pow(beta2, step))).sqrt_().add_(tiny);
        z.index_copy_(0, next, z.index_select(0, next) - m.div(scale).mul_(rate / (1 - std::pow(beta1, step))));
        result.steps.index_put_({active}, result.steps.index_select(0, active) + 1);
    }
    return result;
}

}  // namespace whynot
