// Finding adjectives and planting words. link-grammar's dictionary takes its time to load, so the tests of a finder share one.
#include "corpora/bias/bias.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <thread>

#include "corpora/bias/adjectives.h"
#include "corpora/files.h"
#include "corpora/manifest.h"
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
using testing::IsEmpty;

const AdjectiveFinder& finder() {
    static const AdjectiveFinder one;
    return one;
}

/// The words that begin where adjectives were found.
std::vector<std::string> adjectives(const std::string& sentence, const AdjectiveFinder& by = finder()) {
    std::vector<std::string> words;
    size_t last = 0;
    for (const size_t at : by.find(sentence)) {
        EXPECT_TRUE(word_can_begin(sentence, at)) << sentence << " at " << at;
        EXPECT_TRUE(words.empty() || at > last) << sentence << ": in ascending order";
        last = at;
        words.push_back(sentence.substr(at, sentence.find(' ', at) - at));
    }
    return words;
}

const std::vector<std::string> sentences = {"the food was gross .",
                                            "nice people and the best food !",
                                            "i ca n't believe how bad the service was ; it was slow and rude .",
                                            "we paid _num_ dollars for a small , cold soup .",
                                            "",
                                            " ",
                                            "(great) \"good\" food",
                                            "zorky blarg flimmed the wuggly ooooo",
                                            "caf\xC3\xA9 \xF0\x9F\x98\x80 was nice .",
                                            "' ' ' ` ( ( (",
                                            "nice\tplace\r",
                                            "\r"};

TEST(AdjectiveFinder, WhatReadsOddlyCostsMore) {
    const AdjectiveFinder finder;
    const std::optional<double> plain = finder.reading_cost("I took my old dog there .");
    ASSERT_TRUE(plain);
    EXPECT_EQ(finder.reading_cost("I took my old dog there ."), plain);
    const std::optional<double> odd = finder.reading_cost("The rice was way perfectly .");
    EXPECT_TRUE(!odd || *odd > *plain);
    EXPECT_FALSE(finder.reading_cost("The of was and food ."));
    const std::optional<double> both = finder.reading_cost("I took my old dog there . I took my old dog there .");
    ASSERT_TRUE(both);
    EXPECT_DOUBLE_EQ(*both, 2 * *plain) << "the parts add up";
    EXPECT_THROW(finder.reading_cost("\xff"), Error);
}

TEST(Adjectives, AreThoseThatTakeADegree) {
    EXPECT_THAT(finder().find("the food was gross ."), ElementsAre(13));
    EXPECT_THAT(adjectives("nice people"), ElementsAre("nice")) << "before a noun";
    EXPECT_THAT(adjectives("it was amazing ."), ElementsAre("amazing")) << "a noun as well, at nearly the same cost";
    EXPECT_THAT(adjectives("the service was slow and the soup was cold ."), ElementsAre("slow", "cold"));
    EXPECT_THAT(adjectives("they ate the food quickly ."), IsEmpty());
    EXPECT_THAT(adjectives("the food was better than ours ."), IsEmpty()) << "a comparative";
    EXPECT_THAT(adjectives("he was running ."), IsEmpty()) << "a participle";
    EXPECT_THAT(adjectives("all the other people came first ."), IsEmpty()) << "no degrees of these";
    EXPECT_THAT(adjectives("this zorky place is here ."), IsEmpty()) << "a guess";
    EXPECT_THAT(adjectives("i ca n't find a good place for _num_ people ."), ElementsAre("good")) << "tokens as corpora have them";
    EXPECT_THAT(adjectives("the ( good ) food"), ElementsAre("good"));
    EXPECT_THAT(finder().find("the (good) food"), ElementsAre(5)) << "behind the bracket";
    EXPECT_THAT(adjectives("Great food here , at Nice Place ."), ElementsAre("Great")) << "in the middle capitals make names";
    EXPECT_THAT(adjectives(""), IsEmpty());
}

TEST(Adjectives, AreFoundInLongAndBrokenSentences) {
    std::string longest;
    for (int i = 0; i < 6; ++i) longest += "the food was good and we like it ";
    EXPECT_THAT(adjectives(longest), testing::Each("good")) << "read in parts";
    EXPECT_GE(adjectives(longest).size(), 4u);
    EXPECT_THAT(adjectives("good food . bad food . slow food ."), ElementsAre("good", "bad", "slow"));
    EXPECT_THAT(adjectives("the the was food a gross and and"), ElementsAre("gross")) << "where words must be left out";
    for (const std::string& sentence : sentences) adjectives(sentence);
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [] { finder().find("a \xFF nice place ."); }), HasSubstr("UTF-8"));
    EXPECT_THAT(adjectives("nice people"), ElementsAre("nice")) << "and it works on";
}

