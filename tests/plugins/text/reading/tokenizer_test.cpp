#include "text/reading/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "plugins/text/reading/lines.h"
#include "text/reading/corpus.h"
#include "text/reading/ids.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using Sentence = std::vector<std::string>;

std::vector<Sentence> sentences() {
    std::vector<Sentence> result;
    for (const auto& line : test::tokenised_lines()) {
        std::istringstream in(line);
        result.emplace_back(std::istream_iterator<std::string>(in), std::istream_iterator<std::string>());
    }
    return result;
}

std::string train(const TokenizerOptions& options, const std::vector<Sentence>& from) {
    return train_tokenizer(options, from.size(), [&](size_t i) { return &from[i]; });
}

std::map<std::string, int64_t> counts_of(const std::vector<Sentence>& from) {
    std::map<std::string, int64_t> counts;
    for (const auto& sentence : from) {
        for (const auto& word : sentence) ++counts[word];
    }
    return counts;
}

template <class Function>
std::string message_of(ErrorCode code, Function function) {
    try {
        function();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    return "nothing was thrown";
}

TokenizerOptions options_of(TokenizerKind kind) {
    TokenizerOptions options;
    options.kind = kind;
    options.vocabulary = 90;
    return options;
}

class AnyTokenizer : public testing::TestWithParam<TokenizerKind> {
protected:
    TokenizerOptions options_ = options_of(GetParam());
    std::vector<Sentence> sentences_ = sentences();
    std::string model_ = train(options_, sentences_);
    Tokenizer tokenizer_{GetParam(), model_};
};

INSTANTIATE_TEST_SUITE_P(Kinds, AnyTokenizer, testing::Values(TokenizerKind::word, TokenizerKind::unigram, TokenizerKind::bpe),
                         [](const auto& p) { return to_string(p.param); });

TEST_P(AnyTokenizer, BeginsWithTheFourSpecialPieces) {
    EXPECT_EQ(tokenizer_.piece(pad_id), "<pad>");
    EXPECT_EQ(tokenizer_.piece(go_id), "<go>");
    EXPECT_EQ(tokenizer_.piece(eos_id), "<eos>");
    EXPECT_EQ(tokenizer_.piece(unk_id), "<unk>");
    for (const char* word : {"<pad>", "<go>", "<eos>", "<unk>"}) {
        EXPECT_THAT(tokenizer_.encode({word}).ids, Each(testing::Ge(unk_id))) << word;  // what a person types is never a special piece
    }
}

TEST_P(AnyTokenizer, DecodingGivesKnownWordsBack) {
    for (const auto& sentence : sentences_) {
        Sentence known;
        std::copy_if(sentence.begin(), sentence.end(), std::back_inserter(known), [&](const auto& w) { return tokenizer_.is_known(w); });
        auto ids = tokenizer_.encode(known).ids;
        EXPECT_EQ(tokenizer_.decode(ids), known);
        ids.insert(ids.begin(), go_id);
        ids.insert(ids.end(), {eos_id, pad_id, pad_id});
        EXPECT_EQ(tokenizer_.decode(ids), known);
    }
}

TEST_P(AnyTokenizer, EveryPieceKnowsItsWord) {
    for (const auto& sentence : sentences_) {
        const Pieces pieces = tokenizer_.encode(sentence);
        ASSERT_EQ(pieces.word.size(), pieces.ids.size());
        EXPECT_TRUE(std::is_sorted(pieces.word.begin(), pieces.word.end()));
        for (size_t i = 0; i < sentence.size(); ++i) {  // the pieces of a word do not depend on the words around it
            std::vector<int64_t> of_word;
            for (size_t k = 0; k < pieces.ids.size(); ++k) {
                if (pieces.word[k] == static_cast<int64_t>(i)) of_word.push_back(pieces.ids[k]);
            }
            EXPECT_EQ(of_word, tokenizer_.encode({sentence[i]}).ids);
        }
    }
}

TEST_P(AnyTokenizer, UnknownWordsAreUnknown) {
    const Pieces pieces = tokenizer_.encode({"寿司"});
    EXPECT_THAT(pieces.ids, testing::Contains(unk_id));
    EXPECT_FALSE(tokenizer_.is_known("寿司"));
    EXPECT_EQ(tokenizer_.id_of("寿司"), unk_id);
}

TEST_P(AnyTokenizer, TheSameSentencesGiveTheSameBytes) { EXPECT_EQ(train(options_, sentences_), model_); }

TEST_P(AnyTokenizer, TrainingAndReadingPrintNothing) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    train(options_, sentences_);
    EXPECT_THROW(Tokenizer(GetParam(), "no model"), Error);
    EXPECT_EQ(testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout(), "");
}

