#include "text/language/language_model.h"

#include <ATen/ATen.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "training/optimiser.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

/// Rows of the V-wide softmax that are computed at once: 128 x 8,000 floats are 4 MB.
constexpr int64_t softmax_rows = 128;
/// <pad> and <go> are never predicted, and training never sees them: this bias takes them out of every softmax.
constexpr float never = -100.0f;
/// What the random numbers of a training run are drawn for.
enum Stream : uint64_t { initial_weights = 101, order_of_batches, step_of_training, negatives_of_step };

at::Tensor uniform(at::IntArrayRef shape, double bound, const at::Generator& generator) {
    return at::empty(shape).uniform_(-bound, bound, generator);
}

at::Tensor run_lstm(const at::Tensor& input, const std::array<at::Tensor, 4>& weights) {
    const auto zero = at::zeros({1, input.size(0), weights[1].size(1)}, input.options());
    return std::get<0>(at::lstm(input, {zero, zero}, at::TensorList(weights.data(), weights.size()), true, 1, 0.0,
                                at::GradMode::is_enabled(), false, true));
}

at::Tensor dropout(const at::Tensor& x, double share, at::Generator& generator) {
    if (share <= 0) return x;
    return x * at::empty_like(x, x.options().requires_grad(false)).bernoulli_(1 - share, generator).div_(1 - share);
}

at::Tensor as_tensor(const Sentences& sentences) {
    const auto length = static_cast<int64_t>(sentences.front().size());
    auto tensor = at::empty({static_cast<int64_t>(sentences.size()), length}, at::kLong);
    auto* to = tensor.data_ptr<int64_t>();
    for (const auto& sentence : sentences) to = std::copy(sentence.begin(), sentence.end(), to);
    return tensor;
}

/// Batches of equal length, in an order drawn with `random`.
std::vector<Sentences> batches_of(const Sentences& sentences, int64_t size, std::mt19937_64& random) {
    std::map<size_t, Sentences> by_length;
    for (const auto& sentence : sentences) by_length[sentence.size()].push_back(sentence);
    std::vector<Sentences> batches;
    for (auto& [length, group] : by_length) {
        training::shuffle(group, random);
        for (size_t i = 0; i < group.size(); i += static_cast<size_t>(size))
            batches.emplace_back(group.begin() + static_cast<int64_t>(i),
                                 group.begin() + static_cast<int64_t>(std::min(group.size(), i + static_cast<size_t>(size))));
    }
    training::shuffle(batches, random);
    return batches;
}

void check_sentences(const Sentences& sentences, int64_t vocabulary) {
    for (const auto& sentence : sentences)
        for (const auto word : sentence)
            if (word < 0 || word >= vocabulary)
                throw Error(ErrorCode::invalid_argument, "language model: expected words from 0 to " + std::to_string(vocabulary - 1) +
                                                             ", found " + std::to_string(word));
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

/// Requires gradients of some parameters for as long as it lives.
class WithGradients {
public:
    explicit WithGradients(std::vector<at::Tensor> parameters) : parameters_(std::move(parameters)) { set(true); }
    ~WithGradients() { set(false); }
    WithGradients(const WithGradients&) = delete;
    WithGradients& operator=(const WithGradients&) = delete;
    const std::vector<at::Tensor>& parameters() const { return parameters_; }

private:
    void set(bool required) {
        for (auto& parameter : parameters_) parameter.set_requires_grad(required);
    }
    std::vector<at::Tensor> parameters_;
};

}  // namespace

// ---------------------------------------------------------------------------------------------- masked model

std::array<at::Tensor, 4> MaskedModelImpl::register_lstm(const std::string& name, const at::Generator& generator) {
    const double bound = 1 / std::sqrt(static_cast<double>(sizes_.hidden));
    const int64_t gates = 4 * sizes_.hidden;
    return {register_parameter(name + "_input_weight", uniform({gates, sizes_.embedding}, bound, generator), false),
            register_parameter(name + "_hidden_weight", uniform({gates, sizes_.hidden}, bound, generator), false),
            register_parameter(name + "_input_bias", uniform({gates}, bound, generator), false),
            register_parameter(name + "_hidden_bias", uniform({gates}, bound, generator), false)};
}

