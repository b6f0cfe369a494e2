// Results of experiments: what is refused, how they are shown, and what a run does with its folder.
#include "whynot/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.h"
#include "report/columns.h"
#include "sdk/explanation/lines.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;
using namespace whynot;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

ExperimentResult sample() {
    ExperimentResult result;
    result.name = "coins/fair";
    result.title = "Is the coin | fair?";
    result.source = "A table nobody published, 1927";
    result.quick = true;
    result.seed = UINT64_MAX;
    result.settings = R"({"corpus":{"sha256":"abc"},"rates":[0.1,2]})";
    result.figures = {{"heads", 0.51, 1000, "share", 0.5, ""},
                      {"edge", std::nullopt, 0, "", {}, "The coin never stood on its edge."},
                      {"tosses a second", 1234567.8, 12, "", "as many as one can", ""},
                      {"faces", 2, 0, "faces", int64_t{2}, ""}};
    result.tables = {
        {"Tosses", {"toss", "side", "height"}, {{int64_t{1}, "heads", 0.25}, {int64_t{-2}, "tails and nothing but tails", {}}}},
        {"Nothing", {"column"}, {}}};
    result.pictures = {{"coin.png", "A coin"}, {"more/coin-2.png", "- Another *coin*"}};
    result.notes = {"Coins have two sides.", "Their edge is | a third."};
    result.packs = {{"penny", "2", "abc", "the king's"}, {"cent", "", "def", ""}};
    return result;
}

int width_of(const std::string& line) {
    int width = 0;
    for (size_t position = 0; position < line.size();) width += internal::columns(base::next_code_point(line, position));
    return width;
}

// --- JSON ------------------------------------------------------------------------------------------------------------

TEST(ExperimentJson, RoundTrip) {
    const std::string text = to_json(sample());
    EXPECT_EQ(text.back(), '\n');
    const ExperimentResult read = experiment_result_from_json(text, "the test");
    EXPECT_EQ(to_json(read), text);
    const ExperimentResult original = sample();
    EXPECT_EQ(read.seed, UINT64_MAX);
    EXPECT_TRUE(read.quick);
    EXPECT_EQ(json::parse(read.settings), json::parse(original.settings));
    ASSERT_EQ(read.figures.size(), original.figures.size());
    for (size_t i = 0; i < read.figures.size(); ++i) {
        EXPECT_EQ(read.figures[i].name, original.figures[i].name);
        EXPECT_EQ(read.figures[i].value, original.figures[i].value);
        EXPECT_EQ(read.figures[i].n, original.figures[i].n);
        EXPECT_EQ(read.figures[i].published, original.figures[i].published);
        EXPECT_EQ(read.figures[i].note, original.figures[i].note);
    }
    ASSERT_EQ(read.tables.size(), 2u);
    EXPECT_EQ(read.tables[0].rows, original.tables[0].rows) << "whole numbers, fractions, words and nothing keep their kinds";
    EXPECT_EQ(read.tables[1].columns, original.tables[1].columns);
    EXPECT_EQ(read.pictures[1].file, "more/coin-2.png");
    EXPECT_EQ(read.notes, original.notes);
    ASSERT_EQ(read.packs.size(), 2u);
    EXPECT_EQ(read.packs[0].id, "penny");
    EXPECT_EQ(read.packs[0].licence, "the king's");
    EXPECT_EQ(read.packs[1].sha256, "def");
}

TEST(ExperimentJson, HasTheSchemaAndTheKeysThatAreDocumented) {
    const auto written = nlohmann::ordered_json::parse(to_json(sample()));
    std::vector<std::string> keys;
    for (const auto& item : written.items()) keys.push_back(item.key());
    EXPECT_THAT(keys, ElementsAre("schema", "name", "title", "source", "quick", "seed", "settings", "figures", "tables", "pictures",
                                  "notes", "packs"));
    EXPECT_EQ(written["schema"], "whynot.experiment-result/1");
    EXPECT_TRUE(written["figures"][1]["value"].is_null());
    EXPECT_TRUE(written["figures"][1]["published"].is_null());
}

