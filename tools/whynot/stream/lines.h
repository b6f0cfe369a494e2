#pragma once

/// Standard input, line by line, as the lines come.

#include <cstddef>
#include <string>

namespace whynot::cli {

constexpr size_t longest_line = 1 << 24;  ///< bytes: far more than any classifier reads, and enough for a picture in base64

class Lines {
public:
    enum class Got { line, too_long, none_yet, end };

    /// Waits at most `timeout` milliseconds for a line (-1: for as long as it takes), and no longer than until `also`, a descriptor, is
    /// readable; -1: none. Line ends and a byte order mark are removed. Of a line longer than `longest_line`, `too_long`, only the
    /// beginning is kept: an endless line must not fill the memory. Throws `cancelled` when a signal comes while it waits, `io`.
    Got next(std::string& line, int timeout, int also = -1);

private:
    std::string buffer_;     // what has no line end yet
    size_t searched_ = 0;    // so many bytes of it hold no line end
    std::string beginning_;  // of a line that is too long, while the rest of it is passed over
    bool first_ = true;
    bool ended_ = false;
};

/// How long to wait for a further line before those that are there are answered: whoever writes without a pause gets full batches, and so
/// the same batches each time; at a terminal every line stands alone.
int line_timeout();

}  // namespace whynot::cli
