#include "corpora/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "base/sha256.h"
#include "corpora/files.h"
#include "corpora/real.h"
#include "corpora/toy_files.h"
#include "support/temporary_folder.h"

namespace whynot::corpora {
namespace {

using test::idx;
using test::replaced;
using test::write;
using test::write_gzip;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

const std::string images_3x2 = bytes({1, 2, 3, 4, 250, 251, 252, 253, 0, 0, 0, 255});  // three of 2 x 2
const std::string colours = "RGBrgbXYZxyz";                                            // two of 1 x 2 x 3, ...

/// `grey`: two files a split, in idx3. `faces`: one file in idx4 with a table.
class Images : public testing::Test {
protected:
    void SetUp() override {
        write(folder_ / "grey/corpus.json", grey_);
        write_gzip(folder_ / "grey/train.gz", idx({3, 2, 2}, images_3x2));
        write_gzip(folder_ / "grey/train-labels.gz", idx({3}, bytes({2, 0, 1})));
        write(folder_ / "grey/test", idx({1, 2, 2}, "abcd"));
        write(folder_ / "grey/test-labels", idx({1}, bytes({1})));
        write(folder_ / "people/corpus.json", people_);
        write_gzip(folder_ / "people/pictures.gz", idx({6, 1, 1, 3}, "aaabbbcccdddeeefff"));
        write(folder_ / "people/labels.csv", table_);
    }
    std::string refusal(const std::string& name, ErrorCode code = ErrorCode::invalid_input) const {
        return message_of(code, [&] { read_images(folder_.path(), name); });
    }
    /// What is said of grey's training images when they are these.
    std::string images_refused(const std::string& content) const {
        write_gzip(folder_ / "grey/train.gz", content);
        return refusal("grey");
    }
    std::string labels_refused(const std::string& content) const {
        write_gzip(folder_ / "grey/train-labels.gz", content);
        return refusal("grey");
    }
    std::string table_refused(const std::string& content) const {
        write(folder_ / "people/labels.csv", content);
        return refusal("people");
    }

    const TemporaryFolder folder_;
    const std::string grey_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-images", "name": "grey", "licence": "none",
        "classes": ["a", "b", "c"], "files": [
        {"name": "train.gz", "role": "images", "split": "train"}, {"name": "train-labels.gz", "role": "labels", "split": "train"},
        {"name": "test", "role": "images", "split": "held_out"}, {"name": "test-labels", "role": "labels", "split": "held_out"}]})";
    const std::string people_ = R"({"schema": "whynot.corpus/1", "kind": "labelled-images", "name": "people", "licence": "none",
        "classes": ["blond woman", "dark man"], "files": [{"name": "pictures.gz", "role": "images"}, {"name": "labels.csv", "role": "table",
        "splits": {"column": "split", "values": {"train": "train", "val": "held_out", "test": "held_out"}},
        "conditions": {"dark man": {"Dark": "1", "Male": "1"}, "blond woman": {"Blond": "1", "Male": "0"}}}]})";
    const std::string table_ =
        "index,split,Dark,Blond,Male\r\n0,train,1,0,1\n1,train,0,0,0\n2,train,0,1,0\n\n3,val,1,0,1\n4,val,0,1,1\n5,test,0,1,0";
};

TEST_F(Images, ComeInTheOrderOfTheFiles) {
    const ImageCorpus corpus = read_images(folder_.path(), "grey");
    EXPECT_THAT(corpus.classes(), ElementsAre("a", "b", "c"));
    const LabelledImages& train = corpus.train;
    EXPECT_THAT((std::vector<int64_t>{train.count, train.height, train.width, train.channels}), ElementsAre(3, 2, 2, 1));
    EXPECT_EQ(std::string(train.pixels.begin(), train.pixels.end()), images_3x2);
    EXPECT_THAT(train.labels, ElementsAre(2, 0, 1));
    EXPECT_EQ(corpus.held_out.count, 1);
    EXPECT_THAT(corpus.held_out.pixels, ElementsAre('a', 'b', 'c', 'd'));
    EXPECT_THAT(corpus.held_out.labels, ElementsAre(1));
    EXPECT_EQ(corpus.sha256, corpus_sha256(folder_.path(), "grey"));
    EXPECT_EQ(corpus.sha256,
              base::sha256_hex(idx({3, 2, 2}, images_3x2) + idx({3}, bytes({2, 0, 1})) + idx({1, 2, 2}, "abcd") + idx({1}, bytes({1}))));
}

TEST_F(Images, AreDealtAndLabelledByATable) {
    const ImageCorpus corpus = read_images(folder_.path(), "people");
    EXPECT_EQ(corpus.train.channels, 3);
    EXPECT_EQ(std::string(corpus.train.pixels.begin(), corpus.train.pixels.end()), "aaabbbccc");
    EXPECT_THAT(corpus.train.labels, ElementsAre(1, -1, 0)) << "of no class: in train without a label";
    EXPECT_EQ(std::string(corpus.held_out.pixels.begin(), corpus.held_out.pixels.end()), "dddfff") << "and left out of held_out";
    EXPECT_THAT(corpus.held_out.labels, ElementsAre(1, 0));
    EXPECT_EQ(corpus.train.count, 3);
    EXPECT_EQ(corpus.held_out.count, 2);
}