MaskedModelImpl::MaskedModelImpl(const MaskedModelSizes& sizes, uint64_t seed) : sizes_(sizes) {
    if (sizes.vocabulary <= first_word_id || sizes.embedding < 1 || sizes.hidden < 1 || sizes.head < 1)
        throw Error(ErrorCode::invalid_argument, "masked model: expected a vocabulary of more than " + std::to_string(first_word_id) +
                                                     " entries and sizes of at least 1, found " + std::to_string(sizes.vocabulary) + ", " +
                                                     std::to_string(sizes.embedding) + ", " + std::to_string(sizes.hidden) + ", " +
                                                     std::to_string(sizes.head));
    auto generator = training::make_generator(training::mix_seed(seed, initial_weights));
    const auto linear = [&](const std::string& name, int64_t from, at::Tensor& weight, at::Tensor& bias) {
        const double bound = 1 / std::sqrt(static_cast<double>(from));
        weight = register_parameter(name + "_weight", uniform({sizes.head, from}, bound, generator), false);
        bias = register_parameter(name + "_bias", uniform({sizes.head}, bound, generator), false);
    };
    embedding_ = register_parameter("embedding", at::empty({sizes.vocabulary, sizes.embedding}).normal_(0, 0.3, generator), false);
    forward_ = register_lstm("forward", generator);
    linear("next", sizes.hidden, next_weight_, next_bias_);
    if (sizes.both_sides) {
        backward_ = register_lstm("backward", generator);
        linear("between", 2 * sizes.hidden, between_weight_, between_bias_);
    }
    output_ = register_parameter("output", uniform({sizes.vocabulary, sizes.head}, 0.08, generator), false);
    auto bias = at::zeros({sizes.vocabulary});
    bias.slice(0, 0, eos_id).fill_(never);
    output_bias_ = register_parameter("output_bias", bias, false);
}

MaskedModelImpl::Contexts MaskedModelImpl::contexts(const at::Tensor& sentences) const {
    const at::NoGradGuard guard;
    const auto edge = [&](int64_t word) { return at::full({sentences.size(0), 1}, word, sentences.options()); };
    const auto embed = [&](const at::Tensor& ids) { return at::embedding(embedding_, ids); };
    Contexts contexts;
    contexts.left = run_lstm(embed(at::cat({edge(go_id), sentences}, 1)), forward_);
    if (sizes_.both_sides) contexts.right = run_lstm(embed(at::cat({edge(eos_id), sentences.flip(1)}, 1)), backward_).flip(1);
    return contexts;
}

