#include "image/comparing/ground.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "image/measuring/evaluator.h"
#include "image/measuring/judging.h"
#include "image/services/held_out.h"
#include "image/services/trainer.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot::image {

namespace {

corpora::ImageCorpus corpus_of(const ExperimentRequest& request, const std::string& name, const Observer& observer) {
    return corpora::read_images(request.corpora, name, [&] { training::stop_if_cancelled(observer, "the experiment"); });
}

}  // namespace

Pack experiment_pack(const ExperimentRequest& request, const std::string& id) {
    Pack pack = find_pack(request.pack.empty() ? id : request.pack, default_pack_search());
    const PackManifest& manifest = pack.manifest();
    if (manifest.modality != "image")
        throw Error(ErrorCode::invalid_argument,
                    "the pack '" + manifest.id + "' explains " + manifest.modality + ", not images; choose a pack of images");
    return pack;
}

training::Steps experiment_steps(const ExperimentRequest& request, const corpora::ImageCorpus& corpus, const Pack& pack,
                                 const Observer& observer) {
    return {request.out / "steps",
            {{"experiment", request.name},
             {"seed", request.seed},
             {"quick", request.quick},
             {"corpus", corpus.sha256},
             {"pack", pack.sha256()}},
            observer};
}

nlohmann::ordered_json sources_of(const corpora::ImageCorpus& corpus, const Pack& pack) {
    return {{"corpus", {{"name", corpus.manifest.name}, {"sha256", corpus.sha256}}},
            {"pack", {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}}};
}

Ground::Ground(const ExperimentRequest& request, Pack pack_, const Observer& observer, const std::string& corpus_name)
    : pack(std::move(pack_)),
      corpus(corpus_of(request, corpus_name.empty() ? pack.manifest().corpus : corpus_name, observer)),
      model(pack),
      held_out(tensors_of(corpus.held_out)),
      train(tensors_of(corpus.train).labelled()),
      order(hash_order(corpus.held_out)),
      recipe(Recipe::from_json(pack.manifest().recipe, model.networks().shape)) {
    expect_corpus_of(pack, model.networks().shape, corpus, corpus.manifest.name);
}

int64_t Ground::class_called(const std::string& name) const {
    const auto found = std::find(classes().begin(), classes().end(), name);
    if (found != classes().end()) return found - classes().begin();
    throw Error(ErrorCode::invalid_argument,
                "expected a corpus with the class '" + name + "', found " + corpus.manifest.name + " without it");
}

at::Tensor Ground::images(int64_t count, int64_t skip) const {
    if (held_out.size() < count + skip)
        throw Error(ErrorCode::invalid_input, "expected a corpus of at least " + std::to_string(count + skip) + " held-out images, found " +
                                                  std::to_string(held_out.size()));
    return held_out.images(order.slice(0, skip, skip + count));
}

at::Tensor Ground::images_of(int64_t label, int64_t count) const {
    const at::NoGradGuard no_grad;
    const at::Tensor rows = order.index_select(0, held_out.labels.index_select(0, order).eq(label).nonzero().squeeze(1));
    const at::Tensor right = all_logits(*model.networks().classifier, held_out.chosen(rows)).argmax(1).eq(label).nonzero().squeeze(1);
    return held_out.images(rows.index_select(0, right.slice(0, 0, count)));
}

std::shared_ptr<Classifier> second_classifier(const ExperimentRequest& request, const Ground& ground, const Observer& observer) {
    Recipe recipe = ground.recipe;
    if (request.quick) recipe.classifier_training.epochs = 1;
    return train_judge(recipe, ground.model.networks().shape, static_cast<int64_t>(ground.classes().size()), ground.train,
                       ground.corpus.sha256, request.seed, request.cache, observer);
}

Pack trained_pack(const ExperimentRequest& request, const std::string& name, const std::string& corpus, const std::string& recipe,
                  const std::string& generator, const Observer& observer) {
    TrainRequest train;
    train.corpus = corpus;
    train.corpora = request.corpora;
    train.out = request.out / "packs" / name;
    train.recipe = recipe;
    train.seed = request.seed;
    train.generator = generator;
    const std::filesystem::path steps_folder = request.out / "steps", manifest = train.out / "pack.json";
    if (!std::filesystem::exists(manifest)) std::filesystem::remove(steps_folder / ("pack-" + name + ".json"));  // somebody took it away
    const training::Steps steps(steps_folder,
                                {{"recipe", recipe},
                                 {"corpus", corpus_of(request, corpus, observer).sha256},
                                 {"seed", request.seed},
                                 {"generator", generator.empty() ? "" : find_pack(generator, default_pack_search()).sha256()}},
                                observer);
    steps.run("pack-" + name, nullptr, [&] {
        if (std::filesystem::exists(manifest)) std::filesystem::remove_all(train.out);  // of another recipe, corpus or seed
        std::filesystem::create_directories(train.out);
        ImageTrainer().train(train, observer);
        return nlohmann::ordered_json{{"sha256", open_pack(train.out).sha256()}};
    });
    return open_pack(train.out);
}

