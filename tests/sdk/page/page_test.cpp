// Pages: nothing that somebody typed is ever markup, and what was put in can be taken out again.
#include "whynot/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/base64.h"
#include "page/markup.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"
#include "whynot/report.h"

namespace {

using namespace whynot;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What nobody may be able to put into a page, in whatever they name or type.
const std::vector<std::string> hostile{"</script><img src=x onerror=alert(1)>",
                                       "<!-- <script>",
                                       "]]>",
                                       "\u2028\u2029",
                                       "\u202etxt.exe",
                                       "\" onmouseover=\"alert(1)",
                                       "' autofocus onfocus='alert(1)",
                                       "<svg/onload=alert(1)>",
                                       "javascript:alert(1)",
                                       "&lt;b&gt;&#0;",
                                       "</style><style>*{display:none}",
                                       "</title><script>alert(1)</script>",
                                       "\a\x1b[2J"};

Explanation record_of(const std::string& text) {
    Explanation record;
    record.id = text;
    record.question = {"text", text, "", text + "A", text + "B"};
    record.pack = {"toy", "1", std::string(64, '0')};
    record.solver.method = "sqp";
    record.status = "found";
    record.gap = 0.001;
    record.distance = Explanation::Distance{1.5, R"({"edits": 1})"};
    record.probabilities.before = {{text + "A", 0.9}, {text + "B", 0.1}};
    record.probabilities.boundary = {{text + "A", 0.5}, {text + "B", 0.5}};
    record.probabilities.answer = {{text + "A", 0.05}, {text + "B", 0.95}};
    record.rendering = json{{"before", text},
                            {"contributions", {{{"position", 0}, {"word", text}, {"before", 2.0}, {"boundary", 0.5}}}},
                            {"show",
                             {{{"kind", "text"}, {"title", text}, {"text", text}},
                              {{"kind", "table"}, {"title", text}, {"columns", {text, "n"}}, {"rows", {{text, 1.5}}}},
                              {{"kind", "bars"}, {"title", text}, {"unit", text}, {"parts", {{text, 1.0}, {text, -2.0}}}},
                              {{"kind", text}, {"text", text}}}}}
                           .dump();
    record.warnings = {text};
    return record;
}

/// Its answer, with whatever an answer can have.
Answer answer_of(const std::string& text) {
    const Picture picture{2, 2, 1, {0, 1, 2, 255}};
    return {record_of(text),
            "it was -[" + text + "]- +[" + text + "]+ .\n\n    " + text,
            {{"input", picture}, {text, picture}},
            {{"input", picture, {0.9, 0.1}}, {text, picture, {0.5, 0.5}}, {"answer", picture, {0.05, 0.95}}}};
}

/// The same answer so many times.
std::string page_of(const std::string& text, size_t count = 1) {
    ExplanationPage page({text, "whynot explain " + text, {{text, text, text, text}}});
    for (size_t i = 0; i < count; ++i) page.add(answer_of(text));
    EXPECT_EQ(page.size(), count);
    return page.html();
}

size_t count_of(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
    return count;
}

/// What a browser sees in a page: the tags, each with the names of its attributes. What is in script and style is theirs, up to their ends.
std::vector<std::string> elements_of(const std::string& html) {
    std::vector<std::string> tags;
    for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at)) {
        std::string tag;
        for (++at; at < html.size() && html[at] != '>'; ++at) {
            if (html[at] == '"' || html[at] == '\'') {
                const size_t end = html.find(html[at], at + 1);
                if (end == std::string::npos) return {"a quote that never ends"};
                at = end;
            } else {
                tag += html[at];
            }
        }
        tags.push_back(tag);
        for (const std::string raw : {"script", "style"})
            if (tag.compare(0, raw.size(), raw) == 0) at = html.find("</" + raw, at);
        if (at == std::string::npos) return {"an element that never ends"};
    }
    return tags;
}

/// The same, each once: a figure breaks its lines between words, so how many lines it has depends on its text.
std::set<std::string> kinds_of(const std::string& html) {
    const std::vector<std::string> tags = elements_of(html);
    return {tags.begin(), tags.end()};
}

/// @param quiet a page whose texts are harmless
void expect_same_elements(const std::string& html, const std::string& quiet) { EXPECT_EQ(elements_of(html), elements_of(quiet)); }

TEST(Page, NothingThatSomebodyTypedIsMarkup) {
    for (const size_t count : {size_t{1}, size_t{20}}) {
        const std::string quiet = page_of("harmless", count);
        for (const std::string& text : hostile) {
            SCOPED_TRACE(text);
            const std::string html = page_of(text, count);
            expect_same_elements(html, quiet);
            EXPECT_EQ(html.find('\x1b'), std::string::npos);
            EXPECT_EQ(html.find('\a'), std::string::npos);
        }
    }
}

