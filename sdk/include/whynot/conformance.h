#pragma once

/// The conformance kit: does a plugin keep what abi.h, modality.h and samples.h promise?
///
///     whynot plugins check --list                 # the checks, each with a sentence that says what it asserts
///     whynot plugins check /home/me/mine.so       # all of them, each in a process of its own
///     whynot_add_conformance(mine)                # CMake (whynotPlugin.cmake): the same as tests of ctest, one a check
///
/// A check that crashes or hangs ends only its own process. `run_check` runs one check in the calling process, for example under a
/// debugger; conformance_suite.h makes a GoogleTest suite of all.
///
/// Checks of a modality need a pack and inputs: those of the plugin's service `whynot.samples/1`, unless others are given. A check that has
/// nothing to work on is skipped, with the reason; it never passes.
///
/// Not checked: what trainers, evaluators and experiments compute, which takes corpora and hours.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "whynot/export.h"
#include "whynot/question.h"

namespace whynot {

/// How a check ended.
enum class Outcome {
    passed,
    skipped,  ///< there was nothing to check; the message says why
    warning,  ///< it holds, but something is worth a look
    failed,
    crashed,  ///< the plugin ended the process. Only checks that run apart end so
};

/// "passed", "skipped", ...
WHYNOT_API const char* to_string(Outcome outcome) noexcept;

struct ConformanceCheck {
    const char* name;      ///< "batch-equals-singles"
    const char* sentence;  ///< what it asserts
    const char* needs;     ///< an earlier check in the list that must hold, or this one means nothing; empty: none
};

/// All checks, in the order in which they are run.
WHYNOT_API const std::vector<ConformanceCheck>& conformance_checks();

struct CheckResult {
    std::string check;
    Outcome outcome = Outcome::failed;
    std::string message;  ///< what was expected and what was found; sentences, or lines. Often empty where it passed
    double seconds = 0;

    /// Neither failed nor crashed.
    bool holds() const noexcept { return outcome != Outcome::failed && outcome != Outcome::crashed; }
};

/// As one line of JSON without a newline: {"check", "outcome", "message" (null where it is empty), "seconds"}.
WHYNOT_API std::string to_json(const CheckResult& result);
WHYNOT_API CheckResult check_result_from_json(std::string_view json);

/// What is checked, on what.
struct CheckRequest {
    std::filesystem::path library;  ///< the plugin, absolute
    std::string plugin_path;        ///< where else hosts look for plugins, as in `PluginSearch`
    std::string pack;               ///< id or folder; empty: the first pack of the plugin's modality in `default_pack_search`
    std::vector<Input> inputs;      ///< empty: those of the plugin's service `whynot.samples/1`
    uint64_t seed = 1;
};

/// Runs one check in this process, which a faulty plugin may crash or make hang. A process can check only one plugin of each id. In
/// libwhynot. Throws `invalid_argument` for a name that no check has; whatever the plugin does is in the result.
WHYNOT_API CheckResult run_check(const std::string& name, const CheckRequest& request);

/// How to run checks in processes of their own.
struct ApartOptions {
    /// A program and its arguments, to which the check's name is added as the last one. It runs the check and prints its `to_json` as the
    /// last line on standard output: {"/usr/bin/whynot", "plugins", "check", "/home/me/mine.so", "--in-process", "--json", "--only"}.
    std::vector<std::string> command;
    double timeout = 60;  ///< seconds, after which a check is killed and counts as failed
};

/// Runs checks one after the other, each in a process of its own. In libwhynot_core: LibTorch is not needed here. A check is skipped if the
/// check that it needs did not hold in this run.
/// @param names of checks, in the order of `conformance_checks`
/// @param report called with each result as it comes; may be empty
WHYNOT_API std::vector<CheckResult> run_checks_apart(const std::vector<std::string>& names, const ApartOptions& options,
                                                     const std::function<void(const CheckResult&)>& report = {});

}  // namespace whynot