at::Tensor MaskedModelImpl::between(const at::Tensor& left, const at::Tensor& right) const {
    if (!sizes_.both_sides)
        throw Error(ErrorCode::invalid_argument,
                    "masked model: a word between two contexts needs a model of both sides, found one that reads from the left only");
    const at::NoGradGuard guard;
    const auto head = at::linear(at::cat({left, right}, 1), between_weight_, between_bias_).tanh_();
    return at::log_softmax(at::linear(head, output_, output_bias_), 1);
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
        std::tie(h, c) =
            at::lstm_cell(at::embedding(embedding_, at::tensor(words, at::kLong)), {h.index_select(0, parent), c.index_select(0, parent)},
                          forward_[0], forward_[1], forward_[2], forward_[3]);
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
    const auto head = at::linear(at::cat(states), next_weight_, next_bias_).tanh_();
    auto next = order.begin();
    for (int64_t first = 0; first < above; first += softmax_rows) {
        const int64_t last = std::min(above, first + softmax_rows);
        const auto logits = at::linear(head.slice(0, first, last), output_, output_bias_);
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

void train_masked_model(MaskedModel& model, const Sentences& sentences, const MaskedTraining& options, uint64_t seed,
                        const Observer& observer, const Sentences& development, const training::Checkpoint& checkpoint) {
    using Clock = std::chrono::steady_clock;
    auto& net = *model;
    const auto& sizes = net.sizes_;
    check_sentences(sentences, sizes.vocabulary);
    if (sentences.empty() || std::any_of(sentences.begin(), sentences.end(), [](const Ids& s) { return s.empty(); }))
        throw Error(ErrorCode::invalid_argument, "masked model: expected sentences of at least one word to train on, found " +
                                                     std::string(sentences.empty() ? "none" : "an empty one"));
    if (options.epochs < 1 || options.batch < 1 || options.negatives < 0 || options.dropout < 0 || options.dropout >= 1)
        throw Error(ErrorCode::invalid_argument,
                    "masked model: expected epochs and batch of at least 1, negatives of at least 0 and dropout in [0, 1)");

    std::vector<at::Tensor> dense{net.next_weight_, net.next_bias_};
    dense.insert(dense.end(), net.forward_.begin(), net.forward_.end());
    if (sizes.both_sides) {
        dense.insert(dense.end(), {net.between_weight_, net.between_bias_});
        dense.insert(dense.end(), net.backward_.begin(), net.backward_.end());
    }
    const WithGradients with_gradients(dense);
    training::DenseAdam dense_adam(dense, options.clip);
    training::RowAdam embedding_adam(net.embedding_), output_adam(net.output_), bias_adam(net.output_bias_);

    int64_t steps = 0;
    {
        std::mt19937_64 random(0);
        steps = options.epochs * static_cast<int64_t>(batches_of(sentences, options.batch, random).size());
    }
    training::TrainingRun run("the masked model", checkpoint, observer);
    for (const auto& item : net.named_parameters()) run.keep("weights." + item.key(), item.value());
    run.keep("dense", dense_adam);
    run.keep("embedding", embedding_adam);
    run.keep("output", output_adam);
    run.keep("bias", bias_adam);
    run.resume();
    int64_t step = 0;
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        std::mt19937_64 random(training::mix_seed(seed, order_of_batches, static_cast<uint64_t>(epoch)));
        double loss_sum = 0;
        int64_t words = 0;
        const auto started = Clock::now();
        for (const auto& batch : batches_of(sentences, options.batch, random)) {
            if (!run.begins(step, steps)) {
                ++step;
                continue;
            }
            std::mt19937_64 draws(training::mix_seed(seed, negatives_of_step, static_cast<uint64_t>(step)));
            auto generator = training::make_generator(training::mix_seed(seed, step_of_training, static_cast<uint64_t>(step)));
            const auto drop = [&](const at::Tensor& x) { return dropout(x, options.dropout, generator); };
            const auto x = as_tensor(batch);
            const int64_t n = x.size(0), m = x.size(1);

            // The batch's own words and <eos> are targets; <go>, which only the embedding needs, stands before them.
            const auto [own, inverse] = at::_unique(at::cat({x.flatten(), at::full({1}, eos_id, at::kLong)}), true, true);
            const auto local = inverse.slice(0, 0, n * m).view({n, m});
            const auto end = inverse.slice(0, n * m).expand({n, 1});
            const auto read = at::cat({at::full({1}, go_id, at::kLong), own});
            const auto embedding = net.embedding_.index_select(0, read).requires_grad_();
            const auto embed = [&](const at::Tensor& ids) {
                return drop(embedding.index_select(0, ids.flatten()).view({n, m + 1, sizes.embedding}));
            };
            const auto left = drop(run_lstm(embed(at::cat({at::zeros({n, 1}, at::kLong), local + 1}, 1)), net.forward_));
            auto heads = at::linear(left, net.next_weight_, net.next_bias_).tanh().view({n * (m + 1), sizes.head});
            auto targets = at::cat({local, end}, 1).flatten();
            if (sizes.both_sides) {
                const auto right = drop(run_lstm(embed(at::cat({end, local.flip(1)}, 1) + 1), net.backward_)).flip(1);
                const auto both = at::cat({left.slice(1, 0, m), right.slice(1, 1)}, 2);
                heads = at::cat({heads, at::linear(both, net.between_weight_, net.between_bias_).tanh().view({n * m, sizes.head})});
                targets = at::cat({targets, local.flatten()});
            }

            std::vector<char> taken(static_cast<size_t>(sizes.vocabulary), 0);
            const auto own_words = own.accessor<int64_t, 1>();
            for (int64_t i = 0; i < own_words.size(0); ++i) taken[static_cast<size_t>(own_words[i])] = 1;
            std::vector<int64_t> negatives;
            for (int64_t i = 0; i < options.negatives; ++i) {
                const auto word = eos_id + static_cast<int64_t>(draws() % static_cast<uint64_t>(sizes.vocabulary - eos_id));
                if (std::exchange(taken[static_cast<size_t>(word)], 1) == 0) negatives.push_back(word);
            }
            const auto candidates = at::cat({own, at::tensor(negatives, at::kLong)});
            auto correction = at::zeros({candidates.size(0)});
            if (!negatives.empty())
                correction.slice(0, own.size(0))
                    .fill_(std::log(static_cast<double>(sizes.vocabulary - eos_id - own.size(0)) / static_cast<double>(negatives.size())));
            const auto output = net.output_.index_select(0, candidates).requires_grad_();
            const auto bias = net.output_bias_.index_select(0, candidates).requires_grad_();
            const auto loss = at::cross_entropy_loss(at::linear(drop(heads), output, bias + correction), targets);
            loss.backward();

            const double rate = training::cosine_rate(options.learning_rate, step, steps, std::min<int64_t>(200, steps / 10));
            embedding_adam.step(read, embedding.grad(), rate);
            output_adam.step(candidates, output.grad(), rate);
            bias_adam.step(candidates, bias.grad(), rate);
            dense_adam.step(rate);

            loss_sum += loss.item<double>() * static_cast<double>(n * (m + 1));
            words += n * (m + 1);
            ++step;
            if (run.speaks())
                run.tell(format("masked model, epoch %d of %d", static_cast<int>(epoch + 1), static_cast<int>(options.epochs)), step, steps,
                         format("loss %.3f", loss_sum / static_cast<double>(words)));
        }
        if (words == 0) continue;  // an epoch of an earlier run
        run.save(step);
        if (!observer.log) continue;
        const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
        auto line = format("masked model, epoch %d of %d: loss %.3f, %.0f words/s", static_cast<int>(epoch + 1),
                           static_cast<int>(options.epochs), loss_sum / static_cast<double>(words), static_cast<double>(words) / seconds);
        if (!development.empty()) {
            const auto found = perplexities(model, development);
            line += format(", development perplexity %.1f", found.next);
            if (sizes.both_sides) line += format(", masked %.1f", found.mask);
        }
        observer.log(line);
    }
}

Perplexities perplexities(const MaskedModel& model, const Sentences& sentences) {
    std::mt19937_64 random(0);
    double next = 0, mask = 0;
    int64_t next_words = 0, mask_words = 0;
    for (const auto& batch : batches_of(sentences, 64, random)) {
        for (const auto& words : model->next_log_probabilities(batch)) {
            next -= std::accumulate(words.begin(), words.end(), 0.0);
            next_words += static_cast<int64_t>(words.size());
        }
        if (!model->sizes().both_sides) continue;
        const auto x = as_tensor(batch);
        const auto [left, right] = model->contexts(x);
        for (int64_t t = 0; t < x.size(1); ++t)
            mask -= model->between(left.select(1, t), right.select(1, t + 1)).gather(1, x.slice(1, t, t + 1)).sum().item<double>();
        mask_words += x.numel();
    }
    const auto perplexity = [](double sum, int64_t words) { return words > 0 ? std::exp(sum / static_cast<double>(words)) : 0.0; };
    return {perplexity(next, next_words), perplexity(mask, mask_words)};
}

// ---------------------------------------------------------------------------------------------------- n-grams

namespace {

constexpr int largest_order = 8;
/// Deflate never packs tighter than 1032 to 1; a file that claims more is damaged or hostile.
constexpr uint64_t largest_expansion = 1032;

uint64_t key(uint64_t high, int64_t low) { return high << 32 | static_cast<uint64_t>(low); }

void put(std::string& to, uint64_t value) {
    for (; value >= 128; value >>= 7) to.push_back(static_cast<char>(value | 128));
    to.push_back(static_cast<char>(value));
}

[[noreturn]] void damaged(const std::string& found) {
    throw Error(ErrorCode::bad_pack, "language model: " + found + "; the file is truncated or altered, fetch or make the pack again");
}

uint64_t get(std::string_view& from) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (from.empty()) damaged("expected a number, found the end");
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        value |= static_cast<uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
    }
    damaged("expected a number, found one of more than 64 bits");
}

