#include "image/comparing/boundaries.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/format.h"
#include "drawing/drawing.h"
#include "image/comparing/ground.h"
#include "image/model/fit.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr double rounding = 0.03;  // nats

std::vector<int> whole_numbers(const at::Tensor& values) {
    const at::Tensor whole = values.round().to(at::kInt).contiguous();
    return {whole.data_ptr<int>(), whole.data_ptr<int>() + whole.numel()};
}

std::vector<drawing::Panel> panels_of(const Boundaries& boundaries, const std::string& way, int64_t question, const at::Tensor& image,
                                      const std::vector<std::string>& classes, int64_t fact, int64_t foil) {
    const at::Tensor picture = boundaries.pictures[question], chances = boundaries.said[question].exp();
    if (!boundaries.there[question].item<bool>()) return {{to_picture(image), {way, "no boundary found"}, 0}};
    drawing::Panel boundary{to_picture(picture), {way}, 0};
    const auto add = [&](int64_t c) {
        boundary.lines.push_back(classes[static_cast<size_t>(c)] + "  " + base::probability(chances[c].item<double>()));
    };
    add(fact);
    add(foil);
    at::Tensor others = chances.clone();
    others[fact] = others[foil] = -1;
    if (chances.size(0) > 2) add(others.argmax().item<int64_t>());
    const drawing::Difference difference =
        drawing::draw_difference(floats(image), floats(picture), image.size(0), image.size(1), image.size(2));
    drawing::Panel change{difference.picture, {"what it changes"}, difference.scale, "darker", "lighter"};
    change.lines.push_back("distance " + base::number(boundaries.distance[question].item<double>()) + " (latent)");
    change.lines.push_back("L2 " + base::number((picture - image).norm().item<double>()) + " (pixels)");
    return {boundary, change};
}

}  // namespace

ImageModel keeping_residual(const ImageModel& model) {
    Networks networks = model.networks();
    networks.keeps_residual = true;
    return {model.info().classes, networks};
}

double Boundaries::found() const { return mean_of(there); }

at::Tensor Boundaries::third_wins(const at::Tensor& fact, const at::Tensor& foil) const {
    return there.logical_and(third_above(said, fact, foil).gt(rounding));
}

Boundaries Boundaries::first(int64_t count) const {
    const auto some = [&](const at::Tensor& all) { return all.slice(0, 0, count); };
    return {some(there), some(pictures), some(said), some(distance)};
}

Json Boundaries::to_json() const {
    return {{"there", whole_numbers(there.to(at::kFloat))},
            {"pictures", whole_numbers(pictures.mul(255))},
            {"said", numbers_of(said.flatten())},
            {"distance", numbers_of(distance)}};
}

Boundaries Boundaries::from_json(const Json& json, const at::Tensor& images) {
    const auto whole = [&](const char* key) { return at::tensor(json.at(key).get<std::vector<int64_t>>(), at::kLong); };
    Boundaries boundaries;
    boundaries.there = whole("there").to(at::kBool);
    boundaries.pictures = whole("pictures").to(at::kFloat).div(255).view_as(images);
    boundaries.said = tensor_of(json.at("said")).view({images.size(0), -1});
    boundaries.distance = tensor_of(json.at("distance"));
    return boundaries;
}

Boundaries boundaries_of(const Sample& sample, const at::Tensor& foil, bool guards, const Watch& watch) {
    constexpr int64_t starts = 3;  // as many as `whynot explain`
    const Shown shown = sample.show(foil, starts, 0, watch, guards);
    const at::Tensor there = shown.boundary_there.logical_and(shown.is_edge.logical_not());
    return {there, at::where(there.view({-1, 1, 1, 1}), shown.boundary, sample.images()), shown.at_boundary,
            shown.distance.masked_fill(there.logical_not(), 0)};
}

TwoWays both_ways(const Sample& sample, const at::Tensor& foil, const Watch& watch) {
    return {boundaries_of(sample, foil, true, [&](double done) { watch(0.5 * done); }),
            boundaries_of(sample, foil, false, [&](double done) { watch(0.5 + 0.5 * done); })};
}

at::Tensor cosines(const at::Tensor& one, const at::Tensor& other) {
    const at::Tensor a = one.flatten(1).to(at::kDouble), b = other.flatten(1).to(at::kDouble);
    return (a * b).sum(1) / (a.norm(2, 1) * b.norm(2, 1)).clamp_min(1e-12);
}

ExperimentValue median_where(const at::Tensor& values, const at::Tensor& holds) {
    const at::Tensor some = values.index_select(0, holds.nonzero().squeeze(1));
    return some.size(0) > 0 ? rounded(median_of(some)) : ExperimentValue();
}

Picture draw_ways(const std::string& title, const TwoWays& ways, int64_t question, const at::Tensor& image,
                  const std::vector<std::string>& classes, int64_t fact, int64_t foil) {
    std::vector<drawing::Panel> panels{{to_picture(image), {"input"}, 0}};
    for (const auto& [boundaries, way] : {std::pair(&ways.guarded, "with guards"), std::pair(&ways.free, "without guards")})
        for (drawing::Panel& panel : panels_of(*boundaries, way, question, image, classes, fact, foil)) panels.push_back(std::move(panel));
    return drawing::draw_sheet(title, "", panels);
}

}  // namespace whynot::image
