#pragma once

#include <string>
#include <vector>

#include "text/answer/answer.h"
#include "text/reading/tokenizer.h"
#include "text/reading/words.h"

namespace whynot::text {

/// The cheapest way from one list of words to another (Levenshtein), in edits of single words.
std::vector<WordEdit> difference(const std::vector<std::string>& from, const std::vector<std::string>& to);

/// Edits of pieces as edits of words.
std::vector<WordEdit> word_edits(const Tokenizer& tokenizer, const std::vector<std::string>& words, const Answer& answer);

}  // namespace whynot::text
