#pragma once

/// The candidates for one edit: which words could stand at a place, and what each of them would do to the cost J (answer.h).

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "text/answer/answer.h"
#include "text/language/masked_model.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// Log-probabilities of words between contexts of equally long sentences. All of one sentence are asked for first, then computed together:
/// those of a beam of sentences at a time would take tens of megabytes.
class Cloze {
public:
    Cloze(const MaskedModel& model, const Sentences& sentences);

    /// From here on `ask` means this sentence.
    void about(size_t sentence);
    /// The word between the words before `left` and those from `right` on.
    void ask(int64_t left, int64_t right);
    /// Computes what was asked.
    void answer();
    /// The log-probabilities [V] of what was asked and answered.
    const float* operator()(int64_t left, int64_t right) const;

private:
    const MaskedModel& model_;
    MaskedModelImpl::Contexts contexts_;
    int64_t gaps_ = 0, first_ = 0;
    std::map<std::pair<int64_t, int64_t>, int64_t> rows_;
    std::vector<int64_t> lefts_, rights_;
    at::Tensor answers_;
};

/// What one edit adds to a sentence's cost, and the gap that it leads to.
struct Step {
    double gap = 0;
    double language = 0;   ///< estimated F(y) - F(x)
    double generator = 0;  ///< weighted, as all that follows
    double likeness = 0;
    double edits = 0;
    double position = 0;
};

/// What one operation would do with each word of the vocabulary.
struct Field {
    /// One in which words of a `kind` (of the lexicon) are allowed, except those in `except`: neighbours, what stands there now.
    Field(const std::vector<char>& kind, const Ids& except);

    std::vector<char> allowed;
    std::vector<double> language, generator, likeness, gap;  ///< as in Step
    std::vector<double> opinion;     ///< what a second classifier would have against each word, weighted; may be empty
    double edits = 0, position = 0;  ///< the same for every word

    Step step(int64_t word) const;
    double score(size_t word, const AnswerWeights& weights) const;

    /// The `count` allowed words of the lowest score whose gap `accept`s, best first, ties by index.
    /// @param remaining_gap what a nat of gap that is left adds to the score
    template <class Accept>
    Ids best(const AnswerWeights& weights, int64_t count, Accept accept, double remaining_gap = 0) const;
};

/// The sentence with `removed` words at `position` replaced by others.
Ids spliced(const Ids& ids, size_t position, size_t removed, const Ids& inserted);

template <class Accept>
Ids Field::best(const AnswerWeights& weights, int64_t count, Accept accept, double remaining_gap) const {
    std::vector<std::pair<double, int64_t>> scored;
    for (size_t w = 0; w < allowed.size(); ++w)
        if (allowed[w] != 0 && accept(gap[w]))
            scored.emplace_back(score(w, weights) + remaining_gap * std::max(0.0, gap[w]), static_cast<int64_t>(w));
    const auto end = scored.begin() + std::min(count, static_cast<int64_t>(scored.size()));
    std::partial_sort(scored.begin(), end, scored.end());
    Ids words;
    for (auto i = scored.begin(); i != end; ++i) words.push_back(i->second);
    return words;
}

}  // namespace whynot::text
