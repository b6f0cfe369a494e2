#include "relaxation.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace whynot::text {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Positions are worked off some dozens at a time: their [chunk, V] intermediates stay in the cache, chunks go to several threads, and
// since a chunk is the same whatever their number, so are the results.
constexpr int64_t chunk = 64;

template <class F>
void in_chunks(const at::Tensor& features, const F& f) {
    const int64_t positions = features.size(0);
    if (!features.is_cpu()) {  // a graphics card shares out the work itself
        const at::NoGradGuard no_grad;
        return f(0, positions);
    }
    at::parallel_for(0, (positions + chunk - 1) / chunk, 1, [&](int64_t begin, int64_t end) {
        const at::NoGradGuard no_grad;  // the caller's does not reach other threads
        for (int64_t i = begin; i < end; ++i) f(i * chunk, std::min(positions, (i + 1) * chunk));
    });
}

// softmax(f W' + b) of positions [first, last) into the same rows of `soft`, which are returned.
at::Tensor soften(at::Tensor& soft, const at::Tensor& features, const at::Tensor& matrix, const at::Tensor& bias, int64_t first,
                  int64_t last) {
    at::Tensor rows = soft.slice(0, first, last);
    at::addmm_out(rows, bias, features.slice(0, first, last), matrix.t());
    at::softmax_out(rows, rows, 1);
    return rows;
}

// softmax(f W' + b) V for many positions f [P, F]. By hand, because the [P, V] intermediates are what everything costs: this
// keeps one of them where autograd would keep three, and its backward pass makes one more, a chunk at a time.
struct SoftWords : torch::autograd::Function<SoftWords> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& features, const at::Tensor& matrix, const at::Tensor& bias,
                              const at::Tensor& values) {
        at::Tensor soft = features.new_empty({features.size(0), matrix.size(0)}),
                   expected = features.new_empty({features.size(0), values.size(1)});
        in_chunks(features, [&](int64_t first, int64_t last) {
            at::Tensor out = expected.slice(0, first, last);
            at::mm_out(out, soften(soft, features, matrix, bias, first, last), values);
        });
        context->save_for_backward({soft, matrix, values, expected});
        return expected;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &soft = saved[0], &matrix = saved[1], &values = saved[2], &expected = saved[3];
        // Sentences that ask for no gradient have zeros there: a third of the positions of a solve.
        const at::Tensor asking = gradients[0].ne(0).any(1).nonzero().squeeze(1);
        const at::Tensor g = gradients[0].index_select(0, asking), base = (g * expected.index_select(0, asking)).sum(1, true);
        at::Tensor part = soft.new_empty({asking.size(0), matrix.size(1)});
        in_chunks(part, [&](int64_t first, int64_t last) {
            // d logit_j = soft_j (g . V_j - g . expected)
            at::Tensor logits = at::mm(g.slice(0, first, last), values.t());
            logits.sub_(base.slice(0, first, last)).mul_(soft.index_select(0, asking.slice(0, first, last)));
            at::Tensor out = part.slice(0, first, last);
            at::mm_out(out, logits, matrix);
        });
        return {soft.new_zeros({soft.size(0), matrix.size(1)}).index_copy_(0, asking, part), {}, {}, {}};
    }
};

// -log softmax(f W' + b)[target] for many positions. By hand for the same reason.
struct WordLoss : torch::autograd::Function<WordLoss> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& features, const at::Tensor& matrix, const at::Tensor& bias,
                              const at::Tensor& targets) {
        at::Tensor soft = features.new_empty({features.size(0), matrix.size(0)});
        in_chunks(features, [&](int64_t first, int64_t last) { soften(soft, features, matrix, bias, first, last); });
        const at::Tensor column = targets.unsqueeze(1);
        context->save_for_backward({soft, matrix, column});
        return soft.gather(1, column).squeeze(1).clamp_min(1e-30).log().neg();
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &soft = saved[0], &matrix = saved[1], &column = saved[2];
        const at::Tensor g = gradients[0].unsqueeze(1);
        at::Tensor result = soft.new_empty({soft.size(0), matrix.size(1)});
        in_chunks(soft, [&](int64_t first, int64_t last) {
            at::Tensor logits = soft.slice(0, first, last) * g.slice(0, first, last);
            logits.scatter_add_(1, column.slice(0, first, last), -g.slice(0, first, last));
            at::Tensor out = result.slice(0, first, last);
            at::mm_out(out, logits, matrix);
        });
        return {result, {}, {}, {}};
    }
};

}  // namespace

Relaxation::Relaxation(const Autoencoder& autoencoder, const Classifier& classifier, Sentences sentences)
    : autoencoder_(autoencoder), classifier_(classifier), sentences_(std::move(sentences)) {
    const at::NoGradGuard no_grad;
    values_ = classifier.additive() ? classifier.word_logits() : classifier.embedding;
    given_ = autoencoder.give(sentences_);
    Ids targets;
    for (const Ids& sentence : sentences_) {
        begins_.push_back(static_cast<int64_t>(targets.size()));
        targets.insert(targets.end(), sentence.begin(), sentence.end());
        targets.push_back(eos_id);
    }
    targets_ = at::tensor(targets, at::kLong).to(values_.device());
}

Packing Relaxation::pack(const at::Tensor& rows, bool with_eos) const {
    const at::Tensor which = rows.contiguous();
    const int64_t* const sentence = which.data_ptr<int64_t>();
    const auto positions_of = [&](int64_t row) { return static_cast<int64_t>(sentences_[sentence[row]].size()) + (with_eos ? 1 : 0); };
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
    const at::Tensor words = SoftWords::apply(features(z, packing), autoencoder_.output_matrix(), autoencoder_.output_bias(), values_);
    if (classifier_.additive()) return classifier_.bias.expand({rows.size(0), -1}).index_add(0, packing.rows, words).cpu();
    // Sentences of one length m stand side by side: those that have m positions, but not m + 1.
    const std::vector<int64_t>& counts = packing.counts;
    const std::vector<at::Tensor> columns = words.split_with_sizes(counts);
    std::vector<at::Tensor> parts, places;
    for (size_t m = counts.size(); m > 0; --m) {
        const int64_t first = m < counts.size() ? counts[m] : 0, last = counts[m - 1];
        if (first == last) continue;
        std::vector<at::Tensor> embedded;
        for (size_t t = 0; t < m; ++t) embedded.push_back(columns[t].slice(0, first, last));
        parts.push_back(classifier_.logits(at::stack(embedded, 1)));
        places.push_back(packing.rows.slice(0, first, last));
    }
    return at::cat(parts).index_select(0, at::cat(places).argsort()).cpu();
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
