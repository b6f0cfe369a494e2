#pragma once

#include <cstdint>
#include <vector>

#include "text/reading/corpus.h"

namespace whynot::text {

/// English sentences of two opinions of which one counts, made of the clauses of a corpus, for a classifier to learn from beside the corpus. Reviews
/// hold few of them, and nearly all of these are negative ("used to be good"), so that from reviews alone a classifier learns that any contrast is.
///
///     concession   "although the food was cold , we loved the place ."              the main clause counts
///     time         "in the past the food was cold , but now we love the place ."    what is now counts
///     report       "others say the food was cold , but i think we love the place ." what the writer thinks counts
///     denial       "i ca n't say , to be honest , that we loved the place ."        it is not so
///     question     "do i think we loved the place ? no ."                           what is answered counts
///
/// The clauses are short training sentences without a conjunction; the rules are a fixed list. Same seed, same sentences.
/// @param sentences of two classes, 0 negative and 1 positive @returns as many as `count`; none where there are no short sentences of both
std::vector<LabelledSentence> made_contrasts(const std::vector<LabelledSentence>& sentences, int64_t count, uint64_t seed);

}  // namespace whynot::text
