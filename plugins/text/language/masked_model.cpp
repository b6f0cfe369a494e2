#include "text/language/masked_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "text/language/packed_counts.h"
#include "training/pack_contents.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

/// Rows of the V-wide softmax that are computed at once: 128 x 8,000 floats are 4 MB.
constexpr int64_t softmax_rows = 128;
/// <pad> and <go> are never predicted, and training never sees them: this bias takes them out of every softmax.
constexpr float never = -100.0f;
/// What the model's first weights are drawn for.
constexpr uint64_t initial_weights = 101;

}  // namespace

at::Tensor run_lstm(const at::Tensor& input, const std::array<at::Tensor, 4>& weights) {
    const auto zero = at::zeros({1, input.size(0), weights[1].size(1)}, input.options());
    return std::get<0>(at::lstm(input, {zero, zero}, at::TensorList(weights.data(), weights.size()), true, 1, 0.0,
                                at::GradMode::is_enabled(), false, true));
}

MaskedModelImpl::MaskedModelImpl(const MaskedModelSizes& sizes) : sizes_(sizes) {
    if (sizes.vocabulary <= first_word_id || sizes.embedding < 1 || sizes.hidden < 1 || sizes.head < 1)
        throw Error(ErrorCode::invalid_argument, "masked model: expected a vocabulary of more than " + std::to_string(first_word_id) +
                                                     " entries and sizes of at least 1, found " + std::to_string(sizes.vocabulary) + ", " +
                                                     std::to_string(sizes.embedding) + ", " + std::to_string(sizes.hidden) + ", " +
                                                     std::to_string(sizes.head));
    const auto place = [&](const std::string& name, at::IntArrayRef shape) {
        return register_parameter(name, training::declared(shape), false);
    };
    const auto lstm = [&](const std::string& name) -> std::array<at::Tensor, 4> {
        const int64_t gates = 4 * sizes.hidden;
        return {place(name + "_input_weight", {gates, sizes.embedding}), place(name + "_hidden_weight", {gates, sizes.hidden}),
                place(name + "_input_bias", {gates}), place(name + "_hidden_bias", {gates})};
    };
    weights_.embedding = place("embedding", {sizes.vocabulary, sizes.embedding});
    weights_.forward = lstm("forward");
    weights_.next_weight = place("next_weight", {sizes.head, sizes.hidden});
    weights_.next_bias = place("next_bias", {sizes.head});
    if (sizes.both_sides) {
        weights_.backward = lstm("backward");
        weights_.between_weight = place("between_weight", {sizes.head, 2 * sizes.hidden});
        weights_.between_bias = place("between_bias", {sizes.head});
    }
    weights_.output = place("output", {sizes.vocabulary, sizes.head});
    weights_.output_bias = place("output_bias", {sizes.vocabulary});
}

MaskedModelImpl::MaskedModelImpl(const MaskedModelSizes& sizes, uint64_t seed) : MaskedModelImpl(sizes) {
    auto generator = training::make_generator(training::mix_seed(seed, initial_weights));
    const auto draw = [&](at::Tensor weights, int64_t inputs) {
        const double bound = 1 / std::sqrt(static_cast<double>(inputs));
        weights.uniform_(-bound, bound, generator);
    };
    for (at::Tensor& weights : parameters()) weights.set_data(at::empty(weights.sizes()));
    weights_.embedding.normal_(0, 0.3, generator);
    for (const auto& weights : weights_.forward) draw(weights, sizes.hidden);
    draw(weights_.next_weight, sizes.hidden);
    draw(weights_.next_bias, sizes.hidden);
    if (sizes.both_sides) {
        for (const auto& weights : weights_.backward) draw(weights, sizes.hidden);
        draw(weights_.between_weight, 2 * sizes.hidden);
        draw(weights_.between_bias, 2 * sizes.hidden);
    }
    weights_.output.uniform_(-0.08, 0.08, generator);
    weights_.output_bias.zero_().slice(0, 0, eos_id).fill_(never);
}

