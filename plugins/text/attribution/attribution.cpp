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
#include "whynot/interruption.h"

namespace whynot::text {

namespace {

// One question to the classifier.
class Asked {
public:
    Asked(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact, int64_t foil)
        : classifier_(classifier), fact_(fact), foil_(foil), all_words_(sentence.words) {
        const auto expect = [](bool right, const std::string& message) {
            if (!right) throw Error(ErrorCode::invalid_argument, "attribution: expected " + message);
        };
        for (const int64_t id : sentence.ids)
            expect(id >= 0 && id < vocabulary(),
                   "words of the vocabulary of " + std::to_string(vocabulary()) + ", found " + std::to_string(id));
        const at::NoGradGuard no_grad;
        const at::Tensor owner = at::tensor(sentence.owner, at::kLong), all = at::arange(static_cast<int64_t>(sentence.words));
        belongs_ = owner.unsqueeze(0).eq(all.unsqueeze(1));
        there_ = belongs_.any(1).nonzero().squeeze(1);
        expect(words() > 0, "a sentence of at least one word, found an empty one");
        belongs_ = belongs_.index_select(0, there_).to(at::kFloat);
        embedded_ = classifier.embedding.index_select(0, at::tensor(sentence.ids, at::kLong));
        // What is no word is there in any case.
        const at::Tensor nothing = classifier.nothing.defined() ? classifier.nothing : classifier.embedding[pad_id];
        baseline_ = at::where(owner.lt(0).unsqueeze(1), embedded_, nothing);
        const int64_t classes = classifier.logits(embedded_.unsqueeze(0)).size(1);
        const std::string of_classes = "two of " + std::to_string(classes) + " classes, found the class ";
        expect(fact >= 0 && fact < classes, of_classes + std::to_string(fact));
        expect(foil >= -1 && foil < classes, of_classes + std::to_string(foil));
        expect(fact != foil, "two classes, found the class " + std::to_string(fact) + " twice");
    }

    int64_t vocabulary() const { return classifier_.embedding.size(0); }
    int64_t words() const { return there_.size(0); }           // m, those without pieces left out
    const at::Tensor& embedded() const { return embedded_; }   // [n, d]
    const at::Tensor& baseline() const { return baseline_; }   // [n, d], without any word
    at::Tensor said() const { return embedded_ - baseline_; }  // [n, d]
    void set(size_t t, int64_t id) { embedded_[static_cast<int64_t>(t)] = classifier_.embedding[id]; }

    // h of embedded sentences [b, n, d], [b].
    at::Tensor gaps(const at::Tensor& sentences) const { return gap_of(classifier_.logits(sentences)); }
    // h where words are there (keep [b, m]: 1) or not (0), [b].
    at::Tensor gaps_with(const at::Tensor& keep) const {
        return ask_with(keep, [this](const at::Tensor& logits) { return gap_of(logits); });
    }
    // The same, of the fact's probability when fact and foil alone compete, or all classes do.
    at::Tensor probabilities_with(const at::Tensor& keep) const {
        return ask_with(keep, [this](const at::Tensor& logits) {
            if (foil_ < 0) return at::softmax(logits.to(at::kDouble), 1).select(1, fact_);
            return at::sigmoid(gap_of(logits).to(at::kDouble));
        });
    }
    // The sum of the gradients of h with a share of what the words say in place of all of it, for shares [s, 1, 1]: [n, d].
    at::Tensor gradient_at(const at::Tensor& shares) const {
        const at::AutoGradMode grad(true);
        at::Tensor sum = at::zeros_like(embedded_);
        for (const at::Tensor& some : shares.split(at_a_time())) {
            check_interruption();
            const at::Tensor at = (baseline_ + some * said()).detach().requires_grad_();
            sum += torch::autograd::grad({gaps(at).sum()}, {at})[0].sum(0);
        }
        return sum;
    }
    // The same where all of it is said.
    at::Tensor gradient() const { return gradient_at(at::ones({1, 1, 1})); }

    // One score a word of the sentence, of scores [m] of those that have pieces.
    std::vector<double> of_words(const at::Tensor& scores) const {
        return doubles(at::zeros({static_cast<int64_t>(all_words_)}, at::kDouble).index_copy(0, there_, scores.to(at::kDouble)));
    }
    // Of what the columns [n, d] of each piece add up to.
    std::vector<double> of_columns(const at::Tensor& scores) const { return of_words(at::mv(belongs_, scores.sum(1))); }

private:
    at::Tensor gap_of(const at::Tensor& logits) const {
        return foil_ < 0 ? logits.select(1, fact_) : logits.select(1, fact_) - logits.select(1, foil_);
    }
    // Sentences: 256, or as many as take 8 MB. A network needs many times that for the pieces between.
    int64_t at_a_time() const { return std::clamp<int64_t>((int64_t{1} << 21) / embedded_.numel(), 1, 256); }

