#include "corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "text_words/lines.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
}

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

void write_gzip(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    const gzFile file = gzopen(path.c_str(), "wb");
    ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    ASSERT_EQ(gzclose(file), Z_OK);
}

/// A folder of corpora of our own making: `toy` has its manifest beside it, `yelp` has the library's.
class Corpora : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "whynot-corpora-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        write_toy(manifest_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    void write_toy(const std::string& manifest) const {
        write(folder_ / "toy/corpus.json", manifest);
        write_gzip(folder_ / "toy/a.gz", "good food .\nnice .\ngood food .\n\nwe like it");
        write(folder_ / "toy/b.txt", "bad food .\r\nnice .\n");
        std::string dev = "good food .\nfine .\nfine .\n";
        for (int i = 0; i < 200; ++i) dev += "sentence " + std::to_string(i) + " of this corpus .\n";
        write(folder_ / "toy/dev", dev);
    }

    template <class Function>
    std::string message_of(ErrorCode code, Function function) const {
        try {
            function();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            return error.what();
        }
        return "nothing was thrown";
    }
    std::string read_message(ErrorCode code, const std::string& name = "toy") const {
        return message_of(code, [&] { read_corpus(folder_, name); });
    }
    std::string replaced(const std::string& from, const std::string& to) const {
        std::string text = manifest_;
        const size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos);
        return text.replace(at, from.size(), to);
    }

    fs::path folder_;
    const std::string manifest_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "toy", "licence": "none",
        "classes": ["good", "bad"], "tokenised": true, "files": [
        {"name": "a.gz", "split": "train", "class": "good", "lines": 4}, {"name": "b.txt", "split": "train", "class": "bad"},
        {"name": "dev", "split": "dev", "class": "bad"}]})";
};

TEST_F(Corpora, are_read_with_their_labels) {
    const Corpus corpus = read_corpus(folder_, "toy");
    EXPECT_THAT(corpus.classes(), ElementsAre("good", "bad"));
    std::vector<std::pair<std::string, int64_t>> train;
    for (const auto& s : corpus.train) train.emplace_back(joined(s.words), s.label);
    using P = std::pair<std::string, int64_t>;
    EXPECT_THAT(train, ElementsAre(P("good food .", 0), P("nice .", 0), P("good food .", 0), P("we like it", 0), P("bad food .", 1),
                                   P("nice .", 1)));
    EXPECT_EQ(corpus.sha256, corpus_sha256(folder_, "toy"));
    EXPECT_EQ(corpus.sha256.size(), 64u);
}

TEST_F(Corpora, distinct_training_keeps_the_first_of_equals) {
    const Corpus corpus = read_corpus(folder_, "toy", {true});
    std::vector<std::string> train;
    for (const auto& s : corpus.train) train.push_back(joined(s.words));
    EXPECT_THAT(train, ElementsAre("good food .", "nice .", "we like it", "bad food ."));
}

TEST_F(Corpora, splits_go_by_the_hash_alone) {
    const Corpus corpus = read_corpus(folder_, "toy");
    std::set<std::string> seen;
    for (const auto& s : corpus.development) {
        EXPECT_EQ(sentence_hash(s.words) >> 32 & 1, 0u);
        EXPECT_TRUE(seen.insert(joined(s.words)).second);
    }
    for (const auto& s : corpus.held_out) {
        EXPECT_EQ(sentence_hash(s.words) >> 32 & 1, 1u);
        EXPECT_TRUE(seen.insert(joined(s.words)).second);
    }
    EXPECT_EQ(seen.size(), 201u);  // 200 lines and one "fine ."; "good food ." is in train
    EXPECT_EQ(seen.count("good food ."), 0u);
    EXPECT_GT(corpus.development.size(), 60u);
    EXPECT_GT(corpus.held_out.size(), 60u);
}

TEST_F(Corpora, hash_is_fnv_1a) {
    EXPECT_EQ(sentence_hash({}), 0xcbf29ce484222325u);
    EXPECT_EQ(sentence_hash({"a"}), 0xaf63dc4c8601ec8cu);  // the reference values of the algorithm's authors
    EXPECT_EQ(sentence_hash({"foobar"}), 0x85944171f73967e8u);
    EXPECT_NE(sentence_hash({"foo", "bar"}), sentence_hash({"foobar"}));
}

TEST_F(Corpora, language_model_halves_share_no_sentence) {
    const Corpus corpus = read_corpus(folder_, "toy");
    const Halves halves = language_model_halves(corpus.train);
    std::set<std::vector<std::string>> all(halves.yardstick.begin(), halves.yardstick.end());
    all.insert(halves.search.begin(), halves.search.end());
    EXPECT_EQ(all.size(), halves.yardstick.size() + halves.search.size());
    EXPECT_EQ(all.size(), 4u);
    for (const auto& words : halves.yardstick) EXPECT_EQ(sentence_hash(words) >> 33 & 1, 1u);
    for (const auto& words : halves.search) EXPECT_EQ(sentence_hash(words) >> 33 & 1, 0u);
}

TEST_F(Corpora, plain_text_is_split_on_reading) {
    write_toy(replaced("\"tokenised\": true", "\"tokenised\": false"));
    write(folder_ / "toy/b.txt", "It wasn't GOOD!\n");
    EXPECT_THAT(read_corpus(folder_, "toy").train.back().words, ElementsAre("it", "was", "n't", "good", "!"));
}

