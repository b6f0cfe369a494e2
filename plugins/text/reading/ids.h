#pragma once

#include <cstdint>
#include <vector>

namespace whynot::text {

/// A sentence as the networks see it: indices into the vocabulary.
using Ids = std::vector<int64_t>;
using Sentences = std::vector<Ids>;

/// The first four entries of every vocabulary.
constexpr int64_t pad_id = 0;  ///< stands for nothing
constexpr int64_t go_id = 1;   ///< stands before the first word
constexpr int64_t eos_id = 2;  ///< stands after the last word
constexpr int64_t unk_id = 3;  ///< a word that the vocabulary does not have
constexpr int64_t first_word_id = 4;

}  // namespace whynot::text
