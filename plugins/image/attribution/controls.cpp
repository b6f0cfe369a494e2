// Maps that do not ask the classifier: a yardstick that they top proves nothing.
#include <ATen/ATen.h>

#include "image/attribution/maps.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

/// What the generator draws of the pack's codes of a class, [m, channels, h, w].
at::Tensor pictures_of(const ImageModel& model, int64_t of_class) {
    const at::NoGradGuard no_grad;
    const Networks& networks = model.networks();
    const at::Tensor rows = networks.generator && networks.codes.size(0) > 0 ? networks.code_classes.eq(of_class).nonzero().squeeze(1)
                                                                             : at::empty({0}, at::kLong);
    if (rows.size(0) == 0)
        throw Error(
            ErrorCode::invalid_argument,
            "the controls compare with pictures that the generator makes of the pack's codes, and this pack has none of the class '" +
                model.info().classes[static_cast<size_t>(of_class)] + "'");
    return model.decode(networks.codes.to(at::kFloat).index_select(0, rows));
}

template <class Choose>
at::Tensor minus_picture(const ImageModel& model, const AskedImages& asked, Choose choose) {
    std::vector<at::Tensor> maps;
    for (int64_t i = 0; i < asked.size(); ++i) {
        const at::Tensor& image = asked.images[i];
        maps.push_back((image - choose(image, pictures_of(model, asked.foil[i].item<int64_t>()))).sum(0));
    }
    return at::stack(maps);
}

}  // namespace

at::Tensor from_mean_of_foil(const ImageModel& model, const AskedImages& asked) {
    return minus_picture(model, asked, [](const at::Tensor&, const at::Tensor& pictures) { return pictures.mean(0); });
}

at::Tensor from_nearest_of_foil(const ImageModel& model, const AskedImages& asked) {
    return minus_picture(model, asked, [](const at::Tensor& image, const at::Tensor& pictures) {
        return pictures[(pictures - image).flatten(1).norm(2, 1).argmin().item<int64_t>()];
    });
}

}  // namespace whynot::image
