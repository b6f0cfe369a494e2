#include "image/comparing/proposers.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "image/attribution/maps.h"
#include "image/comparing/yardsticks.h"
#include "training/random.h"

namespace whynot::image {

namespace {

AskedImages questions(const Asked& asked, const Kind& kind) { return {asked.sample.images(), asked.sample.fact(), kind.foil}; }

Proposer attribution(const ImageModel& model, const std::string& method, bool reads_content, bool is_published, bool sweep, uint64_t seed) {
    return {method + (sweep ? "-sweep" : ""), method + (sweep ? ", sweep" : ""), reads_content && !sweep, is_published,
            [=, &model](const Asked& asked, const Kind& kind, const Watch& watch) {
                const AskedImages all = questions(asked, kind);
                constexpr int64_t at_once = 16;
                std::vector<at::Tensor> maps;
                for (int64_t begin = 0; begin < all.size(); begin += at_once) {
                    watch(static_cast<double>(begin) / static_cast<double>(all.size()));
                    const AskedImages some = all.part(begin, std::min(begin + at_once, all.size()));
                    maps.push_back(sweep ? attribute_by_sweep(model, some, method, seed) : attribute_images(model, some, method, seed));
                }
                const at::Tensor scores = at::cat(maps);
                return reads_content && !sweep ? scores : added(scores);
            }};
}

/// The way from the input to the boundary in the space of codes; with the guards or without.
Proposer ours(int64_t starts, bool guards, const std::string& key, const std::string& name) {
    return {key, name, false, false, [=](const Asked& asked, const Kind& kind, const Watch& watch) {
                const Answers answers = asked.sample.answer(kind.foil, starts, guards, watch);
                return (asked.sample.draw(answers.z()) - asked.sample.images()).sum(1).detach();
            }};
}

}  // namespace

std::vector<Proposer> all_proposers(const ImageModel& model, uint64_t seed) {
    const auto random = [seed](const Asked& asked, const Kind&, const Watch&) {
        const at::Tensor& images = asked.sample.images();
        return at::empty({images.size(0), images.size(2), images.size(3)})
            .normal_(0, 1, training::make_generator(training::mix_seed(seed, 5)));
    };
    std::vector<Proposer> all{ours(3, true, "ours", "ours"),
                              ours(1, true, "ours-z0", "ours, from z0 alone"),
                              ours(1, false, "no-guards", "without guards (xGEMs)"),
                              {"pixels", "the same in pixels", false, false, [](const Asked& asked, const Kind& kind, const Watch& watch) {
                                   const Answers answers = asked.sample.answer_in_pixels(kind.foil, watch);
                                   return (answers.z().view_as(asked.sample.images()) - asked.sample.images()).sum(1).detach();
                               }}};
    for (const char* method : {"gradient", "windows"}) all.push_back(attribution(model, method, false, false, false, seed));
    for (const char* method : {"gradient-x-input", "integrated-gradients"})
        all.push_back(attribution(model, method, true, false, false, seed));
    for (const char* method : {"grad-cam", "lrp", "lime", "pda"})
        for (const bool sweep : {false, true}) all.push_back(attribution(model, method, true, true, sweep, seed));
    all.push_back(attribution(model, "occlusion", true, false, false, seed));
    all.push_back(attribution(model, "occlusion", false, false, true, seed));
    all.push_back(attribution(model, "occlusion-either", false, false, false, seed));
    for (const char* method : {"mean-of-foil", "nearest-of-foil"}) all.push_back(attribution(model, method, false, false, false, seed));
    all.push_back({"noise", "noise", false, false, random});
    return all;
}

}  // namespace whynot::image
