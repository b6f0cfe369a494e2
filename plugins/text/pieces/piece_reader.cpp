#include "text/pieces/piece_reader.h"

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "text/pieces/readers.h"
#include "text/reading/units.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t largest_file = uint64_t{256} << 20;

struct KnownKind {
    const char* name;
    std::vector<std::string> files;
};
const std::vector<KnownKind>& kinds() {
    static const std::vector<KnownKind> all{{"sentencepiece", {"pieces.model"}},
                                            {"wordpiece", {"vocab.txt"}},
                                            {"byte-pairs", {"vocab.json", "merges.txt"}},
                                            {"tokenizer.json", {"tokenizer.json"}},
                                            {"words", {"words.model"}}};
    return all;
}

/// A vocab.txt: a piece a line, its id the number of the line.
Vocabulary vocabulary_of_lines(const std::string& bytes, const std::string& origin) {
    Vocabulary vocabulary;
    std::istringstream lines(bytes);
    int64_t id = 0;
    for (std::string line; std::getline(lines, line); ++id) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (!base::is_utf8(line)) refuse_tokenizer(origin, "line " + std::to_string(id + 1) + " is not UTF-8; expected a piece a line");
        if (!line.empty()) vocabulary.add(line, id, origin);
    }
    return vocabulary;
}

std::shared_ptr<PieceReader> word_pieces_of(const PieceSource& source, const std::string& bytes) {
    const std::string origin = "vocab.txt";
    Vocabulary vocabulary = vocabulary_of_lines(bytes, origin);
    bool continuing = false, capital = false;
    for (const auto& [piece, id] : vocabulary.ids()) {
        continuing = continuing || (piece.size() > 2 && piece.compare(0, 2, "##") == 0);
        capital = capital || (piece.size() == 1 && piece[0] >= 'A' && piece[0] <= 'Z');
    }
    if (!continuing)
        refuse_tokenizer(origin, "none of its " + std::to_string(vocabulary.size()) +
                                     " entries begins with '##', so these are no pieces of words as BERT has "
                                     "them; whole words are given as a vocabulary of words");
    WordPieceOptions options;
    options.lower_case = options.strip_accents = source.lower_case.value_or(!capital);
    auto reader = make_word_pieces(std::move(vocabulary), options, origin);
    for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
        if (const auto id = reader->id_of(special)) reader->whole[special] = *id;
    return reader;
}

std::shared_ptr<PieceReader> byte_pairs_of(const std::string& vocabulary, const std::string& merges) {
    BytePairOptions options;
    Vocabulary pieces = vocabulary_of_json(vocabulary, "vocab.json");
    if (pieces.has("<unk>")) options.unknown = "<unk>";
    auto reader = make_byte_pairs(std::move(pieces), merges_of_text(merges, "merges.txt"), options, "vocab.json");
    for (const char* special : {"<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"})
        if (const auto id = reader->id_of(special)) reader->whole[special] = *id;
    return reader;
}

/// Special pieces where nothing says which: those that a vocabulary of the kind has for it.
void add_usual_around(PieceReader& reader, const std::string& kind) {
    const bool roberta = kind == "byte-pairs";
    const auto first = reader.id_of(roberta ? "<s>" : "[CLS]"), last = reader.id_of(roberta ? "</s>" : "[SEP]");
    if (!first || !last || kind == "words") return;
    reader.before = {*first};
    reader.after = {*last};
}

std::vector<int64_t> named(const PieceReader& reader, const std::vector<std::string>& pieces, const char* where) {
    std::vector<int64_t> ids;
    for (const std::string& piece : pieces) {
        const std::optional<int64_t> id = reader.id_of(piece);
        if (!id)
            throw Error(ErrorCode::invalid_input, std::string("the special piece ") + base::in_quotes(piece) + " " + where +
                                                      " every text is not in the vocabulary of the tokenizer");
        ids.push_back(*id);
    }
    return ids;
}

}  // namespace

PieceReader::~PieceReader() = default;

std::vector<Piece> PieceReader::pieces(std::string_view text) const {
    check_text(text);
    std::vector<Piece> all;
    size_t begin = 0;
    const auto read_until = [&](size_t end) {
        for (Piece piece : read(text.substr(begin, end - begin))) all.push_back({piece.id, piece.begin + begin, piece.end + begin});
    };
    for (size_t at = 0; at < text.size();) {
        const std::pair<const std::string, int64_t>* special = nullptr;
        for (const auto& one : whole)
            if (!one.first.empty() && text.compare(at, one.first.size(), one.first) == 0 &&
                (special == nullptr || one.first.size() > special->first.size()))
                special = &one;
        if (special == nullptr) {
            ++at;
            continue;
        }
        if (at > begin) read_until(at);
        all.push_back({special->second, at, at + special->first.size()});
        at = begin = at + special->first.size();
    }
    if (begin < text.size()) read_until(text.size());
    return all;
}

