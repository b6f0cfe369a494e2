#include "image/networks/training.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "training/loop.h"
#include "training/optimiser.h"
#include "training/random.h"

namespace whynot::image {

namespace {

// How many images to compute with at once where no gradient is needed: 500 of MNIST's size, fewer of larger ones.
int64_t chunk_of(const TrainingImages& data) {
    constexpr int64_t values = 500 * 28 * 28;
    return std::max<int64_t>(1, values * data.size() / std::max<int64_t>(1, data.pixels.numel()));
}

// Streams of random numbers of one training (random.h).
enum Draw : uint64_t { order_draw = 1, augment_draw, dropout_draw, noise_draw };

std::vector<at::Tensor> values(const training::NamedTensors& tensors) {
    std::vector<at::Tensor> list;
    for (const auto& [name, tensor] : tensors) list.push_back(tensor);
    return list;
}

// The mirrored and shifted images of a batch: one shift for all of it, each image mirrored or not.
at::Tensor augmented(at::Tensor images, int64_t shift, bool flip, uint64_t seed) {
    const at::Generator random = training::make_generator(seed);
    if (flip) {
        const at::Tensor mirrored = at::empty({images.size(0), 1, 1, 1}, at::kFloat).bernoulli_(0.5, random).to(at::kBool);
        images = at::where(mirrored, images.flip(3), images);
    }
    if (shift > 0) {
        const at::Tensor by = at::empty({2}, at::kLong).random_(0, 2 * shift + 1, random);
        const int64_t top = by[0].item<int64_t>(), left = by[1].item<int64_t>();
        images = at::replication_pad2d(images, {shift, shift, shift, shift})
                     .slice(2, top, top + images.size(2))
                     .slice(3, left, left + images.size(3));
    }
    return images;
}

/// Rows of whole batches, in an order that the seed gives; what is left over waits for another epoch.
std::vector<at::Tensor> batches_of(int64_t images, int64_t batch, uint64_t seed, int64_t epoch) {
    batch = std::min(batch, images);
    const at::Tensor order =
        at::randperm(images, training::make_generator(training::mix_seed(seed, order_draw, static_cast<uint64_t>(epoch))), at::kLong);
    std::vector<at::Tensor> batches;
    for (int64_t begin = 0; begin + batch <= images; begin += batch) batches.push_back(order.slice(0, begin, begin + batch));
    return batches;
}

/// The training loop over images.
/// @param step (rows, training::Step) -> the loss
template <class Training, class StepOn>
void train_on_images(training::TrainingRun& run, const std::string& name, int64_t images, const Training& training, uint64_t seed,
                     StepOn&& step) {
    training::train_in_batches(
        run, {name, training.epochs}, [&](int64_t epoch) { return batches_of(images, training.batch, seed, epoch); },
        [&](const at::Tensor& rows, training::Step now) {
            return training::BatchLoss{step(rows, now), 1};
        },
        [&](const training::EpochLoss& epoch) { run.log(epoch.stage + ": loss " + std::to_string(epoch.loss)); });
}

void keep_all(training::TrainingRun& run, const std::string& prefix, const Network& network) {
    for (const auto& [name, tensor] : network.tensors()) run.keep(prefix + name, tensor);
}

// -log p(image | code) of each image, up to a constant, in nats.
at::Tensor reconstruction_loss(const at::Tensor& logits, const at::Tensor& images, const std::string& loss) {
    if (loss == "gaussian") return 10 * (logits.sigmoid() - images).square().flatten(1).sum(1);
    return at::binary_cross_entropy_with_logits(logits, images, {}, {}, at::Reduction::None).flatten(1).sum(1);
}

// A Wasserstein critic: the generator's convolutions the other way round. No normalisation, so that its gradient is that of one image.
class Critic : public Network {
public:
    Critic(const GeneratorSizes& sizes, const ImageShape& shape) {
        int64_t in = shape.channels, area = shape.height * shape.width;
        for (const int64_t out : sizes.channels) {
            layers_.push_back(convolution("layer" + std::to_string(layers_.size()), in, out, 4, 2, 1));
            in = out;
            area /= 4;
        }
        output_ = linear("output", in * area, 1);
    }

