// Pieces of words. The vectors marked so are those that the reference implementations publish in their own tests.

#include "text/pieces/piece_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/temporary_folder.h"
#include "text/pieces/readers.h"
#include "text/reading/tokenizer.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

std::string lines(const Strings& all) {
    std::string text;
    for (const std::string& line : all) text += line + "\n";
    return text;
}

std::shared_ptr<const PieceReader> word_pieces(const Strings& vocabulary, std::optional<bool> lower_case = {}) {
    return make_piece_reader({"wordpiece", {{"vocab.txt", lines(vocabulary)}}, lower_case, {}, {}});
}

Strings spelt(const PieceReader& reader, const std::string& text) {
    Strings pieces;
    for (const Piece& piece : reader.pieces(text)) pieces.push_back(reader.spelling(piece.id));
    return pieces;
}

/// The bytes that each piece came from.
Strings sources(const PieceReader& reader, const std::string& text) {
    Strings parts;
    for (const Piece& piece : reader.pieces(text)) parts.push_back(text.substr(piece.begin, piece.end - piece.begin));
    return parts;
}

std::string refusal(const PieceSource& source) {
    return message_of(ErrorCode::invalid_input, [&] { make_piece_reader(source); });
}

const Strings bert{"[UNK]", "[CLS]", "[SEP]", "want", "##want", "##ed", "wa", "un", "runn", "##ing", ","};

TEST(WordPieces, AreThoseOfThePublishedTests) {
    const auto reader = word_pieces(bert);  // google-research/bert, tokenization_test.py
    std::vector<int64_t> ids;
    for (const Piece& piece : reader->pieces("UNwant\u00E9d,running")) ids.push_back(piece.id);
    EXPECT_THAT(ids, ElementsAre(7, 4, 5, 10, 8, 9));
    EXPECT_THAT(spelt(*reader, "unwanted running"), ElementsAre("un", "##want", "##ed", "runn", "##ing"));
    EXPECT_THAT(spelt(*reader, "unwantedX running"), ElementsAre("[UNK]", "runn", "##ing"));
    EXPECT_THAT(spelt(*reader, ""), IsEmpty());
    EXPECT_THAT(reader->before, ElementsAre(1));
    EXPECT_THAT(reader->after, ElementsAre(2));

    const auto words = word_pieces({"[UNK]", "##x", "ah", "\u535A", "\u63A8", "zz", "hello", "!", "how", "are", "you", "?"});
    EXPECT_THAT(spelt(*words, "ah\u535A\u63A8zz"), ElementsAre("ah", "\u535A", "\u63A8", "zz"));
    EXPECT_THAT(spelt(*words, " \tHeLLo!how  \n Are yoU?  "), ElementsAre("hello", "!", "how", "are", "you", "?"));
    EXPECT_THAT(spelt(*words, "H\u00E9llo"), ElementsAre("hello"));
}

TEST(WordPieces, SayWhereTheyCameFrom) {
    const auto reader = word_pieces(bert);
    EXPECT_THAT(sources(*reader, " UNwant\u00E9d,  running"), ElementsAre("UN", "want", "\u00E9d", ",", "runn", "ing"));
}

TEST(WordPieces, KeepCapitalsWhereTheVocabularyHasThem) {
    const Strings cased{"[UNK]", "##d", "A", "Good", "good", "goo"};
    EXPECT_THAT(spelt(*word_pieces(cased), "Good good GOOD"), ElementsAre("Good", "good", "[UNK]"));
    EXPECT_THAT(spelt(*word_pieces(cased, true), "Good good GOOD"), ElementsAre("good", "good", "good"));
}

TEST(WordPieces, ASpecialPieceInATextIsItself) {
    EXPECT_THAT(spelt(*word_pieces(bert), "want[SEP]want"), ElementsAre("want", "[SEP]", "want"));
}

