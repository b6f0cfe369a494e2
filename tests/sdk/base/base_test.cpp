#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "base/atomic_file.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "support/temporary_folder.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/pack.h"

namespace fs = std::filesystem;
using namespace whynot;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

// ---- SHA-256, text, JSON -------------------------------------------------------------------------------------------------------

TEST(Sha256, KnownAnswersAndPieces) {
    EXPECT_EQ(base::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(base::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const std::string long_text(1000003, 'x');
    base::Sha256 hash;
    for (size_t begin = 0; begin < long_text.size(); begin += 777) hash.update(std::string_view(long_text).substr(begin, 777));
    const std::string whole = base::sha256_hex(long_text);
    EXPECT_EQ(hash.hex(), whole);
    TemporaryFolder folder;
    put(folder / "x", long_text);
    EXPECT_EQ(base::sha256_of_file(folder / "x"), whole);
    EXPECT_TRUE(base::is_sha256(whole));
    EXPECT_FALSE(base::is_sha256(whole.substr(1)));
    EXPECT_FALSE(base::is_sha256(whole.substr(1) + "G"));
}

TEST(Text, Utf8) {
    for (const char* good : {"", "a", "é", "ह", "😀", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) EXPECT_TRUE(base::is_utf8(good)) << good;
    for (const char* bad :
         {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff", "\xe2\x82"})
        EXPECT_FALSE(base::is_utf8(bad)) << base::escape_controls(bad);
}

TEST(Text, EscapesWhatDrivesTerminals) {
    EXPECT_EQ(base::escape_controls("a\n\t\x1b[31m\x7f"), "a\\n\\t\\u001b[31m\\u007f");
    EXPECT_EQ(base::escape_controls("\u009b\u202e\u2028\xff"), "\\u009b\\u202e\\u2028\\xff");
    EXPECT_EQ(base::escape_controls("né 😀 👩‍🚒"), "né 😀 👩‍🚒");
    EXPECT_EQ(base::in_quotes(std::string(200, 'x')).size(), 85u);
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 12, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        const std::string escaped = base::escape_controls(bytes);
        EXPECT_TRUE(base::is_utf8(escaped));
        EXPECT_EQ(base::escape_controls(escaped), escaped);
    }
}

TEST(Text, CsvHoldsNoFormula) {
    EXPECT_EQ(base::csv_line({"a", "b c", ""}), "a,b c,\r\n");
    EXPECT_EQ(base::csv_line({"a,b", "say \"no\"", "two\nlines"}), "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\r\n");
    for (const char* formula : {"=1+1", "+A1", "-A1", "@now", "\t=1", "\r=1"})
        EXPECT_EQ(base::not_a_formula(formula), "'" + std::string(formula));
    for (const char* harmless : {"", "-1.5", "+2", "a=1", "'=1"}) EXPECT_EQ(base::not_a_formula(harmless), harmless);
}

TEST(Text, Base64) {  // the vectors of RFC 4648
    EXPECT_EQ(base::from_base64(""), "");
    EXPECT_EQ(base::from_base64("Zg=="), "f");
    EXPECT_EQ(base::from_base64("Zm8="), "fo");
    EXPECT_EQ(base::from_base64("Zm9vYmFy"), "foobar");
    EXPECT_EQ(base::from_base64("Zm9"), std::nullopt);
    EXPECT_EQ(base::from_base64("Zm9?"), std::nullopt);
}

TEST(JsonReading, RefusesWhatIsHostile) {
    const auto message = [](const std::string& text) {
        return message_of(ErrorCode::bad_pack, [&] { base::parse_json(text, ErrorCode::bad_pack, "x"); });
    };
    EXPECT_THAT(message(std::string(1 << 20, '[')), HasSubstr("nested deeper than 64"));
    std::string nested;
    for (int i = 0; i < 100000; ++i) nested += "{\"a\":";
    EXPECT_THAT(message(nested), HasSubstr("nested deeper than 64"));
    EXPECT_THAT(message(R"({"a": 1, "b": {"a": 2}, "a": 3})"), HasSubstr("'a' stands twice"));
    EXPECT_THAT(message("{\"a\": NaN}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(message("{\"a\": 1e999}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(message("{\"a\": \"\xff\"}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(message("{\"a\": 1"), HasSubstr("not valid JSON"));
    EXPECT_THAT(message(""), HasSubstr("not valid JSON"));
    EXPECT_THAT(message("{} {}"), HasSubstr("not valid JSON"));
    std::string many = "{";
    for (int i = 0; i < 200000; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
    EXPECT_THAT(message(many + "}"), HasSubstr("more than 4096 members"));
    EXPECT_EQ(base::parse_json(R"([{"a": 1}, {"a": 2}])", ErrorCode::bad_pack, "x").size(), 2u);
}

// ---- atomic files --------------------------------------------------------------------------------------------------------------

TEST(AtomicFiles, AppearsOnlyWhenCommitted) {
    TemporaryFolder folder;
    write_file_atomically(folder / "f", "old");
    {
        base::AtomicFile file(folder / "f");
        file.write("new");
        EXPECT_EQ(contents(folder / "f"), "old");
    }
    EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
    EXPECT_EQ(contents(folder / "f"), "old");
    base::AtomicFile file(folder / "f");
    file.write("new");
    file.write("er");
    file.commit();
    EXPECT_EQ(contents(folder / "f"), "newer");
    EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
}

TEST(AtomicFiles, ReportTheSystemsReason) {
    TemporaryFolder folder;
    EXPECT_THAT(message_of(ErrorCode::io, [&] { write_file_atomically(folder / "none/f", "x"); }),
                AllOf(HasSubstr("none/f"), HasSubstr("No such file")));
    EXPECT_THAT(message_of(ErrorCode::io, [&] { write_file_atomically(folder.path(), "x"); }), HasSubstr("no regular file"));
    EXPECT_THAT(message_of(ErrorCode::io, [&] { write_file_atomically("/dev/full", "x"); }), HasSubstr("no regular file"));

    const int full = open("/dev/full", O_WRONLY);
    ASSERT_GE(full, 0);
    EXPECT_THAT(message_of(ErrorCode::io, [&] { base::write_all(full, "x", "weights.bin"); }),
                AllOf(HasSubstr("weights.bin"), HasSubstr("No space left")));
    close(full);
}

// A limit on the size of files stands for a full disk: writing fails half-way. It holds for the process, hence the child.
TEST(AtomicFilesDeathTest, NothingIsLeftWhenWritingFails) {
    TemporaryFolder folder;
    put(folder / "f", "old");
    const auto fill = [&] {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{1000, 1000};
        setrlimit(RLIMIT_FSIZE, &limit);
        int failures = 0;
        try {
            write_file_atomically(folder / "f", std::string(5000, 'x'));
        } catch (const Error& error) {
            failures += error.code() == ErrorCode::io && std::string(error.what()).find("File too large") != std::string::npos;
        }
        try {
            PackWriter writer(folder / "p");
            writer.add("small", "x");
            writer.add("big", std::string(5000, 'x'));
        } catch (const Error& error) {
            failures += error.code() == ErrorCode::io;
        }
        _exit(failures);
    };
    EXPECT_EXIT(fill(), testing::ExitedWithCode(2), "");
    EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
    EXPECT_EQ(contents(folder / "f"), "old");
}

TEST(AtomicFiles, ReadOnlyFolder) {
    if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
    TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THAT(message_of(ErrorCode::io, [&] { write_file_atomically(folder / "f", "x"); }), HasSubstr("Permission denied"));
    EXPECT_THAT(message_of(ErrorCode::io, [&] { PackWriter writer(folder / "p"); }), HasSubstr("Permission denied"));
    fs::permissions(folder.path(), fs::perms::owner_all);
    EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

// ---- lists, numbers, hashes -----------------------------------------------------------------------------------------------------

TEST(Format, JoinsAnyListOfTexts) {
    EXPECT_EQ(base::joined(std::vector<std::string>{}), "");
    EXPECT_EQ(base::joined(std::vector<std::string>{"a"}), "a");
    EXPECT_EQ(base::joined(std::vector<std::string>{"", "b", ""}), ", b, ");
    EXPECT_EQ(base::joined(std::vector<const char*>{"a", "b"}, " · "), "a · b");
}

TEST(Format, NumbersAreThoseOfPrintf) {
    for (const double value : {0.0, -1.0, 0.123456, 1234567.0, 1.2e-5, 1e300, -0.5}) {
        char text[64];
        std::snprintf(text, sizeof text, "%.3g", value);
        EXPECT_EQ(base::number(value), text);
        std::snprintf(text, sizeof text, "%.4g", value);
        EXPECT_EQ(base::number(value, 4), text);
    }
    EXPECT_EQ(base::fixed(0.25, 1), "0.2");
    EXPECT_EQ(base::fixed(-2, 3), "-2.000");
}

TEST(Format, AProbabilityIsNeverCertain) {
    EXPECT_EQ(base::probability(1), ">99.9 %");
    EXPECT_EQ(base::probability(0.9995), ">99.9 %");
    EXPECT_EQ(base::probability(0.9994), "99.9 %");
    EXPECT_EQ(base::probability(0.0005), "0.1 %");
    EXPECT_EQ(base::probability(0.0004), "<0.1 %");
    EXPECT_EQ(base::probability(0), "<0.1 %");
    EXPECT_EQ(base::percent(1), "100.0 %");
    EXPECT_EQ(base::percent(0), "0.0 %");
}

TEST(Format, ExpectedAndFound) { EXPECT_EQ(base::expected("a number", "'x'"), "expected a number, found 'x'"); }

TEST(Hash, KnownAnswersOfFnv1a) {
    EXPECT_EQ(base::fnv1a(""), 0xcbf29ce484222325u);
    EXPECT_EQ(base::fnv1a("a"), 0xaf63dc4c8601ec8cu);
    EXPECT_EQ(base::fnv1a("foobar"), 0x85944171f73967e8u);
}
