#pragma once

/// What the fuzz programs share: a target takes any bytes and may refuse them with whynot::Error; whatever else comes out is a finding.
///
///     fuzz_core TARGET [ROUNDS [FIRST]]    changes the target's seeds at random, always the same way for the same numbers
///     fuzz_core TARGET FILE                one input, as a finding left it
///
/// A finding's input is left in the current folder as finding-TARGET-ROUND. Built with clang and -fsanitize=fuzzer instead, with
/// WHYNOT_LIBFUZZER defined, the same targets are libFuzzer's; the environment names one: WHYNOT_FUZZ_TARGET=pack_json.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace whynot::fuzz {

struct Target {
    std::string name;
    std::vector<std::string> seeds;       ///< valid inputs
    std::vector<std::string> dictionary;  ///< pieces worth putting in
    std::function<void(std::string_view)> run;
};

/// A file in memory that has a path, for what is read by path.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view content);
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

std::string content_of(const std::string& path);

/// Pieces of JSON that break readers.
std::vector<std::string> json_dictionary();

/// What a program has; each defines its own. `main`, or libFuzzer's entry, is the driver's.
std::vector<Target> targets();

}  // namespace whynot::fuzz
