#include "text/model/relaxation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "whynot/error.h"

namespace whynot::text {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Positions are worked off some dozens at a time: their [n, V] intermediates stay in the cache, chunks go to several threads, and
// since a chunk is the same whatever their number, so are the results. A graphics card takes all at once.
constexpr int64_t chunk = 64;

// [n, columns], n at most a chunk, in memory of one size: what one evaluation has freed fits the next, or the heap breaks up and grows.
at::Tensor make_chunk(const at::Tensor& like, int64_t n, int64_t columns) {
    return like.new_empty({like.is_cpu() ? chunk : n, columns}).slice(0, 0, n);
}

std::vector<at::Tensor> make_chunks(const at::Tensor& features, int64_t columns) {
    const int64_t positions = features.size(0), size = features.is_cpu() ? chunk : positions;
    std::vector<at::Tensor> chunks;
    for (int64_t first = 0; first < positions; first += size)
        chunks.push_back(make_chunk(features, std::min(size, positions - first), columns));
    return chunks;
}

at::Tensor taken_from(variable_list& tensors) {
    at::Tensor last = tensors.back();
    tensors.pop_back();
    return last;
}

// f(chunk, first, last) for each, which has positions [first, last).
template <class F>
void for_each_chunk(std::vector<at::Tensor>& chunks, const F& f) {
    at::parallel_for(0, static_cast<int64_t>(chunks.size()), 1, [&](int64_t begin, int64_t end) {
        const at::NoGradGuard no_grad;  // the caller's does not reach other threads
        for (int64_t i = begin; i < end; ++i) {
            at::Tensor& part = chunks[static_cast<size_t>(i)];
            const int64_t first = i * chunks[0].size(0);  // all but the last are full
            f(part, first, first + part.size(0));
        }
    });
}

// softmax(f W' + b) of some positions f [n, F].
void soften(at::Tensor& soft, const at::Tensor& features, const at::Tensor& matrix, const at::Tensor& bias) {
    at::addmm_out(soft, bias, features, matrix.t());
    at::softmax_out(soft, soft, 1);
}

// softmax(f W' + b) V for many positions f [P, F], and behind its columns, where `own` [P] names a word for each position, that word's share.
// By hand, because the [P, V] intermediates are what everything costs: this keeps one of them where autograd would keep three, and its
// backward pass makes two more, a chunk at a time.
struct SoftWords : torch::autograd::Function<SoftWords> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& features, const at::Tensor& matrix, const at::Tensor& bias,
                              const at::Tensor& values, const at::Tensor& own) {
        std::vector<at::Tensor> chunks = make_chunks(features, matrix.size(0));
        const int64_t columns = values.size(1);
        const bool with_own = own.size(0) > 0;
        at::Tensor expected = features.new_empty({features.size(0), columns + (with_own ? 1 : 0)});
        for_each_chunk(chunks, [&](at::Tensor& soft, int64_t first, int64_t last) {
            soften(soft, features.slice(0, first, last), matrix, bias);
            at::Tensor out = expected.slice(0, first, last);
            if (!with_own) {
                at::mm_out(out, soft, values);
                return;
            }
            out.slice(1, 0, columns).copy_(at::mm(soft, values));
            out.slice(1, columns).copy_(soft.gather(1, own.slice(0, first, last).unsqueeze(1)));
        });
        chunks.insert(chunks.end(), {matrix, values, own, expected});
        context->save_for_backward(chunks);
        return expected;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        variable_list chunks = context->get_saved_variables();
        const at::Tensor expected = taken_from(chunks), own = taken_from(chunks), values = taken_from(chunks), matrix = taken_from(chunks);
        const int64_t columns = values.size(1);
        at::Tensor result = expected.new_zeros({expected.size(0), matrix.size(1)});
        for_each_chunk(chunks, [&](at::Tensor& soft, int64_t first, int64_t last) {
            // Sentences that ask for no gradient have zeros there: a third of the positions of a solve.
            const at::Tensor all = gradients[0].slice(0, first, last), asking = all.ne(0).any(1).nonzero().squeeze(1);
            if (asking.size(0) == 0) return;
            const auto of_those = [&](const at::Tensor& tensor) { return tensor.index_select(0, asking); };
            // d logit_j = soft_j (g . V_j - g . expected)
            const at::Tensor g = of_those(all);
            at::Tensor logits = make_chunk(soft, asking.size(0), soft.size(1)), weights = make_chunk(soft, asking.size(0), soft.size(1));
            if (own.size(0) == 0) {
                at::mm_out(logits, g, values.t());
            } else {
                at::mm_out(logits, g.slice(1, 0, columns), values.t());
                logits.scatter_add_(1, of_those(own.slice(0, first, last)).unsqueeze(1), g.slice(1, columns));
            }
            at::index_select_out(weights, soft, 0, asking);
            logits.sub_((g * of_those(expected.slice(0, first, last))).sum(1, true)).mul_(weights);
            result.slice(0, first, last).index_copy_(0, asking, at::mm(logits, matrix));
        });
        return {result, {}, {}, {}, {}};
    }
};

