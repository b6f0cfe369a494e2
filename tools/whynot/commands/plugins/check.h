#pragma once

/// `whynot plugins check`: the conformance kit on the command line. The program runs each check as a process of its own, which is the same
/// command with --in-process and --only; that one is answered by the library of commands (check_in_process.cpp), as it needs LibTorch.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "commands/common.h"
#include "whynot/conformance.h"

namespace whynot::cli {

struct CheckCommand : CommonOptions {
    std::string plugin;  ///< its id, or its library
    std::string pack;    ///< id or folder; empty: the first of its modality
    std::vector<std::string> inputs;
    std::vector<std::string> only, except;  ///< names of checks, with * and ?
    uint64_t seed = 1;
    double timeout = 60;      ///< seconds
    bool in_process = false;  ///< `check_in_process` instead of `check_apart`
    bool list = false;        ///< `list_checks` instead
};

int list_checks(bool json);

/// Each check in a process of its own.
int check_apart(const CheckCommand& command);

/// All checks in this process.
int check_in_process(const CheckCommand& command);

/// The library that is meant: a file, or that of the first plugin of that id, whatever its state.
std::filesystem::path library_of(const CheckCommand& command);

/// The names that --only and --except leave, in the order of the list. Throws `invalid_argument` for one that is none.
std::vector<std::string> chosen_checks(const CheckCommand& command);

/// Prints results as they come.
class CheckReport {
public:
    explicit CheckReport(bool json) : json_(json) {}
    void add(const CheckResult& result);

    /// How many ended how, for people. @returns the exit code
    int finish() const;

    /// The first check that crashed; empty: none did.
    const std::string& crashed() const { return crashed_; }

private:
    const bool json_;
    std::map<Outcome, int> counts_;
    std::string crashed_;
};

}  // namespace whynot::cli
