// What strangers wrote: their JSON, its fields, and how their texts are shown.
#include <gmock/gmock.h>
#include <unicode/uchar.h>

#include <string>

#include "base/json.h"
#include "base/members.h"
#include "base/text.h"
#include "whynot/error.h"

using namespace whynot;
using base::Json;
using base::Members;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

std::string utf8(char32_t c) {
    std::string text;
    if (c < 0x80) {
        text += static_cast<char>(c);
    } else if (c < 0x800) {
        text += static_cast<char>(0xc0 | c >> 6);
        text += static_cast<char>(0x80 | (c & 63));
    } else if (c < 0x10000) {
        text += static_cast<char>(0xe0 | c >> 12);
        text += static_cast<char>(0x80 | (c >> 6 & 63));
        text += static_cast<char>(0x80 | (c & 63));
    } else {
        text += static_cast<char>(0xf0 | c >> 18);
        text += static_cast<char>(0x80 | (c >> 12 & 63));
        text += static_cast<char>(0x80 | (c >> 6 & 63));
        text += static_cast<char>(0x80 | (c & 63));
    }
    return text;
}

template <class F>
std::string refusal(F&& read) {
    try {
        read();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::bad_pack) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "expected a refusal";
    return "";
}

std::string refused_json(const std::string& text, const base::JsonLimits& limits = {}) {
    return refusal([&] { base::parse_json(text, ErrorCode::bad_pack, "pack.json", limits); });
}

}  // namespace

// ---- how texts are shown ---------------------------------------------------------------------------------------------------------

TEST(Shown, WhatNobodySeesIsEscapedByUnicodesProperties) {
    for (UChar32 c = 0; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c < 0xe000) continue;
        const auto category = u_charType(c);
        const bool unseen =
            category == U_CONTROL_CHAR || category == U_FORMAT_CHAR || category == U_LINE_SEPARATOR || category == U_PARAGRAPH_SEPARATOR;
        const bool seen_all_the_same = u_hasBinaryProperty(c, UCHAR_PREPENDED_CONCATENATION_MARK);
        const std::string text = "a" + utf8(static_cast<char32_t>(c)) + "b";
        EXPECT_EQ(base::escape_controls(text) != text, unseen && !seen_all_the_same) << std::hex << c;
    }
}

TEST(Shown, JoinersStayWhereTheyJoin) {
    for (const char* const text : {"می‌خواهم", "क्‍ष", "👩‍🚒", "👁️‍🗨️"})
        EXPECT_EQ(base::escape_controls(text), text);
    EXPECT_EQ(base::escape_controls("neg\u200dative"), "neg\\u200dative");
    EXPECT_EQ(base::escape_controls("\u200cक"), "\\u200cक");
    EXPECT_EQ(base::escape_controls("क\u200d"), "क\\u200d");
    EXPECT_EQ(base::escape_controls("क\u200d\u200dक"), "क\\u200d\\u200dक");
    EXPECT_EQ(base::escape_controls("\U000e0041"), "\\U000e0041");
}

TEST(Shown, AnErrorDrivesNoTerminalAndFillsNoScreen) {
    const Error error(ErrorCode::bad_pack, "found \x1b]0;owned\x07\u202e\n\x1b[31m" + std::string(100000, 'x'));
    const std::string what = error.what();
    EXPECT_THAT(what, testing::StartsWith("found \\u001b]0;owned\\u0007\\u202e\n\\u001b[31mxxx"));
    EXPECT_LE(what.size(), 8003u);
    EXPECT_THAT(what, testing::EndsWith("..."));
    EXPECT_STREQ(Error(ErrorCode::io, "two\nlines, né").what(), "two\nlines, né");
    EXPECT_STREQ(Error(ErrorCode::io, "").what(), "");
}

// ---- JSON --------------------------------------------------------------------------------------------------------------------------

TEST(StrangersJson, IsRefusedInOurWords) {
    EXPECT_THAT(refused_json("{\n \"a\": tru }"), AllOf(HasSubstr("line 2, column"), Not(HasSubstr("exception")), HasSubstr("pack.json")));
    EXPECT_THAT(refused_json(""), HasSubstr("its end"));
    EXPECT_THAT(refused_json("{\"a\": 1e999}"), AllOf(HasSubstr("number"), Not(HasSubstr("exception"))));
    EXPECT_THAT(refused_json("{\"a\": \"\xff\"}"), Not(HasSubstr("exception")));
    EXPECT_THAT(refused_json("{\"a\": \x1b[31m}"), Not(HasSubstr("\x1b")));
}

