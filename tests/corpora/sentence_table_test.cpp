// Labelled sentences as a table, in each of its three forms.

#include "corpora/sentence_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "corpora/real.h"
#include "corpora/toy_files.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::corpora;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SentenceTable table(const std::string& format) { return {format, "text", "label"}; }

std::vector<LabelledText> rows(const std::string& format, const std::string& content) {
    return parse_sentence_table(content, table(format), "table." + format);
}

std::string refused(const std::string& format, const std::string& content) {
    return message_of(ErrorCode::invalid_input, [&] { rows(format, content); });
}

TEST(SentenceTable, TabsSeparateColumnsInAnyOrder) {
    const auto found = rows("tsv", "\xEF\xBB\xBFlabel\tid\ttext\r\nhello\t1\tgood \"morning\r\n\nbye\t2\tsee you, later\n");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].text, "good \"morning");
    EXPECT_EQ(found[0].label, "hello");
    EXPECT_EQ(found[0].line, 2);
    EXPECT_EQ(found[1].text, "see you, later");
    EXPECT_EQ(found[1].line, 4);
}

TEST(SentenceTable, CommasSeparateThemWithQuotesAroundFields) {
    const auto found = rows("csv", "text,label\n\"see you,\nlater\",bye\n\n\"he said \"\"hi\"\"\",hello");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].text, "see you,\nlater");
    EXPECT_EQ(found[0].line, 2);
    EXPECT_EQ(found[1].text, "he said \"hi\"");
    EXPECT_EQ(found[1].line, 5) << "fields have lines of their own, and blank lines count";
}

TEST(SentenceTable, ObjectsAreRowsToo) {
    const auto found =
        rows("jsonl", "{\"label\": \"bye\", \"text\": \"see\\nyou\", \"n\": 3}\n\n{\"text\": \"hi\", \"label\": \"hello\"}\n");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].text, "see\nyou");
    EXPECT_EQ(found[1].label, "hello");
    EXPECT_EQ(found[1].line, 3);
    EXPECT_THAT(rows("jsonl", ""), IsEmpty());
}

TEST(SentenceTable, WhatIsBrokenIsNamedWithItsLine) {
    for (const char* format : {"tsv", "csv"}) {
        EXPECT_THAT(refused(format, ""), HasSubstr("expected a heading with the columns text and label"));
        EXPECT_THAT(refused(format, "text\n"),
                    AllOf(HasSubstr(std::string("table.") + format), HasSubstr("there is no column 'label'"), HasSubstr("it has text")));
    }
    EXPECT_THAT(refused("tsv", "text\tlabel\na\tb\na\tb\tc\n"), HasSubstr("line 3: expected 2 fields as in the heading, found 3"));
    EXPECT_THAT(refused("csv", "text,label\na\n"), HasSubstr("line 2: expected 2 fields"));
    EXPECT_THAT(refused("csv", "text,label\na,b\n\"a,b\nc,d\n"), AllOf(HasSubstr("line 3"), HasSubstr("is broken")));
    EXPECT_THAT(refused("csv", "text,label\n\"a\"b,c\n"), AllOf(HasSubstr("line 2"), HasSubstr("is broken")));
    EXPECT_THAT(refused("jsonl", "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\"}\n"),
                AllOf(HasSubstr("line 2"), HasSubstr("expected a text as 'label'")));
    EXPECT_THAT(refused("jsonl", "{\"text\": 3, \"label\": \"b\"}\n"), HasSubstr("expected a text as 'text'"));
    EXPECT_THAT(refused("jsonl", "[1]\n"), HasSubstr("line 1"));
}

TEST(SentenceTable, OfRealCorporaIsWhole) {
    const std::filesystem::path folder = whynot::test::corpora();
    if (folder.empty()) GTEST_SKIP() << "WHYNOT_CORPORA is not set: no real corpora";
    for (const char* name : {"clinc150", "banking77", "hwu64", "go-emotions", "imdb-human", "yelp-human"}) {
        if (!std::filesystem::exists(folder / name)) continue;
        EXPECT_THAT(corpus_problems(folder, name), IsEmpty());
    }
}

class TableManifests : public ::testing::Test {
protected:
    void write_manifest(const std::string& files) {
        whynot::test::write(
            folder / "chat" / "corpus.json",
            R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "chat", "licence": "none", "classes": ["bye", "hello"],
                "tokenised": false, "files": [)" +
                files + "]}");
    }
    TemporaryFolder folder;
};

TEST_F(TableManifests, SayTheColumnsAndTheForm) {
    write_manifest(R"({"name": "a.csv.gz", "split": "train", "table": {"text": "q", "label": "intent"}},
                      {"name": "b", "split": "all", "table": {"text": "q", "label": "intent", "format": "jsonl"}})");
    const CorpusManifest manifest = find_corpus(folder.path(), "chat");
    EXPECT_EQ(manifest.files[0].sentence_table.format, "csv");
    EXPECT_EQ(manifest.files[0].sentence_table.text, "q");
    EXPECT_EQ(manifest.files[1].sentence_table.format, "jsonl");
    EXPECT_EQ(manifest.files[1].split, "all");

    const auto message = [&] { return message_of(ErrorCode::invalid_input, [&] { find_corpus(folder.path(), "chat"); }); };
    write_manifest(R"({"name": "a.txt", "split": "train", "table": {"text": "q", "label": "intent"}})");
    EXPECT_THAT(message(), HasSubstr("tsv, csv or jsonl"));
    write_manifest(R"({"name": "a.tsv", "split": "test", "table": {"text": "q", "label": "intent"}})");
    EXPECT_THAT(message(), HasSubstr("train, dev or all"));
    write_manifest(R"({"name": "a.tsv", "split": "train", "table": {"text": "q"}})");
    EXPECT_THAT(message(), HasSubstr("label"));
    write_manifest(R"({"name": "a.txt", "split": "all", "class": "bye"})");
    EXPECT_THAT(message(), HasSubstr("train or dev")) << "only a table is divided";
}

TEST_F(TableManifests, CountRowsAndChecksums) {
    write_manifest(R"({"name": "a.tsv", "split": "train", "lines": 3, "table": {"text": "text", "label": "label"}})");
    whynot::test::write(folder / "chat" / "a.tsv", "text\tlabel\na\tbye\nb\thello\n");
    EXPECT_THAT(corpus_problems(folder.path(), "chat"), ::testing::ElementsAre(HasSubstr("has 2 rows, 3 were expected")));
    whynot::test::write(folder / "chat" / "a.tsv", "text\na\n");
    EXPECT_THAT(corpus_problems(folder.path(), "chat"), ::testing::ElementsAre(HasSubstr("there is no column")));
}

}  // namespace