using Counted = std::vector<std::pair<Ids, uint32_t>>;

/// Sorted tuples of words with their counts, in three columns, since like goes well with like: how many words each shares with
/// the one before it, the words that differ (the first of them as a difference), and the counts.
std::string columns(Counted grams) {
    std::sort(grams.begin(), grams.end());
    std::string shared, words, counts;
    const Ids* before = nullptr;
    for (const auto& [gram, count] : grams) {
        size_t same = 0;
        while (before != nullptr && gram[same] == (*before)[same]) ++same;
        shared.push_back(static_cast<char>(same));
        put(words, static_cast<uint64_t>(before == nullptr ? gram[same] : gram[same] - (*before)[same]));
        for (size_t i = same + 1; i < gram.size(); ++i) put(words, static_cast<uint64_t>(gram[i]));
        put(counts, count);
        before = &gram;
    }
    return shared + words + counts;
}

/// What `columns` wrote, as one tuple after the other. Takes all of `from`.
template <class Visit>
void read_columns(std::string_view from, uint64_t grams, uint64_t order, uint64_t vocabulary, Visit visit) {
    if (grams > from.size()) damaged("expected " + std::to_string(grams) + " tuples, found " + std::to_string(from.size()) + " bytes");
    const auto shared = from.substr(0, grams);
    from.remove_prefix(grams);
    std::vector<int64_t> table;
    for (uint64_t i = 0; i < grams; ++i) {
        const auto same = static_cast<unsigned char>(shared[i]);
        if (same >= order || (i == 0 && same > 0)) damaged("expected tuples in ascending order, found one twice");
        for (uint64_t k = 0; k < order; ++k) {
            const auto before = i == 0 ? 0 : static_cast<uint64_t>(table[table.size() - order]);
            const auto word = k < same ? before : k == same ? before + get(from) : get(from);
            if (word >= vocabulary) damaged("expected words of the vocabulary, found " + std::to_string(word));
            table.push_back(static_cast<int64_t>(word));
        }
    }
    for (uint64_t i = 0; i < grams; ++i) {
        const auto count = get(from);
        if (count < 1 || count > UINT32_MAX) damaged("expected a count of at least 1, found " + std::to_string(count));
        visit(&table[i * order], static_cast<uint32_t>(count));
    }
    if (!from.empty()) damaged("expected the end, found " + std::to_string(from.size()) + " bytes more");
}