    at::Tensor score(at::Tensor x) const {
        for (const Convolution& layer : layers_) x = at::leaky_relu(layer(x), 0.2);
        return output_(x.flatten(1)).squeeze(1);
    }

private:
    std::vector<Convolution> layers_;
    Linear output_;
};

// How far the critic's gradient is from length 1 on the segments between real and drawn images.
at::Tensor gradient_penalty(const Critic& critic, const at::Tensor& real, const at::Tensor& fake, at::Generator& random) {
    const at::Tensor share = at::empty({real.size(0), 1, 1, 1}, at::kFloat).uniform_(0, 1, random);
    const at::Tensor between = (share * real + (1 - share) * fake).requires_grad_();
    const at::Tensor slope = torch::autograd::grad({critic.score(between).sum()}, {between}, {}, true, true)[0];
    return ((slope.flatten(1).square().sum(1) + 1e-12).sqrt() - 1).square().mean();
}

void train_by_likelihood(ConvolutionalGenerator& generator, const TrainingImages& data, const GeneratorTraining& training, uint64_t seed,
                         const training::Checkpoint& checkpoint, const Observer& observer) {
    const bool variational = generator.sizes().kind == "vae";
    training::DenseAdam adam(values(generator.parameters()), 0);
    training::TrainingRun run("the generator", checkpoint, observer);
    keep_all(run, "weights.", generator);
    run.keep("adam", adam);
    train_on_images(run, "generator", data.size(), training, seed, [&](const at::Tensor& rows, training::Step step) {
        const at::Tensor images = augmented(data.images(rows), 0, training.flip, training::mix_seed(seed, augment_draw, step.seed()));
        const ConvolutionalGenerator::Code code = generator.encode(images);
        at::Tensor z = code.mean, price;
        if (variational) {
            const at::Generator random = training::make_generator(training::mix_seed(seed, noise_draw, step.seed()));
            z = z + at::empty_like(z).normal_(0, 1, random) * (0.5 * code.log_variance).exp();
            price = 0.5 * training.divergence * (code.mean.square() + code.log_variance.exp() - 1 - code.log_variance).sum(1);
        } else {
            price = training.code_penalty * z.square().sum(1);
        }
        const at::Tensor loss = (reconstruction_loss(generator.decode_logits(z), images, training.loss) + price).mean();
        loss.backward();
        adam.step(training::cosine_rate(training.learning_rate, step.number, step.of));
        return loss.item<double>();
    });
    if (variational) return;
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> codes;
    const int64_t chunk = chunk_of(data);
    for (int64_t begin = 0; begin < data.size(); begin += chunk)
        codes.push_back(generator.encode(data.images(at::arange(begin, std::min(begin + chunk, data.size())))).mean);
    generator.whiten(at::cat(codes));
}

void train_by_critic(ConvolutionalGenerator& generator, const TrainingImages& data, const GeneratorTraining& training,
                     const ImageShape& shape, uint64_t seed, const training::Checkpoint& checkpoint, const Observer& observer) {
    Critic critic(generator.sizes(), shape);
    critic.initialise(training::make_generator(training::mix_seed(seed, noise_draw, ~uint64_t{0})));
    critic.require_gradients(true);
    training::AdamOptions momentum;
    momentum.beta1 = 0.5;
    momentum.beta2 = 0.9;
    training::DenseAdam adam(values(generator.parameters()), 0, momentum), critic_adam(values(critic.parameters()), 0, momentum);
    training::TrainingRun run("the generator", checkpoint, observer);
    keep_all(run, "weights.", generator);
    keep_all(run, "critic.", critic);
    run.keep("adam", adam);
    run.keep("critic_adam", critic_adam);

    // Each step of the run is one of the critic; every few of them the generator has one too.
    train_on_images(run, "generator against critic", data.size(), training, seed, [&](const at::Tensor& rows, training::Step step) {
        at::Generator random = training::make_generator(training::mix_seed(seed, noise_draw, step.seed()));
        Mode mode;
        mode.training = true;
        const double rate = training::cosine_rate(training.learning_rate, step.number, step.of);
        const auto drawn = [&] {
            const at::Tensor z = at::empty({rows.size(0), generator.sizes().latent}, at::kFloat).normal_(0, 1, random);
            return generator.decode_logits(z, mode).sigmoid();
        };
        const at::Tensor real = augmented(data.images(rows), 0, training.flip, training::mix_seed(seed, augment_draw, step.seed()));
        at::Tensor fake;
        {
            const at::NoGradGuard no_grad;
            fake = drawn();
        }
        const at::Tensor penalty = gradient_penalty(critic, real, fake, random);
        const at::Tensor distance = critic.score(real).mean() - critic.score(fake).mean();
        (training.gradient_penalty * penalty - distance).backward();
        critic_adam.step(rate);
        if (step.number % training.critic_steps == 0) {
            critic.require_gradients(false);
            (-critic.score(drawn()).mean()).backward();
            critic.require_gradients(true);
            adam.step(rate);
        }
        return distance.item<double>();
    });
}

}  // namespace

void train_classifier(Classifier& classifier, const TrainingImages& data, const ClassifierTraining& training, uint64_t seed,
                      const training::Checkpoint& checkpoint, const Observer& observer) {
    classifier.require_gradients(true);
    training::AdamOptions options;
    options.weight_decay = training.weight_decay;
    training::DenseAdam adam(values(classifier.parameters()), 0, options);
    training::TrainingRun run("the classifier", checkpoint, observer);
    keep_all(run, "weights.", classifier);
    run.keep("adam", adam);
    train_on_images(run, "classifier", data.size(), training, seed, [&](const at::Tensor& rows, training::Step step) {
        const at::Tensor images =
            augmented(data.images(rows), training.shift, training.flip, training::mix_seed(seed, augment_draw, step.seed()));
        Mode mode;
        mode.training = true;
        mode.generator = training::make_generator(training::mix_seed(seed, dropout_draw, step.seed()));
        const at::Tensor loss = at::cross_entropy_loss(classifier.logits(images, mode), data.labels.index_select(0, rows));
        loss.backward();
        const bool cosine = training.schedule == "cosine";
        adam.step(cosine ? training::cosine_rate(training.learning_rate, step.number, step.of) : training.learning_rate);
        return loss.item<double>();
    });
    classifier.require_gradients(false);
}

void train_generator(ConvolutionalGenerator& generator, const TrainingImages& data, const GeneratorTraining& training,
                     const ImageShape& shape, uint64_t seed, const training::Checkpoint& checkpoint, const Observer& observer) {
    generator.require_gradients(true);
    if (generator.has_encoder())
        train_by_likelihood(generator, data, training, seed, checkpoint, observer);
    else
        train_by_critic(generator, data, training, shape, seed, checkpoint, observer);
    generator.require_gradients(false);
}

at::Tensor all_logits(const Classifier& classifier, const TrainingImages& data, const std::function<void(double)>& watch) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> logits;
    const int64_t chunk = chunk_of(data);
    for (int64_t begin = 0; begin < data.size(); begin += chunk) {
        if (watch) watch(static_cast<double>(begin) / static_cast<double>(data.size()));
        logits.push_back(classifier.logits(data.images(at::arange(begin, std::min(begin + chunk, data.size())))));
    }
    return at::cat(logits);
}

double accuracy(const Classifier& classifier, const TrainingImages& data, const std::function<void(double)>& watch) {
    return all_logits(classifier, data, watch).argmax(1).eq(data.labels).to(at::kDouble).mean().item<double>();
}

}  // namespace whynot::image