TEST(ExperimentJson, EveryRefusalNamesThePlace) {
    struct Case {
        const char* place;
        json value;
        const char* says;
    };
    const Case cases[] = {
        {"/schema", "whynot.experiment-result/2", "schema: expected whynot.experiment-result/1, found 'whynot.experiment-result/2'"},
        {"/schema", 1, "schema: expected a string, found a number"},
        {"/colour", "red", "nothing is called 'colour' here"},
        {"/name", "", "name: expected some text"},
        {"/title", "", "title: expected some text"},
        {"/quick", "yes", "quick: expected true or false, found a string"},
        {"/seed", -1, "seed: expected a whole number of at least 0, found a number, -1"},
        {"/seed", 1.5, "seed: expected a whole number of at least 0, found a number with a fraction, 1.5"},
        {"/settings", json::array(), "settings: expected an object, found an array"},
        {"/figures", json::object(), "figures: expected an array, found an object"},
        {"/figures/0", "heads", "figures/0: expected an object, found a string"},
        {"/figures/0/name", "", "figures/0/name: expected some text"},
        {"/figures/1/name", "heads", "figures/1/name: two figures are called 'heads'"},
        {"/figures/0/value", "0.5", "figures/0/value: expected a number or null, found a string"},
        {"/figures/0/n", -1, "figures/0/n: expected a whole number"},
        {"/figures/0/n", UINT64_MAX, "figures/0/n: expected a count, found 18446744073709551615"},
        {"/figures/0/unit", nullptr, "figures/0/unit: expected a string, found null"},
        {"/figures/0/published", true, "figures/0/published: expected a number, a string or null, found a boolean"},
        {"/figures/0/colour", "red", "figures/0: nothing is called 'colour' here"},
        {"/tables/0/title", "", "tables/0/title: expected some text"},
        {"/tables/0/columns", json::array(), "tables/0/columns: expected at least one column"},
        {"/tables/0/columns/1", 7, "tables/0/columns/1: expected a string, found a number"},
        {"/tables/0/rows/1", {1, 2}, "tables/0/rows/1: expected a cell for each of 3 columns, found 2"},
        {"/tables/0/rows/1", {1, 2, 3, 4}, "tables/0/rows/1: expected a cell for each of 3 columns, found 4"},
        {"/tables/0/rows/0/2", json::array(), "tables/0/rows/0/2: expected a number, a string or null, found an array"},
        {"/pictures/0/file", "../coin.png", "pictures/0/file: expected a path inside the experiment's folder"},
        {"/pictures/0/file", "/coin.png", "pictures/0/file: expected a path inside"},
        {"/pictures/0/file", "a//coin.png", "pictures/0/file: expected a path inside"},
        {"/pictures/0/file", "a/../../coin.png", "pictures/0/file: expected a path inside"},
        {"/pictures/0/file", "", "pictures/0/file: expected a path inside"},
        {"/pictures/0/file", "a coin.png", "pictures/0/file: expected a path inside"},
        {"/pictures/0/file", "coin.png)", "pictures/0/file: expected a path inside"},
        {"/pictures/0/caption", 1, "pictures/0/caption: expected a string, found a number"},
        {"/notes/1", "", "notes/1: expected some text"},
        {"/packs", "penny", "packs: expected an array, found a string"},
        {"/packs/0/id", "", "packs/0/id: expected some text"},
        {"/packs/1/colour", "red", "packs/1: nothing is called 'colour' here"},
    };
    const json good = json::parse(to_json(sample()));
    for (const Case& one : cases) {
        json bad = good;
        bad[json::json_pointer(one.place)] = one.value;
        EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { experiment_result_from_json(bad.dump(), "the test"); }),
                    AllOf(StartsWith("the test"), HasSubstr(one.says)))
            << one.place << " = " << one.value;
    }
}

TEST(ExperimentJson, EveryMissingKeyIsNamed) {
    const json good = json::parse(to_json(sample()));
    for (const char* place : {"", "/figures/0", "/tables/0", "/pictures/0", "/packs/0"})
        for (const auto& item : good[json::json_pointer(place)].items()) {
            if (item.key() == "packs") continue;  // an experiment may ask none
            json bad = good;
            bad[json::json_pointer(place)].erase(item.key());
            EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { experiment_result_from_json(bad.dump(), "the test"); }),
                        HasSubstr("'" + item.key() + "' is missing"));
        }
}

