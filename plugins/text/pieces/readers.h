#pragma once

/// The kinds of readers (piece_reader.h), each from what its files say.

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/pieces/piece_reader.h"

namespace whynot::text {

/// Pieces and their ids.
class Vocabulary {
public:
    /// @throws Error invalid_input naming `origin`: an id that two pieces have, or one that no embedding could
    void add(const std::string& piece, int64_t id, const std::string& origin);

    int64_t size() const { return static_cast<int64_t>(spellings_.size()); }
    std::string spelling(int64_t id) const;
    std::optional<int64_t> id_of(const std::string& piece) const;
    bool has(const std::string& piece) const { return ids_.count(piece) != 0; }
    const std::unordered_map<std::string, int64_t>& ids() const { return ids_; }

private:
    std::unordered_map<std::string, int64_t> ids_;
    std::vector<std::string> spellings_;
};

/// What becomes of a text before its words are cut in pieces, as BERT has it.
struct WordPieceOptions {
    bool clean = true;          ///< controls go
    bool apart_chinese = true;  ///< each character of Chinese is a word
    bool lower_case = true;
    bool strip_accents = true;
    std::string unknown = "[UNK]";
    std::string continuing = "##";  ///< before pieces that do not begin a word
    int64_t longest = 100;          ///< characters of a word; a longer one is unknown
};
std::shared_ptr<PieceReader> make_word_pieces(Vocabulary vocabulary, WordPieceOptions options, const std::string& origin);

using Merges = std::vector<std::pair<std::string, std::string>>;  ///< the first is made first
struct BytePairOptions {
    bool prefix_space = false;  ///< a text begins with a space
    std::string unknown;        ///< of a byte that the vocabulary lacks; empty: it is passed over
};
std::shared_ptr<PieceReader> make_byte_pairs(Vocabulary vocabulary, const Merges& merges, BytePairOptions options,
                                             const std::string& origin);

std::shared_ptr<PieceReader> make_sentence_pieces(const std::string& model, const std::string& origin);

/// SentencePiece's model of likely pieces (Kudo 2018, arXiv:1804.10959), as tokenizer.json tells of it; pieces begin words with U+2581.
struct Unigram {
    std::vector<std::pair<std::string, double>> pieces;  ///< in the order of their ids, with log-probabilities
    size_t unknown = 0;                                  ///< the id of the piece for what has none
    std::vector<char> special;                           ///< of each piece: whether it stands for no text
    bool bytes = false;                                  ///< what has no piece is read byte by byte, as pieces <0x00> to <0xFF>
    std::string characters;                              ///< SentencePiece's table of what characters become; empty: what they are
    bool word_begins = true;                             ///< a text begins as if a space were before it
    bool drop_spaces = true;                             ///< around a text and after another space
};
std::shared_ptr<PieceReader> make_unigram(const Unigram& unigram, const std::string& origin);

/// @param model as `train_tokenizer` makes it, of kind `word`
std::shared_ptr<PieceReader> make_own_words(const std::string& model, const std::string& origin);

/// Hugging Face's tokenizer.json; sets `before`, `after` and `whole`.
std::shared_ptr<PieceReader> make_from_tokenizer_json(const std::string& bytes, const std::string& origin);

/// The vocabulary of a vocab.json, {"piece": id, ...}, and the merges of a merges.txt, two pieces a line.
Vocabulary vocabulary_of_json(const std::string& bytes, const std::string& origin);
Merges merges_of_text(const std::string& bytes, const std::string& origin);

/// "<origin>: <sentence>".
[[noreturn]] void refuse_tokenizer(const std::string& origin, const std::string& sentence);

}  // namespace whynot::text
