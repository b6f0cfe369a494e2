#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/english/english.h"

namespace whynot::text {

/// What each entry of a vocabulary is, and whether an edit may put it into a sentence.
struct Lexicon {
    std::vector<char> word;         ///< may be put where a word is
    std::vector<char> mark;         ///< may be put where punctuation is: . ! ? ,
    std::vector<char> punctuation;  ///< is punctuation: neither letter nor digit in it
    std::vector<char> number;       ///< stands for a number: `_num_`

    English english;  ///< of the same vocabulary
};

/// Words are made of letters, digits, apostrophes and hyphens (no "good." that the corpus glued together, no placeholder such as
/// "_num_", which no reader could fill) and occur often enough for the models to know them. @param counts how often, one an entry
Lexicon make_lexicon(const std::vector<std::string>& vocabulary, const std::vector<int64_t>& counts, int64_t min_count = 10);

/// Whether there is a letter or a digit in a word: otherwise it is punctuation.
bool is_spoken(const std::string& word);

}  // namespace whynot::text