TEST(WordPieces, RefuseWhatIsNoVocabularyOfThem) {
    const auto of = [](const Strings& vocabulary) { return refusal({"wordpiece", {{"vocab.txt", lines(vocabulary)}}, {}, {}, {}}); };
    EXPECT_THAT(of({"[UNK]", "good", "bad"}), AllOf(HasSubstr("begins with '##'"), HasSubstr("whole words")));
    EXPECT_THAT(of({"good", "##s"}), HasSubstr("'[UNK]'"));
    EXPECT_THAT(of({"[UNK]", "##s", "good", "good"}), HasSubstr("'good' stands in it twice"));
    EXPECT_THAT(refusal({"wordpiece", {{"vocab.txt", "[UNK]\n##a\n\xff\n"}}, {}, {}, {}}), HasSubstr("line 3 is not UTF-8"));
    EXPECT_THAT(refusal({"wordpiece", {{"vocab.txt", lines(bert)}}, {}, Strings{"[GO]"}, {}}), HasSubstr("'[GO]' before every text"));
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [] { word_pieces(bert)->pieces("a\xff"); }), HasSubstr("not valid UTF-8"));
}

// huggingface/transformers, tests of GPT-2's tokenizer.
const char* const gpt2_vocabulary =
    R"({"l": 0, "o": 1, "w": 2, "e": 3, "r": 4, "s": 5, "t": 6, "i": 7, "d": 8, "n": 9, "\u0120": 10, "\u0120l": 11, "\u0120n": 12,
        "\u0120lo": 13, "\u0120low": 14, "er": 15, "\u0120lowest": 16, "\u0120newer": 17, "\u0120wider": 18, "<unk>": 19, "<|endoftext|>": 20})";
const char* const gpt2_merges = "#version: 0.2\n\u0120 l\n\u0120l o\n\u0120lo w\ne r\n";

TEST(BytePairs, AreThoseOfThePublishedTest) {
    Vocabulary vocabulary = vocabulary_of_json(gpt2_vocabulary, "vocab.json");
    BytePairOptions options;
    options.prefix_space = true;
    options.unknown = "<unk>";
    const auto reader = make_byte_pairs(vocabulary, merges_of_text(gpt2_merges, "merges.txt"), options, "vocab.json");
    EXPECT_THAT(spelt(*reader, "lower newer"), ElementsAre("\u0120low", "er", "\u0120", "n", "e", "w", "er"));
    EXPECT_THAT(sources(*reader, "lower newer"), ElementsAre("low", "er", " ", "n", "e", "w", "er"));
    EXPECT_THAT(spelt(*reader, "lox"), ElementsAre("\u0120lo", "<unk>"));
}

std::string in_json_quotes(const std::string& text) { return '"' + text + '"'; }

/// A vocabulary of the bytes alone, whose pieces show how a text is cut into words only where these are joined: so each merge is of whole words.
std::shared_ptr<const PieceReader> of_bytes() {
    std::string json = "{";
    int id = 0;
    for (int byte = 0; byte < 256; ++byte) {
        const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
        static int next = 0x100;
        if (byte == 0) next = 0x100;
        const int c = printable ? byte : next++;
        std::string written;
        if (c < 0x80)
            written = c == '"' || c == '\\' ? std::string("\\") + static_cast<char>(c) : std::string(1, static_cast<char>(c));
        else
            written = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
        json += (id > 0 ? ", " : "") + in_json_quotes(written) + ": " + std::to_string(id);
        ++id;
    }
    return make_piece_reader({"byte-pairs", {{"vocab.json", json + "}"}, {"merges.txt", ""}}, {}, {}, {}});
}

TEST(BytePairs, WithoutMergesAreTheBytesOfAnyText) {
    const auto reader = of_bytes();
    for (const std::string text : {"The food's bad,  they'll  say\n\n so 24x7", "\u00E9t\u00E9 \u535A\U0001F600!", "  ", "\t a"}) {
        const auto pieces = reader->pieces(text);
        ASSERT_EQ(pieces.size(), text.size());
        for (size_t i = 0; i < pieces.size(); ++i) {
            EXPECT_EQ(pieces[i].id, static_cast<unsigned char>(text[i]));
            EXPECT_EQ(pieces[i].begin, i);
            EXPECT_EQ(pieces[i].end, i + 1);
        }
    }
}

