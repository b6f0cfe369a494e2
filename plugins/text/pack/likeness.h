#pragma once

/// Is a sentence like those that a pack was made from? Two things tell: how many of its words the model does not know, and how little
/// they follow one another as they did there. Each is a number for each word, of which a sentence has few or many. Over m words the sum of what
/// exceeds the mean (`Usual`) grows like sqrt(m), so that a short sentence may exceed it by more:
///
///     excess = sum over the words (number - mean) / sqrt(m)

#include <string>
#include <vector>

#include "text/pack/generator.h"
#include "text/reading/ids.h"
#include "whynot/modality.h"

namespace whynot::text {

/// One sentence's figures, each over its words: how many are unknown, and the n-gram's surprise, -log p in nats, <eos> included.
struct Oddities {
    double words = 0, unknown = 0, surprise = 0;
};
Oddities oddities(const Generator& generator, const Ids& sentence);

/// What is usual of sentences that the n-grams have not counted: fills in `generator.usual_unknown` and `generator.usual_surprise`, so that a little
/// less than one in a hundred exceeds either. Too few sentences: they stay unmeasured.
void measure_usual(Generator& generator, const Sentences& sentences);

/// As `Batch::strangeness`, for one sentence.
Strangeness strangeness_of(const Generator& generator, const Ids& sentence);

}  // namespace whynot::text
