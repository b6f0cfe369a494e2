// Attribution by derivatives.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "image/attribution/maps.h"

namespace whynot::image {

namespace {

at::Tensor over_channels(const at::Tensor& scores) { return scores.sum(1); }

/// dh/dx at some pictures of each question, [n r, channels, h, w].
at::Tensor derivative(const ImageModel& model, const AskedImages& asked, const at::Tensor& pictures) {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor x = pictures.detach().clone().requires_grad_();
    return torch::autograd::grad({asked.gaps(model.logits(x)).sum()}, {x})[0];
}

}  // namespace

at::Tensor gradient(const ImageModel& model, const AskedImages& asked) { return over_channels(derivative(model, asked, asked.images)); }

at::Tensor gradient_times_input(const ImageModel& model, const AskedImages& asked) {
    return over_channels(asked.images * derivative(model, asked, asked.images));
}

at::Tensor integrated_gradients(const ImageModel& model, const AskedImages& asked, int64_t steps) {
    const at::Tensor way = (at::arange(steps, at::kFloat) + 0.5).div(static_cast<double>(steps)).view({1, steps, 1, 1, 1});
    const at::Tensor on_way = asked.images.unsqueeze(1) * way;  // [n, steps, channels, h, w]
    const at::Tensor slopes = derivative(model, asked, on_way.flatten(0, 1)).view(on_way.sizes());
    return over_channels(asked.images * slopes.mean(1));
}

at::Tensor gradient_in_windows(const ImageModel& model, const AskedImages& asked, int64_t side, int64_t count) {
    return in_windows(gradient(model, asked), side, count);
}

at::Tensor in_windows(const at::Tensor& maps, int64_t widest, int64_t count) {
    const int64_t side = std::min({widest, maps.size(1), maps.size(2)});
    at::Tensor kept = at::zeros_like(maps);
    for (int64_t i = 0; i < maps.size(0); ++i) {
        const at::Tensor left = maps[i];
        const int64_t rows = left.size(0) - side + 1, columns = left.size(1) - side + 1;
        at::Tensor free = at::ones({rows, columns}, at::kBool);
        for (int64_t k = 0; k < count && free.any().item<bool>(); ++k) {
            const at::Tensor sums = at::avg_pool2d(left.view({1, 1, left.size(0), left.size(1)}), side, 1)[0][0];
            const int64_t best = sums.abs().masked_fill(free.logical_not(), -1).argmax().item<int64_t>();
            const int64_t row = best / columns, column = best % columns;
            kept[i]
                .slice(0, row, row + side)
                .slice(1, column, column + side)
                .copy_(left.slice(0, row, row + side).slice(1, column, column + side));
            free.slice(0, std::max<int64_t>(0, row - side + 1), row + side)
                .slice(1, std::max<int64_t>(0, column - side + 1), column + side)
                .fill_(false);
        }
    }
    return kept;
}

}  // namespace whynot::image