TEST(BytePairs, JoinTheLowestRankFirstAndTheLeftmostOfOne) {
    const auto reader = make_piece_reader(
        {"byte-pairs",
         {{"vocab.json", R"({"a": 0, "b": 1, "ab": 2, "ba": 3, "aba": 4, "aa": 5, "\u0120": 6})"}, {"merges.txt", "b a\na b\na ba\na a\n"}},
         {},
         {},
         {}});
    EXPECT_THAT(spelt(*reader, "abab"), ElementsAre("aba", "b"));
    EXPECT_THAT(spelt(*reader, "aaaaa"), ElementsAre("aa", "aa", "a"));
    EXPECT_THAT(spelt(*reader, "ab ab"), ElementsAre("ab", "\u0120", "ab")) << "no merge reaches over words";
    const std::string many(60000, 'a');
    EXPECT_EQ(reader->pieces(many).size(), 30000u) << "in no time";
}

TEST(BytePairs, RefuseWhatIsNoneOfThem) {
    const auto of = [](const std::string& vocabulary, const std::string& merges) {
        return refusal({"byte-pairs", {{"vocab.json", vocabulary}, {"merges.txt", merges}}, {}, {}, {}});
    };
    EXPECT_THAT(of("[1]", ""), HasSubstr("gives each piece its id"));
    EXPECT_THAT(of("{\"a\": 0, ", ""), HasSubstr("not valid JSON"));
    EXPECT_THAT(of(R"({"a": "b"})", ""), HasSubstr("a whole number as the id of 'a'"));
    EXPECT_THAT(of(R"({"a": 3, "b": 3})", ""), HasSubstr("have one id, 3"));
    EXPECT_THAT(of(R"({"a": 99999999})", ""), HasSubstr("found 99999999"));
    EXPECT_THAT(of(R"({"a</w>": 0, "b": 1})", ""), HasSubstr("byte-level"));
    EXPECT_THAT(of(gpt2_vocabulary, "l o\n"), HasSubstr("'lo' is not in the vocabulary"));
    EXPECT_THAT(of(gpt2_vocabulary, "e r\ne\n"), AllOf(HasSubstr("line 2"), HasSubstr("two pieces and a space")));
}

std::string tokenizer_json(const std::string& model, const std::string& rest) {
    return R"({"version": "1.0", )" + rest + R"("model": )" + model + "}";
}

TEST(TokenizerJson, HoldsAWordPiece) {
    const auto reader = make_piece_reader(
        {"tokenizer.json",
         {{"tokenizer.json",
           tokenizer_json(
               R"({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                   "vocab": {"[UNK]": 0, "un": 1, "##want": 2, "##ed": 3, "Good": 4}})",
               R"("added_tokens": [{"id": 5, "content": "[CLS]", "special": true}, {"id": 6, "content": "[SEP]", "special": true}],
                  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": false},
                  "pre_tokenizer": {"type": "BertPreTokenizer"},
                  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                      {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}], "pair": []}, )")}},
         {},
         {},
         {}});
    EXPECT_THAT(spelt(*reader, "Good unwanted good"), ElementsAre("Good", "un", "##want", "##ed", "[UNK]"));
    EXPECT_THAT(reader->before, ElementsAre(5));
    EXPECT_THAT(reader->after, ElementsAre(6));
}

TEST(TokenizerJson, HoldsAByteLevelBpe) {
    const std::string model = std::string(R"({"type": "BPE", "unk_token": "<unk>", "vocab": )") + gpt2_vocabulary;
    const std::string rest = R"("normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true},
                                "post_processor": {"type": "RobertaProcessing", "sep": ["n", 9], "cls": ["l", 0]}, )";
    for (const char* merges :
         {R"(["\u0120 l", "\u0120l o", "\u0120lo w", "e r"]})", R"([["\u0120", "l"], ["\u0120l", "o"], ["\u0120lo", "w"], ["e", "r"]]})"}) {
        const auto reader = make_piece_reader(
            {"tokenizer.json", {{"tokenizer.json", tokenizer_json(model + R"(, "merges": )" + merges, rest)}}, {}, {}, {}});
        EXPECT_THAT(spelt(*reader, "lower newer"), ElementsAre("\u0120low", "er", "\u0120", "n", "e", "w", "er"));
        EXPECT_THAT(reader->before, ElementsAre(0));
        EXPECT_THAT(reader->after, ElementsAre(9));
    }
}

