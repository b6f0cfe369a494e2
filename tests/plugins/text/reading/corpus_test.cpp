#include "text/reading/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/format.h"
#include "corpora/real.h"
#include "corpora/toy_files.h"
#include "support/temporary_folder.h"

namespace whynot::text {
namespace {

namespace fs = std::filesystem;
using test::replaced;
using test::write;
using test::write_gzip;
using testing::ElementsAre;
using testing::HasSubstr;

/// A folder of corpora of our own making: `toy` has its manifest beside it, `yelp` has the library's.
class Corpora : public testing::Test {
protected:
    void SetUp() override { write_toy(manifest_); }

    void write_toy(const std::string& manifest) const {
        write(folder_ / "toy/corpus.json", manifest);
        write_gzip(folder_ / "toy/a.gz", "good food .\nnice .\ngood food .\n\nwe like it");
        write(folder_ / "toy/b.txt", "bad food .\r\nnice .\n");
        std::string dev = "good food .\nfine .\nfine .\n";
        for (int i = 0; i < 200; ++i) dev += "sentence " + std::to_string(i) + " of this corpus .\n";
        write(folder_ / "toy/dev", dev);
    }

    std::string read_message(ErrorCode code, const std::string& name = "toy") const {
        return message_of(code, [&] { read_corpus(folder_.path(), name); });
    }

    const TemporaryFolder folder_;
    const std::string manifest_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "toy", "licence": "none",
        "classes": ["good", "bad"], "tokenised": true, "files": [
        {"name": "a.gz", "split": "train", "class": "good", "lines": 4}, {"name": "b.txt", "split": "train", "class": "bad"},
        {"name": "dev", "split": "dev", "class": "bad"}]})";
};

TEST_F(Corpora, AreReadWithTheirLabels) {
    const Corpus corpus = read_corpus(folder_.path(), "toy");
    EXPECT_THAT(corpus.classes(), ElementsAre("good", "bad"));
    std::vector<std::pair<std::string, int64_t>> train;
    for (const auto& s : corpus.train) train.emplace_back(base::joined(s.words, " "), s.label);
    using P = std::pair<std::string, int64_t>;
    EXPECT_THAT(train, ElementsAre(P("good food .", 0), P("nice .", 0), P("good food .", 0), P("we like it", 0), P("bad food .", 1),
                                   P("nice .", 1)));
    EXPECT_EQ(corpus.sha256, corpora::corpus_sha256(folder_.path(), "toy"));
    EXPECT_EQ(corpus.sha256.size(), 64u);
}

TEST_F(Corpora, MayBeOneTableThatTheHashDivides) {
    write(folder_ / "chat/corpus.json", R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "chat", "licence": "none",
        "classes": ["bye", "hello"], "tokenised": false, "files": [{"name": "t.tsv", "split": "all", "table": {"text": "text", "label": "intent"}}]})");
    std::string table = "intent\ttext\n";
    for (int i = 0; i < 800; ++i)
        table += (i % 2 ? "hello\tWelcome" : "bye\tGoodbye") + std::string(", number ") + std::string(1, 'a' + i % 26) + std::to_string(i) +
                 "x!\n";
    write(folder_ / "chat/t.tsv", table + "bye\t   \n");  // no word in it: passed over
    const Corpus corpus = read_corpus(folder_.path(), "chat");
    EXPECT_EQ(corpus.train.size() + corpus.development.size() + corpus.held_out.size(), 800u);
    EXPECT_NEAR(static_cast<double>(corpus.development.size()), 50, 25);
    EXPECT_NEAR(static_cast<double>(corpus.held_out.size()), 50, 25);
    for (const auto& s : corpus.held_out) {
        EXPECT_EQ(sentence_hash(s.words) >> 34 & 15, 0u);
        EXPECT_EQ(s.label, s.words[0] == "welcome" ? 1 : 0);
    }
    write(folder_ / "chat/t.tsv", "intent\ttext\nhello\thi\nfarewell\tbye\n");
    EXPECT_THAT(read_message(ErrorCode::invalid_input, "chat"),
                testing::AllOf(HasSubstr("t.tsv, line 3"), HasSubstr("the label 'farewell' is not among the classes")));
}

TEST_F(Corpora, DistinctTrainingKeepsTheFirstOfEquals) {
    const Corpus corpus = read_corpus(folder_.path(), "toy", {true});
    std::vector<std::string> train;
    for (const auto& s : corpus.train) train.push_back(base::joined(s.words, " "));
    EXPECT_THAT(train, ElementsAre("good food .", "nice .", "we like it", "bad food ."));
}

TEST_F(Corpora, SplitsGoByTheHashAlone) {
    const Corpus corpus = read_corpus(folder_.path(), "toy");
    std::set<std::string> seen;
    for (const auto& s : corpus.development) {
        EXPECT_EQ(sentence_hash(s.words) >> 32 & 1, 0u);
        EXPECT_TRUE(seen.insert(base::joined(s.words, " ")).second);
    }
    for (const auto& s : corpus.held_out) {
        EXPECT_EQ(sentence_hash(s.words) >> 32 & 1, 1u);
        EXPECT_TRUE(seen.insert(base::joined(s.words, " ")).second);
    }
    EXPECT_EQ(seen.size(), 201u);  // 200 lines and one "fine ."; "good food ." is in train
    EXPECT_EQ(seen.count("good food ."), 0u);
    EXPECT_GT(corpus.development.size(), 60u);
    EXPECT_GT(corpus.held_out.size(), 60u);
}

