// As SentencePiece reads, and our own whole words, which are stored as a model of it. Includes nothing of Torch (reading/tokenizer.cpp says why).

#include <sentencepiece_processor.h>

#include "base/text.h"
#include "text/pieces/readers.h"
#include "text/reading/ids.h"
#include "text/reading/tokenizer.h"
#include "text/reading/words.h"
#include "whynot/error.h"

namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace whynot::text {

namespace {

/// The fields of a message in protobuf's wire format: numbers and texts, which is all that is needed of SentencePieceText.
class Fields {
public:
    explicit Fields(std::string_view bytes) : bytes_(bytes) {}
    bool next() {
        if (at_ >= bytes_.size()) return false;
        const uint64_t key = number_at();
        field = key >> 3;
        switch (key & 7) {
            case 0: number = number_at(); break;
            case 1: at_ += 8; break;
            case 2: {
                const uint64_t size = number_at();
                text = bytes_.substr(std::min<size_t>(at_, bytes_.size()), size);
                at_ += size;
                break;
            }
            case 5: at_ += 4; break;
            default: at_ = bytes_.size();
        }
        return true;
    }
    uint64_t field = 0, number = 0;
    std::string_view text;

private:
    uint64_t number_at() {
        uint64_t value = 0;
        for (int shift = 0; at_ < bytes_.size() && shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) break;
        }
        return value;
    }
    std::string_view bytes_;
    size_t at_ = 0;
};

class SentencePieces : public PieceReader {
public:
    SentencePieces(const std::string& model, const std::string& origin) {
        sentencepiece::logging::SetMinLogLevel(9);
        const auto status = processor_.LoadFromSerializedProto(absl::string_view(model.data(), model.size()));
        if (!status.ok()) refuse_tokenizer(origin, "expected a model of SentencePiece; it cannot be read as one");
    }

    int64_t size() const override { return processor_.GetPieceSize(); }
    std::string spelling(int64_t id) const override { return id >= 0 && id < size() ? processor_.IdToPiece(static_cast<int>(id)) : ""; }
    std::optional<int64_t> id_of(const std::string& spelling) const override {
        const int id = processor_.PieceToId(spelling);
        return processor_.IdToPiece(id) == spelling ? std::optional<int64_t>(id) : std::nullopt;
    }
    std::optional<int64_t> unknown() const override {
        return processor_.unk_id() >= 0 ? std::optional<int64_t>(processor_.unk_id()) : std::nullopt;
    }

private:
    std::vector<Piece> read(std::string_view text) const override {
        std::vector<Piece> pieces;
        const std::string bytes = processor_.EncodeAsSerializedProto(absl::string_view(text.data(), text.size()));
        for (Fields message(bytes); message.next();) {  // SentencePieceText: 2, the pieces
            if (message.field != 2) continue;
            Piece piece;
            for (Fields one(message.text); one.next();) {  // of each: 2, its id; 4 and 5, where it begins and ends
                if (one.field == 2) piece.id = static_cast<int64_t>(one.number);
                if (one.field == 4) piece.begin = one.number;
                if (one.field == 5) piece.end = one.number;
            }
            pieces.push_back(piece);
        }
        return pieces;
    }

    sentencepiece::SentencePieceProcessor processor_;
};

class OwnWords : public PieceReader {
public:
    explicit OwnWords(const std::string& model) : tokenizer_(TokenizerKind::word, model) {}

    int64_t size() const override { return tokenizer_.size(); }
    std::string spelling(int64_t id) const override { return id >= 0 && id < size() ? tokenizer_.piece(id) : ""; }
    std::optional<int64_t> id_of(const std::string& spelling) const override {
        const int64_t id = tokenizer_.id_of(spelling);
        return id == unk_id ? std::nullopt : std::optional(id);
    }
    std::optional<int64_t> unknown() const override { return unk_id; }

private:
    std::vector<Piece> read(std::string_view text) const override {
        std::vector<Piece> pieces;
        for (const Word& word : split_words(text)) pieces.push_back({tokenizer_.id_of(word.text), word.begin, word.end});
        return pieces;
    }

    Tokenizer tokenizer_;
};

}  // namespace

std::shared_ptr<PieceReader> make_sentence_pieces(const std::string& model, const std::string& origin) {
    return std::make_shared<SentencePieces>(model, origin);
}

std::shared_ptr<PieceReader> make_own_words(const std::string& model, const std::string& origin) {
    try {
        return std::make_shared<OwnWords>(model);
    } catch (const Error& error) {
        refuse_tokenizer(origin, error.what());
    }
}

}  // namespace whynot::text