TEST(StrangersJson, HoldsNoByteOfZero) {
    for (const char* const around : {"{}|", "{}| anything {]", "{\"a|\": 1}", "|{}"}) {
        std::string text = around;
        text[text.find('|')] = '\0';
        EXPECT_THAT(refused_json(text), HasSubstr("byte of zero"));
    }
}

TEST(StrangersJson, IsBoundInDepthKeysAndValues) {
    EXPECT_THAT(refused_json(std::string(16'000'000, '[')), HasSubstr("deeper than 64"));
    EXPECT_THAT(refused_json("{\"a\": 1, \"a\": 2}"), HasSubstr("twice"));
    EXPECT_THAT(refused_json("[1, 2, 3, 4]", {64, 4}), HasSubstr("more than 4 values"));  // the array is one as well
    EXPECT_EQ(base::parse_json("[1, 2, 3]", ErrorCode::bad_pack, "x", {64, 4}).size(), 3u);
    EXPECT_THAT(refused_json("[[1]]", {1, 100}), HasSubstr("deeper than 1"));
}

// ---- fields ------------------------------------------------------------------------------------------------------------------------

TEST(MembersOfStrangers, NameKeyExpectationAndFinding) {
    const Json json = base::parse_own_json(
        R"({"text": 7, "whole": 1.5, "large": 18446744073709551615, "far": 9, "number": "x", "flag": 0, "array": {}, "object": [], )"
        R"("texts": ["a", 1], "numbers": [1, null], "inner": {"depth": "deep"}, "files": [{"name": 3}], "bad": "\u001b[31m"})");
    Members members(json, ErrorCode::bad_pack, "pack 'x'");
    const auto message = [&](auto&& read) { return refusal([&] { read(members); }); };
    EXPECT_EQ(message([](Members& m) { m.text("text"); }), "pack 'x': expected 'text' to be a text, found 7");
    EXPECT_EQ(message([](Members& m) { m.text("none"); }), "pack 'x': 'none' is missing");
    EXPECT_EQ(message([](Members& m) { m.whole("whole", 0, 9); }),
              "pack 'x': expected 'whole' to be a whole number from 0 to 9, found 1.5");
    EXPECT_THAT(message([](Members& m) { m.whole("large", INT64_MIN, INT64_MAX); }), HasSubstr("found 18446744073709551615"));
    EXPECT_THAT(message([](Members& m) { m.whole("far", 0, 8); }), HasSubstr("found 9"));
    EXPECT_THAT(message([](Members& m) { m.number("number", 0, 1); }), HasSubstr("found 'x'"));
    EXPECT_THAT(message([](Members& m) { m.flag("flag"); }), HasSubstr("true or false, found 0"));
    EXPECT_THAT(message([](Members& m) { m.array("array"); }), HasSubstr("an array, found an object of 0"));
    EXPECT_THAT(message([](Members& m) { m.object("object"); }), HasSubstr("'object' to be an object, found an array of 0"));
    EXPECT_THAT(message([](Members& m) { m.texts("texts"); }), HasSubstr("must hold texts, found 1"));
    EXPECT_THAT(message([](Members& m) { m.numbers("numbers"); }), HasSubstr("must hold numbers, found null"));
    EXPECT_THAT(message([](Members& m) { m.object("inner").whole("depth", 0, 1); }), HasSubstr("'inner.depth'"));
    EXPECT_THAT(message([](Members& m) { m.objects("files")[0].text("name"); }), HasSubstr("'files[0].name'"));
    EXPECT_THAT(message([](Members& m) { m.whole("bad", 0, 1); }), AllOf(HasSubstr("\\u001b"), Not(HasSubstr("\x1b"))));
    EXPECT_EQ(members.text("none", "otherwise"), "otherwise");
    EXPECT_THAT(message([](Members& m) { m.text("text", "otherwise"); }), HasSubstr("found 7"));
    EXPECT_THAT(refusal([&] { Members(json, ErrorCode::bad_pack, "pack").finish(); }), HasSubstr("'text' is not known here"));
}

TEST(MembersOfStrangers, CutLongFindings) {
    const Json json{{"text", std::string(70000, 'x')}};
    Members members(json, ErrorCode::bad_pack, "pack 'x'");
    EXPECT_LT(refusal([&] { members.flag("text"); }).size(), 200u);
}
