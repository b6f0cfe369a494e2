#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/points_pack.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace whynot::test {

namespace fs = std::filesystem;
using nlohmann::json;
using Arguments = std::vector<std::string>;

/// A folder with the pack points, and the program whynot that finds it.
class Cli : public testing::Test {
protected:
    Cli() {
        pack_ = folder_ / "packs" / "points";
        whynot::test::write_points_pack(pack_);
        environment_ = {"WHYNOT_PLUGIN_PATH=" WHYNOT_TEST_PLUGINS, "WHYNOT_PACK_PATH=" + (folder_ / "packs").string(),
                        "XDG_CACHE_HOME=" + (folder_ / "cache").string()};
    }

    Process& run(const Arguments& arguments, const std::string& input = "", const Arguments& more_environment = {}) {
        Arguments environment = environment_;
        environment.insert(environment.end(), more_environment.begin(), more_environment.end());
        process_ = std::make_unique<Process>(WHYNOT_PROGRAM, arguments, environment);
        process_->finish(input);
        return *process_;
    }

    /// The records as they are but for what depends on time: what they cost, and last digits; in both shows how many lines had come when a
    /// batch was made of them.
    static std::vector<json> timeless(const std::string& text) {
        std::vector<json> records = lines(text);
        for (json& record : records) {
            record.erase("cost");
            round_numbers(record);
        }
        return records;
    }

    /// Says which record differs.
    static void expect_same(const std::vector<json>& found, const std::vector<json>& expected) {
        ASSERT_EQ(found.size(), expected.size());
        for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << "record " << i + 1;
    }

    static void round_numbers(json& value) {
        if (value.is_number_float()) value = std::round(value.get<double>() * 1e4) / 1e4 + 0.0;  // no -0
        if (value.is_structured())
            for (json& part : value) round_numbers(part);
    }

    static std::string content_of(const fs::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static std::vector<json> lines(const std::string& text) {
        std::vector<json> records;
        std::istringstream stream(text);
        for (std::string line; std::getline(stream, line);) records.push_back(json::parse(line));
        return records;
    }

    void expect_usage_error(const Arguments& arguments, const std::string& message, const std::string& help) {
        SCOPED_TRACE(testing::PrintToString(arguments));
        const Process& process = run(arguments);
        EXPECT_EQ(process.code, 2);
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, testing::AllOf(testing::StartsWith("whynot: "), testing::HasSubstr(message),
                                                testing::HasSubstr("\nwhynot: see '" + help + " --help'\n")));
    }

    const TemporaryFolder temporary_;
    const fs::path folder_ = temporary_.path();
    fs::path pack_;
    Arguments environment_;
    std::unique_ptr<Process> process_;
};

}  // namespace whynot::test
