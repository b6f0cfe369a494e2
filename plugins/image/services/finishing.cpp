#include "image/services/finishing.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "image/model/model.h"
#include "training/random.h"
#include "whynot/asking.h"
#include "whynot/solver.h"

namespace whynot::image {

namespace {

constexpr uint64_t codes_stream = 4;  // of a trainer's seed; those before it are its own

/// What is usual of images that the networks have not learned from. An image is strange by one of the two: half a hundredth of them by each
/// alone, scaled so that a little less than a hundredth is by either.
void measure_oddities(Networks& networks, const ImageModel& model, const TrainingImages& images) {
    constexpr int64_t enough = 200, most = 5000;
    constexpr double apart = 0.995, together = 0.994;
    if (!networks.generator->has_encoder() || networks.codes.size(0) == 0 || images.size() < enough) return;
    const at::Tensor found = ImageBatch(model, images.images(at::arange(std::min(most, images.size())))).oddities();
    const at::Tensor usual = at::quantile(found, apart, 0);  // [2]
    const double scale = at::quantile(std::get<0>((found / usual).max(1)), together).item<double>();
    networks.usual_residual_share = scale * usual[0].item<double>();
    networks.usual_code_distance = scale * usual[1].item<double>();
}

}  // namespace

Division divide(const TrainingImages& images, int64_t wanted, uint64_t seed) {
    const at::Tensor order = at::randperm(images.size(), training::make_generator(seed), at::kLong);
    const int64_t kept = std::max<int64_t>(1, images.size() / 50), left = images.size() - kept;
    return {images.chosen(order.slice(0, 0, kept)),
            images.chosen(order.slice(0, kept, kept + (wanted > 0 ? std::min(wanted, left) : left)))};
}

void collect_codes(Networks& networks, const TrainingImages& images, int64_t count, int64_t classes, uint64_t seed) {
    constexpr int64_t batch = 500, max_draws = 100;
    const at::NoGradGuard no_grad;
    std::vector<std::vector<at::Tensor>> found(static_cast<size_t>(classes));
    const auto full = [&] {
        return std::all_of(found.begin(), found.end(), [&](const auto& codes) { return static_cast<int64_t>(codes.size()) >= count; });
    };
    const bool encodes = networks.generator->has_encoder();
    const int64_t batches = encodes ? (images.size() + batch - 1) / batch : max_draws;
    for (int64_t b = 0; b < batches && !full(); ++b) {
        at::Tensor codes;
        if (encodes)
            codes = networks.generator->code(images.images(at::arange(b * batch, std::min(images.size(), (b + 1) * batch))));
        else
            codes = at::empty({batch, networks.generator->latent()}, at::kFloat)
                        .normal_(0, 1, training::make_generator(training::mix_seed(seed, codes_stream, static_cast<uint64_t>(b))));
        training::round_to_half(codes);
        const at::Tensor called = networks.classifier->logits(networks.generator->decode(codes)).argmax(1);
        for (int64_t i = 0; i < codes.size(0); ++i) {
            auto& of_class = found[static_cast<size_t>(called[i].item<int64_t>())];
            if (static_cast<int64_t>(of_class.size()) < count) of_class.push_back(codes[i]);
        }
    }
    std::vector<at::Tensor> codes;
    std::vector<int64_t> labels;
    for (size_t c = 0; c < found.size(); ++c) {
        codes.insert(codes.end(), found[c].begin(), found[c].end());
        labels.insert(labels.end(), found[c].size(), static_cast<int64_t>(c));
    }
    if (codes.empty()) return;
    networks.codes = at::stack(codes);
    networks.code_classes = at::tensor(labels, at::kLong);
}

Solved measure_scales(Networks& networks, const std::vector<std::string>& classes, const TrainingImages& images, uint64_t seed) {
    const ImageModel model(classes, networks);
    const auto batch_of = [&](int64_t max) { return ImageBatch(model, images.images(at::arange(std::min(max, images.size())))); };
    ImageBatch many = batch_of(networks.generator->has_encoder() ? 1000 : 50);
    many.start(many.classify().argmax(1), seed);
    networks.usual_residual = at::quantile(many.residual().flatten(1).norm(2, 1), 0.99).item<double>();

    measure_oddities(networks, model, images);

    ImageBatch batch = batch_of(64);
    const Summary summary = solve(ask(batch, model.info(), {seed, 0, ""}));
    networks.typical_distance = summary.median_distance > 0 ? summary.median_distance : 1;
    return {summary.feasible, batch.size()};
}

}  // namespace whynot::image