/// A mark that says what it is, some numbers, and the payload deflated.
std::string sealed(std::string_view mark, const std::vector<uint64_t>& numbers, const std::string& payload) {
    std::string bytes(mark);
    for (const auto number : numbers) put(bytes, number);
    put(bytes, payload.size());
    auto size = compressBound(payload.size());
    const auto header = bytes.size();
    bytes.resize(header + size);
    if (compress2(reinterpret_cast<Bytef*>(&bytes[header]), &size, reinterpret_cast<const Bytef*>(payload.data()), payload.size(), 9) !=
        Z_OK)
        throw Error(ErrorCode::internal, "language model: zlib refused to compress it");
    bytes.resize(header + size);
    return bytes;
}

std::string unsealed(std::string_view mark, std::string_view bytes, std::vector<uint64_t>& numbers) {
    if (bytes.substr(0, mark.size()) != mark)
        damaged("expected the mark '" + std::string(mark.substr(0, mark.size() - 1)) + "', found something else");
    bytes.remove_prefix(mark.size());
    for (auto& number : numbers) number = get(bytes);
    const auto size = get(bytes);
    if (size > largest_expansion * bytes.size()) damaged("expected a plausible size, found " + std::to_string(size) + " bytes");
    std::string payload(size, '\0');
    uLongf unpacked = size;
    if (uncompress(reinterpret_cast<Bytef*>(payload.data()), &unpacked, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) !=
            Z_OK ||
        unpacked != size)
        damaged("expected " + std::to_string(size) + " bytes deflated, found others");
    return payload;
}