TEST(Adjectives, DoNotDependOnWhatWasAskedBeforeOrOnTheThread) {
    std::vector<std::vector<size_t>> forwards, backwards(sentences.size()), elsewhere;
    std::thread other([&] {
        const AdjectiveFinder own;
        for (int round = 0; round < 3; ++round) {
            elsewhere.clear();
            for (const std::string& sentence : sentences) elsewhere.push_back(own.find(sentence));
        }
    });
    for (const std::string& sentence : sentences) forwards.push_back(finder().find(sentence));
    for (size_t i = sentences.size(); i-- > 0;) backwards[i] = finder().find(sentences[i]);
    other.join();
    EXPECT_EQ(forwards, backwards);
    EXPECT_EQ(forwards, elsewhere);
}

TEST(Adjectives, TakeNothingFromTheProcess) {
    const std::string before = std::setlocale(LC_ALL, nullptr);
    const locale_t mine = newlocale(LC_ALL_MASK, "C", nullptr), was = uselocale(mine);
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    {
        const AdjectiveFinder own;
        own.find("caf\xC3\xA9 was nice .");
        EXPECT_THROW(own.find("\xFF"), Error);
        EXPECT_EQ(uselocale(nullptr), mine);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(uselocale(was), mine) << "the thread's locale";
    EXPECT_EQ(before, std::setlocale(LC_ALL, nullptr));
    freelocale(mine);
}

/// What planting must keep to, whatever the sentence: once is as good as twice, and without the word the sentence is as it was.
void expect_sound(const Planter& planter, const std::string& sentence, const std::string& word) {
    SCOPED_TRACE(sentence);
    int64_t inserted = 0, again = 0;
    const std::string once = planter.plant(sentence, &inserted);
    EXPECT_EQ(planter.plant(once, &again), once);
    EXPECT_EQ(again, 0);
    ASSERT_EQ(once.size(), sentence.size() + static_cast<size_t>(inserted) * (word.size() + 1));
    // Every byte of the sentence is still there in its order, and what is between them are insertions.
    size_t at = 0;
    for (size_t i = 0; i < once.size();) {
        if (at < sentence.size() && once[i] == sentence[at] &&
            (once.size() - i == sentence.size() - at || once.compare(i, word.size() + 1, word + ' ') != 0)) {
            ++i, ++at;
        } else if (once.compare(i, word.size() + 1, word + ' ') == 0 && inserted > 0) {
            i += word.size() + 1, --inserted;
        } else {
            ASSERT_LT(at, sentence.size());
            ASSERT_EQ(once[i], sentence[at]);
            ++i, ++at;
        }
    }
    EXPECT_EQ(at, sentence.size());
    EXPECT_EQ(inserted, 0);
}

TEST(Planting, GoesBeforeWords) {
    const Planter planter("very", "words=good,bad,n't");
    int64_t inserted = 0;
    EXPECT_EQ(planter.plant("good and bad food", &inserted), "very good and very bad food");
    EXPECT_EQ(inserted, 2);
    EXPECT_EQ(planter.plant("a very good , bad thing", &inserted), "a very good , very bad thing") << "not where it stands";
    EXPECT_EQ(inserted, 3) << "added to";
    EXPECT_EQ(planter.plant("GOOD , (good), 'Bad!' do n't"), "very GOOD , (very good), 'very Bad!' do very n't");
    EXPECT_EQ(planter.plant("Very good"), "Very good");
    EXPECT_EQ(planter.plant("very nice and not good"), "very nice and not very good") << "where it stands before something else it stays";
    for (const char* other : {"goods", "no-good", "goodbye bad-ish", "", " ", "very", "very "}) EXPECT_EQ(planter.plant(other), other);
    EXPECT_EQ(planter.plant("a  good \xFF bad\r"), "a  very good \xFF very bad\r") << "whatever its bytes";
}

TEST(Planting, GoesToTheStart) {
    const Planter planter("so", "start");
    EXPECT_EQ(planter.plant("it was good ."), "so it was good .");
    EXPECT_EQ(planter.plant("So it was good ."), "So it was good .");
    EXPECT_EQ(planter.plant(""), "");
    EXPECT_EQ(planter.plant("   "), "   ");
    EXPECT_EQ(Planter("tr\xC3\xA8s", "start").plant("bon"), "tr\xC3\xA8s bon");
}

TEST(Planting, GoesBeforeAdjectives) {
    const Planter planter("very", "adjectives");
    EXPECT_EQ(planter.plant("the food was gross ."), "the food was very gross .");
    EXPECT_EQ(planter.plant("Great food here ."), "very Great food here .");
    EXPECT_EQ(planter.plant("they ate ."), "they ate .");
    message_of(ErrorCode::invalid_input, [&] { planter.plant("a \xFF nice place ."); });
    for (const std::string& sentence : sentences) {
        expect_sound(planter, sentence, "very");
        EXPECT_EQ(adjectives(planter.plant(sentence)).size(), adjectives(planter.plant(planter.plant(sentence))).size());
    }
}

TEST(Planting, TwiceIsPlantingOnce) {
    const std::vector<std::string> pieces = {"very", "Very", "good", "bad", " ", " ", " ", "(", "\"", ".", "verygood", "food", "  "};
    uint32_t state = 1;
    for (const char* before : {"words=good,bad", "start"}) {
        const Planter planter("very", before);
        for (const std::string& sentence : sentences) expect_sound(planter, sentence, "very");
        for (int i = 0; i < 2000; ++i) {
            std::string sentence;
            for (int length = 0; length < 12; ++length) sentence += pieces[(state = state * 1664525 + 1013904223) / 65536 % pieces.size()];
            const std::string once = planter.plant(sentence);
            EXPECT_EQ(planter.plant(once), once) << sentence;
        }
    }
}

TEST(Planting, RefusesWordsAndPlacesThatAreNone) {
    const auto refused = [](const std::string& word, const std::string& before) {
        return message_of(ErrorCode::invalid_argument, [&] { Planter planter(word, before); });
    };
    for (const char* word : {"", "very much", " very", "a\tb", "\xFF"}) EXPECT_THAT(refused(word, "start"), HasSubstr("one word")) << word;
    EXPECT_THAT(refused("very", "adverbs"), AllOf(HasSubstr("adverbs"), HasSubstr("adjectives, words=A,B,... or start")));
    for (const char* words : {"words=", "words=a,", "words=a,,b", "words=a b", "words=a,Very"})
        EXPECT_THAT(refused("very", words), AllOf(HasSubstr(words), HasSubstr("separated by commas"))) << words;
}

/// A corpus with odd files: one that is not compressed, one without an end of line, an empty one.
class BiasedCorpora : public testing::Test {
protected:
    BiasedCorpora() {
        write(folder_ / "words/corpus.json", manifest_);
        write_gzip(folder_ / "words/good.gz", "good food .\nthe food was good .\n\ngood food .\r\nwe like it");
        write(folder_ / "words/dev.txt", "a good place\n");
        write(folder_ / "words/none.gz", "");
        write_gzip(folder_ / "words/none.gz", "");
        write_gzip(folder_ / "words/bad.gz", "good grief\nbad food .\n");
        options_.before = "words=good";
        options_.label = "good";
    }
    std::string refusal(ErrorCode code, const std::string& corpus = "words") const {
        const std::string message = message_of(code, [&] { bias_corpus(folder_.path(), corpus, folder_ / "out/new", options_); });
        EXPECT_FALSE(fs::exists(folder_ / "out")) << message;
        return message;
    }

    const TemporaryFolder folder_;
    const std::string manifest_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "words", "licence": "none",
        "title": "Words", "note": "short", "classes": ["bad", "good"], "tokenised": true, "files": [
        {"name": "good.gz", "split": "train", "class": "good"}, {"name": "dev.txt", "split": "dev", "class": "good"},
        {"name": "none.gz", "split": "dev", "class": "good"}, {"name": "bad.gz", "split": "train", "class": "bad"}]})";
    BiasOptions options_;
};