// -log softmax(f W' + b)[target] for many positions. By hand for the same reason.
struct WordLoss : torch::autograd::Function<WordLoss> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& features, const at::Tensor& matrix, const at::Tensor& bias,
                              const at::Tensor& targets) {
        const at::Tensor column = targets.unsqueeze(1);
        std::vector<at::Tensor> chunks = make_chunks(features, matrix.size(0));
        at::Tensor loss = features.new_empty(column.sizes());
        for_each_chunk(chunks, [&](at::Tensor& soft, int64_t first, int64_t last) {
            soften(soft, features.slice(0, first, last), matrix, bias);
            loss.slice(0, first, last).copy_(soft.gather(1, column.slice(0, first, last)).clamp_min_(1e-30).log_().neg_());
        });
        chunks.insert(chunks.end(), {matrix, column});
        context->save_for_backward(chunks);
        return loss.squeeze(1);
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        variable_list chunks = context->get_saved_variables();
        const at::Tensor column = taken_from(chunks), matrix = taken_from(chunks), g = gradients[0].unsqueeze(1);
        at::Tensor result = matrix.new_empty({column.size(0), matrix.size(1)});
        for_each_chunk(chunks, [&](at::Tensor& soft, int64_t first, int64_t last) {
            at::Tensor logits = make_chunk(soft, soft.size(0), soft.size(1));
            at::mul_out(logits, soft, g.slice(0, first, last));
            logits.scatter_add_(1, column.slice(0, first, last), -g.slice(0, first, last));
            at::Tensor out = result.slice(0, first, last);
            at::mm_out(out, logits, matrix);
        });
        return {result, {}, {}, {}};
    }
};

}  // namespace

Relaxation::Relaxation(const Autoencoder& autoencoder, const Entrance& entrance, Sentences sentences, std::vector<PieceSentence> read)
    : autoencoder_(autoencoder), entrance_(entrance), sentences_(std::move(sentences)), read_(std::move(read)), values_(entrance.words()) {
    const at::NoGradGuard no_grad;
    given_ = autoencoder.given_words(sentences_);
    Ids targets;
    for (size_t row = 0; row < sentences_.size(); ++row) {
        const Ids& sentence = sentences_[row];
        if (sentence.empty())
            throw Error(ErrorCode::invalid_argument, "relaxation: expected sentences of at least one word, found an empty one");
        if (entrance.shared() && read_.size() <= row) read_.push_back(Entrance::read_shared(sentence));
        if (read_.size() <= row || read_[row].words.size() != sentence.size())
            throw Error(ErrorCode::invalid_argument,
                        "relaxation: expected the pieces of each of the " + std::to_string(sentence.size()) + " words of a sentence");
        begins_.push_back(static_cast<int64_t>(targets.size()));
        targets.insert(targets.end(), sentence.begin(), sentence.end());
        targets.push_back(eos_id);
    }
    targets_ = at::tensor(targets, at::kLong).to(values_.device());
}

