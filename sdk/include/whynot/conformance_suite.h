#pragma once

/// The conformance kit (conformance.h) as a GoogleTest suite, one test a check, for the test program of a plugin:
///
///     #include <whynot/conformance_suite.h>
///
///     whynot::CheckRequest mine() {
///         whynot::CheckRequest request;
///         request.library = "/usr/local/lib/mine.so";
///         return request;
///     }
///     WHYNOT_CONFORMANCE_SUITE(Mine, mine());
///
/// The tests are Conformance/Mine.Holds/gradients and so on; a check that has nothing to work on is skipped. Link whynot::whynot and
/// GTest::gtest_main. With CMake's gtest_discover_tests, ctest runs each test in a process of its own, which is best for plugins that may
/// crash. Started by hand, the program runs all of them in one process, and the first crash ends it.
///
/// This is the only header of the SDK that needs GoogleTest. Without it, whynot_add_conformance (whynotPlugin.cmake) makes the same tests.

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "whynot/conformance.h"

namespace whynot {

/// Found by GoogleTest, which would print bytes.
inline void PrintTo(const ConformanceCheck& check, std::ostream* out) { *out << check.sentence; }

/// Fails, skips or warns the test that is running by what a check finds.
inline void expect_conformance(const ConformanceCheck& check, const CheckRequest& request) {
    const CheckResult result = run_check(check.name, request);
    if (result.outcome == Outcome::skipped) GTEST_SKIP() << result.message;
    if (result.outcome == Outcome::warning) testing::Test::RecordProperty("warning", result.message);
    EXPECT_TRUE(result.holds()) << check.sentence << '\n' << result.message;
}

/// The name of a test: letters, digits and _ only.
inline std::string conformance_test_name(const testing::TestParamInfo<ConformanceCheck>& tested) {
    std::string name = tested.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

}  // namespace whynot

/// @param Name of the suite @param request a `whynot::CheckRequest`, evaluated anew for each check
#define WHYNOT_CONFORMANCE_SUITE(Name, request)                              \
    class Name : public testing::TestWithParam<whynot::ConformanceCheck> {}; \
    TEST_P(Name, Holds) { whynot::expect_conformance(GetParam(), request); } \
    INSTANTIATE_TEST_SUITE_P(Conformance, Name, testing::ValuesIn(whynot::conformance_checks()), whynot::conformance_test_name)