TEST(ExperimentJson, TextThatIsNone) {
    const std::string good = to_json(sample());
    const auto refusal = [](const std::string& text) {
        return message_of(ErrorCode::invalid_input, [&] { experiment_result_from_json(text, "the test"); });
    };
    EXPECT_THAT(refusal(""), StartsWith("the test is not valid JSON"));
    EXPECT_THAT(refusal(good.substr(0, good.size() / 2)), StartsWith("the test is not valid JSON"));
    EXPECT_THAT(refusal("[]"), HasSubstr("expected a JSON object, found an array"));
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string changed = good;
        return changed.replace(changed.find(from), from.size(), to);
    };
    EXPECT_THAT(refusal(with("\"heads\"", "\"h\xff\"")), StartsWith("the test is not valid JSON"));
    EXPECT_THAT(refusal(with("0.51", "1e999")), StartsWith("the test is not valid JSON"));
    EXPECT_THAT(refusal(with("0.51", "NaN")), StartsWith("the test is not valid JSON"));
    EXPECT_THAT(refusal(with("\"quick\": true", "\"quick\": true, \"quick\": true")), HasSubstr("stands twice"));
}

TEST(ExperimentJson, LargeNumbersStayWhatTheyAre) {
    json large = json::parse(to_json(sample()));
    large["tables"][0]["rows"][0] = {UINT64_MAX, INT64_MAX, INT64_MIN};
    const auto cells = experiment_result_from_json(large.dump(), "the test").tables[0].rows[0];
    EXPECT_EQ(cells[0], ExperimentValue(static_cast<double>(UINT64_MAX)));
    EXPECT_EQ(cells[1], ExperimentValue(INT64_MAX));
    EXPECT_EQ(cells[2], ExperimentValue(INT64_MIN));
}

TEST(ExperimentJson, WritingRefusesWhatReadingWould) {
    const auto refusal = [](void (*spoil)(ExperimentResult&)) {
        ExperimentResult result = sample();
        spoil(result);
        return message_of(ErrorCode::invalid_argument, [&] { to_json(result); });
    };
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.figures[0].value = NAN; }), HasSubstr("figures/0/value is not a finite number"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.tables[0].rows[0][2] = INFINITY; }),
                HasSubstr("tables/0/rows/0/2 is not a finite number"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.notes[0] = "caf\xe9"; }), HasSubstr("notes/0 is not UTF-8"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.name.clear(); }), HasSubstr("name: expected some text"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.figures[1].name = "heads"; }), HasSubstr("two figures are called 'heads'"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.figures[1].n = -1; }), HasSubstr("figures/1/n"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.tables[0].rows[0].pop_back(); }), HasSubstr("found 2"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.pictures[0].file = "../x"; }), HasSubstr("pictures/0/file"));
    EXPECT_THAT(refusal([](ExperimentResult& r) { r.settings = "[]"; }), HasSubstr("settings: expected a JSON object"));
}

// --- Markdown --------------------------------------------------------------------------------------------------------

/// Cells of a row of a table, what is escaped as it was.
std::vector<std::string> cells_of(const std::string& row) {
    std::vector<std::string> cells;
    std::string cell;
    for (size_t i = 1; i < row.size(); ++i) {
        if (row[i] == '\\') {
            cell += row[++i];
        } else if (row[i] == '|') {
            cells.push_back(cell.substr(1, cell.size() - 2));
            cell.clear();
        } else {
            cell += row[i];
        }
    }
    return cells;
}

TEST(ExperimentMarkdown, TablesHoldTheirCellsWhateverStandsInThem) {
    const std::string signs = R"(a|b * _c_ `d` [e](f) <g> \h #i ~j~ &amp; $k$)";
    ExperimentResult result = sample();
    result.figures = {{signs, 0.12345, 10, "share", signs, signs}};
    result.tables = {{"Signs", {signs, "number"}, {{signs, 7.0}}}};
    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : lines_of(to_markdown(result)))
        if (!line.empty() && line[0] == '|' && line[1] != '-') rows.push_back(cells_of(line));
    EXPECT_THAT(rows, ElementsAre(ElementsAre("figure", "measured", "published", "n", "unit", "note"),
                                  ElementsAre(signs, "0.1235", signs, "10", "share", signs), ElementsAre(signs, "number"),
                                  ElementsAre(signs, "7")));
}

