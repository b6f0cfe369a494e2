#include "lines.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "interrupt.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

constexpr size_t longest_line = 1 << 24;  // far more than any classifier reads; an endless line must not fill the memory

}  // namespace

int line_patience() { return isatty(STDIN_FILENO) ? 0 : 50; }

Lines::Got Lines::next(std::string& line, int patience, int also) {
    const auto take = [&](size_t length, size_t with_end) {
        line = buffer_.substr(0, length);
        buffer_.erase(0, with_end);
        searched_ = 0;
        if (std::exchange(first_, false) && line.compare(0, 3, "\xef\xbb\xbf") == 0) line.erase(0, 3);  // byte order mark
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return Got::line;
    };
    while (true) {
        const size_t end = buffer_.find('\n', searched_);
        if (end != std::string::npos) return take(end, end + 1);
        searched_ = buffer_.size();
        if (buffer_.size() > longest_line) throw Error(ErrorCode::invalid_input, "a line of standard input is longer than 16 MB");
        if (ended_) return buffer_.empty() ? Got::end : take(buffer_.size(), buffer_.size());  // a last line without an end

        pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {interruption(), POLLIN, 0}, {also, POLLIN, 0}};
        const int ready = poll(events, 3, patience);
        if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
        if (ready == 0 || (ready > 0 && events[0].revents == 0)) return Got::none_yet;
        char bytes[1 << 16];
        const ssize_t count = ready < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof bytes);
        if (count < 0) {
            if (errno == EINTR || errno == EAGAIN) continue;
            throw Error(ErrorCode::io, std::string("cannot read standard input: ") + std::strerror(errno));
        }
        buffer_.append(bytes, static_cast<size_t>(count));
        ended_ = count == 0;
    }
}

}  // namespace whynot::cli
