#include "corpora/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/sha256.h"
#include "corpora/files.h"
#include "corpora/toy_files.h"
#include "support/temporary_folder.h"

namespace whynot::corpora {
namespace {

namespace fs = std::filesystem;
using test::replaced;
using test::write;
using test::write_gzip;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A folder with a corpus of sentences and one of images, each with its manifest beside it.
class Manifests : public testing::Test {
protected:
    void SetUp() override {
        write_words(words_);
        write_dots(dots_);
    }
    void write_words(const std::string& manifest) const {
        write(folder_ / "words/corpus.json", manifest);
        write_gzip(folder_ / "words/a.gz", "good food .\nnice .\ngood food .\n\nwe like it");
        write(folder_ / "words/b.txt", "bad food .\nnice .\n");
    }
    void write_dots(const std::string& manifest) const {
        write(folder_ / "dots/corpus.json", manifest);
        write(folder_ / "dots/images", test::idx({2, 1, 2}, "abcd"));
        write(folder_ / "dots/labels", test::idx({2}, std::string("\0\1", 2)));
    }
    std::string refusal(ErrorCode code, const std::string& name) const {
        return message_of(code, [&] { find_corpus(folder_.path(), name); });
    }

    const TemporaryFolder folder_;
    const std::string words_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "words", "licence": "none",
        "title": "Words", "note": "short", "classes": ["good", "bad"], "tokenised": false, "files": [
        {"name": "a.gz", "split": "train", "class": "good", "lines": 4}, {"name": "b.txt", "split": "dev", "class": "bad"}]})";
    const std::string dots_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-images", "name": "dots", "licence": "none",
        "classes": ["dark", "light"], "files": [
        {"name": "images", "role": "images", "split": "train", "count": 2}, {"name": "labels", "role": "labels", "split": "train"},
        {"name": "images", "role": "images", "split": "held_out"}, {"name": "labels", "role": "labels", "split": "held_out"}]})";
    const std::string table_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-images", "name": "dots", "licence": "none",
        "classes": ["dark", "light"], "files": [{"name": "images", "role": "images"}, {"name": "t.csv", "role": "table",
        "splits": {"column": "part", "values": {"a": "train", "b": "held_out"}},
        "conditions": {"light": {"Light": "1"}, "dark": {"Light": "0", "Lamp": "0"}}}]})";
};

TEST_F(Manifests, OfBothKindsAreRead) {
    const CorpusManifest words = find_corpus(folder_.path(), "words");
    EXPECT_EQ(words.kind, CorpusKind::labelled_sentences);
    EXPECT_EQ(words.title, "Words");
    EXPECT_EQ(words.note, "short");
    EXPECT_FALSE(words.tokenised);
    ASSERT_EQ(words.files.size(), 2u);
    EXPECT_EQ(words.files[0].count, 4);
    EXPECT_EQ(words.files[1].count, -1);
    EXPECT_EQ(words.files[1].split, "dev");
    EXPECT_EQ(words.files[1].label, 1);

    const CorpusManifest dots = find_corpus(folder_.path(), "dots", CorpusKind::labelled_images);
    EXPECT_EQ(dots.kind, CorpusKind::labelled_images);
    EXPECT_THAT(dots.classes, ElementsAre("dark", "light"));
    EXPECT_EQ(dots.files[0].role, CorpusFileRole::images);
    EXPECT_EQ(dots.files[3].role, CorpusFileRole::labels);
    EXPECT_EQ(dots.files[3].split, "held_out");

    write_dots(table_);
    const LabelTable table = find_corpus(folder_.path(), "dots").files[1].table;
    EXPECT_EQ(table.split_column, "part");
    EXPECT_EQ(table.splits.at("b"), "held_out");
    ASSERT_EQ(table.conditions.size(), 2u);
    EXPECT_EQ(table.conditions[0].at("Lamp"), "0") << "in the order of the classes";
}

TEST_F(Manifests, OfAnotherKindAreRefusedByName) {
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { find_corpus(folder_.path(), "words", CorpusKind::labelled_images); }),
                AllOf(HasSubstr("words"), HasSubstr("labelled-sentences, labelled-images was expected")));
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { find_corpus(folder_.path(), "mnist", CorpusKind::labelled_sentences); }),
                AllOf(HasSubstr("mnist"), HasSubstr("labelled-images, labelled-sentences was expected")));
}

TEST_F(Manifests, ThatAreCompiledInAreFoundAndValid) {
    std::vector<std::string> names;
    for (const CorpusManifest& manifest : built_in_corpora()) {
        names.push_back(manifest.name);
        EXPECT_EQ(find_corpus(folder_.path(), manifest.name, manifest.kind).classes, manifest.classes);
        for (const std::string* text : {&manifest.title, &manifest.home, &manifest.licence, &manifest.citation})
            EXPECT_FALSE(text->empty());
        for (const CorpusFile& file : manifest.files) {
            EXPECT_EQ(file.content_sha256.size(), 64u) << file.name;
            EXPECT_GT(file.count, 0) << file.name;
            EXPECT_GT(file.content_bytes, 0) << file.name;
        }
    }
    EXPECT_THAT(names, testing::UnorderedElementsAre("banking77", "clinc150", "faces", "fashion-mnist", "go-emotions", "hwu64",
                                                     "imdb-human", "kannada-mnist", "mnist", "yelp", "yelp-human"));
}