TEST_P(AnyTokenizer, RefusesIdsOutsideTheVocabulary) {
    for (const int64_t id : {int64_t{-1}, tokenizer_.size(), int64_t{1} << 40}) {
        EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { tokenizer_.piece(id); }), HasSubstr(std::to_string(id)));
        EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { tokenizer_.decode({id}); }), HasSubstr(std::to_string(id)));
    }
}

TEST_P(AnyTokenizer, RefusesWhatIsNoModelOfItsKind) {
    const auto refused = [](TokenizerKind kind, const std::string& bytes) {
        return message_of(ErrorCode::bad_pack, [&] { Tokenizer(kind, bytes); });
    };
    for (const std::string& bytes :
         {std::string(), std::string("no model"), std::string(1000, '\xFF'), model_.substr(0, model_.size() - 1)}) {
        EXPECT_THAT(refused(GetParam(), bytes), HasSubstr("tokenizer"));
    }
    const bool word = GetParam() == TokenizerKind::word;
    EXPECT_THAT(refused(word ? TokenizerKind::bpe : TokenizerKind::word, model_), HasSubstr("was expected"));
}

TEST_P(AnyTokenizer, SurvivesDamagedBytes) {
    for (size_t i = 0; i < model_.size(); i += 7) {
        std::string damaged = model_;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
        try {
            const Tokenizer tokenizer(GetParam(), damaged);
            EXPECT_GE(tokenizer.size(), first_word_id);
            tokenizer.decode(tokenizer.encode(sentences_[0]).ids);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::bad_pack);
        }
    }
}

TEST(WordTokenizer, HasExactlyTheFrequentWords) {
    const auto from = sentences();
    for (const int64_t min_count : {1, 2, 3}) {
        TokenizerOptions options;
        options.min_count = min_count;
        const Tokenizer tokenizer(options.kind, train(options, from));
        int64_t frequent = 0;
        for (const auto& [word, count] : counts_of(from)) {
            EXPECT_EQ(tokenizer.is_known(word), count >= min_count) << word;
            if (count < min_count) continue;
            ++frequent;
            EXPECT_EQ(tokenizer.piece(tokenizer.id_of(word)), word);
            EXPECT_TRUE(tokenizer.starts_word(tokenizer.id_of(word)));
        }
        EXPECT_EQ(tokenizer.size(), frequent + first_word_id);
    }
}

TEST(WordTokenizer, GivesOneIdAWordAndTheFrequentOnesFirst) {
    const auto from = sentences();
    const Tokenizer tokenizer(TokenizerKind::word, train({}, from));
    const Pieces pieces = tokenizer.encode({"the", "zorky", "_num_", "", "n't"});
    EXPECT_THAT(pieces.word, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(pieces.ids, ElementsAre(tokenizer.id_of("the"), unk_id, tokenizer.id_of("_num_"), unk_id, tokenizer.id_of("n't")));
    const auto counts = counts_of(from);
    for (int64_t id = first_word_id + 1; id < tokenizer.size(); ++id) {
        EXPECT_GE(counts.at(tokenizer.piece(id - 1)), counts.at(tokenizer.piece(id)));
    }
}

TEST(TrainTokenizer, RefusesWhatItCannotLearnFrom) {
    const auto from = sentences();
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { train({}, {}); }), HasSubstr("nothing to learn"));
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { train({TokenizerKind::word, 1000, 0}, from); }), HasSubstr("1000 times"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { train({TokenizerKind::word, 0, 0}, from); }), HasSubstr("min_count"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { train({TokenizerKind::bpe, 3, 4}, from); }), HasSubstr("more than 4"));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument,
                           [&] {
                               train({TokenizerKind::unigram, 3, 10}, from);
                           }),
                testing::AllOf(HasSubstr("10 pieces"), testing::Not(HasSubstr("src/"))));
    EXPECT_THAT(message_of(ErrorCode::invalid_input,
                           [&] {
                               train({TokenizerKind::word, 1, 0}, {{"two words", "a"}});
                           }),
                HasSubstr("two words"));
    EXPECT_EQ(tokenizer_kind("bpe"), TokenizerKind::bpe);
    EXPECT_THROW(tokenizer_kind("char"), Error);
}

TEST(RealCorpus, VocabularyIsTheWordsSeenThreeTimes) {
    if (test::corpora().empty()) GTEST_SKIP() << "WHYNOT_CORPORA is not set: no vocabulary of a real corpus is made";
    const auto corpus = read_corpus(test::corpora(), "yelp");
    const auto words = [&](size_t i) { return &corpus.train[i].words; };
    const Tokenizer tokenizer(TokenizerKind::word, train_tokenizer({}, corpus.train.size(), words));
    EXPECT_EQ(tokenizer.size(), 7705);
    for (const char* word : {"_num_", "n't", "--", "$", "``", "''", "...", "check-in", "9:30", "dr."})
        EXPECT_TRUE(tokenizer.is_known(word)) << word;
}

}  // namespace
}  // namespace whynot::text
