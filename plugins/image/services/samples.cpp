#include "image/services/samples.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "image/model/networks.h"
#include "training/random.h"

namespace whynot::image {

SampleSet ImageSamples::samples(const Pack& pack) {
    constexpr int64_t max = 3;
    const at::NoGradGuard no_grad;
    const Networks networks = Networks::load(pack);
    const Generator& generator = networks.required_generator();
    std::vector<at::Tensor> codes;
    for (int64_t c = 0; networks.codes.size(0) > 0 && c < static_cast<int64_t>(pack.manifest().classes.size()); ++c) {
        const at::Tensor of_class = networks.code_classes.eq(c).nonzero();
        if (of_class.size(0) > 0 && static_cast<int64_t>(codes.size()) < max)
            codes.push_back(networks.codes[of_class[0][0].item<int64_t>()]);
    }
    while (static_cast<int64_t>(codes.size()) < max)
        codes.push_back(at::randn({generator.latent()}, training::make_generator(training::mix_seed(1, codes.size())), at::kFloat));

    SampleSet set;
    const at::Tensor images = generator.decode(at::stack(codes));
    for (int64_t i = 0; i < max; ++i)
        set.inputs.push_back({drawing::to_png(to_picture(images[i])), "sample-" + std::to_string(i + 1) + ".png"});
    set.round_trip = 1e-3;  // the residual gives back what the generator does not
    return set;
}

}  // namespace whynot::image