TEST_F(Images, HashIsOfAnImageAlone) {
    const ImageCorpus corpus = read_images(folder_.path(), "grey");
    EXPECT_EQ(image_hash(corpus.train, 0), base::fnv1a(bytes({1, 2, 3, 4})));
    EXPECT_EQ(image_hash(corpus.train, 2), base::fnv1a(bytes({0, 0, 0, 255})));
}

TEST_F(Images, ThatAreNoIdxFileAreRefused) {
    const auto& good = images_3x2;
    for (const std::string& content : {std::string(), bytes({0, 0}), std::string("PNG images"), bytes({0, 0, 13, 3}) + good,
                                       bytes({0, 0, 8, 2}) + good, bytes({0, 0, 8, 5}) + good, bytes({8, 0, 0, 3}) + good, idx({12}, good)})
        EXPECT_THAT(images_refused(content), AllOf(HasSubstr("train.gz"), HasSubstr("00 00 08 03 or 00 00 08 04"), HasSubstr("found "),
                                                   HasSubstr("fetch it again")));
    EXPECT_THAT(images_refused("PNG"), HasSubstr("found 50 4e 47"));
    EXPECT_THAT(labels_refused(idx({3, 1, 1}, "aaa")), HasSubstr("train.gz")) << "the first wrong file is named";
}

TEST_F(Images, WhoseSizeIsNotAsTheHeaderSaysAreRefused) {
    EXPECT_THAT(images_refused(idx({3, 2, 2}, images_3x2).substr(0, 10)), AllOf(HasSubstr("16 bytes, found 10"), HasSubstr("truncated")));
    EXPECT_THAT(images_refused(idx({3, 2, 2}, images_3x2 + "x")), AllOf(HasSubstr("3 x 2 x 2"), HasSubstr("12 bytes, found 13")));
    EXPECT_THAT(images_refused(idx({4, 2, 2}, images_3x2)), AllOf(HasSubstr("4 x 2 x 2"), HasSubstr("16 bytes, found 12")));
    EXPECT_THAT(images_refused(idx({0, 2, 2}, "")), HasSubstr("nothing in it"));
    EXPECT_THAT(images_refused(idx({3, 0, 2}, "")), HasSubstr("nothing in it"));
    EXPECT_THAT(images_refused(idx({3, 2, 2, 1}, images_3x2).substr(0, 19)), HasSubstr("20 bytes, found 19"));
    EXPECT_THAT(images_refused(idx({3, 2, 1, 2}, images_3x2)), AllOf(HasSubstr("1 or 3 channels"), HasSubstr("found 2")));
}

TEST_F(Images, OfAbsurdSizesAreRefusedBeforeMemoryIsTaken) {
    constexpr uint32_t huge = 0xFFFFFFFF, half = 0x80000000;
    for (const auto& shape : std::vector<std::vector<uint32_t>>{{huge, huge, huge},
                                                                {huge, huge, huge, huge},
                                                                {half, half, 4},
                                                                {0x10000, 0x10000, 0x10000, 0x10000},
                                                                {half, 2, 2},
                                                                {huge, 2, 0}})
        EXPECT_THAT(images_refused(idx(shape, images_3x2)), AllOf(HasSubstr("train.gz"), HasSubstr("the limit is 4294967296")));
}

TEST_F(Images, WhoseLabelsDoNotFitAreRefused) {
    EXPECT_THAT(labels_refused(idx({2}, bytes({0, 1}))),
                AllOf(HasSubstr("train-labels.gz"), HasSubstr("the 3 images of train.gz, found 2"), HasSubstr("fetch both")));
    EXPECT_THAT(labels_refused(idx({3}, bytes({0, 1, 3}))),
                AllOf(HasSubstr("train-labels.gz"), HasSubstr("0 to 2 (3 classes), found 3 for image 2")));
    EXPECT_THAT(labels_refused(idx({3}, bytes({0, 255, 0}))), HasSubstr("found 255 for image 1"));
    EXPECT_THAT(labels_refused(idx({3, 1, 1}, "aaa")), AllOf(HasSubstr("train-labels.gz"), HasSubstr("00 00 08 01, found 00 00 08 03")));
}

TEST_F(Images, OfTwoSizesAreRefused) {
    write(folder_ / "grey/test", idx({1, 1, 4}, "abcd"));
    EXPECT_THAT(refusal("grey"), AllOf(HasSubstr("one size"), HasSubstr("2 x 2 x 1"), HasSubstr("1 x 4 x 1")));
}

TEST_F(Images, WhoseFilesAreMissingOrDamagedAreRefused) {
    const std::string path = folder_ / "grey/train.gz";
    std::string noise;
    for (uint64_t i = 0; i < 40000; ++i) noise += static_cast<char>(base::fnv1a(std::to_string(i)) & 255);
    write_gzip(path, idx({10000, 2, 2}, noise));
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    EXPECT_THAT(refusal("grey", ErrorCode::io), AllOf(HasSubstr("train.gz"), HasSubstr("truncated")));
    std::filesystem::remove(path);
    EXPECT_THAT(refusal("grey", ErrorCode::not_found), HasSubstr("train.gz"));
    write(folder_ / "grey/train", idx({3, 2, 2}, images_3x2));
    EXPECT_EQ(read_images(folder_.path(), "grey").train.count, 3) << "a plain file will do";
}

