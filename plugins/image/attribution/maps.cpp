#include "image/attribution/maps.h"

#include <ATen/ATen.h>

#include <functional>

#include "base/format.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot::image {

namespace {

struct Method {
    AttributionMethod info;
    const char* unit;
    std::function<at::Tensor(const ImageModel&, const AskedImages&, uint64_t)> map;
};

const std::vector<Method>& all_methods() {
    const auto without_seed = [](at::Tensor (*map)(const ImageModel&, const AskedImages&)) {
        return [map](const ImageModel& model, const AskedImages& asked, uint64_t) { return map(model, asked); };
    };
    const std::string layers = "a classifier of ours (lenet, vgg, resnet): what is in a TorchScript file cannot be looked into";
    const std::string codes = "a pack with a generator and codes of its classes";
    static const std::vector<Method> all{
        {{"gradient", "what more light at a pixel would do", "Simonyan et al. 2014, arXiv:1312.6034", ""},
         "nats a unit of light",
         without_seed(&gradient)},
        {{"gradient-x-input", "what a pixel's light does, as if all were linear", "Shrikumar et al. 2016, arXiv:1605.01713", ""},
         "nats",
         without_seed(&gradient_times_input)},
        {{"integrated-gradients", "the same, over the way from darkness to the image", "Sundararajan et al. 2017, arXiv:1703.01365", ""},
         "nats",
         [](const ImageModel& model, const AskedImages& asked, uint64_t) { return integrated_gradients(model, asked); }},
        {{"windows", "the gradient in the three windows 5 x 5 where it is largest", "Feghahati 2020, 3.1.3", ""},
         "nats a unit of light",
         [](const ImageModel& model, const AskedImages& asked, uint64_t) { return gradient_in_windows(model, asked); }},
        {{"grad-cam", "which maps of the last convolution speak for the class", "Selvaraju et al. 2017, arXiv:1610.02391", layers},
         "",
         without_seed(&grad_cam)},
        {{"lrp", "relevance handed down from layer to layer, epsilon rule", "Bach et al. 2015, doi:10.1371/journal.pone.0130140", layers},
         "nats",
         [](const ImageModel& model, const AskedImages& asked, uint64_t) { return layerwise_relevance(model, asked); }},
        {{"occlusion", "what is lost where a window is dark", "Zeiler & Fergus 2014, arXiv:1311.2901", ""},
         "nats",
         [](const ImageModel& model, const AskedImages& asked, uint64_t) { return occlusion(model, asked, 0); }},
        {{"occlusion-light", "what is lost where a window is light", "Zeiler & Fergus 2014, arXiv:1311.2901", ""},
         "nats",
         [](const ImageModel& model, const AskedImages& asked, uint64_t) { return occlusion(model, asked, 1); }},
        {{"occlusion-either", "what is lost where a window is dark, or light, whichever is more; negative where light",
          "Zeiler & Fergus 2014, arXiv:1311.2901", ""},
         "nats",
         without_seed(&occlusion_either_way)},
        {{"lime", "a linear model of which blocks are there", "Ribeiro et al. 2016, arXiv:1602.04938", ""}, "nats", &lime},
        {{"pda", "what is lost where a window is not known", "Zintgraf et al. 2017, arXiv:1702.04595", codes},
         "bits",
         &prediction_difference},
        {{"mean-of-foil", "the image minus the mean picture of the foil", "a control", codes, false},
         "light",
         without_seed(&from_mean_of_foil)},
        {{"nearest-of-foil", "the image minus the nearest picture of the foil", "a control", codes, false},
         "light",
         without_seed(&from_nearest_of_foil)},
    };
    return all;
}

const Method& method_called(const std::string& name) {
    std::vector<std::string> names;
    for (const Method& method : all_methods()) {
        if (method.info.name == name) return method;
        names.push_back(method.info.name);
    }
    throw Error(ErrorCode::invalid_argument, base::expected("a method of attribution: " + base::joined(names), "'" + name + "'"));
}

/// Mean of the E_w that lower the fact's probability and raise the foil's, of one image. @param facts, foils maps of both classes, [h, w]
at::Tensor sweep_of_one(const ImageModel& model, const AskedImages& one, const at::Tensor& facts, const at::Tensor& foils) {
    constexpr int64_t weights = 400;
    constexpr double step = 0.005;
    const auto scaled = [](const at::Tensor& map) { return map / map.abs().max().clamp_min(1e-12); };
    const at::Tensor w = (at::arange(weights, at::kFloat) + 1).mul(step).view({-1, 1, 1});
    // What is added to the input: towards the foil, away from the fact.
    const at::Tensor changes = w * scaled(foils) - scaled(facts);  // [weights, h, w]
    const auto fact = one.fact.item<int64_t>(), foil = one.foil.item<int64_t>();
    const at::Tensor own = model.logits(one.images).softmax(1)[0];
    const at::Tensor said = model.logits((one.images + changes.unsqueeze(1)).clamp(0, 1)).softmax(1);
    const at::Tensor works = said.select(1, fact).lt(own[fact]).logical_and(said.select(1, foil).gt(own[foil]));
    const at::Tensor kept = changes.index_select(0, works.nonzero().squeeze(1));
    return kept.size(0) == 0 ? at::zeros_like(facts) : -kept.mean(0);
}

}  // namespace

AskedImages AskedImages::part(int64_t begin, int64_t end) const {
    return {images.slice(0, begin, end), fact.slice(0, begin, end), alone() ? foil : foil.slice(0, begin, end)};
}

at::Tensor AskedImages::gaps(const at::Tensor& logits) const {
    const int64_t each = logits.size(0) / size();
    const auto of = [&](const at::Tensor& classes) { return logits.gather(1, classes.repeat_interleave(each).unsqueeze(1)).squeeze(1); };
    return alone() ? of(fact) : of(fact) - of(foil);
}

std::vector<AttributionMethod> methods_of_images() {
    std::vector<AttributionMethod> methods;
    for (const Method& method : all_methods()) methods.push_back(method.info);
    return methods;
}

std::string unit_of_map(const std::string& method) { return method_called(method).unit; }

at::Tensor attribute_images(const ImageModel& model, const AskedImages& asked, const std::string& method, uint64_t seed) {
    constexpr int64_t at_once = 16;  // questions: what a method makes of each may be hundreds of pictures
    const Method& found = method_called(method);
    if (!found.info.asks_classifier && asked.alone())
        throw Error(ErrorCode::invalid_argument, "the method '" + method + "' compares with the foil: it has no map of the fact alone");
    std::vector<at::Tensor> maps;
    for (int64_t begin = 0; begin < asked.size(); begin += at_once) {
        check_interruption();
        maps.push_back(found.map(model, asked.part(begin, std::min(begin + at_once, asked.size())), seed));
    }
    return at::cat(maps);
}

at::Tensor attribute_by_sweep(const ImageModel& model, const AskedImages& asked, const std::string& method, uint64_t seed) {
    if (asked.alone()) throw Error(ErrorCode::invalid_argument, "the sweep contrasts two classes: it needs a foil");
    const at::NoGradGuard no_grad;
    const at::Tensor facts = attribute_images(model, {asked.images, asked.fact, {}}, method, seed),
                     foils = attribute_images(model, {asked.images, asked.foil, {}}, method, seed);
    std::vector<at::Tensor> maps;
    for (int64_t i = 0; i < asked.size(); ++i) {
        check_interruption();
        maps.push_back(sweep_of_one(model, asked.part(i, i + 1), facts[i], foils[i]));
    }
    return at::stack(maps);
}

}  // namespace whynot::image
