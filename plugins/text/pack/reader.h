#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/networks/classifier.h"
#include "text/pieces/piece_reader.h"
#include "text/reading/ids.h"
#include "text/reading/tokenizer.h"
#include "text/reading/words.h"

namespace whynot::text {

/// A text as a classifier takes it: rows of its embedding, those of each word together.
struct PieceSentence {
    Ids before;              ///< what stands before the first word
    std::vector<Ids> words;  ///< of each word; none where a piece before it holds the word too
    Ids after;
    std::vector<size_t> open = {};  ///< of a text of which the generator says a part: the words of that, in their order; empty: all of them

    /// How many words the generator says, and which the one at a position is.
    size_t positions() const { return open.empty() ? words.size() : open.size(); }
    size_t word_at(size_t position) const { return open.empty() ? position : open[position]; }
    /// For each piece of `all`, the position of the word that it belongs to; -1 where the generator does not say that.
    std::vector<int64_t> positions_of_pieces() const;

    /// All of them in their order.
    Ids all() const;
};

/// A classifier, and how it reads. It takes the words of the generator beside it (the dissertation's way: both share a vocabulary), or it has a
/// reading of its own, whatever the generator says.
struct Reader {
    Classifier classifier;
    PieceSource source = {};                              ///< of `pieces`, as a pack stores it
    std::shared_ptr<const PieceReader> pieces = nullptr;  ///< undefined: it takes the words of its generator

    /// A text of which `words` are the words. Only where it has a reading of its own. @throws Error invalid_input as `PieceReader::pieces`
    PieceSentence read(const std::string& text, const std::vector<Word>& words) const;
    /// The pieces of a word that stands within a text.
    Ids read_word(const std::string& word) const;
};

/// Which word each piece belongs to: the first that ends behind the piece's beginning, spaces not counted; so a piece of two words is the
/// first one's. @returns for each piece an index into `words`
std::vector<size_t> words_of_pieces(const std::string& text, const std::vector<Piece>& pieces, const std::vector<Word>& words);

}  // namespace whynot::text
