#include "image/comparing/yardsticks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "image/measuring/judging.h"

namespace whynot::image {

namespace {

constexpr int64_t most_percent = 20;
constexpr double step = 0.25, farthest = 10, beyond = 1.5;

at::Tensor probability_of(const at::Tensor& logits, const at::Tensor& foil) {
    return logits.softmax(1).gather(1, foil.unsqueeze(1)).squeeze(1);
}

double share(const at::Tensor& holds) { return holds.to(at::kDouble).mean().item<double>(); }

/// Each image with the `percent` of its pixels set that the change is largest in. @param order pixels, the largest change first, [n, h w]
at::Tensor with_pixels_set(const at::Tensor& images, const at::Tensor& changes, const at::Tensor& order, int64_t percent) {
    const int64_t pixels = order.size(1), count = std::llround(static_cast<double>(percent * pixels) / 100);
    const at::Tensor set = at::zeros({images.size(0), pixels}, at::kBool).scatter_(1, order.slice(1, 0, count), true);
    const at::Tensor proposed = changes.gt(0).to(at::kFloat).unsqueeze(1);
    return at::where(set.view_as(changes).unsqueeze(1), proposed, images);
}

void measure_pixels(const at::Tensor& changes, const at::Tensor& images, const at::Tensor& foil, const Jury& jury, const Watch& watch,
                    Worth& worth) {
    const at::Tensor light = images.mean(1), room = at::where(changes.gt(0), 1 - light, light);
    const at::Tensor order = changes.abs().masked_fill(room.lt(0.01), 0).flatten(1).argsort(1, true);
    for (int64_t percent = 0; percent <= most_percent; ++percent) {
        watch(0.5 * static_cast<double>(percent) / static_cast<double>(most_percent + 1));
        const at::Tensor pictures = with_pixels_set(images, changes, order, percent), logits = jury.model.logits(pictures);
        worth.area += probability_of(logits, foil).mean().item<double>() / (most_percent + 1);
        worth.second_area += probability_of(jury.second.logits(pictures), foil).mean().item<double>() / (most_percent + 1);
        if (percent == 5) worth.flips_5 = share(logits.argmax(1).eq(foil));
        if (percent == 10) worth.flips_10 = share(logits.argmax(1).eq(foil));
    }
}

void measure_own_size(const at::Tensor& changes, const at::Tensor& images, const at::Tensor& foil, const Jury& jury, const Watch& watch,
                      Worth& worth) {
    const at::Tensor length = changes.flatten(1).norm(2, 1).clamp_min(1e-12);
    const at::Tensor way = (changes / length.view({-1, 1, 1})).unsqueeze(1);
    const auto at_size = [&](const at::Tensor& size) { return (images + size.view({-1, 1, 1, 1}) * way).clamp(0, 1); };
    at::Tensor size = at::full({images.size(0)}, INFINITY);
    for (double s = step; s <= farthest; s += step) {
        watch(0.5 + 0.3 * s / farthest);
        const at::Tensor is_foil = jury.model.logits(at_size(at::full_like(size, s))).argmax(1).eq(foil);
        size = at::where(is_foil.logical_and(size.isinf()), at::full_like(size, s), size);
    }
    const at::Tensor turned = size.isfinite();
    worth.turned = share(turned);
    const at::Tensor sizes = size.index_select(0, turned.nonzero().squeeze(1));
    worth.length = sizes.size(0) > 0 ? sizes.median().item<double>() : 0;
    const at::Tensor pictures = at_size(at::where(turned, beyond * size, at::zeros_like(size)));
    const at::Tensor near = plausible(pictures, foil, jury.train, [&](double done) { watch(0.8 + 0.2 * done); });
    worth.plausible = share(near.logical_and(turned));
}

}  // namespace

at::Tensor added(const at::Tensor& scores) { return -scores; }

at::Tensor inverted(const at::Tensor& scores, const at::Tensor& images) {
    return scores.clamp_min(0) * at::where(images.mean(1).gt(0.5), -at::ones_like(scores), at::ones_like(scores));
}

Worth worth_of(const at::Tensor& changes, const at::Tensor& images, const at::Tensor& foil, const Jury& jury, const Watch& watch) {
    const at::NoGradGuard no_grad;
    Worth worth;
    worth.n = images.size(0);
    measure_pixels(changes, images, foil, jury, watch, worth);
    measure_own_size(changes, images, foil, jury, watch, worth);
    return worth;
}

nlohmann::ordered_json Worth::to_json() const {
    return {{"flips_5", flips_5}, {"flips_10", flips_10}, {"area", area},           {"second_area", second_area},
            {"turned", turned},   {"length", length},     {"plausible", plausible}, {"n", n}};
}

Worth Worth::from_json(const nlohmann::ordered_json& json) {
    Worth worth;
    for (const auto& [name, figure] :
         {std::pair("flips_5", &worth.flips_5), std::pair("flips_10", &worth.flips_10), std::pair("area", &worth.area),
          std::pair("second_area", &worth.second_area), std::pair("turned", &worth.turned), std::pair("length", &worth.length),
          std::pair("plausible", &worth.plausible)})
        *figure = json.at(name).get<double>();
    worth.n = json.at("n").get<int64_t>();
    return worth;
}

}  // namespace whynot::image
