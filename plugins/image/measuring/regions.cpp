#include "image/measuring/regions.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace whynot::image {

namespace {

constexpr int64_t at_once = 250;  // images, of which a copy is made

}  // namespace

at::Tensor mask_of(const std::vector<Box>& boxes, int64_t height, int64_t width) {
    at::Tensor mask = at::zeros({height, width}, at::kBool);
    for (const Box& box : boxes) mask.slice(0, box.row, box.row + box.height).slice(1, box.column, box.column + box.width).fill_(true);
    return mask;
}

at::Tensor brightened(const at::Tensor& images, const at::Tensor& mask, double amount) {
    return at::where(mask, amount > 0 ? images + amount * (1 - images) : images * (1 + amount), images);
}

void brighten(TrainingImages& images, const at::Tensor& rows, const at::Tensor& mask, double amount) {
    for (int64_t begin = 0; begin < rows.size(0); begin += at_once) {
        const at::Tensor some = rows.slice(0, begin, std::min(begin + at_once, rows.size(0)));
        images.pixels.index_copy_(0, some, brightened(images.images(some), mask, amount).mul(255).round().to(at::kByte));
    }
}

at::Tensor pasted(const at::Tensor& images, const at::Tensor& pictures, const at::Tensor& mask) {
    return at::where(mask, pictures, images);
}

at::Tensor gap_closed(const std::function<at::Tensor(const at::Tensor&)>& logits, const at::Tensor& images, const at::Tensor& pictures,
                      const at::Tensor& fact, const at::Tensor& foil) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> closed;
    for (int64_t begin = 0; begin < images.size(0); begin += at_once) {
        const int64_t end = std::min(begin + at_once, images.size(0));
        const auto gap = [&](const at::Tensor& all) {
            const at::Tensor said = logits(all.slice(0, begin, end)).to(at::kDouble);
            const auto of = [&](const at::Tensor& y) { return said.gather(1, y.slice(0, begin, end).unsqueeze(1)).squeeze(1); };
            return of(fact) - of(foil);
        };
        const at::Tensor before = gap(images);
        closed.push_back((before - gap(pictures)) / before);
    }
    return at::cat(closed);
}

}  // namespace whynot::image