TEST(ExperimentMarkdown, APageOfEverything) {
    const std::string page = to_markdown(sample());
    EXPECT_THAT(page,
                StartsWith("# Is the coin \\| fair?\n\nExperiment coins/fair, seed 18446744073709551615. Published figures: A table nobody "
                           "published, 1927.\n\n**A quick run"));
    EXPECT_THAT(page, HasSubstr("| tosses a second | 1234568 | as many as one can | 12 |  |  |\n"));
    EXPECT_THAT(page, HasSubstr("| edge | - |  |  |  | The coin never stood on its edge. |\n"));
    EXPECT_THAT(page, HasSubstr("\n## Nothing\n\n| column |\n|---:|\n"));
    EXPECT_THAT(page, HasSubstr("\n![A coin](coin.png)\n\nA coin\n"));
    EXPECT_THAT(page, HasSubstr("\n\\- Another \\*coin\\*\n")) << "a caption is no list";
    EXPECT_THAT(page, HasSubstr("\n- Their edge is \\| a third.\n"));
    EXPECT_THAT(page, HasSubstr("\n    {\n      \"corpus\": {\n"));
    EXPECT_THAT(page, HasSubstr("(result.json)"));
    ExperimentResult bare;
    bare.name = bare.title = "bare";
    EXPECT_THAT(to_markdown(bare), AllOf(Not(HasSubstr("quick")), Not(HasSubstr("## Figures")), Not(HasSubstr("## Pictures")),
                                         Not(HasSubstr("## Notes")), Not(HasSubstr("Published"))));
}

TEST(ExperimentMarkdown, ControlCharactersAndNumbersAtTheBeginning) {
    ExperimentResult result = sample();
    result.notes = {"1. one", "+ plus", "12", "line\nline\033[31m"};
    EXPECT_THAT(to_markdown(result), HasSubstr("\n- 1\\. one\n- \\+ plus\n- 12\n- line\\\\nline\\\\u001b\\[31m\n"));
}

// --- terminal --------------------------------------------------------------------------------------------------------

/// With cells of all lengths, of wide characters, and of words longer than a line.
ExperimentResult sprawling() {
    ExperimentResult result = sample();
    result.title = "A title so long that it takes more than one line of any terminal that anybody has, which is to be seen here";
    result.figures.push_back(
        {"a figure with a name of quite some length, as they have", 0.25, 100000, "share", "0.1 to 0.3", "And with a note"});
    result.tables.push_back({"猫 and dogs", {"猫猫猫猫", "a", "b", "c", "d"}, {}});
    for (const std::string& cell :
         {std::string(70, 'x'), std::string("猫猫猫猫猫猫 猫猫 犬"), std::string("some words and some more words of a sentence")})
        result.tables.back().rows.push_back({cell, 0.5, "short", int64_t{12345678}, cell});
    result.notes.push_back(std::string(200, 'y') + " end");
    return result;
}

TEST(ExperimentTerminal, FitsEveryWidth) {
    for (int width = 20; width <= 140; ++width) {
        TerminalStyle style;
        style.width = width;
        const std::string text = to_terminal(sprawling(), style);
        for (const std::string& line : lines_of(text)) EXPECT_LE(width_of(line), width) << line;
        EXPECT_EQ(text.back(), '\n');
    }
}

TEST(ExperimentTerminal, LosesNothing) {
    for (const int width : {20, 33, 80, 300}) {
        TerminalStyle style;
        style.width = width;
        std::string letters;  // without spaces and line ends, where words may be broken
        for (const char c : to_terminal(sprawling(), style))
            if (c != ' ' && c != '\n') letters += c;
        for (const char* piece : {"猫猫", "犬", "heads", "0.51", "1234568", "12345678", "tails", "coin.png:", "-Coins"})
            EXPECT_THAT(letters, HasSubstr(piece));
        EXPECT_THAT(letters, HasSubstr(std::string(200, 'y') + "end"));
    }
}