void check_vocabulary(uint64_t found, int64_t expected) {
    if (found != static_cast<uint64_t>(expected))
        damaged("expected a vocabulary of " + std::to_string(expected) + " entries, found " + std::to_string(found));
}

constexpr std::string_view ngram_mark = "whynot n-gram 1\n";
constexpr std::string_view associations_mark = "whynot associations 1\n";

}  // namespace

size_t CountTable::slot(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t i = (key * 0x9E3779B97F4A7C15ull >> 20) & mask;
    while (slots_[i].first != 0 && slots_[i].first != key) i = (i + 1) & mask;
    return i;
}

uint32_t& CountTable::operator[](uint64_t key) {
    if (2 * (size_ + 1) > slots_.size()) {
        auto old = std::exchange(slots_, decltype(slots_)(std::max<size_t>(64, 2 * slots_.size())));
        for (const auto& entry : old)
            if (entry.first != 0) slots_[slot(entry.first)] = entry;
    }
    auto& entry = slots_[slot(key + 1)];
    if (entry.first == 0) {
        entry.first = key + 1;
        ++size_;
    }
    return entry.second;
}

const uint32_t* CountTable::find(uint64_t key) const {
    if (slots_.empty()) return nullptr;
    const auto& entry = slots_[slot(key + 1)];
    return entry.first == 0 ? nullptr : &entry.second;
}

NGram::NGram(int64_t vocabulary, int order) : order_(order), vocabulary_(vocabulary), contexts_{{0, 0, 0, 0}} {
    if (order < 1 || order > largest_order || vocabulary <= first_word_id)
        throw Error(ErrorCode::invalid_argument, "n-gram model: expected an order from 1 to " + std::to_string(largest_order) +
                                                     " and a vocabulary of more than " + std::to_string(first_word_id) +
                                                     " entries, found " + std::to_string(order) + " and " + std::to_string(vocabulary));
}

NGram::NGram(const Sentences& sentences, int64_t vocabulary, int order) : NGram(vocabulary, order) {
    check_sentences(sentences, vocabulary);
    Ids padded;
    for (const auto& sentence : sentences) {
        padded.assign(static_cast<size_t>(order - 1), go_id);
        padded.insert(padded.end(), sentence.begin(), sentence.end());
        padded.push_back(eos_id);
        for (size_t i = 0; i <= sentence.size(); ++i) add(&padded[i], 1);
    }
    count_words();
}

/// Adds to the highest order; an n-gram that is new there is one more word before its shorter form, and so on down.
void NGram::add(const int64_t* gram, uint32_t count) {
    std::array<uint32_t, largest_order> path{};  // the contexts of length 0, 1, ... order - 1
    for (int k = 1; k < order_; ++k) {
        const int64_t word = gram[order_ - 1 - k];
        auto& context = longer_[key(path[static_cast<size_t>(k - 1)], word)];
        if (context == 0) {
            context = static_cast<uint32_t>(contexts_.size());
            contexts_.push_back({path[static_cast<size_t>(k - 1)], static_cast<int32_t>(word), 0, 0});
        }
        path[static_cast<size_t>(k)] = context;
    }
    for (int k = order_ - 1; k >= 0; --k) {
        auto& context = contexts_[path[static_cast<size_t>(k)]];
        auto& times = grams_[key(path[static_cast<size_t>(k)], gram[order_ - 1])];
        const bool is_new = times == 0;
        times += count;
        context.total += count;
        if (!is_new) break;
        ++context.different;
        count = 1;
    }
}

