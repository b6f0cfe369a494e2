#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "text/reading/words.h"

namespace whynot::text {

/// Words [first, last) of a text.
using WordRange = std::pair<size_t, size_t>;

/// A text cut behind its sentences, that is behind `.`, `!`, `?`, `...` and the marks that close quotes and brackets after them, and at the ends of its
/// paragraphs; a sentence of more words than `longest` is cut behind a comma where it has one near enough, else where it has to be.
std::vector<WordRange> cut_sentences(const std::string& text, const std::vector<Word>& words, size_t longest);

}  // namespace whynot::text
