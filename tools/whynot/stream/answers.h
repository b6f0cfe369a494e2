#pragma once

/// Where the answers of a stream go: to standard output, or to the end of a file with which an interrupted run goes on.

#include <cstdint>
#include <fstream>
#include <string>

#include "stream/questions.h"

namespace whynot::cli {

class Answers {
public:
    /// Opens `path`, or makes it, and keeps others from writing to it; empty: standard output. Throws `io`.
    explicit Answers(std::string path);
    ~Answers();
    Answers(const Answers&) = delete;
    Answers& operator=(const Answers&) = delete;

    /// Whether the next question has its answer already: questions are shown to it in order, and its answers are read along with them, not
    /// kept. What was being written when the run was cut off is removed. Throws `invalid_input` where the file holds the answer to
    /// another question, or something else.
    bool has(const StreamedQuestion& question);

    /// Throws `invalid_input` where the file answers more questions than there were.
    void expect_no_more();

    /// Whole lines. Throws `io`.
    void write(const std::string& lines) const;

    /// Whether those that were there before are answers for people, each of them (records.h).
    bool given_have_answers() const { return given_have_answers_; }

    bool in_file() const { return file_ >= 0; }

private:
    bool next_given(std::string& line);
    [[noreturn]] void refuse(const std::string& why) const;

    const std::string path_;
    std::ifstream given_;  // closed: all that was there has been read
    int64_t given_lines_ = 0;
    bool given_have_answers_ = true;
    int64_t whole_ = 0;  // bytes in those
    int file_ = -1;
};

}  // namespace whynot::cli