constexpr const char* of_sentence_piece = R"("pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581"}, )";

TEST(TokenizerJson, HoldsAUnigram) {
    // The likeliest pieces: \u2581low + er (-5) before \u2581 + lower (-6) and \u2581l + ow + er (-8).
    const std::string model = R"({"type": "Unigram", "unk_id": 1, "vocab": [["<s>", 0], ["<unk>", 0], ["\u2581", -3], ["\u2581low", -2],
        ["er", -3], ["lower", -3], ["\u2581l", -3], ["ow", -2], ["n", -4], ["e", -5], ["w", -5]]})";
    const auto read = [&](const std::string& rest) {
        return make_piece_reader({"tokenizer.json", {{"tokenizer.json", tokenizer_json(model, rest)}}, {}, {}, {}});
    };
    const std::string around = R"("added_tokens": [{"id": 0, "content": "<s>"}, {"id": 11, "content": "<mask>"}],
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]}, )";
    const auto reader = read(of_sentence_piece + around);
    EXPECT_THAT(spelt(*reader, "lower new"), ElementsAre("\u2581low", "er", "\u2581", "n", "e", "w"));
    EXPECT_THAT(sources(*reader, "lower new"), ElementsAre("low", "er", " ", "n", "e", "w"));
    EXPECT_THAT(spelt(*reader, "lowzz"), ElementsAre("\u2581low", "<unk>")) << "what has no piece is one";
    EXPECT_THAT(reader->before, ElementsAre(0));
    EXPECT_EQ(reader->size(), 12);
    EXPECT_EQ(reader->whole.at("<mask>"), 11);
    const auto never = read(R"("pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "never"}, )");
    EXPECT_THAT(spelt(*never, "lower"), ElementsAre("lower"));
    const auto squeezed =
        read(R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace"}]}, )");
    EXPECT_THAT(spelt(*squeezed, "  low  low "), ElementsAre("\u2581low", "\u2581low"));
}

TEST(TokenizerJson, RefusesAUnigramThatIsNone) {
    const auto of = [](const std::string& model, const std::string& rest = of_sentence_piece) {
        return refusal({"tokenizer.json", {{"tokenizer.json", tokenizer_json(R"({"type": "Unigram", )" + model + "}", rest)}}, {}, {}, {}});
    };
    const std::string good = R"("unk_id": 0, "vocab": [["<unk>", 0], ["a", -1]])";
    EXPECT_THAT(of(R"("vocab": [["a", -1]])"), HasSubstr("'model.unk_id'"));
    EXPECT_THAT(of(R"("unk_id": 7, "vocab": [["a", -1]])"), HasSubstr("one of the 1 pieces"));
    EXPECT_THAT(of(R"("unk_id": 0, "vocab": [["a"]])"), HasSubstr("its log-probability"));
    EXPECT_THAT(of(R"("unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["a", -2]])"), HasSubstr("cannot be read"));
    EXPECT_THAT(of(good, ""), HasSubstr("expected Metaspace"));
    EXPECT_THAT(of(good, R"("pre_tokenizer": {"type": "Metaspace", "replacement": "_"}, )"), HasSubstr("'_'"));
    EXPECT_THAT(of(good, std::string(of_sentence_piece) + R"("normalizer": {"type": "Lowercase"}, )"), HasSubstr("'Lowercase'"));
    EXPECT_THAT(of(good, std::string(of_sentence_piece) + R"("normalizer": {"type": "Precompiled", "precompiled_charsmap": "?"}, )"),
                HasSubstr("base64"));
    EXPECT_THAT(of(good, std::string(of_sentence_piece) + R"("normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, )"),
                HasSubstr("expected"));
    EXPECT_THAT(of(good, std::string(of_sentence_piece) + R"("added_tokens": [{"id": 9, "content": "b"}], )"), HasSubstr("in the order"));
}