    template <class Of>
    at::Tensor ask_with(const at::Tensor& keep, const Of& of) const {
        const at::NoGradGuard no_grad;
        std::vector<at::Tensor> found;
        for (const at::Tensor& some : keep.split(at_a_time())) {
            check_interruption();
            found.push_back(of(classifier_.logits(baseline_ + at::mm(some, belongs_).unsqueeze(2) * said())));
        }
        return at::cat(found);
    }

    const AttributedClassifier& classifier_;
    int64_t fact_, foil_;
    size_t all_words_;
    at::Tensor belongs_, there_;  // which pieces are whose, [m, n]; which words have some, [m]
    at::Tensor embedded_, baseline_;
};

/// What stands for no word in a classifier's own reading.
at::Tensor nothing_of(const Reader& reader) {
    const at::Tensor& embedding = reader.classifier.embedding;
    if (!reader.pieces || reader.source.kind == "words") return embedding[pad_id];
    for (const char* spelling : {"[PAD]", "<pad>"})
        if (const auto id = reader.pieces->id_of(spelling); id && *id < embedding.size(0)) return embedding[*id];
    return at::zeros_like(embedding[0]);
}

}  // namespace

AttributedSentence::AttributedSentence(const Ids& sentence) : ids(sentence), owner(sentence.size()), words(sentence.size()) {
    std::iota(owner.begin(), owner.end(), int64_t{0});
}

AttributedSentence::AttributedSentence(std::initializer_list<int64_t> sentence) : AttributedSentence(Ids(sentence)) {}

AttributedSentence::AttributedSentence(const PieceSentence& read)
    : ids(read.all()), owner(read.before.size(), -1), words(read.words.size()) {
    for (size_t word = 0; word < words; ++word) owner.resize(owner.size() + read.words[word].size(), static_cast<int64_t>(word));
    owner.resize(ids.size(), -1);
}

AttributedClassifier attributed(const TextModel& model) {
    const Classifier& classifier = model.networks().classifier();
    return {classifier.embedding, [classifier](const at::Tensor& embedded) { return classifier.logits(embedded); },
            nothing_of(model.networks().reader)};
}

std::vector<double> occlusion(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact, int64_t foil) {
    const Asked asked(classifier, sentence, fact, foil);
    const int64_t m = asked.words();
    const at::Tensor gaps = asked.gaps_with(at::cat({at::ones({1, m}), 1 - at::eye(m)}));
    return asked.of_words(gaps[0] - gaps.slice(0, 1));
}

std::vector<double> gradient_times_embedding(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact,
                                             int64_t foil) {
    const Asked asked(classifier, sentence, fact, foil);
    return asked.of_columns(asked.gradient() * asked.said());
}

std::vector<double> integrated_gradients(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact,
                                         int64_t foil, int64_t steps) {
    if (steps < 1) throw Error(ErrorCode::invalid_argument, "attribution: expected at least 1 step, found " + std::to_string(steps));
    const Asked asked(classifier, sentence, fact, foil);
    const at::Tensor way = (at::arange(steps, at::kFloat) + 0.5).div(static_cast<double>(steps)).view({steps, 1, 1});
    return asked.of_columns(asked.gradient_at(way) / steps * asked.said());
}

std::vector<double> lime(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact, int64_t foil,
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
    const at::Tensor y = asked.probabilities_with(keep);
    const at::Tensor x = keep.to(at::kDouble);
    const at::Tensor weight = (1 - x.mean(1).sqrt()).div(options.width).square().mul(-0.5).exp();
    // With an intercept, which is not penalised: everything about its weighted mean.
    const at::Tensor share = weight / weight.sum();
    const at::Tensor centred = x - at::mv(x.t(), share);
    const at::Tensor weighted = centred * weight.unsqueeze(1);
    const at::Tensor normal = at::mm(weighted.t(), centred) + options.ridge * at::eye(asked.words(), at::kDouble);
    return asked.of_words(at::mv(at::inverse(normal), at::mv(weighted.t(), y - at::dot(share, y))));
}

WordSwaps greedy_word_swap(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil,
                           const std::vector<char>& allowed, int64_t max_swaps) {
    if (foil < 0)
        throw Error(ErrorCode::invalid_argument,
                    "attribution: expected a foil to swap words towards, found the class " + std::to_string(foil));
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
        const at::Tensor gradient = asked.gradient();
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
