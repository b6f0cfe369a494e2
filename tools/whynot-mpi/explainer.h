#pragma once

/// The stream filter `whynot explain`, unchanged, as a process of a rank.

#include <sys/types.h>

#include <string>
#include <vector>

namespace whynot::mpi {

/// Questions go in, as lines; answers come out, as lines, in the same order. It dies with its rank.
class Explainer {
public:
    /// Starts `whynot`, which lies beside this program. Throws Error `io`.
    explicit Explainer(const std::vector<std::string>& arguments);
    ~Explainer();
    Explainer(const Explainer&) = delete;
    Explainer& operator=(const Explainer&) = delete;

    void give(const std::string& lines) {
        given_ += lines;
        ++times_given_;
    }
    /// How many times it was given lines, and read them all. Whether it had read the last ones shows when it has ended.
    int reached() const { return reached_; }

    /// Passes on what was given and returns the whole lines that came meanwhile. With none there, waits up to `timeout` milliseconds.
    std::string take(int timeout);

    /// It answers no more: why, for people, as "signal 9"; empty: it goes on.
    const std::string& end() const { return end_; }

    /// Lets it answer nothing more, and waits for its end. @return its exit code; -1: a signal ended it
    int finish();

private:
    void pass_on();
    void note_end();

    pid_t process_ = -1;
    int in_ = -1, out_ = -1;
    std::string given_;
    size_t passed_on_ = 0;  // bytes of it
    int times_given_ = 0, reached_ = 0;
    std::string answers_;  // a line that is not whole yet
    std::string end_;
};

}  // namespace whynot::mpi