TEST(Page, NothingIsMarkupInFiguresAndPiecesEither) {
    const auto attributed_of = [](const std::string& text) {
        Attributed attributed;
        attributed.question = record_of(text).question;
        attributed.method = attributed.map.unit = text;
        attributed.map.parts = {text, text};
        attributed.map.scores = {1, -2};
        attributed.map.pictures = {{text, {2, 2, 1, {0, 1, 2, 255}}}};
        attributed.warnings = {text};
        return attributed;
    };
    Answer quiet = answer_of("harmless"), in_words = quiet;
    in_words.pictures.clear();
    for (const std::string& text : hostile) {
        SCOPED_TRACE(text);
        Answer answer = answer_of(text);
        EXPECT_EQ(kinds_of(to_svg(answer)), kinds_of(to_svg(quiet)));
        answer.pictures.clear();
        expect_same_elements(answer_pieces(answer, 1).article, answer_pieces(in_words, 1).article);
        expect_same_elements(answer_pieces(answer, 1).row, answer_pieces(in_words, 1).row);
        expect_same_elements(article_of(attributed_of(text)), article_of(attributed_of("harmless")));
        EXPECT_EQ(kinds_of(to_svg(answer)), kinds_of(to_svg(in_words)));
    }
}

TEST(Page, ShowsWhatAPluginBringsAndNothingThatIsNoneOfIt) {
    const auto shown_of = [](const json& show) {
        Explanation record = record_of("x");
        record.rendering = json{{"show", show}}.dump();
        return internal::extras(record);
    };
    const std::string table = shown_of({{{"kind", "table"}, {"columns", {"a", "b"}}, {"rows", {{"<i>", 2.5}, {"short"}, 7}}}});
    EXPECT_THAT(table, AllOf(HasSubstr("&lt;i&gt;"), HasSubstr("2.5"), HasSubstr("short")));
    EXPECT_EQ(count_of(table, "<tr>"), 4U);
    for (const json& none :
         {json("text"), json(7), json::array(), json{{"kind", "text"}}, json::array({1, "a", nullptr}), json::array({{{"kind", "later"}}})})
        EXPECT_EQ(shown_of(none), "") << none;
    json many = json::array();
    for (int i = 0; i < 1000; ++i) many.push_back({{"kind", "text"}, {"text", "x"}});
    EXPECT_EQ(count_of(shown_of(many), "<pre>"), 20U);
}

TEST(Page, ShowsTheWayStepByStep) {
    const std::string html = page_of("harmless");
    EXPECT_THAT(html, HasSubstr("step 1 of 3, input, harmlessA: 90.0 %, harmlessB: 10.0 %"));
    EXPECT_THAT(html, HasSubstr("step 3 of 3, answer, harmlessA: 5.0 %, harmlessB: 95.0 %"));
    Answer bare = answer_of("harmless");
    bare.frames.clear();
    EXPECT_THAT(answer_pieces(bare, 1).article, Not(HasSubstr("step 1")));
    // Of very many answers, the first hundred have it.
    EXPECT_EQ(count_of(page_of("harmless", 8), "step 1 of 3"), 8U);
}

TEST(Page, AsksNobodyForAnything) {
    for (const size_t count : {size_t{1}, size_t{20}}) {
        const std::string html = page_of("harmless", count);
        EXPECT_THAT(html, HasSubstr("default-src 'none'"));
        EXPECT_EQ(count_of(html, "http://") + count_of(html, "https://"), 0U);
        EXPECT_EQ(count_of(html, "<link"), 0U);
    }
}

TEST(Page, TablesOfAListHoldNoFormulaAndNoMarkup) {
    Answer answer = answer_of("harmless");
    answer.pictures.clear();
    answer.record.question.input = "=1+1, \"50% off\" & {more}\\";
    answer.record.rendering = R"({"answer": "+A1 <b> 100_$"})";
    const AnswerPieces pieces = answer_pieces(answer, 7);
    EXPECT_THAT(pieces.csv,
                AllOf(testing::StartsWith("7,"), HasSubstr("\"'=1+1, \"\"50% off\"\" & {more}\\\""), HasSubstr(",'+A1 <b> 100_$\r\n")));
    EXPECT_THAT(pieces.latex, AllOf(testing::StartsWith("7 & "), HasSubstr("\"50\\% off\" \\& \\{more\\}\\textbackslash{}"),
                                    testing::EndsWith("+A1 \\textless{}b\\textgreater{} 100\\_\\$ \\\\\n")));
    EXPECT_EQ(count_of(pieces.latex, " & "), 6U);
}

