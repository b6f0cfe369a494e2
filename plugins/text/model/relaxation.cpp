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

Relaxation::Relaxation(const Autoencoder& autoencoder, const Entrance& entrance, Sentences sentences, std::vector<PieceSentence> read,
                       std::vector<std::vector<size_t>> lengths)
    : autoencoder_(autoencoder),
      entrance_(entrance),
      sentences_(std::move(sentences)),
      read_(std::move(read)),
      lengths_(std::move(lengths)),
      values_(entrance.words()) {
    const at::NoGradGuard no_grad;
    plain_ = entrance.shared();
    Sentences said;
    Ids targets;
    for (size_t row = 0; row < sentences_.size(); ++row) {
        const Ids& sentence = sentences_[row];
        if (sentence.empty())
            throw Error(ErrorCode::invalid_argument, "relaxation: expected sentences of at least one word, found an empty one");
        if (entrance.shared() && read_.size() <= row) read_.push_back(Entrance::read_shared(sentence));
        if (lengths_.size() <= row) lengths_.push_back({sentence.size()});
        if (read_.size() <= row || read_[row].positions() != sentence.size() ||
            std::accumulate(lengths_[row].begin(), lengths_[row].end(), size_t{0}) != sentence.size())
            throw Error(ErrorCode::invalid_argument,
                        "relaxation: expected the pieces of each of the " + std::to_string(sentence.size()) + " words of a sentence");
        plain_ = plain_ && lengths_[row].size() == 1 && read_[row].open.empty();
        codes_ = std::max(codes_, static_cast<int64_t>(lengths_[row].size()));
        auto begin = sentence.begin();
        begins_.emplace_back();
        for (const size_t length : lengths_[row]) {
            const auto end = begin + static_cast<std::ptrdiff_t>(length);
            begins_.back().push_back(static_cast<int64_t>(targets.size()));
            targets.insert(targets.end(), begin, end);
            targets.push_back(eos_id);
            said.emplace_back(begin, end);
            begin = end;
        }
    }
    given_ = autoencoder.given_words(said);
    targets_ = at::tensor(targets, at::kLong).to(values_.device());
}

at::Tensor Relaxation::index(const Ids& ids) const { return at::tensor(ids, at::kLong).to(values_.device()); }

at::Tensor Relaxation::encode(const Sentences& sentences, const std::vector<int64_t>& rows) const {
    Sentences all;
    Ids places;
    for (size_t i = 0; i < rows.size(); ++i) {
        auto begin = sentences[i].begin();
        const std::vector<size_t>& lengths = lengths_[static_cast<size_t>(rows[i])];
        for (size_t j = 0; j < lengths.size(); ++j) {
            const auto end = begin + static_cast<std::ptrdiff_t>(lengths[j]);
            all.emplace_back(begin, end);
            places.push_back(static_cast<int64_t>(i) * codes_ + static_cast<int64_t>(j));
            begin = end;
        }
    }
    const at::Tensor codes = autoencoder_.encode(all).cpu();
    const at::Tensor z = at::zeros({static_cast<int64_t>(rows.size()) * codes_, codes.size(1)});
    return z.index_copy(0, at::tensor(places, at::kLong), codes).view({static_cast<int64_t>(rows.size()), -1});
}

Sentences Relaxation::greedy(const at::Tensor& z, const std::vector<int64_t>& rows, int64_t more) const {
    Sentences said;
    for (size_t i = 0; i < rows.size(); ++i) {
        const at::Tensor codes = z[static_cast<int64_t>(i)].view({codes_, -1});
        said.emplace_back();
        int64_t j = 0;
        for (const size_t length : lengths_[static_cast<size_t>(rows[i])]) {
            const Ids one = autoencoder_.greedy(codes.slice(0, j, j + 1), static_cast<int64_t>(length) + more)[0];
            said.back().insert(said.back().end(), one.begin(), one.end());
            ++j;
        }
    }
    return said;
}

Relaxation::Packed Relaxation::pack(const at::Tensor& rows, bool with_eos) const {
    const at::Tensor which = rows.contiguous();
    if (rows.size(0) == 0) throw Error(ErrorCode::invalid_argument, "relaxation: expected at least one row, found none");
    struct Part {
        int64_t row, code, begin, place, count;
    };
    std::vector<Part> parts;
    for (int64_t i = 0; i < rows.size(0); ++i) {
        const auto row = static_cast<size_t>(which.data_ptr<int64_t>()[i]);
        const std::vector<size_t>& lengths = lengths_.at(row);
        int64_t place = 0;
        for (size_t j = 0; j < lengths.size(); ++j) {
            const auto length = static_cast<int64_t>(lengths[j]);
            parts.push_back({i, i * codes_ + static_cast<int64_t>(j), begins_[row][j], place, length + (with_eos ? 1 : 0)});
            place += length;
        }
    }
    std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.count > b.count; });
    Packed packed;
    Ids positions, codes;
    size_t count = parts.size();
    for (int64_t t = 0;; ++t) {
        while (count > 0 && parts[count - 1].count <= t) --count;
        if (count == 0) break;
        packed.packing.counts.push_back(static_cast<int64_t>(count));
        for (size_t i = 0; i < count; ++i) {
            positions.push_back(parts[i].begin + t);
            codes.push_back(parts[i].code);
            packed.rows.push_back(parts[i].row);
            packed.places.push_back(parts[i].place + t);
        }
    }
    packed.packing.positions = index(positions);
    packed.packing.rows = index(codes);
    return packed;
}