TEST(ExperimentTerminal, AtAGlance) {
    EXPECT_EQ(to_terminal(sample()),
              "coins/fair: Is the coin | fair?\n"
              "published: A table nobody published, 1927\n"
              "A quick run: it shows the way, its figures are not those of the full experiment.\n"
              "\n"
              "figure           measured  published              n  unit\n"
              "heads                0.51  0.5                 1000  share\n"
              "edge                    -\n"
              "tosses a second   1234568  as many as one can    12\n"
              "faces                   2  2                         faces\n"
              "  edge: The coin never stood on its edge.\n"
              "\n"
              "Tosses\n"
              "toss  side                         height\n"
              "   1  heads                          0.25\n"
              "  -2  tails and nothing but tails\n"
              "\n"
              "Nothing\n"
              "column\n"
              "\n"
              "- Coins have two sides.\n"
              "- Their edge is | a third.\n"
              "\n"
              "coin.png: A coin\n"
              "more/coin-2.png: - Another *coin*\n");
}

TEST(ExperimentTerminal, WideTablesBecomeParagraphs) {
    ExperimentResult result = sample();
    result.figures.clear();
    const std::string sentence = "a sentence that takes as much room as a sentence takes";
    result.tables = {{"Sentences", {"before", "p before", "after", "p after"}, {{sentence, 0.9, sentence, 0.1}, {sentence, 0.8, "", {}}}}};
    TerminalStyle style;
    style.width = 40;
    EXPECT_THAT(to_terminal(result, style), HasSubstr("Sentences\n"
                                                      "before  a sentence that takes as much\n"
                                                      "        room as a sentence takes\n"
                                                      "after   a sentence that takes as much\n"
                                                      "        room as a sentence takes\n"
                                                      "        p before 0.9 · p after 0.1\n"
                                                      "\n"
                                                      "before  a sentence that takes as much\n"
                                                      "        room as a sentence takes\n"
                                                      "        p before 0.8\n"));
}

TEST(ExperimentTerminal, ColoursChangeNothingElse) {
    for (const int width : {30, 80}) {
        TerminalStyle plain, coloured;
        plain.width = coloured.width = width;
        coloured.colour = true;
        EXPECT_NE(to_terminal(sprawling(), coloured), to_terminal(sprawling(), plain));
        EXPECT_EQ(without_colours(to_terminal(sprawling(), coloured)), to_terminal(sprawling(), plain));
    }
}

TEST(ExperimentTerminal, ControlCharactersComeOutAsEscapes) {
    ExperimentResult result = sample();
    const std::string evil = "a\033[2Jb\nc\u202e";
    result.title = result.source = evil;
    result.figures = {{evil, 1, 1, evil, evil, evil}};
    result.tables = {{evil, {evil}, {{evil}}}};
    result.pictures = {{"coin.png", evil}};
    result.notes = {evil};
    const std::string text = to_terminal(result);
    EXPECT_THAT(text, AllOf(HasSubstr("\\u001b[2J"), HasSubstr("\\n"), Not(HasSubstr("\033")), Not(HasSubstr("\u202e"))));
    EXPECT_THAT(to_markdown(result), AllOf(Not(HasSubstr("\033")), Not(HasSubstr("\u202e"))));
}

TEST(ExperimentTerminal, ShowsNumbersShort) {
    const auto shown = [](double value) {
        ExperimentResult result;
        result.name = result.title = "numbers";
        result.figures = {{"f", value, 0, "", {}, ""}};
        std::istringstream last(lines_of(to_terminal(result)).back());
        std::string name, number;
        last >> name >> number;
        return number;
    };
    EXPECT_EQ(shown(0), "0");
    EXPECT_EQ(shown(1), "1");
    EXPECT_EQ(shown(0.88632), "0.8863");
    EXPECT_EQ(shown(-12.3456), "-12.35");
    EXPECT_EQ(shown(999.97), "1000");
    EXPECT_EQ(shown(123456.7), "123457");
    EXPECT_EQ(shown(1e-7), "1e-07");
}

