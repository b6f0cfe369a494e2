#include "stream/lines.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "console/interrupt.h"
#include "whynot/error.h"

namespace whynot::cli {
int line_timeout() { return isatty(STDIN_FILENO) ? 0 : 50; }

Lines::Got Lines::next(std::string& line, int timeout, int also) {
    const auto take = [&](size_t length, size_t with_end) {
        if (length > longest_line && beginning_.empty()) beginning_ = buffer_.substr(0, 200);
        line = buffer_.substr(0, length);
        buffer_.erase(0, with_end);
        searched_ = 0;
        if (!beginning_.empty()) {
            line = std::exchange(beginning_, "");
            return Got::too_long;
        }
        if (std::exchange(first_, false) && line.compare(0, 3, "\xef\xbb\xbf") == 0) line.erase(0, 3);  // byte order mark
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return Got::line;
    };
    while (true) {
        const size_t end = buffer_.find('\n', searched_);
        if (end != std::string::npos) return take(end, end + 1);
        if (buffer_.size() > longest_line) {
            if (beginning_.empty()) beginning_ = buffer_.substr(0, 200);
            buffer_.clear();
        }
        searched_ = buffer_.size();
        if (ended_) {  // a last line may have no end
            return buffer_.empty() && beginning_.empty() ? Got::end : take(buffer_.size(), buffer_.size());
        }

        pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {interruption(), POLLIN, 0}, {also, POLLIN, 0}};
        const int ready = poll(events, 3, timeout);
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
