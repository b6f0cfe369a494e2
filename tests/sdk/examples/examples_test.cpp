// The programs of sdk/examples do what their README says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"
#include "whynot/explanation.h"

namespace {

using whynot::Explanation;
using whynot::test::Process;
using Json = nlohmann::json;
using ::testing::HasSubstr;

const std::string examples = WHYNOT_EXAMPLES;
const std::vector<std::string> environment{"OMP_NUM_THREADS=1"};

/// The record on each line. Reading validates them against the schema.
std::vector<Explanation> records(const std::string& out) {
    std::vector<Explanation> found;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) found.push_back(whynot::explanation_from_json(line));
    return found;
}

TEST(SolveToy, FindsWhatTheClosedFormGives) {
    Process toy(examples + "/solve_toy", {}, environment);
    toy.finish();
    ASSERT_EQ(toy.code, 0) << toy.err;
    std::istringstream lines(toy.out);
    std::vector<std::vector<double>> expected, found;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string what, distance;
        std::vector<double> point(3);
        if (words >> what >> point[0] >> point[1] >> distance >> point[2]) (what == "found" ? found : expected).push_back(point);
    }
    ASSERT_EQ(expected.size(), 3u) << toy.out;
    ASSERT_EQ(found.size(), 3u) << toy.out;
    for (size_t i = 0; i < expected.size(); ++i)
        for (size_t j = 0; j < 3; ++j) EXPECT_NEAR(found[i][j], expected[i][j], 1e-3) << toy.out;
    EXPECT_GT(std::abs(expected[1][1] - expected[2][1]), 0.1) << "the guards are to make a difference";
}

TEST(ExplainBatch, WritesARecordForEachLineAndTellsItsProgress) {
    Process batch(examples + "/explain_batch", {"600"}, environment);
    batch.finish("the food was gross .\n\ni love this place !\n");
    ASSERT_EQ(batch.code, 0) << batch.err;
    const std::vector<Explanation> answers = records(batch.out);
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0].question.input, "the food was gross .");
    EXPECT_EQ(answers[0].status, "found");
    EXPECT_EQ(answers[1].status, "refused");  // an empty line is no sentence, and does not stop the others
    EXPECT_EQ(answers[2].question.input, "i love this place !");
    EXPECT_THAT(batch.err, HasSubstr("sentence 1 to 3: 2 of 2 at the boundary, 0 still searched"));
}

TEST(ExplainBatch, KeepsItsDeadline) {
    Process batch(examples + "/explain_batch", {"1e-9"}, environment);
    batch.finish("the food was gross .\ni love this place !\n");
    ASSERT_EQ(batch.code, 0) << batch.err;
    for (const Explanation& answer : records(batch.out)) {
        // On a busy machine the reading of the sentence is ended already.
        EXPECT_THAT(answer.status, testing::AnyOf("best-effort", "refused"));
        EXPECT_THAT(answer.reason, HasSubstr("deadline"));
    }
    EXPECT_EQ(records(batch.out).size(), 2u);
}

class RowsOfFour : public ::testing::Test {
protected:
    /// The record of each row, one a line.
    std::vector<Json> explain(const std::string& rows, const std::string& foil, int code = 0) {
        const std::string folder = examples + "/rows_of_four/";
        Process program(WHYNOT_PROGRAM,
                        {"explain", "--json", "--plugin-path", folder + WHYNOT_LIBDIR "/whynot/plugins", "--pack",
                         folder + "share/whynot/packs/flowers", "--foil", foil, "-"},
                        environment);
        program.finish(rows);
        EXPECT_EQ(program.code, code) << program.err;
        std::vector<Json> found;
        std::istringstream lines(program.out);
        for (std::string line; std::getline(lines, line);) found.push_back(Json::parse(line));
        return found;
    }
};

TEST_F(RowsOfFour, TheAnswerIsTheFoilAndTheBoundaryLiesOnTheWay) {
    const Json record = explain("5.1 3.4 1.9 0.4\n", "middle").at(0);
    EXPECT_EQ(record["status"], "found");
    EXPECT_EQ(record["question"]["fact"], "small");
    EXPECT_LT(std::abs(record["gap"].get<double>()), 0.01);
    EXPECT_LE(record["max_third"]["margin"].get<double>(), 0.01);
    const Json& after = record["probabilities"]["answer"];
    EXPECT_GE(after["middle"].get<double>(), 0.9);
    EXPECT_TRUE(record["read_again"]["boundary"].get<bool>() && record["read_again"]["answer"].get<bool>());

    const std::vector<double> before = record["rows_of_four"]["before"], boundary = record["rows_of_four"]["boundary"],
                              answer = record["rows_of_four"]["answer"];
    ASSERT_EQ(before.size(), 4u);
    EXPECT_EQ(before, (std::vector<double>{5.1, 3.4, 1.9, 0.4}));
    // The answer lies beyond the boundary, in each column.
    for (size_t i = 0; i < 4; ++i) EXPECT_GE((answer[i] - boundary[i]) * (boundary[i] - before[i]), 0) << i;
    EXPECT_GT(boundary[2], before[2]);  // petals grow from small to middle
}

// The nearest point that is as likely large as small is likelier middle than both; with guards it is no answer. The nearest point that is one is
// the corner where all three are equally likely.
TEST_F(RowsOfFour, AClassBetweenFactAndFoilIsKeptBelowBoth) {
    const Json record = explain("5.1 3.4 1.9 0.4\n", "large").at(0);
    EXPECT_EQ(record["status"], "found");
    EXPECT_EQ(record["max_third"]["class"], "middle");
    EXPECT_LE(record["max_third"]["margin"].get<double>(), 0.01);
    for (const char* name : {"small", "middle", "large"})
        EXPECT_NEAR(record["probabilities"]["boundary"][name].get<double>(), 1.0 / 3, 0.05) << name;
    EXPECT_GT(record["probabilities"]["answer"]["large"].get<double>(), 0.5);
}

TEST_F(RowsOfFour, WhatIsNoRowIsRefused) {
    const std::vector<Json> records = explain("1 2 3\n1 2 3 4 5\n1 2 3 four\n1 2 3 nan\n1 2 3 1e9\n1 2 3 4 1e99\n", "middle", 3);
    EXPECT_EQ(records.size(), 6u);
    for (const Json& record : records) {
        EXPECT_EQ(record["status"], "refused") << record;
        EXPECT_THAT(record["reason"].get<std::string>(), HasSubstr("expected four numbers")) << record;
    }
}

}  // namespace