TEST_F(Images, WithAWrongTableAreRefused) {
    EXPECT_THAT(table_refused(replaced(table_, "\n1,train,0,0,0", "")), HasSubstr("the 6 images of pictures.gz, found 5"));
    EXPECT_THAT(table_refused(replaced(table_, ",Male", ",Female")), AllOf(HasSubstr("\"Male\""), HasSubstr("index, split, Dark")));
    EXPECT_THAT(table_refused(replaced(table_, "split", "part")), HasSubstr("\"split\""));
    EXPECT_THAT(table_refused(replaced(table_, "1,train,0,0,0", "1,train,0,0")),
                AllOf(HasSubstr("line 3"), HasSubstr("5 fields"), HasSubstr("found 4")));
    EXPECT_THAT(table_refused(replaced(table_, "1,train", "1,\"train\"")), AllOf(HasSubstr("line 3"), HasSubstr("quote")));
    EXPECT_THAT(table_refused(replaced(table_, "3,val", "3,valid")), AllOf(HasSubstr("image 3"), HasSubstr("\"valid\"")));
    EXPECT_THAT(table_refused("index,split,Dark,Blond,Male\n"), HasSubstr("no such lines"));
    EXPECT_THAT(table_refused(""), HasSubstr("no such lines"));
    EXPECT_THAT(table_refused(replaced(replaced(table_, "3,val,1", "3,val,0"), "5,test,0,1", "5,test,0,0")),
                AllOf(HasSubstr("no labelled image"), HasSubstr("held_out")));
    write(folder_ / "people/corpus.json", replaced(people_, "{\"Blond\": \"1\", \"Male\": \"0\"}", "{\"Male\": \"1\"}"));
    EXPECT_THAT(table_refused(table_), AllOf(HasSubstr("image 0"), HasSubstr("blond woman and of dark man")));
}

TEST_F(Images, AreNoSentences) {
    EXPECT_THAT(refusal("yelp"), HasSubstr("labelled-images was expected"));
    EXPECT_THAT(refusal("zorky", ErrorCode::not_found), HasSubstr("no corpus of images"));
}

/// What the real corpora hold, in the words of those who made them.
struct Real {
    const char* name;
    int64_t side, channels, train, held_out;
    std::vector<int64_t> of_class;  ///< training images
};

/// How GoogleTest prints one: by its name, not by its bytes.
void PrintTo(const Real& real, std::ostream* out) { *out << real.name; }

class RealImages : public testing::TestWithParam<Real> {};

TEST_P(RealImages, AreAsTheirManifestSays) {
    const Real& real = GetParam();
    if (!std::filesystem::exists(test::corpora() / real.name))
        GTEST_SKIP() << "WHYNOT_CORPORA is not set or has no " << real.name << ": the real corpus is not read";
    EXPECT_THAT(corpus_problems(test::corpora(), real.name), testing::IsEmpty());
    const ImageCorpus corpus = read_images(test::corpora(), real.name);
    std::vector<int64_t> counts(corpus.classes().size());
    for (const int64_t label : corpus.train.labels)
        if (label >= 0) ++counts[static_cast<size_t>(label)];
    EXPECT_EQ(counts, real.of_class);
    for (const LabelledImages* part : {&corpus.train, &corpus.held_out}) {
        EXPECT_EQ(part->count, part == &corpus.train ? real.train : real.held_out);
        EXPECT_THAT((std::vector<int64_t>{part->height, part->width, part->channels}), ElementsAre(real.side, real.side, real.channels));
        EXPECT_EQ(static_cast<int64_t>(part->pixels.size()), part->count * part->image_bytes());
        EXPECT_EQ(static_cast<int64_t>(part->labels.size()), part->count);
        const auto [least, most] = std::minmax_element(part->pixels.begin(), part->pixels.end());
        EXPECT_EQ(*least, 0);
        EXPECT_EQ(*most, 255);
    }
    EXPECT_GE(*std::min_element(corpus.held_out.labels.begin(), corpus.held_out.labels.end()), 0);
    RecordProperty("sha256", corpus.sha256);
}

const std::vector<int64_t> six_thousand(10, 6000);
INSTANTIATE_TEST_SUITE_P(All, RealImages,
                         testing::Values(Real{"mnist", 28, 1, 60000, 10000, {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
                                         Real{"fashion-mnist", 28, 1, 60000, 10000, six_thousand},
                                         Real{"kannada-mnist", 28, 1, 60000, 10000, six_thousand},
                                         Real{"faces", 64, 3, 3008, 416, {713, 505, 496}}),
                         [](const auto& param) {
                             std::string name = param.param.name;
                             name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
                             return name;
                         });

}  // namespace
}  // namespace whynot::corpora
