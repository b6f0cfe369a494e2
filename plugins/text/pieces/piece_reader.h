#pragma once

/// How a classifier that was brought along reads a text: as pieces of words, each a row of its embedding. Four ways are known:
///
///     sentencepiece   a `.model` of SentencePiece (Kudo & Richardson 2018, arXiv:1808.06226)
///     wordpiece       `vocab.txt`, as BERT (Devlin et al. 2019, arXiv:1810.04805)
///     byte-pairs      `vocab.json` and `merges.txt`, as GPT-2 and RoBERTa (Sennrich et al. 2016, arXiv:1508.07909, over bytes)
///     words           whole words, split as words.h does; a SentencePiece model of ours
///
/// and `tokenizer.json`, as Hugging Face writes it, where it holds a WordPiece, a byte-level BPE or a Unigram.
///
///     PieceSource source = find_tokenizer("bert/vocab.txt");
///     const std::shared_ptr<const PieceReader> reader = make_piece_reader(source);
///     for (const Piece& piece : reader->pieces("unaffable, really"))
///         use(reader->spelling(piece.id), piece.begin, piece.end);   // una 0 3, ##ffa 3 6, ##ble 6 9, "," 9 10, really 11 17
///
/// Threads: a PieceReader is immutable and may be shared.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace whynot::text {

/// A piece of a text, and the bytes that it came from. A space before a word belongs to the word's first piece where the tokenizer has it so.
struct Piece {
    int64_t id = 0;
    size_t begin = 0, end = 0;
};

class PieceReader {
public:
    virtual ~PieceReader();

    /// The pieces of a text, those that stand before and after every text not among them.
    /// @throws Error invalid_input for text that is not UTF-8
    std::vector<Piece> pieces(std::string_view text) const;

    /// Ids are below this.
    virtual int64_t size() const = 0;
    /// How the vocabulary writes a piece; empty for an id that it does not have.
    virtual std::string spelling(int64_t id) const = 0;
    virtual std::optional<int64_t> id_of(const std::string& spelling) const = 0;
    /// The piece for what has none.
    virtual std::optional<int64_t> unknown() const = 0;

    std::vector<int64_t> before, after;  ///< special pieces around every text
    /// What stands for one piece wherever a text says it, such as "[SEP]".
    std::map<std::string, int64_t> whole;

private:
    virtual std::vector<Piece> read(std::string_view text) const = 0;
};

/// All that a reader is made of.
struct PieceSource {
    std::string kind;                          ///< as above; "tokenizer.json" for such a file, whatever is in it
    std::map<std::string, std::string> files;  ///< by the name that a pack gives them: "vocab.txt" -> its bytes
    std::optional<bool> lower_case;            ///< of a vocab.txt; not given: it has no capitals
    /// Special pieces around every text. Not given: what tokenizer.json says; else "[CLS]" and "[SEP]", or "<s>" and "</s>" of byte-pairs, where the
    /// vocabulary has both.
    std::optional<std::vector<std::string>> before, after;
};

/// The files of a tokenizer: one file, beside which a vocab.json has its merges.txt, or the folder that all of them lie in.
/// @throws Error not_found, io, or invalid_input for what is no tokenizer of these kinds
PieceSource find_tokenizer(const std::filesystem::path& file_or_folder);

/// @throws Error invalid_input, naming the file, what was expected and what was found
std::shared_ptr<const PieceReader> make_piece_reader(const PieceSource& source);

/// What a pack's manifest says of a source beside its files, as JSON; and back, `files` still empty.
std::string to_json(const PieceSource& source);
/// The names of the files that a kind needs. @throws Error invalid_argument for a kind that there is not
std::vector<std::string> files_of_kind(const std::string& kind);

}  // namespace whynot::text
