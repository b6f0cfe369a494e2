#include "text/attribution/attribution.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "text/model/contributions.h"
#include "text/model/model.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

// One question to the classifier.
class Asked {
public:
    Asked(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil)
        : classifier_(classifier), fact_(fact), foil_(foil) {
        const auto expect = [](bool right, const std::string& message) {
            if (!right) throw Error(ErrorCode::invalid_argument, "attribution: expected " + message);
        };
        expect(!sentence.empty(), "a sentence of at least one word, found an empty one");
        for (const int64_t word : sentence)
            expect(word >= 0 && word < vocabulary(),
                   "words of the vocabulary of " + std::to_string(vocabulary()) + ", found " + std::to_string(word));
        const at::NoGradGuard no_grad;
        embedded_ = classifier.embedding.index_select(0, at::tensor(sentence, at::kLong));
        const int64_t classes = classifier.logits(embedded_.unsqueeze(0)).size(1);
        for (const int64_t one : {fact, foil})
            expect(one >= 0 && one < classes, "two of " + std::to_string(classes) + " classes, found the class " + std::to_string(one));
        expect(fact != foil, "two classes, found the class " + std::to_string(fact) + " twice");
    }

    int64_t vocabulary() const { return classifier_.embedding.size(0); }
    int64_t words() const { return embedded_.size(0); }
    const at::Tensor& embedded() const { return embedded_; }              // [m, d]
    at::Tensor nothing() const { return classifier_.embedding[pad_id]; }  // [d]
    at::Tensor said() const { return embedded_ - nothing(); }             // [m, d]
    void set(size_t t, int64_t word) { embedded_[static_cast<int64_t>(t)] = classifier_.embedding[word]; }

    // h of embedded sentences [b, m, d], [b].
    at::Tensor gaps(const at::Tensor& sentences) const {
        const at::Tensor logits = classifier_.logits(sentences);
        return logits.select(1, fact_) - logits.select(1, foil_);
    }
    // Where words are there (keep [b, m]: 1) or not (0), [b].
    at::Tensor gaps_with(const at::Tensor& keep) const {
        const at::NoGradGuard no_grad;
        return gaps(nothing() + keep.unsqueeze(2) * said());
    }
    // The sum of the gradients at embedded sentences [b, m, d], [m, d].
    at::Tensor gradient(const at::Tensor& sentences) const {
        const at::AutoGradMode grad(true);
        const at::Tensor at = sentences.detach().clone().requires_grad_();
        return torch::autograd::grad({gaps(at).sum()}, {at})[0].sum(0);
    }

private:
    const AttributedClassifier& classifier_;
    int64_t fact_, foil_;
    at::Tensor embedded_;
};

}  // namespace

AttributedClassifier attributed(const TextModel& model) {
    const Classifier& classifier = model.networks().classifier();
    return {classifier.embedding, [classifier](const at::Tensor& embedded) { return classifier.logits(embedded); }};
}

std::vector<double> occlusion(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil) {
    const Asked asked(classifier, sentence, fact, foil);
    const int64_t m = asked.words();
    const at::Tensor gaps = asked.gaps_with(at::cat({at::ones({1, m}), 1 - at::eye(m)}));
    return doubles(gaps[0] - gaps.slice(0, 1));
}

std::vector<double> gradient_times_embedding(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil) {
    const Asked asked(classifier, sentence, fact, foil);
    return doubles((asked.gradient(asked.embedded().unsqueeze(0)) * asked.said()).sum(1));
}

std::vector<double> integrated_gradients(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil,
                                         int64_t steps) {
    if (steps < 1) throw Error(ErrorCode::invalid_argument, "attribution: expected at least 1 step, found " + std::to_string(steps));
    const Asked asked(classifier, sentence, fact, foil);
    const at::Tensor way = (at::arange(steps, at::kFloat) + 0.5).div(static_cast<double>(steps)).view({steps, 1, 1});
    return doubles((asked.gradient(asked.nothing() + way * asked.said()) / steps * asked.said()).sum(1));
}