TEST_F(Corpora, compression_does_not_change_the_checksum) {
    const std::string before = corpus_sha256(folder_, "toy");
    fs::remove(folder_ / "toy/a.gz");
    write(folder_ / "toy/a", "good food .\nnice .\ngood food .\n\nwe like it");
    EXPECT_EQ(corpus_sha256(folder_, "toy"), before);
}

TEST_F(Corpora, missing_folders_and_files_are_named) {
    EXPECT_THAT(message_of(ErrorCode::not_found, [] { find_corpus("", "yelp"); }), HasSubstr("WHYNOT_CORPORA"));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_corpus(folder_ / "no", "yelp"); }), HasSubstr("does not exist"));
    EXPECT_THAT(read_message(ErrorCode::not_found, "zorky"), testing::AllOf(HasSubstr("zorky"), HasSubstr("yelp")));
    EXPECT_THAT(read_message(ErrorCode::not_found, "../toy"), HasSubstr("no name"));
    EXPECT_THAT(read_message(ErrorCode::not_found, "yelp"), HasSubstr("train.neg.txt"));
    fs::remove(folder_ / "toy/b.txt");
    EXPECT_THAT(read_message(ErrorCode::not_found), HasSubstr("b.txt"));
}

TEST_F(Corpora, lines_that_are_not_utf8_are_named) {
    write(folder_ / "toy/b.txt", "bad food .\n\ncaf\xE9 .\n");
    EXPECT_THAT(read_message(ErrorCode::invalid_input), testing::AllOf(HasSubstr("b.txt"), HasSubstr("line 3"), HasSubstr("UTF-8")));
}

TEST_F(Corpora, damaged_gzip_files_are_named) {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919 % 10007) + "\n";
    write_gzip(folder_ / "toy/a.gz", text);
    EXPECT_EQ(read_corpus(folder_, "toy").train.size(), 20002u);
    fs::resize_file(folder_ / "toy/a.gz", fs::file_size(folder_ / "toy/a.gz") / 2);
    EXPECT_THAT(read_message(ErrorCode::io), testing::AllOf(HasSubstr("a.gz"), HasSubstr("truncated")));
    write_gzip(folder_ / "toy/a.gz", text);
    {
        std::fstream file(folder_ / "toy/a.gz", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(5000);
        file << "damage";
    }
    EXPECT_THAT(read_message(ErrorCode::io), HasSubstr("a.gz"));
    write(folder_ / "toy/a.gz", "this is not gzip\n");
    EXPECT_THAT(read_message(ErrorCode::io), HasSubstr("no gzip file"));
}

TEST_F(Corpora, bad_manifests_are_refused) {
    for (const auto& manifest :
         {std::string("{"), std::string("[]"), replaced("whynot.corpus/1", "whynot.corpus/9"),
          replaced("\"class\": \"bad\"", "\"class\": \"ugly\""), replaced("\"split\": \"dev\"", "\"split\": \"test\""),
          replaced("b.txt", "../b.txt"), replaced("b.txt", "/etc/passwd"), replaced("\"name\": \"toy\"", "\"name\": \"other\""),
          replaced("\"tokenised\": true,", "")}) {
        write_toy(manifest);
        EXPECT_THAT(read_message(ErrorCode::invalid_input), HasSubstr("manifest")) << manifest;
    }
}

TEST_F(Corpora, problems_are_listed) {
    write_toy(replaced("\"lines\": 4}", "\"lines\": 9}"));
    EXPECT_THAT(corpus_problems(folder_, "toy"), ElementsAre(HasSubstr("4 lines")));
    fs::remove(folder_ / "toy/b.txt");
    EXPECT_EQ(corpus_problems(folder_, "toy").size(), 2u);
    write_toy(replaced("\"lines\": 4}", "\"text_sha256\": \"00\"}"));
    EXPECT_THAT(corpus_problems(folder_, "toy"), ElementsAre(HasSubstr("altered")));
}

TEST(RealCorpus, yelp_is_as_its_manifest_says) {
    if (test::corpora().empty()) GTEST_SKIP() << "WHYNOT_CORPORA is not set: the real corpus is not read";
    EXPECT_THAT(corpus_problems(test::corpora(), "yelp"), testing::IsEmpty());
    const Corpus corpus = read_corpus(test::corpora(), "yelp");
    EXPECT_EQ(corpus.train.size(), 50278u + 76392u);
    EXPECT_EQ(corpus.train[50277].label, 0);
    EXPECT_EQ(corpus.train[50278].label, 1);
    std::set<std::string> train, dev;
    for (const auto& s : corpus.train) train.insert(joined(s.words));
    for (const auto* part : {&corpus.development, &corpus.held_out}) {
        for (const auto& s : *part) {
            EXPECT_EQ(train.count(joined(s.words)), 0u);
            EXPECT_TRUE(dev.insert(joined(s.words)).second);
        }
    }
    RecordProperty("development", std::to_string(corpus.development.size()));
    RecordProperty("held_out", std::to_string(corpus.held_out.size()));
}

}  // namespace
}  // namespace whynot::text