TEST(TokenizerJson, OfAnotherKindIsNamed) {
    const auto of = [](const std::string& bytes) { return refusal({"tokenizer.json", {{"tokenizer.json", bytes}}, {}, {}, {}}); };
    EXPECT_THAT(of(R"({"version": "1.0"})"), HasSubstr("with a 'model'"));
    EXPECT_THAT(of(tokenizer_json(R"({"type": "WordLevel", "vocab": {}})", "")), AllOf(HasSubstr("'WordLevel'"), HasSubstr("Unigram")));
    EXPECT_THAT(of(tokenizer_json(R"({"type": "WordPiece", "vocab": {"[UNK]": 0}})", R"("normalizer": {"type": "NFC"}, )")),
                HasSubstr("'NFC'"));
    EXPECT_THAT(of(tokenizer_json(R"({"type": "BPE", "vocab": {"a": 0}, "merges": []})", R"("pre_tokenizer": {"type": "Metaspace"}, )")),
                HasSubstr("'Metaspace'; expected ByteLevel"));
    EXPECT_THAT(of(tokenizer_json(R"({"type": "BPE", "byte_fallback": true, "vocab": {"a": 0}, "merges": []})",
                                  R"("pre_tokenizer": {"type": "ByteLevel"}, )")),
                HasSubstr("byte_fallback"));
    EXPECT_THAT(of(std::string(3000, '[')), HasSubstr("nested deeper"));
}

TEST(SentencePieces, AreReadWithTheirPlaces) {
    const std::vector<Strings> sentences(40, {"the", "food", "was", "good"});
    const std::string model = train_tokenizer({TokenizerKind::bpe, 1, 30}, sentences.size(), [&](size_t i) { return &sentences[i]; });
    const auto reader = make_piece_reader({"sentencepiece", {{"pieces.model", model}}, {}, {}, {}});
    const std::string text = "the foodie was good";
    std::string again;
    size_t end = 0;
    for (const Piece& piece : reader->pieces(text)) {
        EXPECT_EQ(piece.begin, end);
        end = piece.end;
        again += reader->spelling(piece.id);
    }
    EXPECT_EQ(end, text.size());
    EXPECT_THAT(again, HasSubstr("\u2581the\u2581foo"));
    EXPECT_THAT(refusal({"sentencepiece", {{"pieces.model", "no model"}}, {}, {}, {}}), HasSubstr("expected a model of SentencePiece"));
}

TEST(Tokenizers, AreFoundByTheirFiles) {
    const TemporaryFolder folder;
    put(folder / "vocab.txt", lines(bert));
    EXPECT_EQ(find_tokenizer(folder / "vocab.txt").kind, "wordpiece");
    EXPECT_EQ(find_tokenizer(folder.path()).kind, "wordpiece");
    put(folder / "vocab.json", gpt2_vocabulary);
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_tokenizer(folder / "vocab.json"); }), HasSubstr("merges.txt"));
    put(folder / "merges.txt", gpt2_merges);
    EXPECT_EQ(find_tokenizer(folder / "vocab.json").kind, "byte-pairs");
    put(folder / "tokenizer.json", R"({"model": {"type": "WordPiece"}})");
    EXPECT_EQ(find_tokenizer(folder.path()).kind, "tokenizer.json");
    put(folder / "a.bin", "x");
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { find_tokenizer(folder / "a.bin"); }), HasSubstr("expected a '.model'"));
    put(folder / "empty.txt", "");
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { find_tokenizer(folder / "empty.txt"); }), HasSubstr("empty"));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_tokenizer(folder / "none.txt"); }), HasSubstr("none.txt"));
    std::filesystem::create_directory(folder / "bare");
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_tokenizer(folder / "bare"); }), HasSubstr("no tokenizer in the folder"));
}

}  // namespace