TEST(Page, HoldsTheRecordsThatWereGiven) {
    const std::string html = page_of("</script> & \"quotes\"");
    const std::string before = "href=\"data:application/json;base64,";
    const size_t begin = html.find(before) + before.size();
    const std::string packed = html.substr(begin, html.find('"', begin) - begin);
    EXPECT_EQ(packed, base::to_base64(to_json(record_of("</script> & \"quotes\"")) + "\n"));
}

TEST(Page, ShowsEditsWithoutColourAlone) {
    EXPECT_EQ(internal::with_edits("a -[b]- +[<c>]+ d", ""),
              "<bdi>a </bdi><del><bdi>b</bdi></del><bdi> </bdi><ins><bdi>&lt;c&gt;</bdi></ins><bdi> d</bdi>");
    EXPECT_EQ(internal::with_edits("-[never ends", ""), "<bdi>-[never ends</bdi>");
}

TEST(Page, MarksThatSomebodyTypedAreNoEdits) {
    const std::string typed = "the -[food]- was +[so]+ gross .", line = "the -[food]- was +[so]+ -[gross]- +[good]+ .";
    EXPECT_EQ(internal::with_edits(line, typed),
              "<bdi>the -[food]- was +[so]+ </bdi><del><bdi>gross</bdi></del><bdi> </bdi><ins><bdi>good</bdi></ins><bdi> .</bdi>");
    Answer answer = answer_of("x");
    answer.record.question.input = typed;
    answer.terminal = line;
    EXPECT_EQ(count_of(answer_pieces(answer, 1).article, "<del>"), 1U);
    EXPECT_EQ(count_of(answer_pieces(answer, 1).row, "<ins>"), 1U);
    EXPECT_EQ(count_of(to_terminal(answer.record, line, {true, 80, Pictures::none}), "\033[9;31m"), 1U);
}

TEST(Page, ManyAnswersAreAList) {
    const std::string few = page_of("harmless", 8), many = page_of("harmless", 9);
    EXPECT_EQ(count_of(few, "<article>"), 8U);
    EXPECT_EQ(count_of(many, "<article>"), 0U);
    EXPECT_EQ(count_of(many, "<tr data-pair="), 9U);
    EXPECT_THAT(many, HasSubstr("id=\"answers\""));
    EXPECT_LT(page_of("harmless", 1000).size(), 3000000U);
    EXPECT_LT(page_of("harmless").size(), 60000U);
}

TEST(Page, IsTheSameEveryTime) { EXPECT_EQ(page_of("harmless", 20), page_of("harmless", 20)); }

TEST(Page, RefusesPicturesThatAreNone) {
    ExplanationPage page({"", "", {}});
    EXPECT_THROW(page.add({record_of("x"), "", {{"input", {2, 2, 1, {0, 1}}}}, {}}), Error);
}

TEST(Page, FiguresAndExperimentsAreTables) {
    for (const std::string& text : hostile) {
        const std::string html =
            figures_to_html(json{{"figures", {{{"name", text}, {"value", 0.5}, {"n", 3}, {"unit", text}}}}}.dump(), {text, text, {}});
        expect_same_elements(html, figures_to_html(R"({"figures": [{"name": "x", "value": 0.5, "n": 3, "unit": "x"}]})", {"x", "x", {}}));
    }
    ExperimentResult result;
    result.name = "coins/fair", result.title = "Is <it> fair?", result.source = "nobody";
    result.tables.push_back({"throws", {"coin", "heads"}, {{std::string("<b>"), 0.51}}});
    const TemporaryFolder folder;
    std::ofstream(folder / "curve.svg") << "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    result.pictures.push_back({"curve.svg", "a <curve>"});
    result.packs = {{"penny", "2", "abc", "<b>the king's</b>"}};
    const std::string html = to_html(result, folder.path(), {"x", "", {}});
    EXPECT_THAT(html,
                AllOf(HasSubstr("penny"), HasSubstr("<code>abc</code>"), HasSubstr("&lt;b&gt;the king"), Not(HasSubstr("<b>the king"))));
    EXPECT_THAT(html, HasSubstr("src=\"data:image/svg+xml;base64,"));
    EXPECT_THAT(html, AllOf(HasSubstr("Is &lt;it&gt; fair?"), HasSubstr("&lt;b&gt;"), HasSubstr("0.51"), Not(HasSubstr("<it>"))));
}

TEST(Page, PacksAndUnpacks) {
    EXPECT_EQ(base::to_base64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
    EXPECT_EQ(base::to_base64(""), "");
    EXPECT_EQ(internal::gzip("x").substr(0, 2), "\x1f\x8b");
}

}  // namespace
