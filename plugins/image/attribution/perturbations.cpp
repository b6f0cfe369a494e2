// Attribution by taking parts of the image away.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "image/attribution/maps.h"
#include "training/random.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot::image {

namespace {

constexpr int64_t at_once = 512;  ///< pictures that the classifier looks at together

at::Tensor said_of(const ImageModel& model, const at::Tensor& pictures) {
    std::vector<at::Tensor> logits;
    for (int64_t begin = 0; begin < pictures.size(0); begin += at_once) {
        check_interruption();
        logits.push_back(model.logits(pictures.slice(0, begin, std::min(begin + at_once, pictures.size(0)))));
    }
    return at::cat(logits);
}

/// Windows of an image: masks that are 1 in them, [m, h, w].
at::Tensor windows_of(int64_t height, int64_t width) {
    constexpr int64_t side = 5, stride = 2;
    const auto begins = [&](int64_t length) {
        std::vector<int64_t> list;
        for (int64_t begin = 0; begin + side < length; begin += stride) list.push_back(begin);
        list.push_back(std::max<int64_t>(0, length - side));
        return list;
    };
    std::vector<at::Tensor> masks;
    for (const int64_t row : begins(height))
        for (const int64_t column : begins(width)) {
            masks.push_back(at::zeros({height, width}));
            masks.back().slice(0, row, row + side).slice(1, column, column + side).fill_(1);
        }
    return at::stack(masks);
}

/// Of each pixel the mean of the windows it lies in. @param effects of the windows, [n, m]
at::Tensor spread(const at::Tensor& effects, const at::Tensor& windows) {
    const at::Tensor flat = windows.flatten(1);  // [m, h w]
    return (at::mm(effects, flat) / flat.sum(0)).view({effects.size(0), windows.size(1), windows.size(2)});
}

/// By how much h falls with each window filled, [n, m].
at::Tensor effects_of(const ImageModel& model, const AskedImages& asked, const at::Tensor& windows, double value) {
    const at::NoGradGuard no_grad;
    const at::Tensor own = asked.gaps(model.logits(asked.images));
    const at::Tensor masks = windows.unsqueeze(1);  // [m, 1, h, w]
    std::vector<at::Tensor> effects;
    for (int64_t i = 0; i < asked.size(); ++i) {
        const AskedImages one = asked.part(i, i + 1);
        effects.push_back(own[i] - one.gaps(said_of(model, one.images * (1 - masks) + value * masks)));
    }
    return at::stack(effects);
}

at::Tensor windows_of(const AskedImages& asked) { return windows_of(asked.images.size(2), asked.images.size(3)); }

/// What the generator draws of some of the pack's codes, whatever their class, [count, channels, h, w].
at::Tensor some_pictures(const ImageModel& model, int64_t count, uint64_t seed) {
    const Networks& networks = model.networks();
    if (!networks.generator || networks.codes.size(0) == 0)
        throw Error(ErrorCode::invalid_argument,
                    "the method 'pda' draws what else could stand somewhere from pictures that a generator makes, and this pack has no "
                    "generator with codes; choose occlusion, which fills windows with darkness");
    const at::Tensor order = at::randperm(networks.codes.size(0), training::make_generator(training::mix_seed(seed, 1)), at::kLong);
    return model.decode(networks.codes.to(at::kFloat).index_select(0, order.slice(0, 0, count)));
}

}  // namespace

at::Tensor occlusion(const ImageModel& model, const AskedImages& asked, double value) {
    const at::Tensor windows = windows_of(asked);
    return spread(effects_of(model, asked, windows, value), windows);
}

at::Tensor occlusion_either_way(const ImageModel& model, const AskedImages& asked) {
    const at::Tensor windows = windows_of(asked);
    const at::Tensor dark = effects_of(model, asked, windows, 0), light = effects_of(model, asked, windows, 1);
    return spread(at::where(dark >= light, dark, -light), windows);
}

at::Tensor lime(const ImageModel& model, const AskedImages& asked, uint64_t seed) {
    constexpr int64_t sides = 7, samples = 300;
    constexpr double kernel_width = 0.25, ridge = 1;
    const at::NoGradGuard no_grad;
    const int64_t height = asked.images.size(2), width = asked.images.size(3), blocks = sides * sides;
    const at::Tensor block = (at::arange(height, at::kLong) * sides).div(height, "floor").unsqueeze(1) * sides +
                             (at::arange(width, at::kLong) * sides).div(width, "floor");  // [h, w]
    at::Tensor there = at::empty({samples, blocks}).bernoulli_(0.5, training::make_generator(training::mix_seed(seed, 2)));
    there[0].fill_(1);
    const at::Tensor masks = there.index_select(1, block.flatten()).view({samples, 1, height, width});
    const at::Tensor x = there.to(at::kDouble);
    const at::Tensor weights = (1 - x.mean(1).sqrt()).div(kernel_width).square().mul(-0.5).exp();
    // With an intercept, which is not penalised: everything about its weighted mean.
    const at::Tensor share = weights / weights.sum();
    const at::Tensor centred = x - at::mv(x.t(), share), weighted = centred * weights.unsqueeze(1);
    const at::Tensor inverse = at::inverse(at::mm(weighted.t(), centred) + ridge * at::eye(blocks, at::kDouble));
    std::vector<at::Tensor> maps;
    for (int64_t i = 0; i < asked.size(); ++i) {
        const AskedImages one = asked.part(i, i + 1);
        const at::Tensor gaps = one.gaps(said_of(model, one.images * masks)).to(at::kDouble);
        const at::Tensor of_blocks = at::mv(inverse, at::mv(weighted.t(), gaps - at::dot(share, gaps)));
        maps.push_back(of_blocks.index_select(0, block.flatten()).view({height, width}).to(at::kFloat));
    }
    return at::stack(maps);
}

at::Tensor prediction_difference(const ImageModel& model, const AskedImages& asked, uint64_t seed) {
    constexpr int64_t samples = 8;
    constexpr double least = 1e-6;  // of a probability, so that its odds have a logarithm
    const at::NoGradGuard no_grad;
    const at::Tensor others = some_pictures(model, samples, seed);  // [s, channels, h, w]
    const at::Tensor windows = windows_of(asked), masks = windows.view({-1, 1, 1, windows.size(1), windows.size(2)});
    const auto log_odds = [&](const at::Tensor& probabilities, const at::Tensor& of_class) {
        const at::Tensor p = probabilities.gather(1, of_class.expand({probabilities.size(0), 1})).squeeze(1).clamp(least, 1 - least);
        return (p / (1 - p)).log2();
    };
    std::vector<at::Tensor> effects;
    for (int64_t i = 0; i < asked.size(); ++i) {
        const at::Tensor image = asked.images[i], own = model.logits(image.unsqueeze(0)).to(at::kDouble).softmax(1);
        const at::Tensor filled = image * (1 - masks) + others.unsqueeze(0) * masks;  // [m, s, channels, h, w]
        const at::Tensor said = said_of(model, filled.flatten(0, 1)).to(at::kDouble).softmax(1);
        const at::Tensor without = said.view({windows.size(0), samples, -1}).mean(1);
        const auto effect = [&](const at::Tensor& classes) {
            const at::Tensor of_class = classes[i].view({1, 1});
            return log_odds(own, of_class) - log_odds(without, of_class);
        };
        effects.push_back((asked.alone() ? effect(asked.fact) : effect(asked.fact) - effect(asked.foil)).to(at::kFloat));
    }
    return spread(at::stack(effects), windows);
}

}  // namespace whynot::image