void NGram::count_words() {
    std::vector<int> depth(contexts_.size(), 0);  // contexts come after their shorter ones
    for (size_t i = 1; i < contexts_.size(); ++i) depth[i] = depth[contexts_[i].shorter] + 1;
    counts_.assign(static_cast<size_t>(vocabulary_), 0);
    grams_.for_each([&](uint64_t gram, uint32_t count) {
        if (depth[gram >> 32] == order_ - 1) counts_[gram & 0xFFFFFFFFu] += count;
    });
    const auto total = static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), vocabulary_));
    unigram_.clear();
    for (const auto count : counts_) unigram_.push_back(std::log(static_cast<double>(count + 1) / total));
}

std::vector<double> NGram::log_probabilities(const Ids& sentence) const {
    check_sentences({sentence}, vocabulary_);
    std::vector<double> result;
    for (size_t t = 0; t <= sentence.size(); ++t) {
        const int64_t word = t < sentence.size() ? sentence[t] : eos_id;
        double p = 1 / static_cast<double>(vocabulary_);
        uint32_t context = 0;
        for (int k = 0; k < order_; ++k) {
            if (k > 0) {
                const auto before = static_cast<int64_t>(t) - k;
                const auto* longer = longer_.find(key(context, before >= 0 ? sentence[static_cast<size_t>(before)] : go_id));
                if (longer == nullptr) break;
                context = *longer;
            }
            const auto& [shorter, farthest, total, different] = contexts_[context];
            if (total == 0) break;
            const auto* count = grams_.find(key(context, word));
            p = (std::max((count == nullptr ? 0 : *count) - discount, 0.0) + discount * different * p) / total;
        }
        result.push_back(std::log(p));
    }
    return result;
}

std::string NGram::serialise() const {
    std::vector<int> depth(contexts_.size(), 0);
    for (size_t i = 1; i < contexts_.size(); ++i) depth[i] = depth[contexts_[i].shorter] + 1;
    Counted grams;
    grams_.for_each([&](uint64_t gram, uint32_t count) {
        if (depth[gram >> 32] != order_ - 1) return;
        Ids words;
        for (auto context = static_cast<uint32_t>(gram >> 32); context != 0; context = contexts_[context].shorter)
            words.push_back(contexts_[context].farthest);
        words.push_back(static_cast<int64_t>(gram & 0xFFFFFFFFu));
        grams.emplace_back(std::move(words), count);
    });
    const uint64_t number = grams.size();
    return sealed(ngram_mark, {static_cast<uint64_t>(order_), static_cast<uint64_t>(vocabulary_), number}, columns(std::move(grams)));
}

NGram NGram::deserialise(std::string_view bytes, int64_t vocabulary) {
    std::vector<uint64_t> numbers(3);
    const auto payload = unsealed(ngram_mark, bytes, numbers);
    if (numbers[0] < 1 || numbers[0] > largest_order)
        damaged("expected an order from 1 to " + std::to_string(largest_order) + ", found " + std::to_string(numbers[0]));
    check_vocabulary(numbers[1], vocabulary);
    NGram result(vocabulary, static_cast<int>(numbers[0]));
    read_columns(payload, numbers[2], numbers[0], numbers[1], [&](const int64_t* gram, uint32_t count) { result.add(gram, count); });
    result.count_words();
    return result;
}

// ---------------------------------------------------------------------------------------------- associations

