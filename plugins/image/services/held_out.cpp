#include "image/services/held_out.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "image/model/networks.h"
#include "whynot/error.h"

namespace whynot::image {

void expect_corpus_of(const Pack& pack, const ImageShape& shape, const corpora::ImageCorpus& corpus, const std::string& name) {
    const auto refuse = [&](const char* what) {
        throw Error(ErrorCode::invalid_argument, "the corpus " + name + " has " + what + " than the pack '" + pack.manifest().id + "'");
    };
    const corpora::LabelledImages& images = corpus.held_out;
    if (corpus.classes() != pack.manifest().classes) refuse("other classes");
    if (images.channels != shape.channels || images.height != shape.height || images.width != shape.width)
        refuse("images of another shape");
}

at::Tensor hash_order(const corpora::LabelledImages& images) {
    std::vector<std::pair<uint64_t, int64_t>> hashes;
    for (int64_t i = 0; i < images.count; ++i) hashes.emplace_back(corpora::image_hash(images, i), i);
    std::sort(hashes.begin(), hashes.end());
    std::vector<int64_t> order;
    for (const auto& [hash, index] : hashes) order.push_back(index);
    return at::tensor(order, at::kLong);
}

std::vector<Input> ImageHeldOut::inputs(const Pack& pack, const std::filesystem::path& corpora, const std::string& name, int64_t limit) {
    const corpora::ImageCorpus corpus = corpora::read_images(corpora, name);
    const corpora::LabelledImages& images = corpus.held_out;
    expect_corpus_of(pack, Networks::load(pack).shape, corpus, name);
    const at::Tensor order = hash_order(images);
    std::vector<Input> inputs;
    for (int64_t i = 0; i < std::min(limit, images.count); ++i) {
        const auto index = order[i].item<int64_t>();
        const auto first = images.pixels.begin() + index * images.image_bytes();
        const Picture picture{images.width, images.height, images.channels, {first, first + images.image_bytes()}};
        inputs.push_back({drawing::to_png(picture), name + "-" + std::to_string(index) + ".png"});
    }
    return inputs;
}

}  // namespace whynot::image