MaskedModelImpl::Contexts MaskedModelImpl::contexts(const at::Tensor& sentences) const {
    const at::NoGradGuard guard;
    const auto edge = [&](int64_t word) { return at::full({sentences.size(0), 1}, word, sentences.options()); };
    const auto embed = [&](const at::Tensor& ids) { return at::embedding(weights_.embedding, ids); };
    Contexts contexts;
    contexts.left = run_lstm(embed(at::cat({edge(go_id), sentences}, 1)), weights_.forward);
    if (sizes_.both_sides) contexts.right = run_lstm(embed(at::cat({edge(eos_id), sentences.flip(1)}, 1)), weights_.backward).flip(1);
    return contexts;
}

at::Tensor MaskedModelImpl::between(const at::Tensor& left, const at::Tensor& right) const {
    if (!sizes_.both_sides)
        throw Error(ErrorCode::invalid_argument,
                    "masked model: a word between two contexts needs a model of both sides, found one that reads from the left only");
    const at::NoGradGuard guard;
    const auto head = at::linear(at::cat({left, right}, 1), weights_.between_weight, weights_.between_bias).tanh_();
    return at::log_softmax(at::linear(head, weights_.output, weights_.output_bias), 1);
}

std::vector<std::vector<double>> MaskedModelImpl::next_log_probabilities(const Sentences& sentences) const {
    const at::NoGradGuard guard;
    check_sentences(sentences, sizes_.vocabulary);
    std::vector<std::vector<double>> result(sentences.size());

    for (size_t i = 0; i < sentences.size(); ++i) result[i].resize(sentences[i].size() + 1);

    // The tree of all prefixes, level by level.
    std::vector<at::Tensor> states;                  // of each level, [nodes, h]
    std::vector<int64_t> here(sentences.size(), 0);  // the node of the level that each sentence has reached
    std::vector<int64_t> nodes, targets;             // which word is asked of which node,
    std::vector<double*> answers;                    // and where the answer goes
    std::vector<int64_t> words{go_id}, parents{0};   // of the level's nodes
    at::Tensor h = at::zeros({1, sizes_.hidden}), c = at::zeros({1, sizes_.hidden});
    int64_t above = 0;  // nodes on the levels before
    for (size_t level = 0; !words.empty(); ++level) {
        const auto parent = at::tensor(parents, at::kLong);
        std::tie(h, c) = at::lstm_cell(at::embedding(weights_.embedding, at::tensor(words, at::kLong)),
                                       {h.index_select(0, parent), c.index_select(0, parent)}, weights_.forward[0], weights_.forward[1],
                                       weights_.forward[2], weights_.forward[3]);
        states.push_back(h);
        const auto level_nodes = static_cast<int64_t>(words.size());
        words.clear();
        parents.clear();
        std::map<std::pair<int64_t, int64_t>, int64_t> children;
        for (size_t i = 0; i < sentences.size(); ++i) {
            if (level > sentences[i].size()) continue;
            const bool ends = level == sentences[i].size();
            nodes.push_back(above + here[i]);
            targets.push_back(ends ? eos_id : sentences[i][level]);
            answers.push_back(&result[i][level]);
            if (ends) continue;
            const auto [child, is_new] = children.try_emplace({here[i], sentences[i][level]}, static_cast<int64_t>(words.size()));
            if (is_new) {
                words.push_back(sentences[i][level]);
                parents.push_back(here[i]);
            }
            here[i] = child->second;
        }
        above += level_nodes;
    }

    // Questions were asked in the order of the nodes' levels; sorted by node they can be answered block by block.
    std::vector<size_t> order(nodes.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return nodes[a] < nodes[b]; });
    const auto head = at::linear(at::cat(states), weights_.next_weight, weights_.next_bias).tanh_();
    auto next = order.begin();
    for (int64_t first = 0; first < above; first += softmax_rows) {
        const int64_t last = std::min(above, first + softmax_rows);
        const auto logits = at::linear(head.slice(0, first, last), weights_.output, weights_.output_bias);
        const auto normaliser = at::logsumexp(logits, 1);
        const auto score = logits.accessor<float, 2>();
        const auto total = normaliser.accessor<float, 1>();
        for (; next != order.end() && nodes[*next] < last; ++next) {
            const int64_t row = nodes[*next] - first;
            *answers[*next] = static_cast<double>(score[row][targets[*next]]) - static_cast<double>(total[row]);
        }
    }
    return result;
}

}  // namespace whynot::text
