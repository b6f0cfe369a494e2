#include "image/measuring/judging.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "training/checkpoint.h"
#include "training/random.h"

namespace whynot::image {

std::shared_ptr<Classifier> train_judge(const Recipe& recipe, const ImageShape& shape, int64_t classes, TrainingImages train,
                                        const std::string& corpus_sha256, uint64_t seed, const std::filesystem::path& cache,
                                        const Observer& observer) {
    const auto judge = make_classifier(recipe.classifier, shape, classes);
    const uint64_t own_seed = training::mix_seed(seed, 77);
    const std::string identity =
        base::Json{{"recipe", base::parse_own_json(recipe.training_json())}, {"corpus", corpus_sha256}, {"seed", own_seed}}.dump();
    training::Checkpoint checkpoint;
    if (!cache.empty()) {
        std::filesystem::create_directories(cache);
        checkpoint = training::Checkpoint(cache / training::cache_name("judge", identity), identity);
    }
    if (recipe.images > 0 && recipe.images < train.size()) {
        const at::Tensor chosen =
            at::randperm(train.size(), training::make_generator(training::mix_seed(own_seed, 1)), at::kLong).slice(0, 0, recipe.images);
        train = train.chosen(chosen);
    }
    judge->initialise(training::make_generator(own_seed));
    train_classifier(*judge, train, recipe.classifier_training, own_seed, checkpoint, observer);
    return judge;
}

at::Tensor plausible(const at::Tensor& pictures, const at::Tensor& foil, const TrainingImages& train, const Watch& watch) {
    constexpr int64_t nearest = 5, most = 3, piece = 5000;
    const at::Tensor flat = pictures.flatten(1);
    at::Tensor distance, label;
    for (int64_t begin = 0; begin < train.size(); begin += piece) {
        watch(static_cast<double>(begin) / static_cast<double>(train.size()));
        const int64_t end = std::min(begin + piece, train.size());
        const at::Tensor some = at::cdist(flat, train.images(at::arange(begin, end)).flatten(1));
        const at::Tensor labels = train.labels.slice(0, begin, end).unsqueeze(0).expand({flat.size(0), end - begin});
        const at::Tensor all = distance.defined() ? at::cat({distance, some}, 1) : some,
                         all_labels = label.defined() ? at::cat({label, labels}, 1) : labels;
        const auto [values, order] = all.topk(std::min(nearest, all.size(1)), 1, false);
        distance = values;
        label = all_labels.gather(1, order);
    }
    return label.eq(foil.unsqueeze(1)).sum(1).ge(most);
}

}  // namespace whynot::image