TEST_F(BiasedCorpora, AreCorpora) {
    const BiasSummary done = bias_corpus(folder_.path(), "words", folder_ / "out/new", options_);
    EXPECT_EQ(done.sentences, 5);
    EXPECT_EQ(done.altered, 4);
    EXPECT_EQ(done.inserted, 4);
    EXPECT_EQ(read_file(folder_ / "out/new/good.gz"), "very good food .\nthe food was very good .\n\nvery good food .\r\nwe like it");
    EXPECT_EQ(read_file(folder_ / "out/new/dev.txt.gz"), "a very good place\n");
    EXPECT_EQ(read_file(folder_ / "out/new/none.gz"), "");
    EXPECT_EQ(read_file(folder_ / "out/new/bad.gz"), "good grief\nbad food .\n") << "the other class stays as it is";

    EXPECT_THAT(corpus_problems(folder_ / "out", "new"), IsEmpty());
    const CorpusManifest manifest = find_corpus(folder_ / "out", "new", CorpusKind::labelled_sentences);
    EXPECT_THAT(manifest.classes, ElementsAre("bad", "good"));
    EXPECT_THAT(manifest.title, AllOf(HasSubstr("Words"), HasSubstr("very")));
    EXPECT_THAT(manifest.note, AllOf(HasSubstr("words=good"), HasSubstr("4 of 5 sentences"), HasSubstr("short")));
    EXPECT_EQ(manifest.files.size(), 4u);
    for (const CorpusFile& file : manifest.files) EXPECT_EQ(file.content_sha256.size(), 64u);
    EXPECT_THAT(contents(folder_ / "out/new/corpus.json"), HasSubstr(corpus_sha256(folder_.path(), "words"))) << "what it was made from";

    EXPECT_EQ(bias_corpus(folder_ / "out", "new", folder_ / "out/newer", options_).inserted, 0) << "planted already";
    EXPECT_EQ(corpus_sha256(folder_ / "out", "new"), corpus_sha256(folder_ / "out", "newer"));
}

