#include "fuzz/driver.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "whynot/error.h"

namespace whynot::fuzz {
namespace {

constexpr unsigned longest_seconds = 10;
constexpr size_t longest_input = 16 << 20;

std::string current;       // the input under way
std::string current_name;  // of the file that it is left in where it is a finding

/// Within a signal handler as well: nothing but system calls.
void leave_finding() {
    if (FILE* const file = std::fopen(current_name.c_str(), "wb")) {
        std::fwrite(current.data(), 1, current.size(), file);
        std::fclose(file);
    }
}

void on_signal(int number) {
    std::fprintf(stderr, "FINDING: signal %d%s, input in %s\n", number, number == SIGALRM ? " (longer than 10 s)" : "",
                 current_name.c_str());
    leave_finding();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

/// @return whether the input was accepted
bool run_one(const Target& target) {
    alarm(longest_seconds);
    bool accepted = true;
    try {
        target.run(current);
    } catch (const Error&) {
        accepted = false;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "FINDING: %s threw something foreign: %s\ninput in %s\n", target.name.c_str(), error.what(),
                     current_name.c_str());
        leave_finding();
        std::abort();
    }
    alarm(0);
    return accepted;
}

class Mutator {
public:
    Mutator(const Target& target, uint64_t seed) : target_(target), random_(seed) {}

    std::string next() {
        std::string input = pick(target_.seeds);
        for (uint64_t changes = 1 + below(below(4) == 0 ? 16 : 3); changes > 0; --changes) change(input);
        if (input.size() > longest_input) input.resize(longest_input);
        return input;
    }

private:
    uint64_t below(uint64_t n) { return random_() % n; }
    const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

    void change(std::string& input) {
        const size_t at = below(input.size() + 1), length = std::min<size_t>(input.size() - at, 1 + below(below(8) == 0 ? 4096 : 16));
        switch (below(target_.dictionary.empty() ? 8 : 11)) {
            case 0:
                if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
                break;
            case 1:
                if (at < input.size()) input[at] = static_cast<char>(random_());
                break;
            case 2:
                for (size_t i = at; i < at + length; ++i) input[i] = static_cast<char>(random_());
                break;
            case 3: input.erase(at, length); break;
            case 4: input.insert(at, input.substr(at, length)); break;
            case 5: input.resize(at); break;
            case 6: input.insert(at, std::string(1 + below(64), static_cast<char>(below(3) == 0 ? 0 : random_()))); break;
            case 7: {  // a part of another one
                const std::string& other = pick(target_.seeds);
                const size_t from = below(other.size() + 1);
                input.replace(at, length, other, from, 1 + below(256));
                break;
            }
            case 8: input.insert(at, pick(target_.dictionary)); break;
            case 9: input.replace(at, length, pick(target_.dictionary)); break;
            default: change_number(input, at);
        }
    }

    /// A number in a text becomes another one.
    void change_number(std::string& input, size_t from) {
        const char* const digits = "0123456789";
        const size_t begin = input.find_first_of(digits, from);
        if (begin == std::string::npos) return;
        static const char* const numbers[] = {
            "0", "-1", "1.5", "1e308", "65536", "4096", "2147483648", "9223372036854775808", "18446744073709551615"};
        input.replace(begin, std::min(input.find_first_not_of(digits, begin), input.size()) - begin, numbers[below(9)]);
    }

    const Target& target_;
    std::mt19937_64 random_;
};

}  // namespace

MemoryFile::MemoryFile(std::string_view content) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("no file in memory");
    for (size_t at = 0; at < content.size();) {
        const ssize_t count = write(descriptor_, content.data() + at, content.size() - at);
        if (count < 0) throw std::runtime_error("no file in memory");
        at += static_cast<size_t>(count);
    }
    lseek(descriptor_, 0, SEEK_SET);
}

MemoryFile::~MemoryFile() { close(descriptor_); }

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("there is no seed " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> json_dictionary() {
    return {"{",
            "}",
            "[",
            "]",
            "null",
            "true",
            "-1",
            "1e999",
            "\"\"",
            "\"\\u0000\"",
            "{}",
            "[]",
            "[[[[[[",
            "{\"a\":{",
            "1.0000001",
            "\"\\ud800\"",
            "\\u001b[",
            "\xff",
            "\xe2\x80\xae",
            std::string(1, '\0'),
            "0x10",
            "4294967296",
            "-0",
            "\"id\":\"a\"",
            "\"\\uFFFF\"",
            ",",
            ":",
            "\\"};
}

[[maybe_unused]] static int run(int argc, char** argv, const std::vector<Target>& targets) {
    const auto usage = [&] {
        std::fprintf(stderr, "usage: %s TARGET [ROUNDS [FIRST]] | TARGET FILE\ntargets:", argv[0]);
        for (const Target& target : targets) std::fprintf(stderr, " %s", target.name.c_str());
        std::fprintf(stderr, "\n");
        return 2;
    };
    if (argc < 2) return usage();
    const auto target = std::find_if(targets.begin(), targets.end(), [&](const Target& each) { return each.name == argv[1]; });
    if (target == targets.end()) return usage();
    for (const int number : {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
    if (argc > 2 && !std::isdigit(static_cast<unsigned char>(argv[2][0]))) {
        current = content_of(argv[2]);
        current_name = "finding-again";
        std::printf("%s\n", run_one(*target) ? "accepted" : "refused");
        return 0;
    }
    const uint64_t rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000,
                   first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
    for (const std::string& seed : target->seeds) {
        current = seed;
        current_name = "finding-" + target->name + "-seed";
        if (!run_one(*target)) {
            std::fprintf(stderr, "%s: a seed is refused; it should be a valid input\n", target->name.c_str());
            return 1;
        }
    }
    uint64_t accepted = 0;
    for (uint64_t round = first; round < first + rounds; ++round) {
        current = Mutator(*target, round).next();
        current_name = "finding-" + target->name + '-' + std::to_string(round);
        accepted += run_one(*target) ? 1 : 0;
    }
    std::printf("%s: %llu inputs, %llu accepted, no finding\n", target->name.c_str(), static_cast<unsigned long long>(rounds),
                static_cast<unsigned long long>(accepted));
    return 0;
}

}  // namespace whynot::fuzz

#ifdef WHYNOT_LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::vector<whynot::fuzz::Target> all = whynot::fuzz::targets();
    const char* const name = std::getenv("WHYNOT_FUZZ_TARGET");
    for (const whynot::fuzz::Target& target : all) {
        if (!name || target.name != name) continue;
        try {
            target.run({reinterpret_cast<const char*>(data), size});
        } catch (const whynot::Error&) {
        }
    }
    return 0;
}
#else
int main(int argc, char** argv) { return whynot::fuzz::run(argc, argv, whynot::fuzz::targets()); }
#endif
