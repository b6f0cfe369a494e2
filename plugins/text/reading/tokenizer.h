#pragma once

/// From words to the indices that the networks take, by a SentencePiece model, and back.
///
///     const std::string model = train_tokenizer({TokenizerKind::word}, sentences.size(), [&](size_t i) { return &sentences[i]; });
///     const Tokenizer tokenizer(TokenizerKind::word, model);
///     tokenizer.encode({"the", "food", "was", "zorky"}).ids;  // {9, 17, 11, 3}: one a word, 3 for an unknown one
///
/// Every vocabulary begins with `<pad>` 0, `<go>` 1, `<eos>` 2, `<unk>` 3 (ids.h).
///
/// Threads: a Tokenizer is immutable and may be shared; training is single-threaded, so that the same sentences give the
/// same bytes.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace whynot::text {

/// How words become pieces.
enum class TokenizerKind {
    word,     ///< a word is a piece, as in the dissertation; words that are not in the vocabulary are `<unk>`
    unigram,  ///< pieces of words, Kudo 2018, arXiv:1804.10959
    bpe,      ///< pieces of words, Sennrich et al. 2016, arXiv:1508.07909
};

/// "word", "unigram", "bpe", as packs write them.
const char* to_string(TokenizerKind kind) noexcept;

/// @throws Error invalid_argument for another name
TokenizerKind tokenizer_kind(const std::string& name);

struct TokenizerOptions {
    TokenizerKind kind = TokenizerKind::word;
    /// `word`: the vocabulary is exactly the words that occur this often in the sentences.
    int64_t min_count = 3;
    /// `unigram`, `bpe`: size of the vocabulary, special pieces included; fewer where the sentences do not yield as many.
    int64_t vocabulary = 8000;
};

/// Trains a model and returns its bytes, a SentencePiece model file. The pieces of `word` are sorted by falling count, equal
/// counts by their bytes.
/// @param sentence gives the words of sentence i, 0 <= i < count, as often as it is asked; the pointer is used at once
/// @throws Error invalid_argument for options out of range, invalid_input when there is nothing to learn from
std::string train_tokenizer(const TokenizerOptions& options, size_t count,
                            const std::function<const std::vector<std::string>*(size_t)>& sentence);

/// The pieces of a list of words.
struct Pieces {
    std::vector<int64_t> ids;
    std::vector<int64_t> word;  ///< for each piece, the index of the word that it belongs to: 0, 1, ... for `word` models
};

/// A SentencePiece model.
class Tokenizer {
public:
    /// @param model the bytes of a model that `train_tokenizer` made
    /// @throws Error bad_pack when they are no such model, or one of another kind
    Tokenizer(TokenizerKind kind, std::string_view model);
    ~Tokenizer();
    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;

    TokenizerKind kind() const { return kind_; }

    /// Number of pieces, the four special ones included: the networks' V.
    int64_t size() const;

    /// Pieces of words; exactly one a word for `word` models. Special pieces have no spelling: the word "<eos>" is unknown.
    Pieces encode(const std::vector<std::string>& words) const;

    /// The words that pieces spell. `<pad>`, `<go>` and `<eos>` are left out, `<unk>` stays.
    /// For `word` models decoding an encoding of known words gives them back; so it does for the other kinds.
    /// @throws Error invalid_argument for an id outside [0, size())
    std::vector<std::string> decode(const std::vector<int64_t>& ids) const;

    /// What a piece spells, without SentencePiece's mark for the start of a word.
    /// @throws Error invalid_argument for an id outside [0, size())
    std::string piece(int64_t id) const;
    /// All of them, by their ids.
    std::vector<std::string> pieces() const;

    /// Whether a piece starts a word: true of every piece of a `word` model save the special ones.
    bool starts_word(int64_t id) const;

    /// The id of a word that is one piece, `unk_id` of any other.
    int64_t id_of(const std::string& word) const;

    /// Whether the model can tell this word from all others: no piece of it is `<unk>`.
    bool is_known(const std::string& word) const;

private:
    struct Model;
    TokenizerKind kind_;
    std::unique_ptr<Model> model_;
};

}  // namespace whynot::text