TEST_F(Manifests, BesideTheFilesComeFirst) {
    write(folder_ / "yelp/corpus.json", replaced(words_, "\"name\": \"words\"", "\"name\": \"yelp\""));
    EXPECT_EQ(find_corpus(folder_.path(), "yelp").title, "Words");
}

TEST_F(Manifests, ThatAreMissingAreNamed) {
    EXPECT_THAT(message_of(ErrorCode::not_found, [] { find_corpus("", "yelp"); }), AllOf(HasSubstr("WHYNOT_CORPORA"), HasSubstr("yelp")));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_corpus(folder_ / "no", "yelp"); }), HasSubstr("does not exist"));
    EXPECT_THAT(refusal(ErrorCode::not_found, "zorky"), AllOf(HasSubstr("zorky"), HasSubstr("yelp"), HasSubstr("mnist")));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_corpus(folder_.path(), "zorky", CorpusKind::labelled_images); }),
                AllOf(HasSubstr("no corpus of images"), HasSubstr("mnist"), testing::Not(HasSubstr("yelp"))));
    for (const char* name : {"../words", "..", ".", "", "/etc", "words/..", "a/b"})
        EXPECT_THAT(refusal(ErrorCode::not_found, name), HasSubstr("no name")) << name;
}

TEST_F(Manifests, OfSentencesThatAreWrongAreRefused) {
    for (const auto& manifest :
         {std::string("{"), std::string("[]"), std::string(), replaced(words_, "whynot.corpus/1", "whynot.corpus/9"),
          replaced(words_, "labelled-sentences", "labelled-songs"), replaced(words_, "\"class\": \"bad\"", "\"class\": \"ugly\""),
          replaced(words_, "\"split\": \"dev\"", "\"split\": \"test\""), replaced(words_, "b.txt", "../b.txt"),
          replaced(words_, "b.txt", "/etc/passwd"), replaced(words_, "\"name\": \"words\"", "\"name\": \"other\""),
          replaced(words_, "\"tokenised\": false,", ""), replaced(words_, "[\"good\", \"bad\"]", "[\"bad\", \"bad\"]")}) {
        write_words(manifest);
        EXPECT_THAT(refusal(ErrorCode::invalid_input, "words"), HasSubstr("manifest")) << manifest;
    }
}

TEST_F(Manifests, OfImagesThatAreWrongAreRefused) {
    const auto refused = [&](const std::string& manifest, const std::string& why) {
        write_dots(manifest);
        EXPECT_THAT(refusal(ErrorCode::invalid_input, "dots"), AllOf(HasSubstr("manifest"), HasSubstr("dots"), HasSubstr(why))) << manifest;
    };
    refused(replaced(dots_, "\"role\": \"labels\"", "\"role\": \"lables\""),
            "'files[1].role' to be images, labels or table, found 'lables'");
    refused(replaced(dots_, "\"role\": \"labels\", ", ""), "role");
    refused(replaced(dots_, "held_out", "test"), "to be train or held_out, found 'test'");
    refused(replaced(dots_, "held_out", "train"), "for each of train and held_out");
    refused(replaced(dots_, "\"count\": 2", "\"count\": \"two\""), "'files[0].count' to be a whole number");
    refused(replaced(dots_, "[\"dark\", \"light\"]", "[\"dark\"]"), "fewer than two");
    refused(replaced(dots_, "\"labels\", \"role\"", "\"../labels\", \"role\""), "leads out");
    refused(replaced(table_, "\"dark\": {\"Light\": \"0\", \"Lamp\": \"0\"}", "\"grey\": {\"Light\": \"0\"}"), "grey");
    refused(replaced(table_, ", \"dark\": {\"Light\": \"0\", \"Lamp\": \"0\"}", ""), "no conditions for the class 'dark'");
    refused(replaced(table_, "{\"Light\": \"1\"}", "{}"), "no conditions for the class 'light'");
    refused(replaced(table_, "{\"Light\": \"1\"}", "{\"Light\": 1}"), "to be a text, found 1");
    refused(replaced(table_, "\"held_out\"", "\"kept\""), "neither train nor held_out");
    refused(replaced(table_, "\"splits\"", "\"split\""), "");
    refused(replaced(table_, "\"role\": \"images\"", "\"role\": \"images\", \"split\": \"train\""), "without a split");
}

