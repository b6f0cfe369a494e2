#include "text/model/contributions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace whynot::text {

std::vector<double> doubles(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

Contributions::Contributions(const Entrance& entrance, const Ids& ids, const PieceSentence& read, const at::Tensor& at_boundary,
                             int64_t fact, int64_t foil) {
    const at::NoGradGuard no_grad;
    const Classifier& classifier = entrance.classifier();
    const auto gap_of = [&](const at::Tensor& logits) { return logits.select(-1, fact) - logits.select(-1, foil); };
    const auto positions = static_cast<int64_t>(ids.size());
    // Its pieces [n, ...], and which word each belongs to, [m, n].
    const at::Tensor own = entrance.pieces().index_select(0, at::tensor(read.all(), at::kLong));
    at::Tensor belongs = at::zeros({positions, own.size(0)});
    int64_t place = 0;
    for (const int64_t t : read.positions_of_pieces()) {
        if (t >= 0) belongs[t][place] = 1;
        ++place;
    }
    // The mixture at the boundary, as entrance.h has it.
    const at::Tensor word = at::tensor(ids, at::kLong), shares = at_boundary.exp();
    const at::Tensor mean = at::mm(shares, entrance.words()), share = shares.gather(1, word.unsqueeze(1));
    const at::Tensor of_word = entrance.words().index_select(0, word);
    if (classifier.additive()) {
        const at::Tensor own_words = at::mm(belongs, own), mixed = mean + share * (own_words - of_word);
        word_gaps = gap_of(entrance.words()).contiguous();
        before = doubles(gap_of(own_words));
        boundary = doubles(gap_of(mixed));
        gap = gap_of(own.sum(0) + classifier.bias).item<double>();
    } else {
        // In the sentence as it stands, what the word at a position changes against nothing there (rows of zeros), and what the mixture does.
        const at::Tensor there = at::mm(belongs.t(), mean) + at::mm(belongs.t(), share) * (own - at::mm(belongs.t(), of_word));  // [n, e]
        const at::Tensor here = belongs.unsqueeze(2), without = own * (1 - here);  // [m, n, e]: position t gone in row t
        const at::Tensor gaps = gap_of(classifier.logits(at::cat({own.unsqueeze(0), without, without + there * here})));
        const at::Tensor gone = gaps.slice(0, 1, positions + 1);
        before = doubles(gaps[0] - gone);
        boundary = doubles(gaps.slice(0, positions + 1) - gone);
        gap = gaps[0].item<double>();
    }
    falls = before;
    for (size_t t = 0; t < falls.size(); ++t) falls[t] -= boundary[t];
}

bool gives_little_reason(const Contributions& contributions) {
    constexpr double little = 1;
    const std::vector<double>& before = contributions.before;
    return contributions.gap < little && std::none_of(before.begin(), before.end(), [&](double nats) { return nats >= little; });
}

std::string contribution_bars(const std::vector<std::string>& words, const Contributions& contributions) {
    const std::vector<double>& falls = contributions.falls;
    const double gap = contributions.gap;
    std::vector<size_t> order;
    for (size_t t = 0; t < words.size(); ++t)
        if (!words[t].empty()) order.push_back(t);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return falls[a] > falls[b]; });
    size_t shown = 0, max_width = 0;  // what would be shown as 0.0 is not
    while (shown < std::min<size_t>(3, order.size()) && falls[order[shown]] >= std::max(0.1 * falls[order[0]], 0.05))
        max_width = std::max(max_width, words[order[shown++]].size());
    const char* const little = "\nno word of it gives the model much reason for either: what is shown says little\n";
    std::string lines = gives_little_reason(contributions) ? little : "";
    if (shown == 0) return lines;
    lines += "\nwhat gave way, of " + base::fixed(gap, 1) + " nats between the two:\n";
    for (size_t i = 0; i < shown; ++i) {
        const std::string& word = words[order[i]];
        const double fall = falls[order[i]];
        const std::string number = base::fixed(fall, 1);
        lines += "  " + word + std::string(max_width - word.size() + 5 - std::min<size_t>(5, number.size()), ' ') + number + "  ";
        for (int bar = 0; bar < std::lround(24 * std::min(1.0, fall / std::max(gap, falls[order[0]]))); ++bar) lines += "▇";
        lines += "\n";
    }
    return lines;
}

}  // namespace whynot::text