WordAssociations::WordAssociations(int64_t vocabulary) : with_(static_cast<size_t>(vocabulary), 0) {}

WordAssociations::WordAssociations(const Sentences& sentences, int64_t vocabulary) : WordAssociations(vocabulary) {
    check_sentences(sentences, vocabulary);
    sentences_ = sentences.size();
    CountTable pairs;
    for (auto words : sentences) {
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        for (size_t i = 0; i < words.size(); ++i) {
            ++with_[static_cast<size_t>(words[i])];
            for (size_t j = i + 1; j < words.size(); ++j) ++pairs[key(static_cast<uint64_t>(words[i]), words[j])];
        }
    }
    pairs.for_each([&](uint64_t pair, uint32_t count) {
        if (count > 1) pairs_[pair] = count;
    });
}

double WordAssociations::operator()(int64_t v, int64_t w) const {
    constexpr double prior = 2;
    const auto* together = pairs_.find(key(static_cast<uint64_t>(std::min(v, w)), std::max(v, w)));
    const double expected = static_cast<double>(with_.at(static_cast<size_t>(v))) * share(w);
    return std::log(((together == nullptr ? 0 : *together) + prior) / (expected + prior));
}

double WordAssociations::share(int64_t word) const {
    return static_cast<double>(with_.at(static_cast<size_t>(word))) / static_cast<double>(std::max<uint64_t>(1, sentences_));
}

std::string WordAssociations::serialise() const {
    Counted pairs;
    pairs_.for_each([&](uint64_t pair, uint32_t count) {
        pairs.emplace_back(Ids{static_cast<int64_t>(pair >> 32), static_cast<int64_t>(pair & 0xFFFFFFFFu)}, count);
    });
    const uint64_t number = pairs.size();
    std::string payload;
    for (const auto count : with_) put(payload, count);
    return sealed(associations_mark, {static_cast<uint64_t>(vocabulary()), sentences_, number}, payload + columns(std::move(pairs)));
}

WordAssociations WordAssociations::deserialise(std::string_view bytes, int64_t vocabulary) {
    std::vector<uint64_t> numbers(3);
    const auto payload = unsealed(associations_mark, bytes, numbers);
    check_vocabulary(numbers[0], vocabulary);
    WordAssociations result(vocabulary);
    result.sentences_ = numbers[1];
    std::string_view rest(payload);
    for (auto& count : result.with_) count = get(rest);
    read_columns(rest, numbers[2], 2, numbers[0],
                 [&](const int64_t* pair, uint32_t count) { result.pairs_[key(static_cast<uint64_t>(pair[0]), pair[1])] = count; });
    return result;
}

// --------------------------------------------------------------------------------------------------- fluency

FluencyModel::FluencyModel(MaskedModel network, NGram ngram, double network_weight)
    : network_(std::move(network)), ngram_(std::move(ngram)), network_weight_(network_weight) {
    if (network_->sizes().vocabulary != ngram_.vocabulary())
        throw Error(ErrorCode::invalid_argument, "fluency: expected two models of one vocabulary, found " +
                                                     std::to_string(network_->sizes().vocabulary) + " and " +
                                                     std::to_string(ngram_.vocabulary()) + " entries");
    if (!(network_weight >= 0 && network_weight <= 1))
        throw Error(ErrorCode::invalid_argument,
                    "fluency: expected a weight of the network from 0 to 1, found " + std::to_string(network_weight));
}

std::vector<double> FluencyModel::log_likelihood(const Sentences& sentences) const {
    const auto network = network_->next_log_probabilities(sentences);
    std::vector<double> result;
    for (size_t i = 0; i < sentences.size(); ++i) {
        const auto counted = ngram_.log_probabilities(sentences[i]);
        double sum = 0;
        for (size_t t = 0; t < counted.size(); ++t)
            sum += std::log(network_weight_ * std::exp(network[i][t]) + (1 - network_weight_) * std::exp(counted[t]));
        result.push_back(sum);
    }
    return result;
}

}  // namespace whynot::text
