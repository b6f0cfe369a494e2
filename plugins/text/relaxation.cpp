#include "relaxation.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

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
        const at::Tensor g = gradients[0].contiguous();
        at::Tensor result = soft.new_empty({soft.size(0), matrix.size(1)});
        in_chunks(soft, [&](int64_t first, int64_t last) {
            // d logit_j = soft_j (g . V_j - g . expected)
            const at::Tensor part = g.slice(0, first, last);
            at::Tensor logits = at::mm(part, values.t());
            logits.sub_((part * expected.slice(0, first, last)).sum(1, true)).mul_(soft.slice(0, first, last));
            at::Tensor out = result.slice(0, first, last);
            at::mm_out(out, logits, matrix);
        });
        return {result, {}, {}, {}};
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

// What a choice of rows needs: their inputs cut to the longest, and the positions that count as indices into [b * T].
struct Relaxation::Selection {
    at::Tensor inputs;     // [b, T]
    at::Tensor positions;  // [P]
    at::Tensor owner;      // [P], which of the b rows a position belongs to
    at::Tensor targets;    // [P]
};

Relaxation::Relaxation(const Autoencoder& autoencoder, const Classifier& classifier, Sentences sentences)
    : autoencoder_(autoencoder), classifier_(classifier), sentences_(std::move(sentences)) {
    const at::NoGradGuard no_grad;
    values_ = classifier.additive() ? classifier.word_logits() : classifier.embedding;
    const auto batch = static_cast<int64_t>(sentences_.size());
    size_t longest = 0;
    for (const Ids& sentence : sentences_) longest = std::max(longest, sentence.size());
    inputs_ = at::full({batch, static_cast<int64_t>(longest) + 1}, pad_id, at::kLong);
    targets_ = at::full_like(inputs_, pad_id);
    lengths_ = at::empty({batch}, at::kLong);
    for (int64_t row = 0; row < batch; ++row) {
        const Ids& sentence = sentences_[row];
        auto* input = inputs_[row].data_ptr<int64_t>();
        input[0] = go_id;
        std::copy(sentence.begin(), sentence.end(), input + 1);
        auto* target = targets_[row].data_ptr<int64_t>();
        std::copy(sentence.begin(), sentence.end(), target);
        target[sentence.size()] = eos_id;
        lengths_[row] = static_cast<int64_t>(sentence.size());
    }
}

Relaxation::Selection Relaxation::select(const at::Tensor& rows, bool with_eos) const {
    const at::Tensor counted = lengths_.index_select(0, rows) + (with_eos ? 1 : 0);
    const int64_t longest = counted.max().item<int64_t>();
    const at::Tensor mask = at::arange(longest).unsqueeze(0) < counted.unsqueeze(1);
    const at::Tensor positions = mask.flatten().nonzero().squeeze(1);
    const auto there = [&](const at::Tensor& tensor) { return tensor.to(values_.device()); };
    Selection selection;
    selection.inputs = there(inputs_.index_select(0, rows).slice(1, 0, longest));
    selection.positions = there(positions);
    selection.owner = there(at::div(positions, longest, "floor"));
    selection.targets = there(targets_.index_select(0, rows).slice(1, 0, longest).flatten().index_select(0, positions));
    return selection;
}

at::Tensor Relaxation::features(const at::Tensor& z, const Selection& selection) const {
    return autoencoder_.features(z.to(values_.device()), selection.inputs).flatten(0, 1).index_select(0, selection.positions);
}

at::Tensor Relaxation::logits(const at::Tensor& z, const at::Tensor& rows) const {
    const Selection selection = select(rows, false);
    const at::Tensor words = SoftWords::apply(features(z, selection), autoencoder_.output_matrix(), autoencoder_.output_bias(), values_);
    if (classifier_.additive()) return classifier_.bias.expand({rows.size(0), -1}).index_add(0, selection.owner, words).cpu();
    const at::Tensor lengths = lengths_.index_select(0, rows), begins = lengths.cumsum(0) - lengths;
    std::vector<at::Tensor> parts, places;
    for (const at::Tensor& length : std::get<0>(at::_unique(lengths, true)).unbind()) {
        const int64_t m = length.item<int64_t>();
        places.push_back(lengths.eq(m).nonzero().squeeze(1));
        const at::Tensor positions = begins.index_select(0, places.back()).unsqueeze(1) + at::arange(m);
        parts.push_back(classifier_.logits(words.index_select(0, positions.flatten().to(words.device())).view({-1, m, words.size(1)})));
    }
    return at::cat(parts).cpu().index_select(0, at::cat(places).argsort());
}

InversionLoss Relaxation::likelihood(const at::Tensor& z, const at::Tensor& rows) const {
    const Selection selection = select(rows, true);
    const at::Tensor words =
        WordLoss::apply(features(z, selection), autoencoder_.output_matrix(), autoencoder_.output_bias(), selection.targets).cpu();
    const at::Tensor zero = at::zeros({rows.size(0)}), owner = selection.owner.cpu();
    const at::Tensor unsure = zero.index_add(0, owner, words.detach().gt(-std::log(sure)).to(at::kFloat));
    return {zero.index_add(0, owner, words), unsure.eq(0)};
}

at::Tensor Relaxation::log_distributions(const at::Tensor& z, int64_t row) const {
    const at::NoGradGuard no_grad;
    const Selection selection = select(at::full({z.size(0)}, row, at::kLong), false);
    const at::Tensor logits = at::linear(features(z, selection), autoencoder_.output_matrix(), autoencoder_.output_bias());
    return at::log_softmax(logits, 1).view({z.size(0), -1, logits.size(1)}).cpu();
}

}  // namespace whynot::text
