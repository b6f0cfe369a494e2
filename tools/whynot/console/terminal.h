#pragma once

/// Where answers and messages go: answers to standard output, everything else to standard error.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whynot/progress.h"
#include "whynot/report.h"

namespace whynot::cli {

/// Writes to standard output, at once: whoever reads a pipe gets each answer when it is there. Throws `io` where it cannot.
void print(std::string_view text);

/// One message on standard error: "whynot: <message>". Control characters come out as escapes.
void complain(std::string_view message);

/// Colour where standard output is a terminal and NO_COLOR is unset, and there pictures where the locale is one of UTF-8 and COLORTERM or
/// TERM promise colours enough; the terminal's width.
TerminalStyle terminal_style();

bool error_is_terminal();

/// Rows of cells as aligned columns, the last one ragged. Control characters in cells come out as escapes.
/// @param right one letter a column from the left, 'r': aligned to the right
std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view right = {});

/// "1.4 MB"
std::string bytes_for_people(uint64_t bytes);

/// A word as a shell takes it: in single quotes where it has to be. For commands that people copy.
std::string for_shell(const std::string& word);

/// A line at the bottom of the terminal that says how far a long operation has come. It appears after two seconds, is
/// redrawn in place, and goes without a trace; where standard error is no terminal it never appears.
class StatusLine {
public:
    StatusLine();
    ~StatusLine();
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    void show(const std::string& text);
    void show(const Progress& progress);  ///< with a bar and the time that is left
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    bool due() const;

    const bool terminal_;
    const Clock::time_point began_ = Clock::now();
    Clock::time_point drawn_{};
    bool visible_ = false;
    double first_fraction_ = -1;  ///< an operation that goes on from a checkpoint does not begin at 0
    Clock::time_point first_time_;
};

}  // namespace whynot::cli