// --- the list, and runs ----------------------------------------------------------------------------------------------

PluginSearch search(const std::string& folders) {
    PluginSearch search;
    search.plugin_path = folders;
    search.environment = search.installed = false;
    return search;
}

const std::string coins = WHYNOT_EXPERIMENT_PLUGINS, more = WHYNOT_EXPERIMENT_PLUGINS "/more";

ExperimentRequest request(const std::string& name, const fs::path& out) {
    ExperimentRequest request;
    request.name = name;
    request.out = out;
    return request;
}

TEST(ExperimentList, SaysWhatIsMissingAndWhy) {
    const ExperimentList list = list_experiments(Host(search(coins + ":" + more)));
    std::vector<std::string> names;
    for (const FoundExperiment& experiment : list.experiments) names.push_back(experiment.plugin + " " + experiment.info.name);
    EXPECT_THAT(names, ElementsAre("coins coins/fair", "coins coins/long", "coins coins/no-json", "coins coins/ragged", "coins coins/other",
                                   "coins coins/no-picture", "coins coins/throws", "twins twins/good"));
    EXPECT_EQ(list.experiments[0].info.title, "Is the coin fair?");
    EXPECT_THAT(list.problems, ElementsAre(AllOf(HasSubstr("'speechless'"), HasSubstr("the mint is closed")),
                                           AllOf(HasSubstr("'coins/fair' of the plugin 'twins' is passed over"), HasSubstr("'coins'")),
                                           AllOf(HasSubstr("'twins'"), HasSubstr("'Twins/Both'")), HasSubstr("'twins//both'"),
                                           HasSubstr("'twins/untitled' has no title"), HasSubstr("'twins/latin' is not UTF-8")));
    EXPECT_TRUE(list_experiments(Host(search(""))).experiments.empty());
}

TEST(ExperimentRun, TheFirstOfTwoOfOneNameCounts) {
    const TemporaryFolder folder;
    EXPECT_EQ(run_experiment(Host(search(coins + ":" + more)), request("coins/fair", folder / "a"), {}).title, "Is the coin fair?");
    EXPECT_EQ(run_experiment(Host(search(more + ":" + coins)), request("coins/fair", folder / "b"), {}).title, "Is our coin fair too?");
}

TEST(ExperimentRun, WritesAPageAndTheResult) {
    const TemporaryFolder folder;
    const fs::path out = folder / "new/deep";
    ExperimentRequest fair = request("coins/fair", out);
    fair.corpora = "/corpora";
    fair.pack = "copper";
    fair.seed = 3;
    std::string log;
    Observer observer;
    observer.log = [&](const std::string& line) { log += line + '\n'; };
    const Host host(search(coins));
    const ExperimentResult result = run_experiment(host, fair, observer);
    EXPECT_EQ(log, "corpora /corpora, pack copper\n");
    EXPECT_EQ(result.figures.at(0).value, 0.53);
    EXPECT_EQ(result.source, "a table nobody published");
    EXPECT_EQ(contents(out / "result.json"), to_json(result));
    EXPECT_EQ(contents(out / "README.md"), to_markdown(result));
    EXPECT_TRUE(fs::exists(out / "coin.png"));

    fair.quick = true;
    run_experiment(host, fair, observer);  // the same experiment's folder may be used again
    EXPECT_EQ(json::parse(contents(out / "result.json"))["figures"][0]["n"], 10);
}

