#include "image/model/model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "base/format.h"
#include "image/networks/pieces.h"
#include "training/random.h"
#include "whynot/device.h"
#include "whynot/error.h"
#include "whynot/interruption.h"
#include "whynot/inversion.h"

namespace whynot::image {

namespace {

// What it costs to give up the whole residual.
double reach_of(const Networks& networks) {
    return networks.keeps_residual ? std::numeric_limits<double>::infinity() : 0.75 * networks.typical_distance;
}

// Points of the latent space, [..., k + 1], of codes. @param given_up of the residual: from 0, nothing, to 1
at::Tensor points_of(const at::Tensor& codes, double given_up, const Networks& networks) {
    std::vector<int64_t> sizes = codes.sizes().vec();
    sizes.back() = 1;
    return at::cat({codes, codes.new_full(sizes, networks.keeps_residual ? 0 : given_up * reach_of(networks))}, -1);
}

at::Tensor codes_of(const at::Tensor& points) { return points.slice(1, 0, points.size(1) - 1); }

// The share of the residual that is kept at points [b, k + 1], as [b, 1, 1, 1].
at::Tensor kept_at(const at::Tensor& points, double reach) {
    return (1 - points.select(1, points.size(1) - 1) / reach).clamp(0, 1).view({-1, 1, 1, 1});
}

}  // namespace

std::unique_ptr<Model> ImageModality::open(const Pack& pack, const std::string& device) {
    return std::make_unique<ImageModel>(pack, device_named(device));
}

ImageModel::ImageModel(const Pack& pack, at::Device device) : ImageModel(pack.manifest().classes, Networks::load(pack)) {
    device_ = device;
    networks_.classifier->to(device);
    if (networks_.generator) networks_.generator->to(device);
}

ImageModel::ImageModel(std::vector<std::string> classes, Networks networks)
    : networks_(std::move(networks)),
      info_{std::move(classes), networks_.generator ? networks_.generator->latent() + 1 : 0, networks_.typical_distance, true, 0.9} {}

at::Tensor ImageModel::logits(const at::Tensor& images) const { return networks_.classifier->logits(images.to(device_)).cpu(); }

at::Tensor ImageModel::decode(const at::Tensor& z) const { return networks_.required_generator().decode(z.to(device_)).cpu(); }

at::Tensor ImageModel::code(const at::Tensor& images) const { return networks_.required_generator().code(images.to(device_)).cpu(); }

std::unique_ptr<Batch> ImageModel::read(const std::vector<Input>& inputs, std::vector<ReadNotes>& notes) {
    const ImageShape& shape = networks_.shape;
    std::vector<at::Tensor> images;
    notes.assign(inputs.size(), {});
    for (size_t i = 0; i < inputs.size(); ++i) {
        check_interruption();
        try {
            const Picture picture = drawing::read_image_file(inputs[i].content, notes[i].warnings);
            const at::Tensor image = fit(picture, shape, notes[i].warnings);
            if (is_blank(image)) {
                const std::vector<std::string>& done = notes[i].warnings;
                const bool turned_grey = std::find(done.begin(), done.end(), colours_turned_grey) != done.end();
                notes[i] = {std::string("there is nothing in this picture: it is of a single colour") +
                                (turned_grey ? ", once its colours are turned to grey" : ""),
                            {}};
                continue;
            }
            images.push_back(image);
        } catch (const Error& error) {
            notes[i] = {error.what(), {}};
        }
    }
    return std::make_unique<ImageBatch>(
        *this, images.empty() ? at::empty({0, shape.channels, shape.height, shape.width}, at::kFloat) : at::stack(images));
}

ImageBatch::ImageBatch(const ImageModel& model, at::Tensor images) : model_(model), images_(std::move(images)) {}

at::Tensor ImageBatch::classify() {
    const at::NoGradGuard no_grad;
    return at::log_softmax(model_.logits(images_), 1);
}

at::Tensor ImageBatch::start(const at::Tensor& fact, uint64_t seed) {
    if (!model_.networks().required_generator().has_encoder()) return start_at(invert_images(fact, seed));
    const at::NoGradGuard no_grad;
    return start_at(model_.code(images_));
}

at::Tensor ImageBatch::start_at(const at::Tensor& codes) {
    const at::NoGradGuard no_grad;
    residual_ = images_ - model_.decode(codes);
    start_ = points_of(codes, 0, model_.networks());
    residual_on_device_ = residual_.to(model_.device());
    return start_;
}

at::Tensor ImageBatch::invert_images(const at::Tensor& fact, uint64_t seed) const {
    constexpr int64_t draws = 4;
    const Networks& networks = model_.networks();
    const int64_t latent = networks.generator->latent();
    const at::Tensor prior = at::empty({draws, latent}, at::kFloat).normal_(0, 1, training::make_generator(training::mix_seed(seed, 1)));
    // The same draws for every image, so that an image's start does not depend on what else is in the batch.
    const at::Tensor begin = prior.unsqueeze(0).expand({size(), draws, latent}).reshape({size() * draws, latent});
    InversionOptions options;
    options.learning_rate = 0.1;
    options.decay = 1;
    options.max_steps = 300;
    options.prior_weight = 0.02;
    options.prior_centre = at::zeros_like(begin);
    const at::Tensor images = images_.to(model_.device());
    const InversionResult result = invert(
        [&](const at::Tensor& z, const at::Tensor& which) {
            const at::Tensor rows = at::div(which, draws, "floor");
            const at::Tensor drawn = networks.generator->decode(z.to(images.device()));
            const at::Tensor error = (drawn - images.index_select(0, rows.to(images.device()))).square().flatten(1).sum(1);
            const at::Tensor wrong =
                at::cross_entropy_loss(networks.classifier->logits(drawn).cpu(), fact.index_select(0, rows), {}, at::Reduction::None);
            return InversionLoss{error.cpu() + 0.5 * wrong, {}};
        },
        begin, options);
    const at::Tensor best = result.loss.view({size(), draws}).argmin(1) + at::arange(size(), at::kLong) * draws;
    return result.z.index_select(0, best);
}

at::Tensor ImageBatch::draw(const at::Tensor& z, const at::Tensor& rows) const {
    const at::Tensor kept = kept_at(z, reach_of(model_.networks()));
    return (model_.decode(codes_of(z)) + kept * residual_.index_select(0, rows)).clamp(0, 1);
}

at::Tensor ImageBatch::log_likelihood(const at::Tensor& z, const at::Tensor& rows) {
    // What the networks compute with for so many rows of MNIST's size fits in a core's cache; of larger images a few are as many.
    constexpr int64_t max = 32, min = 8, pixels = 28 * 28;
    const int64_t piece = std::clamp(max * pixels * size() / std::max<int64_t>(1, images_.numel()), min, max);
    // With what the networks need in hand, not with the batch: a graph may outlive it.
    const RowFunction logits = [reach = reach_of(model_.networks()), classifier = model_.networks().classifier,
                                generator = model_.networks().generator,
                                residual = residual_on_device_](const at::Tensor& some_z, const at::Tensor& some_rows) {
        const at::Device device = residual.device();
        const at::Tensor z_there = some_z.to(device);
        const at::Tensor images =
            generator->decode(codes_of(z_there)) + kept_at(z_there, reach) * residual.index_select(0, some_rows.to(device));
        return classifier->logits(images.clamp(0, 1)).cpu();
    };
    return model_.device().is_cpu() ? in_pieces(logits, z, rows, piece) : logits(z, rows);
}

at::Tensor ImageBatch::extra_starts(const at::Tensor& rows, const at::Tensor&, const at::Tensor& foil, int64_t count, uint64_t) {
    const Networks& networks = model_.networks();
    if (networks.codes.size(0) == 0) return {};
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> starts;
    for (int64_t i = 0; i < rows.size(0); ++i) {
        const at::Tensor z0 = start_[rows[i].item<int64_t>()].slice(0, 0, networks.generator->latent());
        const at::Tensor of_foil = networks.code_classes.eq(foil[i].item<int64_t>()).nonzero().squeeze(1);
        // A class of which the pack has too few codes starts from its nearest one again, one without any from z0.
        const at::Tensor choice = of_foil.size(0) > 0 ? networks.codes.index_select(0, of_foil) : z0.unsqueeze(0);
        const at::Tensor order = (choice - z0).square().sum(1).argsort();
        const at::Tensor places = at::arange(count, at::kLong).clamp_max(order.size(0) - 1);
        starts.push_back(choice.index_select(0, order.index_select(0, places)));
    }
    return points_of(at::stack(starts), 1, networks);
}

at::Tensor ImageBatch::oddities() const {
    constexpr int64_t nearest = 5;
    const at::NoGradGuard no_grad;
    const at::Tensor code = model_.code(images_), &codes = model_.networks().codes;
    const at::Tensor share = (images_ - model_.decode(code)).flatten(1).norm(2, 1) / images_.flatten(1).norm(2, 1).clamp_min(1e-6);
    const at::Tensor distance = std::get<0>(at::cdist(code, codes).topk(std::min(nearest, codes.size(0)), 1, false)).mean(1);
    return at::stack({share, distance}, 1).to(at::kDouble);
}

std::vector<Strangeness> ImageBatch::strangeness() const {
    const Networks& networks = model_.networks();
    const bool known = networks.usual_residual_share > 0 && networks.usual_code_distance > 0 && networks.codes.size(0) > 0;
    if (!known || !networks.generator || !networks.generator->has_encoder() || size() == 0) return {};
    const at::Tensor found = oddities();
    std::vector<Strangeness> result;
    for (int64_t i = 0; i < size(); ++i) {
        const double share = found[i][0].item<double>(), distance = found[i][1].item<double>();
        const double by_share = share / networks.usual_residual_share, by_distance = distance / networks.usual_code_distance;
        Strangeness& one = result.emplace_back();
        one.value = std::max(by_share, by_distance);
        one.reason = by_share > by_distance ? "its generator leaves " + base::percent(share) + " of it undrawn, where up to " +
                                                  base::percent(networks.usual_residual_share) + " is usual"
                                            : "its code lies " + base::number(distance) + " from the nearest that are known, where up to " +
                                                  base::number(networks.usual_code_distance) + " is usual";
    }
    return result;
}

std::vector<std::string> ImageBatch::warnings(int64_t row) const {
    // A pack that says more of what is usual warns by `strangeness`.
    const double usual = model_.networks().usual_residual;
    if (!residual_.defined() || usual <= 0 || model_.networks().usual_residual_share > 0) return {};
    const double found = residual_[row].norm().item<double>();
    if (found <= 1.5 * usual) return {};
    return {"the generator cannot draw this image well (a residual of " + std::to_string(found).substr(0, 4) + ", usual are up to " +
            std::to_string(usual).substr(0, 4) + "); it is unlike those the pack was trained on"};
}

}  // namespace whynot::image