TEST_F(Manifests, ListWhatIsWrongWithTheFiles) {
    EXPECT_THAT(corpus_problems(folder_.path(), "dots"), testing::IsEmpty());
    write_words(replaced(words_, "\"lines\": 4}", "\"lines\": 9}"));
    EXPECT_THAT(corpus_problems(folder_.path(), "words"), ElementsAre(AllOf(HasSubstr("a.gz has 4 lines"), HasSubstr("9 were"))));
    fs::remove(folder_ / "words/b.txt");
    EXPECT_THAT(corpus_problems(folder_.path(), "words"), ElementsAre(HasSubstr("4 lines"), HasSubstr("missing")));
    write_words(replaced(words_, "\"lines\": 4}", "\"text_sha256\": \"00\"}"));
    EXPECT_THAT(corpus_problems(folder_.path(), "words"), ElementsAre(HasSubstr("altered")));

    write_dots(replaced(dots_, "\"count\": 2", "\"count\": 3"));
    EXPECT_THAT(corpus_problems(folder_.path(), "dots"), ElementsAre(AllOf(HasSubstr("images has 2 images"), HasSubstr("3 were"))));
    write_dots(replaced(dots_, "\"count\": 2", "\"content_sha256\": \"00\""));
    EXPECT_THAT(corpus_problems(folder_.path(), "dots"), ElementsAre(HasSubstr("altered")));
    write_dots(dots_);
    write(folder_ / "dots/labels", test::idx({3}, std::string("\0\1\1", 3)));
    EXPECT_THAT(corpus_problems(folder_.path(), "dots"), ElementsAre(HasSubstr("do not belong together"))) << "each file alone is fine";
}

TEST_F(Manifests, ChecksumIsOfTheContentInOrder) {
    EXPECT_EQ(corpus_sha256(folder_.path(), "words"), base::sha256_hex("good food .\nnice .\ngood food .\n\nwe like it"
                                                                       "bad food .\nnice .\n"));
    fs::remove(folder_ / "words/a.gz");
    write(folder_ / "words/a", "good food .\nnice .\ngood food .\n\nwe like it");
    EXPECT_EQ(corpus_sha256(folder_.path(), "words"),
              base::sha256_hex("good food .\nnice .\ngood food .\n\nwe like itbad food .\nnice .\n"));
}

TEST(Files, AreReadPlainAndCompressed) {
    const TemporaryFolder folder;
    const std::string text("a\0b\r\n", 5);
    write(folder / "plain", text);
    write_gzip(folder / "packed.gz", text);
    write_gzip(folder / "nothing.gz", "");
    write(folder / "only.txt", text);
    write(folder / "empty", "");
    EXPECT_EQ(read_file(folder / "plain"), text);
    EXPECT_EQ(read_file(folder / "packed.gz"), text);
    EXPECT_EQ(read_file(folder / "only.txt.gz"), text) << "of a missing .gz the plain file";
    EXPECT_EQ(read_file(folder / "empty"), "");
    EXPECT_EQ(read_file(folder / "nothing.gz"), "");
}

TEST(Files, ThatAreMissingDamagedOrTooLargeAreNamed) {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& name, ErrorCode code, uint64_t limit = max_content_bytes) {
        return message_of(code, [&] { read_file(folder / name, limit); });
    };
    EXPECT_THAT(refused("x.gz", ErrorCode::not_found), AllOf(HasSubstr("x.gz"), HasSubstr("and so is"), HasSubstr("README")));
    std::string text;
    for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919 % 10007) + "\n";
    write_gzip(folder / "x.gz", text);
    EXPECT_THAT(refused("x.gz", ErrorCode::invalid_input, text.size() - 1), AllOf(HasSubstr("x.gz"), HasSubstr("limit")));
    EXPECT_EQ(read_file(folder / "x.gz", text.size()), text);
    fs::resize_file(folder / "x.gz", fs::file_size(folder / "x.gz") / 2);
    EXPECT_THAT(refused("x.gz", ErrorCode::io), AllOf(HasSubstr("x.gz"), HasSubstr("truncated"), HasSubstr("fetch it again")));
    write_gzip(folder / "x.gz", text);
    {
        std::fstream file(folder / "x.gz", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(5000);
        file << "damage";
    }
    EXPECT_THAT(refused("x.gz", ErrorCode::io), HasSubstr("x.gz"));
    write(folder / "x.gz", "this is not gzip\n");
    EXPECT_THAT(refused("x.gz", ErrorCode::io), HasSubstr("no gzip file"));
    write(folder / "plain", text);
    EXPECT_THAT(refused("plain", ErrorCode::invalid_input, 10), AllOf(HasSubstr("plain"), HasSubstr("10 bytes")));
}

TEST(Files, StayInTheirFolder) {
    for (const char* path : {"a", "a/b", "a.b/..c", "..."}) EXPECT_TRUE(stays_inside(path)) << path;
    for (const char* path : {"", "/a", "..", "a/../b", "./a", "a/", "../a"}) EXPECT_FALSE(stays_inside(path)) << path;
}

TEST(Hashes, AreThoseOfTheirAuthors) {
    EXPECT_EQ(base::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    base::Sha256 pieces;
    pieces.update("a");
    pieces.update("bc");
    EXPECT_EQ(pieces.hex(), base::sha256_hex("abc"));
    EXPECT_EQ(base::fnv1a(""), 0xcbf29ce484222325u);
    EXPECT_EQ(base::fnv1a("a"), 0xaf63dc4c8601ec8cu);
    EXPECT_EQ(base::fnv1a("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace whynot::corpora