std::vector<double> lime(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil,
                         const LimeOptions& options) {
    if (options.samples < 2 || !(options.width > 0) || !(options.ridge > 0))
        throw Error(ErrorCode::invalid_argument, "attribution: expected at least 2 samples, and a width and a ridge above 0, found " +
                                                     std::to_string(options.samples) + ", " + std::to_string(options.width) + " and " +
                                                     std::to_string(options.ridge));
    const Asked asked(classifier, sentence, fact, foil);
    const auto m = static_cast<size_t>(asked.words());
    std::mt19937_64 random(training::mix_seed(options.seed, m));
    std::vector<size_t> order(m);
    at::Tensor keep = at::ones({options.samples, asked.words()});
    for (int64_t i = 1; i < options.samples; ++i) {
        std::iota(order.begin(), order.end(), size_t{0});
        training::shuffle(order, random);
        const size_t missing = 1 + random() % m;
        for (size_t j = 0; j < missing; ++j) keep.data_ptr<float>()[static_cast<size_t>(i) * m + order[j]] = 0;
    }
    const at::Tensor y = at::sigmoid(asked.gaps_with(keep).to(at::kDouble));
    const at::Tensor x = keep.to(at::kDouble);
    const at::Tensor weight = (1 - x.mean(1).sqrt()).div(options.width).square().mul(-0.5).exp();
    // With an intercept, which is not penalised: everything about its weighted mean.
    const at::Tensor share = weight / weight.sum();
    const at::Tensor centred = x - at::mv(x.t(), share);
    const at::Tensor weighted = centred * weight.unsqueeze(1);
    const at::Tensor normal = at::mm(weighted.t(), centred) + options.ridge * at::eye(asked.words(), at::kDouble);
    return doubles(at::mv(at::inverse(normal), at::mv(weighted.t(), y - at::dot(share, y))));
}

WordSwaps greedy_word_swap(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil,
                           const std::vector<char>& allowed, int64_t max_swaps) {
    Asked asked(classifier, sentence, fact, foil);
    if (!allowed.empty() && static_cast<int64_t>(allowed.size()) != asked.vocabulary())
        throw Error(ErrorCode::invalid_argument, "attribution: expected to be told of each of " + std::to_string(asked.vocabulary()) +
                                                     " words whether it is allowed, found " + std::to_string(allowed.size()));
    const auto m = sentence.size();
    const size_t limit = max_swaps > 0 ? std::min(m, static_cast<size_t>(max_swaps)) : m;
    WordSwaps swaps;
    swaps.sentence = sentence;
    // What may not come in costs as much as nothing can.
    at::Tensor forbidden = at::zeros({asked.vocabulary()});
    for (int64_t word = 0; word < asked.vocabulary(); ++word)
        if (allowed.empty() ? word < first_word_id : allowed[static_cast<size_t>(word)] == 0) forbidden.data_ptr<float>()[word] = INFINITY;
    at::Tensor swapped = at::zeros({asked.words(), 1});
    const auto gap = [&] {
        const at::NoGradGuard no_grad;
        return asked.gaps(asked.embedded().unsqueeze(0)).item<double>();
    };
    while (gap() >= 0 && swaps.positions.size() < limit) {
        const at::Tensor gradient = asked.gradient(asked.embedded().unsqueeze(0));
        const at::Tensor own = (gradient * asked.embedded()).sum(1, true);
        at::Tensor change = at::mm(gradient, classifier.embedding.t()) - own + forbidden + swapped;  // [m, V]
        change.scatter_(1, at::tensor(swaps.sentence, at::kLong).unsqueeze(1), INFINITY);            // itself: 0, but for rounding
        const int64_t best = change.argmin().item<int64_t>();
        if (!(change.flatten()[best].item<double>() < 0)) break;
        const int64_t t = best / asked.vocabulary(), word = best % asked.vocabulary();
        asked.set(static_cast<size_t>(t), word);
        swapped[t] = INFINITY;
        swaps.sentence[static_cast<size_t>(t)] = word;
        swaps.positions.push_back(static_cast<size_t>(t));
    }
    swaps.changed = gap() < 0;
    return swaps;
}

size_t loudest(const std::vector<double>& scores) {
    return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

}  // namespace whynot::text
