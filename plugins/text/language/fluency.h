#pragma once

#include <vector>

#include "text/language/masked_model.h"
#include "text/language/ngram.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// How natural a sentence is: the two language models mixed word by word, half and half,
///
///     log(weight p_network + (1 - weight) p_ngram)
///
/// Either alone has its blind spots: the n-gram model knows exactly which fixed phrases occur, the network knows what fits together over
/// a distance.
///
/// The models that a pack carries are trained on one half of the corpus; the yardstick of `whynot evaluate` is trained on the
/// other, so that answers are not judged by what chose them.
class FluencyModel {
public:
    FluencyModel(MaskedModel network, NGram ngram, double network_weight = 0.5);

    /// Log-probability of each sentence, <eos> included.
    std::vector<double> log_likelihood(const Sentences& sentences) const;
    /// The same word by word, <eos> last: m + 1 numbers a sentence of m words.
    std::vector<std::vector<double>> log_likelihoods(const Sentences& sentences) const;

    const MaskedModel& network() const { return network_; }
    const NGram& ngram() const { return ngram_; }

private:
    MaskedModel network_;
    NGram ngram_;
    double network_weight_;
};

}  // namespace whynot::text
