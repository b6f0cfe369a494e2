// A Unigram as tokenizer.json has it, written down as the model of SentencePiece that it was made from, which is then read as any other.

#include <cstring>

#include "text/pieces/readers.h"

namespace whynot::text {

namespace {

/// A message in protobuf's wire format. Numbers of the fields: sentencepiece_model.proto.
class Message {
public:
    void number(uint64_t field, uint64_t value) {
        put(field << 3);
        put(value);
    }
    void real(uint64_t field, float value) {
        put((field << 3) | 5);
        uint32_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        for (int i = 0; i < 4; ++i) bytes += static_cast<char>((bits >> (8 * i)) & 0xff);
    }
    void text(uint64_t field, const std::string& value) {
        put((field << 3) | 2);
        put(value.size());
        bytes += value;
    }

    std::string bytes;

private:
    void put(uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
        bytes += static_cast<char>(value);
    }
};

enum PieceType : uint64_t { of_text = 1, of_nothing_known = 2, of_no_text = 3, of_one_byte = 6 };

PieceType type_of(const Unigram& unigram, size_t id) {
    const std::string& piece = unigram.pieces[id].first;
    if (id == unigram.unknown) return of_nothing_known;
    if (unigram.bytes && piece.size() == 6 && piece.compare(0, 3, "<0x") == 0 && piece.back() == '>') return of_one_byte;
    return unigram.special[id] != 0 ? of_no_text : of_text;
}

}  // namespace

std::shared_ptr<PieceReader> make_unigram(const Unigram& unigram, const std::string& origin) {
    Message model;
    for (size_t id = 0; id < unigram.pieces.size(); ++id) {
        Message piece;
        piece.text(1, unigram.pieces[id].first);
        piece.real(2, static_cast<float>(unigram.pieces[id].second));
        piece.number(3, type_of(unigram, id));
        model.text(1, piece.bytes);
    }
    Message trainer;
    trainer.number(3, 1);  // a Unigram
    if (unigram.bytes) trainer.number(35, 1);
    trainer.text(45, unigram.pieces[unigram.unknown].first);
    model.text(2, trainer.bytes);
    Message normalizer;
    if (!unigram.characters.empty()) normalizer.text(2, unigram.characters);
    normalizer.number(3, unigram.word_begins ? 1 : 0);
    normalizer.number(4, unigram.drop_spaces ? 1 : 0);
    model.text(3, normalizer.bytes);
    return make_sentence_pieces(model.bytes, origin);
}

}  // namespace whynot::text
