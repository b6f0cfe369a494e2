// As GPT-2 reads: words with the space before them, each a row of bytes of which pairs are joined, those that were joined first in training first.

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>
#include <queue>
#include <tuple>

#include "base/text.h"
#include "text/pieces/readers.h"

namespace whynot::text {

namespace {

/// The characters that stand for the 256 bytes in vocabularies: printable ones for themselves, the others from U+0100 on.
std::array<std::string, 256> written_bytes() {
    std::array<std::string, 256> written;
    UChar32 next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
        const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
        icu::UnicodeString(printable ? static_cast<UChar32>(byte) : next++).toUTF8String(written[static_cast<size_t>(byte)]);
    }
    return written;
}

enum class Kind { letter, number, space, other };
Kind kind_at(std::string_view text, size_t& position) {
    const auto c = static_cast<UChar32>(base::next_code_point(text, position));
    if (u_isUWhiteSpace(c)) return Kind::space;
    const uint32_t category = U_GET_GC_MASK(c);
    return (category & U_GC_L_MASK) != 0 ? Kind::letter : (category & U_GC_N_MASK) != 0 ? Kind::number : Kind::other;
}

size_t contraction_at(std::string_view text, size_t position) {
    for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
        if (text.compare(position, ending.size(), ending) == 0) return ending.size();
    return 0;
}

/// The end of the word that begins at `begin`: letters, numbers or other signs with one space before them at most, the ending of a contraction, or
/// spaces, of which the last is left to the word behind them.
size_t word_end(std::string_view text, size_t begin) {
    if (const size_t ending = contraction_at(text, begin)) return begin + ending;
    size_t position = begin;
    Kind kind = kind_at(text, position);
    if (kind == Kind::space) {
        size_t last = begin, end = position;  // the last space of the run, and its end
        while (end < text.size()) {
            size_t next = end;
            kind = kind_at(text, next);
            if (kind != Kind::space) break;
            last = end;
            end = next;
        }
        if (end == text.size()) return end;
        if (last > begin) return last;
        if (text[begin] != ' ') return end;
        position = end;  // one space, which belongs to the word
        kind = kind_at(text, position);
    }
    while (position < text.size()) {
        size_t next = position;
        if (kind_at(text, next) != kind) break;
        position = next;
    }
    return position;
}

class BytePairs : public PieceReader {
public:
    BytePairs(Vocabulary vocabulary, const Merges& merges, BytePairOptions options, const std::string& origin)
        : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
        const std::array<std::string, 256> written = written_bytes();
        for (size_t byte = 0; byte < 256; ++byte) byte_ids_[byte] = vocabulary_.id_of(written[byte]);
        if (!byte_ids_[' '])
            refuse_tokenizer(origin, "its vocabulary lacks " + base::in_quotes(written[' ']) +
                                         ", which stands for a space; expected a byte-level vocabulary, as GPT-2's");
        if (!options_.unknown.empty()) {
            unknown_ = vocabulary_.id_of(options_.unknown);
            if (!unknown_) refuse_tokenizer(origin, "its vocabulary lacks its own unknown piece, " + base::in_quotes(options_.unknown));
        }
        for (const auto& [left, right] : merges) {
            const auto of = [&](const std::string& piece) {
                const std::optional<int64_t> id = vocabulary_.id_of(piece);
                if (!id)
                    refuse_tokenizer(origin, "it joins " + base::in_quotes(left) + " and " + base::in_quotes(right) + ", but " +
                                                 base::in_quotes(piece) + " is not in the vocabulary");
                return *id;
            };
            merges_.try_emplace(key(of(left), of(right)), Merge{static_cast<int64_t>(merges_.size()), of(left + right)});
        }
    }