Packing Relaxation::pack(const at::Tensor& rows, bool with_eos) const {
    const at::Tensor which = rows.contiguous();
    const int64_t* const sentence = which.data_ptr<int64_t>();
    const auto positions_of = [&](int64_t row) {
        return static_cast<int64_t>(sentences_.at(static_cast<size_t>(sentence[row])).size()) + (with_eos ? 1 : 0);
    };
    if (rows.size(0) == 0) throw Error(ErrorCode::invalid_argument, "relaxation: expected at least one row, found none");
    Ids order(static_cast<size_t>(rows.size(0)));
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return positions_of(a) > positions_of(b); });
    Packing packing;
    Ids positions, owners;
    size_t count = order.size();
    for (int64_t t = 0;; ++t) {
        while (count > 0 && positions_of(order[count - 1]) <= t) --count;
        if (count == 0) break;
        packing.counts.push_back(static_cast<int64_t>(count));
        for (size_t i = 0; i < count; ++i) positions.push_back(begins_[sentence[order[i]]] + t);
        owners.insert(owners.end(), order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    }
    packing.positions = at::tensor(positions, at::kLong).to(values_.device());
    packing.rows = at::tensor(owners, at::kLong).to(values_.device());
    return packing;
}

at::Tensor Relaxation::features(const at::Tensor& z, const Packing& packing) const {
    return autoencoder_.features(z.to(values_.device()), given_, packing);
}

at::Tensor Relaxation::logits(const at::Tensor& z, const at::Tensor& rows) const {
    const Packing packing = pack(rows, false);
    const at::Tensor own = entrance_.shared() ? at::empty({0}, targets_.options()) : targets_.index_select(0, packing.positions);
    const at::Tensor soft = SoftWords::apply(features(z, packing), autoencoder_.output_matrix(), autoencoder_.output_bias(), values_, own);
    return (entrance_.shared() ? logits_of_words(soft, packing, rows.size(0)) : logits_of_pieces(soft, packing, rows)).cpu();
}

at::Tensor Relaxation::logits_of_words(const at::Tensor& soft, const Packing& packing, int64_t rows) const {
    const Classifier& classifier = entrance_.classifier();
    if (classifier.additive()) return classifier.bias.expand({rows, -1}).index_add(0, packing.rows, soft);
    // Sentences of one length m stand side by side: those that have m positions, but not m + 1.
    const std::vector<int64_t>& counts = packing.counts;
    const std::vector<at::Tensor> columns = soft.split_with_sizes(counts);
    std::vector<at::Tensor> parts, places;
    for (size_t m = counts.size(); m > 0; --m) {
        const int64_t first = m < counts.size() ? counts[m] : 0, last = counts[m - 1];
        if (first == last) continue;
        std::vector<at::Tensor> embedded;
        for (size_t t = 0; t < m; ++t) embedded.push_back(columns[t].slice(0, first, last));
        parts.push_back(classifier.logits(at::stack(embedded, 1)));
        places.push_back(packing.rows.slice(0, first, last));
    }
    return at::cat(parts).index_select(0, at::cat(places).argsort());
}