TEST(ExperimentRun, TouchesNobodyElsesFolder) {
    const TemporaryFolder folder;
    const Host host(search(coins));
    const auto refusal = [&](const std::string& name, const fs::path& out, ErrorCode code = ErrorCode::invalid_argument) {
        return message_of(code, [&] { run_experiment(host, request(name, out), {}); });
    };
    const auto entries = [](const fs::path& path) { return std::distance(fs::directory_iterator(path), fs::directory_iterator()); };

    fs::create_directories(folder / "photos");
    put(folder / "photos/cat.jpg", "a cat");
    EXPECT_THAT(refusal("coins/fair", folder / "photos"), AllOf(HasSubstr((folder / "photos").string()), HasSubstr("new or empty")));
    EXPECT_EQ(entries(folder / "photos"), 1);

    run_experiment(host, request("coins/fair", folder / "fair"), {});
    const std::string before = contents(folder / "fair/result.json");
    EXPECT_THAT(refusal("coins/long", folder / "fair"), HasSubstr("holds the experiment 'coins/fair', not 'coins/long'"));
    EXPECT_EQ(contents(folder / "fair/result.json"), before);

    for (const char* mark : {"", "{", "[]", "{}", R"({"schema": "whynot.experiment-folder/2", "name": "coins/fair"})",
                             R"({"schema": "whynot.experiment-folder/1", "name": 7})"}) {
        put(folder / "fair/experiment.json", mark);
        EXPECT_THAT(refusal("coins/fair", folder / "fair"), HasSubstr("experiment.json")) << mark;
    }
    EXPECT_EQ(contents(folder / "fair/result.json"), before);

    put(folder / "file", "no folder");
    EXPECT_THAT(refusal("coins/fair", folder / "file", ErrorCode::io), HasSubstr((folder / "file").string()));
    EXPECT_THAT(refusal("coins/fair", ""), HasSubstr("expected a folder"));
}

TEST(ExperimentRun, ListsWhatThereIsInPlaceOfAnUnknownName) {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& plugins) {
        return message_of(ErrorCode::not_found, [&] { run_experiment(Host(search(plugins)), request("coins/fake", folder / "out"), {}); });
    };
    EXPECT_THAT(refusal(coins), AllOf(HasSubstr("'coins/fake'"), HasSubstr("There are: coins/fair, coins/long, ")));
    EXPECT_THAT(refusal(more), AllOf(HasSubstr("twins/good"), HasSubstr("the mint is closed")));
    EXPECT_THAT(refusal(""), HasSubstr("No plugin brings any"));
    EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST(ExperimentRun, NamesThePluginWhoseResultIsNone) {
    const TemporaryFolder folder;
    const Host host(search(coins));
    const auto refusal = [&](const std::string& name) {
        const fs::path out = folder / name;
        const std::string message = message_of(ErrorCode::bad_plugin, [&] { run_experiment(host, request(name, out), {}); });
        EXPECT_FALSE(fs::exists(out / "result.json"));
        EXPECT_FALSE(fs::exists(out / "README.md"));
        EXPECT_THAT(message, AllOf(HasSubstr("'coins'"), HasSubstr(name), HasSubstr("defect of the plugin")));
        return message;
    };
    EXPECT_THAT(refusal("coins/no-json"), HasSubstr("not valid JSON"));
    EXPECT_THAT(refusal("coins/ragged"), HasSubstr("tables/0/rows/1: expected a cell for each of 2 columns, found 3"));
    EXPECT_THAT(refusal("coins/other"), HasSubstr("seed 2"));
    EXPECT_THAT(refusal("coins/no-picture"), HasSubstr("coin.png"));
    EXPECT_THAT(message_of(ErrorCode::internal, [&] { run_experiment(host, request("coins/throws", folder / "throws"), {}); }),
                AllOf(HasSubstr("'coins'"), HasSubstr("coins/throws"), HasSubstr("the coin stands on its edge")));
}

TEST(ExperimentRun, StopsAndGoesOn) {
    const TemporaryFolder folder;
    const Host host(search(coins));
    const fs::path out = folder / "long";
    int told = 0;
    Observer observer;
    observer.progress = [&](const Progress& progress) {
        ++told;
        EXPECT_EQ(progress.stage, "tossing");
    };
    observer.cancelled = [&] { return told == 2; };
    EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { run_experiment(host, request("coins/long", out), observer); }),
                HasSubstr("half of the tosses"));
    EXPECT_FALSE(fs::exists(out / "result.json"));
    EXPECT_THAT(run_experiment(host, request("coins/long", out), observer).notes, ElementsAre("gone on with"));
    EXPECT_EQ(told, 2);
    EXPECT_TRUE(fs::exists(out / "result.json"));
}

}  // namespace