TEST_F(Corpora, HashIsFnv1a) {
    EXPECT_EQ(sentence_hash({}), 0xcbf29ce484222325u);
    EXPECT_EQ(sentence_hash({"a"}), 0xaf63dc4c8601ec8cu);  // the reference values of the algorithm's authors
    EXPECT_EQ(sentence_hash({"foobar"}), 0x85944171f73967e8u);
    EXPECT_NE(sentence_hash({"foo", "bar"}), sentence_hash({"foobar"}));
}

TEST_F(Corpora, LanguageModelHalvesShareNoSentence) {
    const Corpus corpus = read_corpus(folder_.path(), "toy");
    const Halves halves = language_model_halves(corpus.train);
    std::set<std::vector<std::string>> all(halves.yardstick.begin(), halves.yardstick.end());
    all.insert(halves.search.begin(), halves.search.end());
    EXPECT_EQ(all.size(), halves.yardstick.size() + halves.search.size());
    EXPECT_EQ(all.size(), 4u);
    for (const auto& words : halves.yardstick) EXPECT_EQ(sentence_hash(words) >> 33 & 1, 1u);
    for (const auto& words : halves.search) EXPECT_EQ(sentence_hash(words) >> 33 & 1, 0u);
}

TEST_F(Corpora, PlainTextIsSplitOnReading) {
    write_toy(replaced(manifest_, "\"tokenised\": true", "\"tokenised\": false"));
    write(folder_ / "toy/b.txt", "It wasn't GOOD!\n");
    EXPECT_THAT(read_corpus(folder_.path(), "toy").train.back().words, ElementsAre("it", "was", "n't", "good", "!"));
}

TEST_F(Corpora, CompressionDoesNotChangeTheChecksum) {
    const std::string before = corpora::corpus_sha256(folder_.path(), "toy");
    fs::remove(folder_ / "toy/a.gz");
    write(folder_ / "toy/a", "good food .\nnice .\ngood food .\n\nwe like it");
    EXPECT_EQ(corpora::corpus_sha256(folder_.path(), "toy"), before);
}

TEST_F(Corpora, MissingCorporaAndFilesAreNamed) {
    EXPECT_THAT(message_of(ErrorCode::not_found, [] { find_corpus("", "yelp"); }), HasSubstr("WHYNOT_CORPORA"));
    EXPECT_THAT(read_message(ErrorCode::not_found, "zorky"),
                testing::AllOf(HasSubstr("no corpus of sentences"), HasSubstr("zorky"), HasSubstr("yelp")));
    EXPECT_THAT(read_message(ErrorCode::not_found, "yelp"), HasSubstr("train.neg.txt"));
    fs::remove(folder_ / "toy/b.txt");
    EXPECT_THAT(read_message(ErrorCode::not_found), HasSubstr("b.txt"));
}

TEST_F(Corpora, DamagedGzipFilesAreNamed) {
    fs::resize_file(folder_ / "toy/a.gz", fs::file_size(folder_ / "toy/a.gz") / 2);
    EXPECT_THAT(read_message(ErrorCode::io), testing::AllOf(HasSubstr("a.gz"), HasSubstr("truncated")));
}

TEST_F(Corpora, LinesThatAreNotUtf8AreNamed) {
    write(folder_ / "toy/b.txt", "bad food .\n\ncaf\xE9 .\n");
    EXPECT_THAT(read_message(ErrorCode::invalid_input), testing::AllOf(HasSubstr("b.txt"), HasSubstr("line 3"), HasSubstr("UTF-8")));
}

TEST_F(Corpora, OfAnotherKindAreRefused) {
    EXPECT_THAT(read_message(ErrorCode::invalid_input, "mnist"), HasSubstr("labelled-sentences was expected"));
}

TEST_F(Corpora, BadManifestsAreRefused) {
    for (const auto& manifest : {std::string("{"), replaced(manifest_, "\"class\": \"bad\"", "\"class\": \"ugly\""),
                                 replaced(manifest_, "\"tokenised\": true,", "")}) {
        write_toy(manifest);
        EXPECT_THAT(read_message(ErrorCode::invalid_input), HasSubstr("manifest")) << manifest;
    }
}

TEST(RealCorpus, YelpIsAsItsManifestSays) {
    if (test::corpora().empty()) GTEST_SKIP() << "WHYNOT_CORPORA is not set: the real corpus is not read";
    EXPECT_THAT(corpora::corpus_problems(test::corpora(), "yelp"), testing::IsEmpty());
    const Corpus corpus = read_corpus(test::corpora(), "yelp");
    EXPECT_EQ(corpus.train.size(), 50278u + 76392u);
    EXPECT_EQ(corpus.train[50277].label, 0);
    EXPECT_EQ(corpus.train[50278].label, 1);
    std::set<std::string> train, dev;
    for (const auto& s : corpus.train) train.insert(base::joined(s.words, " "));
    for (const auto* part : {&corpus.development, &corpus.held_out}) {
        for (const auto& s : *part) {
            EXPECT_EQ(train.count(base::joined(s.words, " ")), 0u);
            EXPECT_TRUE(dev.insert(base::joined(s.words, " ")).second);
        }
    }
    RecordProperty("development", std::to_string(corpus.development.size()));
    RecordProperty("held_out", std::to_string(corpus.held_out.size()));
}

}  // namespace
}  // namespace whynot::text