std::string name_of(const Generator& generator) {
    const auto* ours = dynamic_cast<const ConvolutionalGenerator*>(&generator);
    if (!ours) return "generator";
    if (ours->sizes().kind == "dcgan") return "GAN";
    return ours->sizes().kind == "vae" ? "VAE" : ours->sizes().kind;
}

BesideGan beside_gan(const ExperimentRequest& request, const Ground& ground, const Observer& observer) {
    // As recipes/mnist-dcgan.json, but for the evaluation: how good the pack's own classifier is, is not looked at.
    nlohmann::ordered_json recipe{{"images", 20000},
                                  {"classifier", {{"epochs", 3}}},
                                  {"generator", {{"kind", "dcgan"}, {"epochs", 12}}},
                                  {"evaluation", {{"images", 1}, {"oracle_images", 1}, {"batch", 1}}}};
    if (request.quick)
        recipe.merge_patch({{"images", 1500},
                            {"codes", 20},
                            {"classifier", {{"learning_rate", 0.005}}},
                            {"generator", {{"latent", 16}, {"channels", {8, 16}}, {"epochs", 4}}}});
    const Pack pack = trained_pack(request, "gan", ground.corpus.manifest.name, recipe.dump(), "", observer);
    Networks networks = Networks::load(pack);
    networks.classifier = ground.model.networks().classifier;
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> classes;
    for (const at::Tensor& some : networks.codes.split(256)) {
        training::stop_if_cancelled(observer, "the experiment");
        classes.push_back(networks.classifier->logits(networks.generator->decode(some)).argmax(1));
    }
    networks.code_classes = at::cat(classes);
    return {recipe.dump(), ImageModel(ground.classes(), std::move(networks))};
}

at::Tensor starts_of(const ImageModel& model, const at::Tensor& images, uint64_t seed, const Watch& watch) {
    constexpr int64_t at_once = 8;
    std::vector<at::Tensor> codes;
    for (int64_t begin = 0; begin < images.size(0); begin += at_once) {
        const auto tell = [&] { watch(static_cast<double>(begin) / static_cast<double>(images.size(0))); };
        tell();
        const InterruptionScope scope(tell);
        ImageBatch batch(model, images.slice(0, begin, begin + at_once));
        const at::Tensor start = batch.start(batch.classify().argmax(1), seed);
        codes.push_back(start.slice(1, 0, model.networks().required_generator().latent()));
    }
    return at::cat(codes);
}

Asked::Asked(const ImageModel& model, const at::Tensor& images, uint64_t seed, const Watch& watch, const at::Tensor& codes)
    : sample(model, images, 32, seed, watch, codes) {
    const int64_t classes = sample.order().size(1);
    kinds.push_back({"runner-up", sample.order().select(1, 1).contiguous()});
    if (classes < 3) return;
    const at::Tensor place =
        at::empty({sample.size(), 1}, at::kLong).random_(1, classes, training::make_generator(training::mix_seed(seed, 1)));
    kinds.push_back({"random", sample.order().gather(1, place).squeeze(1)});
    kinds.push_back({"least likely", sample.order().select(1, classes - 1).contiguous()});
}

const Kind& Asked::kind(const std::string& name) const {
    const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& each) { return each.name == name; });
    if (found == kinds.end()) throw Error(ErrorCode::invalid_input, "expected a corpus of three classes or more, found two");
    return *found;
}

Watch watching(const Observer& observer, const std::string& stage) {
    return [observer, stage](double share) {
        training::stop_if_cancelled(observer, "the experiment");
        if (observer.progress) observer.progress({stage, share, ""});
    };
}

ExperimentValue rounded(double value) { return std::round(value * 1000) / 1000; }

double mean_of(const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }
double median_of(const at::Tensor& values) { return values.to(at::kDouble).median().item<double>(); }

nlohmann::ordered_json numbers_of(const at::Tensor& values) {
    const at::Tensor flat = values.to(at::kDouble).contiguous();
    return std::vector<double>(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
}

at::Tensor tensor_of(const nlohmann::ordered_json& numbers) { return at::tensor(numbers.get<std::vector<double>>(), at::kDouble); }

}  // namespace whynot::image
