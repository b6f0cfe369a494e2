// As BERT reads: words by spaces and marks, each cut into the longest pieces that there are, from its front.

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "base/text.h"
#include "text/pieces/readers.h"
#include "text/reading/units.h"

namespace whynot::text {

namespace {

bool is_chinese(UChar32 c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}
bool is_space(UChar32 c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || u_charType(c) == U_SPACE_SEPARATOR || c == 0x2028 || c == 0x2029;
}
bool is_dropped(UChar32 c) { return c == 0 || c == 0xFFFD || (U_GET_GC_MASK(c) & U_GC_C_MASK) != 0; }
bool is_mark(UChar32 c) {
    const bool sign = (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    return sign || (U_GET_GC_MASK(c) & U_GC_P_MASK) != 0;
}

/// A word as the vocabulary would have it, a character at a time, and where each came from.
struct Spelt {
    std::vector<std::string> characters;
    std::vector<size_t> begins, ends;
};

class WordPieces : public PieceReader {
public:
    WordPieces(Vocabulary vocabulary, WordPieceOptions options, const std::string& origin)
        : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
        const std::optional<int64_t> unknown = vocabulary_.id_of(options_.unknown);
        if (!unknown)
            refuse_tokenizer(origin, "expected the piece " + base::in_quotes(options_.unknown) + " for unknown words, found none");
        unknown_ = *unknown;
        UErrorCode status = U_ZERO_ERROR;
        decompose_ = icu::Normalizer2::getNFDInstance(status);
        check_icu(status, "load its normalisation");
        for (const auto& [piece, id] : vocabulary_.ids()) longest_piece_ = std::max(longest_piece_, piece.size());
    }

    int64_t size() const override { return vocabulary_.size(); }
    std::string spelling(int64_t id) const override { return vocabulary_.spelling(id); }
    std::optional<int64_t> id_of(const std::string& spelling) const override { return vocabulary_.id_of(spelling); }
    std::optional<int64_t> unknown() const override { return unknown_; }

private:
    std::vector<Piece> read(std::string_view text) const override {
        std::vector<Piece> pieces;
        Spelt word;
        const auto end_word = [&] {
            if (!word.characters.empty()) cut(word, pieces);
            word = {};
        };
        for (size_t i = 0; i < text.size();) {
            const size_t begin = i;
            const auto c = static_cast<UChar32>(base::next_code_point(text, i));
            if (is_space(c)) {
                end_word();
            } else if (options_.clean && is_dropped(c)) {
                continue;
            } else if (options_.apart_chinese && is_chinese(c)) {
                end_word();
                add(c, begin, i, word);
                end_word();
            } else {
                Spelt characters;
                add(c, begin, i, characters);
                for (size_t k = 0; k < characters.characters.size(); ++k) {  // what one character becomes may have marks in it
                    size_t position = 0;
                    const bool mark = is_mark(static_cast<UChar32>(base::next_code_point(characters.characters[k], position)));
                    if (mark) end_word();
                    word.characters.push_back(characters.characters[k]);
                    word.begins.push_back(begin);
                    word.ends.push_back(i);
                    if (mark) end_word();
                }
            }
        }
        end_word();
        return pieces;
    }

    void add(UChar32 c, size_t begin, size_t end, Spelt& to) const {
        icu::UnicodeString written(c);
        if (options_.lower_case) written.toLower(icu::Locale::getRoot());
        if (options_.strip_accents) {
            UErrorCode status = U_ZERO_ERROR;
            written = decompose_->normalize(written, status);
            check_icu(status, "normalise the text");
        }
        for (int32_t k = 0; k < written.length(); k = written.moveIndex32(k, 1)) {
            const UChar32 one = written.char32At(k);
            if (options_.strip_accents && u_charType(one) == U_NON_SPACING_MARK) continue;
            std::string bytes;
            icu::UnicodeString(one).toUTF8String(bytes);
            to.characters.push_back(bytes);
            to.begins.push_back(begin);
            to.ends.push_back(end);
        }
    }

    void cut(const Spelt& word, std::vector<Piece>& pieces) const {
        const size_t count = word.characters.size(), kept = pieces.size();
        bool known = static_cast<int64_t>(count) <= options_.longest;
        for (size_t first = 0; known && first < count;) {
            std::string candidate = first == 0 ? "" : options_.continuing;
            std::optional<int64_t> found;
            size_t found_end = first;
            for (size_t end = first; end < count && candidate.size() <= longest_piece_;) {
                candidate += word.characters[end++];
                if (const std::optional<int64_t> id = vocabulary_.id_of(candidate)) {
                    found = id;
                    found_end = end;
                }
            }
            known = found.has_value();
            if (known) pieces.push_back({*found, word.begins[first], word.ends[found_end - 1]});
            first = found_end;
        }
        if (known) return;
        pieces.resize(kept);
        pieces.push_back({unknown_, word.begins.front(), word.ends.back()});
    }

    Vocabulary vocabulary_;
    WordPieceOptions options_;
    int64_t unknown_ = 0;
    size_t longest_piece_ = 0;  // bytes
    const icu::Normalizer2* decompose_ = nullptr;
};

}  // namespace

std::shared_ptr<PieceReader> make_word_pieces(Vocabulary vocabulary, WordPieceOptions options, const std::string& origin) {
    return std::make_shared<WordPieces>(std::move(vocabulary), std::move(options), origin);
}

}  // namespace whynot::text
