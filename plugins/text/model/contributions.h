#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "text/model/entrance.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// What each position of a sentence adds to the gap between fact and foil, and how much of that it gives up at the boundary.
struct Contributions {
    std::vector<double> before;    ///< [m], of the word itself
    std::vector<double> boundary;  ///< [m], of the generator's mixture of words at the boundary
    std::vector<double> falls;     ///< [m], before minus boundary
    double gap = 0;                ///< of the sentence
    at::Tensor word_gaps;          ///< [V], what each word of the generator adds; undefined where the classifier is not additive

    /// @param ids the generator's words of the sentence @param read how the classifier reads it @param at_boundary [m, V], logarithms of the
    /// mixtures
    Contributions(const Entrance& entrance, const Ids& ids, const PieceSentence& read, const at::Tensor& at_boundary, int64_t fact,
                  int64_t foil);
};

/// Whether a sentence gives the classifier little reason for what it says: less than a nat lies between the two classes, and no word adds as much.
bool gives_little_reason(const Contributions& contributions);

/// The words that gave up most of the gap, as bars. @param labels [m], what to call the positions; one that the model does not know, which is no
/// evidence, has none
std::string contribution_bars(const std::vector<std::string>& labels, const Contributions& contributions);

/// The numbers of a tensor.
std::vector<double> doubles(const at::Tensor& tensor);

}  // namespace whynot::text
