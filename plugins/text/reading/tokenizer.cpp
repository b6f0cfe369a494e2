#include "text/reading/tokenizer.h"

// SentencePiece's headers and Torch's define the same macros: this file includes nothing of Torch.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/format.h"
#include "text/reading/ids.h"
#include "whynot/error.h"

// SentencePiece tells standard error what it loads. It has a switch for that, which its installed headers leave out. The library is
// linked statically with hidden symbols, so the switch is ours alone.
namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace whynot::text {
namespace {

constexpr int silent = 9;

const std::string word_mark = "\xE2\x96\x81";  // U+2581, how SentencePiece writes the start of a word

struct Special {
    int64_t id;
    const char* option;
    const char* piece;
};
constexpr std::array<Special, 4> specials{
    {{pad_id, "pad", "<pad>"}, {go_id, "bos", "<go>"}, {eos_id, "eos", "<eos>"}, {unk_id, "unk", "<unk>"}}};

/// SentencePiece's message without the place in its source that it begins with.
std::string reason(const sentencepiece::util::Status& status) {
    const std::string message = status.message();
    const size_t end = message.find("] ");
    const std::string rest = message.compare(0, 4, "src/") == 0 && end != std::string::npos ? message.substr(end + 2) : message;
    return rest.empty() ? "it cannot be read" : rest;
}

bool marked_start(const std::string& piece) { return piece.compare(0, word_mark.size(), word_mark) == 0; }

using SentenceOf = std::function<const std::vector<std::string>*(size_t)>;

/// SentencePiece's view of our sentences: words joined by spaces.
class Lines : public sentencepiece::SentenceIterator {
public:
    Lines(size_t count, const SentenceOf& sentence) : count_(count), sentence_(sentence) { load(); }
    bool done() const override { return at_ >= count_; }
    void Next() override {
        ++at_;
        load();
    }
    const std::string& value() const override { return line_; }
    sentencepiece::util::Status status() const override { return {}; }

private:
    void load() { line_ = done() ? std::string() : base::joined(*sentence_(at_), " "); }

    size_t count_, at_ = 0;
    const SentenceOf& sentence_;
    std::string line_;
};

std::unordered_map<std::string, std::string> trainer_arguments(const TokenizerOptions& options, int64_t vocabulary) {
    std::unordered_map<std::string, std::string> arguments = {
        {"model_type", to_string(options.kind)},
        {"vocab_size", std::to_string(vocabulary)},
        {"hard_vocab_limit", "false"},
        // The words are as they should be: nothing is to be normalised, left out or split.
        {"normalization_rule_name", "identity"},
        {"add_dummy_prefix", "true"},
        {"character_coverage", "1.0"},
        {"input_sentence_size", "0"},
        {"max_sentence_length", "1000000"},
        {"num_threads", "1"},
        {"minloglevel", std::to_string(silent)},
    };
    if (options.kind == TokenizerKind::word) {
        for (const char* split : {"split_by_unicode_script", "split_by_number", "split_digits"}) arguments[split] = "false";
    }
    for (const Special& special : specials) {
        arguments[std::string(special.option) + "_id"] = std::to_string(special.id);
        arguments[std::string(special.option) + "_piece"] = special.piece;
    }
    return arguments;
}

}  // namespace

const char* to_string(TokenizerKind kind) noexcept {
    switch (kind) {
        case TokenizerKind::word: return "word";
        case TokenizerKind::unigram: return "unigram";
        case TokenizerKind::bpe: return "bpe";
    }
    return "unknown";
}

TokenizerKind tokenizer_kind(const std::string& name) {
    for (const TokenizerKind kind : {TokenizerKind::word, TokenizerKind::unigram, TokenizerKind::bpe}) {
        if (name == to_string(kind)) return kind;
    }
    throw Error(ErrorCode::invalid_argument, "there is no tokenizer \"" + name + "\"; known are word, unigram and bpe");
}

std::string train_tokenizer(const TokenizerOptions& options, size_t count, const SentenceOf& sentence) {
    const auto fail = [](const std::string& message) { throw Error(ErrorCode::invalid_argument, message); };
    if (options.min_count < 1) fail("min_count must be at least 1, it is " + std::to_string(options.min_count));

    std::unordered_map<std::string, int64_t> counts;
    for (size_t i = 0; i < count; ++i) {
        for (const std::string& word : *sentence(i)) ++counts[word];
    }
    const int64_t frequent = std::count_if(counts.begin(), counts.end(), [&](const auto& c) { return c.second >= options.min_count; });
    const bool whole_words = options.kind == TokenizerKind::word;
    if (counts.empty() || (whole_words && frequent == 0)) {
        throw Error(ErrorCode::invalid_input, "no word occurs " + std::to_string(whole_words ? options.min_count : 1) + " times in the " +
                                                  std::to_string(count) + " sentences: there is nothing to learn from");
    }
    const int64_t vocabulary = whole_words ? frequent + first_word_id : options.vocabulary;
    constexpr int64_t max_vocabulary = 1'000'000;
    if (vocabulary <= first_word_id || vocabulary > max_vocabulary) {
        fail("a vocabulary must have more than " + std::to_string(first_word_id) + " and at most " + std::to_string(max_vocabulary) +
             " pieces, it would have " + std::to_string(vocabulary));
    }

    Lines lines(count, sentence);
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(trainer_arguments(options, vocabulary), &lines, &model);
    if (!status.ok()) {
        throw Error(ErrorCode::invalid_argument, std::string("SentencePiece cannot train a ") + to_string(options.kind) + " model of " +
                                                     std::to_string(vocabulary) + " pieces: " + reason(status));
    }
    if (whole_words) {  // SentencePiece drops a few reserved characters; a word that has one would silently be lost
        const Tokenizer tokenizer(options.kind, model);
        for (const auto& [word, occurrences] : counts) {
            if (occurrences >= options.min_count && tokenizer.id_of(word) == unk_id) {
                throw Error(ErrorCode::invalid_input, "the word \"" + word + "\" cannot be in a vocabulary; take it out of the sentences");
            }
        }
    }
    return model;
}

struct Tokenizer::Model {
    sentencepiece::SentencePieceProcessor processor;
};

Tokenizer::Tokenizer(TokenizerKind kind, std::string_view model) : kind_(kind), model_(std::make_unique<Model>()) {
    const auto fail = [&](const std::string& why) {
        throw Error(ErrorCode::bad_pack,
                    std::string("the tokenizer is no SentencePiece model of ours: ") + why + "; restore the file or train the pack again");
    };
    sentencepiece::logging::SetMinLogLevel(silent);
    auto& processor = model_->processor;
    const auto status = processor.LoadFromSerializedProto(absl::string_view(model.data(), model.size()));
    if (!status.ok()) fail(reason(status));
    for (const Special& special : specials) {
        if (size() <= special.id || processor.IdToPiece(static_cast<int>(special.id)) != special.piece) {
            fail(std::string("piece ") + std::to_string(special.id) + " is not " + special.piece);
        }
    }
    if (processor.unk_id() != unk_id) fail("its unknown piece is " + std::to_string(processor.unk_id()));
    bool whole = true;
    for (int64_t id = first_word_id; id < size(); ++id) whole = whole && starts_word(id);
    if (whole != (kind == TokenizerKind::word)) {
        fail(whole ? std::string("its pieces are whole words, ") + to_string(kind) + " was expected"
                   : "it has pieces of words, word was expected");
    }
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

int64_t Tokenizer::size() const { return model_->processor.GetPieceSize(); }

Pieces Tokenizer::encode(const std::vector<std::string>& words) const {
    Pieces pieces;
    for (size_t i = 0; i < words.size(); ++i) {
        if (kind_ == TokenizerKind::word) {
            pieces.ids.push_back(id_of(words[i]));
        } else {  // pieces do not reach over spaces, so a word's pieces do not depend on its neighbours
            std::vector<int> ids;
            const auto status = model_->processor.Encode(absl::string_view(words[i].data(), words[i].size()), &ids);
            if (!status.ok()) throw Error(ErrorCode::internal, "SentencePiece cannot encode a word: " + reason(status));
            pieces.ids.insert(pieces.ids.end(), ids.begin(), ids.end());
        }
        pieces.word.resize(pieces.ids.size(), static_cast<int64_t>(i));
    }
    return pieces;
}

std::vector<std::string> Tokenizer::decode(const std::vector<int64_t>& ids) const {
    std::vector<std::string> words;
    for (const int64_t id : ids) {
        const std::string text = piece(id);
        if (id == pad_id || id == go_id || id == eos_id) continue;
        if (words.empty() || starts_word(id) || (kind_ == TokenizerKind::word)) {
            words.push_back(text);
        } else {
            words.back() += text;
        }
    }
    return words;
}

std::string Tokenizer::piece(int64_t id) const {
    if (id < 0 || id >= size()) {
        throw Error(ErrorCode::invalid_argument,
                    "there is no piece " + std::to_string(id) + " in a vocabulary of " + std::to_string(size()));
    }
    const std::string& text = model_->processor.IdToPiece(static_cast<int>(id));
    return starts_word(id) ? text.substr(word_mark.size()) : text;
}

std::vector<std::string> Tokenizer::pieces() const {
    std::vector<std::string> all;
    for (int64_t id = 0; id < size(); ++id) all.push_back(piece(id));
    return all;
}

bool Tokenizer::starts_word(int64_t id) const {
    return id >= first_word_id && id < size() && marked_start(model_->processor.IdToPiece(static_cast<int>(id)));
}

int64_t Tokenizer::id_of(const std::string& word) const { return model_->processor.PieceToId(word_mark + word); }

bool Tokenizer::is_known(const std::string& word) const {
    const Pieces pieces = encode({word});
    return !pieces.ids.empty() && std::find(pieces.ids.begin(), pieces.ids.end(), unk_id) == pieces.ids.end();
}

}  // namespace whynot::text