at::Tensor Relaxation::logits_of_pieces(const at::Tensor& soft, const Packing& packing, const at::Tensor& rows) const {
    const Classifier& classifier = entrance_.classifier();
    const at::Tensor places = rows.contiguous();
    const auto sentence = [&](int64_t i) { return static_cast<size_t>(places.data_ptr<int64_t>()[i]); };
    std::vector<std::vector<int64_t>> position(static_cast<size_t>(rows.size(0)));  // in the packing, of each word of each row
    const at::Tensor owners = packing.rows.cpu();
    for (int64_t p = 0; p < owners.size(0); ++p) position[static_cast<size_t>(owners.data_ptr<int64_t>()[p])].push_back(p);

    // The pieces of all rows one after another, and the position of each; what stands around the words has none, and is as it is.
    Ids pieces, from;
    std::map<size_t, std::vector<int64_t>> by_length;  // pieces in a sentence -> rows
    std::vector<int64_t> begins;
    for (int64_t i = 0; i < rows.size(0); ++i) {
        const PieceSentence& read = read_[sentence(i)];
        begins.push_back(static_cast<int64_t>(pieces.size()));
        const auto add = [&](const Ids& ids, int64_t p) {
            pieces.insert(pieces.end(), ids.begin(), ids.end());
            from.resize(pieces.size(), p);
        };
        add(read.before, -1);
        for (size_t t = 0; t < read.words.size(); ++t) add(read.words[t], position[static_cast<size_t>(i)][t]);
        add(read.after, -1);
        by_length[pieces.size() - static_cast<size_t>(begins.back())].push_back(i);
    }
    const auto index = [&](const Ids& ids) { return at::tensor(ids, at::kLong).to(values_.device()); };
    const at::Tensor at_position = index(from), own = entrance_.pieces().index_select(0, index(pieces));
    const at::Tensor stays = at_position.lt(0).unsqueeze(1), there = at_position.clamp_min(0);
    const int64_t columns = values_.size(1);
    const at::Tensor word = targets_.index_select(0, packing.positions.index_select(0, there));
    const at::Tensor moved = soft.index_select(0, there);  // [pieces, columns + 1]

    if (classifier.additive()) {  // a word adds all that its pieces add, wherever it stands
        const at::Tensor own_word = own.new_zeros({soft.size(0), columns}).index_add(0, there, own.masked_fill(stays, 0));
        const at::Tensor of_word = values_.index_select(0, targets_.index_select(0, packing.positions));
        const at::Tensor says = soft.slice(1, 0, columns) + soft.slice(1, columns) * (own_word - of_word);
        at::Tensor around = own.new_zeros({rows.size(0), columns});
        for (int64_t i = 0; i < rows.size(0); ++i) {
            const int64_t first = begins[static_cast<size_t>(i)];
            const int64_t last = i + 1 < rows.size(0) ? begins[static_cast<size_t>(i) + 1] : static_cast<int64_t>(pieces.size());
            around[i] = own.slice(0, first, last).masked_fill(stays.slice(0, first, last).logical_not(), 0).sum(0);
        }
        return (classifier.bias + around).index_add(0, packing.rows, says);
    }
    const at::Tensor mixed = moved.slice(1, 0, columns) + moved.slice(1, columns) * (own - values_.index_select(0, word));
    const at::Tensor embedded = at::where(stays, own, mixed);
    std::vector<at::Tensor> parts;
    Ids order;
    for (const auto& [length, which] : by_length) {
        Ids all;
        for (const int64_t i : which)
            for (size_t k = 0; k < length; ++k) all.push_back(begins[static_cast<size_t>(i)] + static_cast<int64_t>(k));
        parts.push_back(classifier.logits(
            embedded.index_select(0, index(all)).view({static_cast<int64_t>(which.size()), static_cast<int64_t>(length), columns})));
        order.insert(order.end(), which.begin(), which.end());
    }
    return at::cat(parts).index_select(0, index(order).argsort());
}

InversionLoss Relaxation::likelihood(const at::Tensor& z, const at::Tensor& rows) const {
    const Packing packing = pack(rows, true);
    const at::Tensor targets = targets_.index_select(0, packing.positions);
    const at::Tensor words = WordLoss::apply(features(z, packing), autoencoder_.output_matrix(), autoencoder_.output_bias(), targets).cpu();
    const at::Tensor zero = at::zeros({rows.size(0)}), owner = packing.rows.cpu();
    const at::Tensor unsure = zero.index_add(0, owner, words.detach().gt(-std::log(sure)).to(at::kFloat));
    return {zero.index_add(0, owner, words), unsure.eq(0)};
}

at::Tensor Relaxation::log_distributions(const at::Tensor& z, int64_t row) const {
    const at::NoGradGuard no_grad;
    const Packing packing = pack(at::full({z.size(0)}, row, at::kLong), false);
    const at::Tensor logits = at::linear(features(z, packing), autoencoder_.output_matrix(), autoencoder_.output_bias());
    return at::log_softmax(logits, 1).view({-1, z.size(0), logits.size(1)}).transpose(0, 1).contiguous().cpu();
}

}  // namespace whynot::text