    int64_t size() const override { return vocabulary_.size(); }
    std::string spelling(int64_t id) const override { return vocabulary_.spelling(id); }
    std::optional<int64_t> id_of(const std::string& spelling) const override { return vocabulary_.id_of(spelling); }
    std::optional<int64_t> unknown() const override { return unknown_; }

private:
    struct Merge {
        int64_t rank, to;
    };
    static uint64_t key(int64_t left, int64_t right) { return static_cast<uint64_t>(left) << 32 | static_cast<uint64_t>(right); }

    std::vector<Piece> read(std::string_view text) const override {
        std::vector<Piece> pieces;
        size_t position = 0;
        const bool owed =
            options_.prefix_space && !text.empty() && !u_isUWhiteSpace(static_cast<UChar32>(base::next_code_point(text, position)));
        const std::string own = owed ? " " + std::string(text) : std::string();
        const std::string_view bytes = owed ? std::string_view(own) : text;
        const size_t shift = owed ? 1 : 0;
        for (size_t begin = 0; begin < bytes.size();) {
            const size_t end = word_end(bytes, begin);
            for (Piece piece : joined(bytes, begin, end)) {
                piece.begin -= std::min(shift, piece.begin);
                piece.end -= std::min(shift, piece.end);
                pieces.push_back(piece);
            }
            begin = end;
        }
        return pieces;
    }

    /// The pieces of one word. The bytes are a linked list; of all pairs that can be joined the one of the lowest rank comes first, and of those
    /// the leftmost.
    std::vector<Piece> joined(std::string_view text, size_t begin, size_t end) const {
        std::vector<Piece> symbols;
        for (size_t i = begin; i < end; ++i) {
            const std::optional<int64_t>& id = byte_ids_[static_cast<unsigned char>(text[i])];
            if (id || unknown_) symbols.push_back({id ? *id : *unknown_, i, i + 1});
        }
        const size_t count = symbols.size();
        std::vector<size_t> next(count), previous(count);
        std::vector<char> gone(count, 0);
        struct Candidate {
            int64_t rank;
            size_t at;
            int64_t left, right, to;
            bool operator<(const Candidate& other) const { return std::tie(rank, at) > std::tie(other.rank, other.at); }
        };
        std::priority_queue<Candidate> candidates;
        const auto consider = [&](size_t at) {
            if (next[at] >= count) return;
            const auto merge = merges_.find(key(symbols[at].id, symbols[next[at]].id));
            if (merge != merges_.end()) candidates.push({merge->second.rank, at, symbols[at].id, symbols[next[at]].id, merge->second.to});
        };
        for (size_t i = 0; i < count; ++i) {
            next[i] = i + 1;
            previous[i] = i - 1;  // of the first: beyond all
        }
        for (size_t i = 0; i < count; ++i) consider(i);
        while (!candidates.empty()) {
            const Candidate best = candidates.top();
            candidates.pop();
            const size_t left = best.at;
            if (gone[left] || next[left] >= count) continue;
            const size_t right = next[left];
            if (symbols[left].id != best.left || symbols[right].id != best.right) continue;
            symbols[left] = {best.to, symbols[left].begin, symbols[right].end};
            gone[right] = 1;
            next[left] = next[right];
            if (next[left] < count) previous[next[left]] = left;
            if (previous[left] < count) consider(previous[left]);
            consider(left);
        }
        std::vector<Piece> pieces;
        for (size_t i = 0; i < count; ++i)
            if (!gone[i]) pieces.push_back(symbols[i]);
        return pieces;
    }

    Vocabulary vocabulary_;
    BytePairOptions options_;
    std::array<std::optional<int64_t>, 256> byte_ids_;
    std::unordered_map<uint64_t, Merge> merges_;
    std::optional<int64_t> unknown_;
};

}  // namespace

std::shared_ptr<PieceReader> make_byte_pairs(Vocabulary vocabulary, const Merges& merges, BytePairOptions options,
                                             const std::string& origin) {
    return std::make_shared<BytePairs>(std::move(vocabulary), merges, std::move(options), origin);
}

}  // namespace whynot::text