std::vector<std::string> files_of_kind(const std::string& kind) {
    std::vector<std::string> names;
    for (const KnownKind& one : kinds()) {
        if (kind == one.name) return one.files;
        names.push_back(one.name);
    }
    throw Error(ErrorCode::invalid_argument, "there is no tokenizer " + base::in_quotes(kind) + "; known are " + base::joined(names));
}

PieceSource find_tokenizer(const fs::path& file_or_folder) {
    fs::path file = file_or_folder;
    if (fs::is_directory(file)) {
        const std::vector<const char*> usual{"tokenizer.json",          "vocab.txt",      "vocab.json", "spiece.model",
                                             "sentencepiece.bpe.model", "tokenizer.model"};
        const auto found = std::find_if(usual.begin(), usual.end(), [&](const char* name) { return fs::is_regular_file(file / name); });
        if (found == usual.end())
            throw Error(ErrorCode::not_found, "there is no tokenizer in the folder " + file.string() +
                                                  "; expected a tokenizer.json, a vocab.txt, a vocab.json or a '.model' of SentencePiece");
        file /= *found;
    }
    PieceSource source;
    const std::string bytes = base::read_file(file, largest_file, ErrorCode::invalid_input), name = file.filename().string();
    const std::string ending = file.extension().string();
    if (bytes.empty()) refuse_tokenizer(name, "expected a tokenizer, found an empty file");
    if (ending == ".txt") {
        source.kind = "wordpiece";
        source.files["vocab.txt"] = bytes;
    } else if (ending == ".model") {
        source.kind = "sentencepiece";
        source.files["pieces.model"] = bytes;
    } else if (ending == ".json") {
        const base::LargeJson json = base::parse_large_json(bytes, ErrorCode::invalid_input, name);
        if (json.is_object() && json.contains("model") && json["model"].is_object()) {
            source.kind = "tokenizer.json";
            source.files["tokenizer.json"] = bytes;
        } else {
            const fs::path merges = file.parent_path() / "merges.txt";
            if (!fs::is_regular_file(merges))
                throw Error(ErrorCode::not_found,
                            name + ": expected the merges of these pieces beside it, but there is no file " + merges.string());
            source.kind = "byte-pairs";
            source.files["vocab.json"] = bytes;
            source.files["merges.txt"] = base::read_file(merges, largest_file, ErrorCode::invalid_input);
        }
    } else {
        refuse_tokenizer(
            name,
            "expected a '.model' of SentencePiece, a vocab.txt of BERT, a vocab.json with a merges.txt beside it, or a tokenizer.json");
    }
    return source;
}

std::shared_ptr<const PieceReader> make_piece_reader(const PieceSource& source) {
    const auto bytes = [&](const char* name) -> const std::string& {
        const auto found = source.files.find(name);
        if (found == source.files.end()) throw Error(ErrorCode::invalid_input, std::string("the tokenizer lacks its file ") + name);
        return found->second;
    };
    files_of_kind(source.kind);  // throws for another
    std::shared_ptr<PieceReader> reader;
    if (source.kind == "sentencepiece") reader = make_sentence_pieces(bytes("pieces.model"), "pieces.model");
    if (source.kind == "wordpiece") reader = word_pieces_of(source, bytes("vocab.txt"));
    if (source.kind == "byte-pairs") reader = byte_pairs_of(bytes("vocab.json"), bytes("merges.txt"));
    if (source.kind == "tokenizer.json") reader = make_from_tokenizer_json(bytes("tokenizer.json"), "tokenizer.json");
    if (source.kind == "words") reader = make_own_words(bytes("words.model"), "words.model");
    if (source.kind != "tokenizer.json") add_usual_around(*reader, source.kind);
    if (source.before) reader->before = named(*reader, *source.before, "before");
    if (source.after) reader->after = named(*reader, *source.after, "after");
    return reader;
}

std::string to_json(const PieceSource& source) {
    base::Json json{{"kind", source.kind}};
    if (source.lower_case) json["case"] = *source.lower_case ? "lower" : "keep";
    if (source.before) json["before"] = *source.before;
    if (source.after) json["after"] = *source.after;
    return json.dump();
}

}  // namespace whynot::text