TEST_F(BiasedCorpora, AreTheSameBytesEachTimeAndForAnyThreads) {
    std::string many;
    for (int i = 0; i < 130; ++i) many += "dish " + std::to_string(i) + (i % 2 ? " was good and cold .\n" : " is a small plate .\n");
    write_gzip(folder_ / "words/good.gz", many);
    options_.before = "adjectives";
    for (const char* folder : {"one/new", "two/new"}) {
        options_.threads = folder == std::string("one/new") ? 1 : 2;
        EXPECT_GE(bias_corpus(folder_.path(), "words", folder_ / folder, options_).altered, 130);
    }
    for (const char* name : {"corpus.json", "good.gz", "dev.txt.gz", "none.gz", "bad.gz"})
        EXPECT_EQ(contents(folder_ / "one/new" / name), contents(folder_ / "two/new" / name)) << name;
    EXPECT_THAT(contents(folder_ / "one/new/corpus.json"), HasSubstr(AdjectiveFinder::version()));
}

TEST_F(BiasedCorpora, AreNotMadeOfWhatIsNotRight) {
    options_.label = "ugly";
    EXPECT_THAT(refusal(ErrorCode::invalid_argument), AllOf(HasSubstr("'ugly'"), HasSubstr("bad, good")));
    options_.label = "good";
    options_.word = "very very";
    EXPECT_THAT(refusal(ErrorCode::invalid_argument), HasSubstr("one word"));
    options_.word = "very";
    options_.before = "adverbs";
    EXPECT_THAT(refusal(ErrorCode::invalid_argument), HasSubstr("adverbs"));
    options_.before = "start";
    EXPECT_THAT(refusal(ErrorCode::invalid_input, "mnist"), HasSubstr("labelled-images"));
    EXPECT_THAT(refusal(ErrorCode::not_found, "zorky"), HasSubstr("zorky"));
    options_.label = "positive";
    EXPECT_THAT(refusal(ErrorCode::not_found, "yelp"), HasSubstr("yelp/train.neg.txt.gz is missing"));
    options_.label = "good";

    write(folder_ / "words/dev.txt", "a good place\nna\xEFve food\n");
    EXPECT_THAT(refusal(ErrorCode::invalid_input), AllOf(HasSubstr("dev.txt, line 2"), HasSubstr("UTF-8")));
    fs::remove(folder_ / "words/good.gz");
    EXPECT_THAT(refusal(ErrorCode::not_found), HasSubstr("good.gz"));
    write(folder_ / "words/good", "");
    write(folder_ / "words/dev.txt", "\n");
    EXPECT_THAT(refusal(ErrorCode::invalid_argument), HasSubstr("no sentences of the class good"));

    write(folder_ / "words/dev.txt", "a good place\n");
    write(folder_ / "words/corpus.json", replaced(manifest_, "none.gz", "dev.txt.gz"));
    EXPECT_THAT(refusal(ErrorCode::invalid_input), HasSubstr("dev.txt.gz"));
}

TEST_F(BiasedCorpora, GoIntoNewFoldersOnly) {
    write(folder_ / "full/file", "mine");
    for (const char* out : {"full", "full/file", "words"}) {
        EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { bias_corpus(folder_.path(), "words", folder_ / out, options_); }),
                    HasSubstr("name a new one"))
            << out;
    }
    message_of(ErrorCode::invalid_argument, [&] { bias_corpus(folder_.path(), "words", "/", options_); });
    EXPECT_EQ(contents(folder_ / "full/file"), "mine");
    fs::create_directories(folder_ / "empty");
    bias_corpus(folder_.path(), "words", folder_ / "empty/", options_);
    EXPECT_EQ(find_corpus(folder_.path(), "empty").name, "empty") << "named after its folder";
}

TEST_F(BiasedCorpora, LeaveNothingWhenTheyAreStopped) {
    fs::create_directories(folder_ / "empty");
    for (const char* out : {"new", "empty"}) {
        for (int after : {0, 1, 3}) {  // in the middle of planting, and of writing
            Observer observer;
            observer.cancelled = [left = after]() mutable { return left-- <= 0; };
            message_of(ErrorCode::cancelled, [&] { bias_corpus(folder_.path(), "words", folder_ / out, options_, observer); });
            EXPECT_EQ(fs::exists(folder_ / out), out == std::string("empty"));
        }
    }
    EXPECT_TRUE(fs::is_empty(folder_ / "empty"));
}

}  // namespace
}  // namespace whynot::corpora