at::Tensor Relaxation::features(const at::Tensor& z, const Packing& packing) const {
    return autoencoder_.features(z.reshape({z.size(0) * codes_, -1}).to(values_.device()), given_, packing);
}

at::Tensor Relaxation::logits(const at::Tensor& z, const at::Tensor& rows) const {
    const Packed packed = pack(rows, false);
    const Packing& packing = packed.packing;
    const at::Tensor own = plain_ ? at::empty({0}, targets_.options()) : targets_.index_select(0, packing.positions);
    const at::Tensor soft = SoftWords::apply(features(z, packing), autoencoder_.output_matrix(), autoencoder_.output_bias(), values_, own);
    return (plain_ ? logits_of_words(soft, packing, rows.size(0)) : logits_of_pieces(soft, packed, rows)).cpu();
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

at::Tensor Relaxation::logits_of_pieces(const at::Tensor& soft, const Packed& packed, const at::Tensor& rows) const {
    const Classifier& classifier = entrance_.classifier();
    const at::Tensor which = rows.contiguous();
    const int64_t count = rows.size(0), columns = values_.size(1);
    std::vector<Ids> position(static_cast<size_t>(count));  // in the packing, of each word that is said in each row
    for (size_t p = 0; p < packed.rows.size(); ++p) {
        Ids& of_row = position[static_cast<size_t>(packed.rows[p])];
        of_row.resize(std::max(of_row.size(), static_cast<size_t>(packed.places[p]) + 1));
        of_row[static_cast<size_t>(packed.places[p])] = static_cast<int64_t>(p);
    }
    // The pieces of all rows one after another, and the position of each; what is not said has none, and is as it is.
    Ids pieces, from, owners;
    std::map<int64_t, Ids> by_length;  // pieces in a text -> its rows
    Ids begins;
    for (int64_t i = 0; i < count; ++i) {
        const PieceSentence& read = read_[static_cast<size_t>(which.data_ptr<int64_t>()[i])];
        const Ids all = read.all();
        begins.push_back(static_cast<int64_t>(pieces.size()));
        by_length[static_cast<int64_t>(all.size())].push_back(i);
        pieces.insert(pieces.end(), all.begin(), all.end());
        for (const int64_t t : read.positions_of_pieces())
            from.push_back(t < 0 ? -1 : position[static_cast<size_t>(i)][static_cast<size_t>(t)]);
        owners.resize(pieces.size(), i);
    }
    const at::Tensor at_position = index(from), own = entrance_.pieces().index_select(0, index(pieces));
    const at::Tensor stays = at_position.lt(0).unsqueeze(1), there = at_position.clamp_min(0);
    const at::Tensor of_word = values_.index_select(0, targets_.index_select(0, packed.packing.positions));  // at each position
    if (classifier.additive()) {  // a word adds all that its pieces add, wherever it stands
        const at::Tensor own_words = at::zeros_like(of_word).index_add(0, there, own.masked_fill(stays, 0));
        const at::Tensor says = soft.slice(1, 0, columns) + soft.slice(1, columns) * (own_words - of_word);
        const at::Tensor around = own.new_zeros({count, columns}).index_add(0, index(owners), own.masked_fill(stays.logical_not(), 0));
        return (classifier.bias + around).index_add(0, index(packed.rows), says);
    }
    const at::Tensor moved = soft.index_select(0, there);  // [pieces, columns + 1]
    const at::Tensor mixed = moved.slice(1, 0, columns) + moved.slice(1, columns) * (own - of_word.index_select(0, there));
    const at::Tensor embedded = at::where(stays, own, mixed);
    std::vector<at::Tensor> parts;
    Ids order;
    for (const auto& [length, of_length] : by_length) {
        std::vector<at::Tensor> texts;
        for (const int64_t i : of_length) {
            const int64_t begin = begins[static_cast<size_t>(i)];
            texts.push_back(embedded.slice(0, begin, begin + length));
        }
        parts.push_back(classifier.logits(at::stack(texts)));
        order.insert(order.end(), of_length.begin(), of_length.end());
    }
    return at::cat(parts).index_select(0, index(order).argsort());
}

InversionLoss Relaxation::likelihood(const at::Tensor& z, const at::Tensor& rows) const {
    const Packed packed = pack(rows, true);
    const at::Tensor targets = targets_.index_select(0, packed.packing.positions);
    const at::Tensor words =
        WordLoss::apply(features(z, packed.packing), autoencoder_.output_matrix(), autoencoder_.output_bias(), targets).cpu();
    const at::Tensor zero = at::zeros({rows.size(0)}), owner = at::tensor(packed.rows, at::kLong);
    const at::Tensor unsure = zero.index_add(0, owner, words.detach().gt(-std::log(sure)).to(at::kFloat));
    return {zero.index_add(0, owner, words), unsure.eq(0)};
}

at::Tensor Relaxation::log_distributions(const at::Tensor& z, int64_t row) const {
    const at::NoGradGuard no_grad;
    const Packed packed = pack(at::full({z.size(0)}, row, at::kLong), false);
    const at::Tensor logits = at::linear(features(z, packed.packing), autoencoder_.output_matrix(), autoencoder_.output_bias());
    const auto words = static_cast<int64_t>(sentences_[static_cast<size_t>(row)].size());
    const at::Tensor order = (at::tensor(packed.rows, at::kLong) * words + at::tensor(packed.places, at::kLong)).argsort();
    return at::log_softmax(logits, 1).cpu().index_select(0, order).view({z.size(0), words, -1});
}

}  // namespace whynot::text
