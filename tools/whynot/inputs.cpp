#include "inputs.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "interrupt.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

constexpr size_t longest_line = 1 << 24;  // far more than any classifier reads; an endless line must not fill the memory

/// How long to wait for a further line before the ones that are there are answered. Whoever writes without a pause gets full batches,
/// and so the same batches each time; at a terminal every line stands alone.
int patience_ms() { return isatty(STDIN_FILENO) ? 0 : 50; }

Input read_image(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Input input{{std::istreambuf_iterator<char>(file), {}}, path};
    if (!file) throw Error(ErrorCode::io, "cannot read " + path + ": " + std::strerror(errno));
    return input;
}

}  // namespace

bool names_image(const std::string& argument) {
    std::string extension = fs::path(argument).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    std::error_code error;
    return (extension == ".png" || extension == ".jpg" || extension == ".jpeg") && fs::is_regular_file(argument, error);
}

/// Makes one more input ready. False: there is none, or none yet and `wait` is false.
bool InputSource::take(bool wait) {
    while (!arguments_.empty()) {
        const std::string argument = arguments_.front();
        if (argument != "-") {
            arguments_.pop_front();
            ready_.push_back(names_image(argument) ? read_image(argument) : Input{argument, ""});
            return true;
        }
        const auto add_line = [&](std::string line) {
            if (std::exchange(first_line_, false) && line.compare(0, 3, "\xef\xbb\xbf") == 0) line.erase(0, 3);  // byte order mark
            if (!line.empty() && line.back() == '\r') line.pop_back();
            ready_.push_back({std::move(line), ""});
        };
        const size_t end = buffer_.find('\n', searched_);
        if (end != std::string::npos) {
            add_line(buffer_.substr(0, end));
            buffer_.erase(0, end + 1);
            searched_ = 0;
            return true;
        }
        searched_ = buffer_.size();
        if (buffer_.size() > longest_line) throw Error(ErrorCode::invalid_input, "a line of standard input is longer than 16 MB");

        pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {interruption(), POLLIN, 0}};
        const int readable = poll(events, 2, wait ? -1 : patience_ms());
        if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
        if (readable == 0) return false;
        char bytes[1 << 16];
        const ssize_t count = readable < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof bytes);
        if (count < 0) {
            if (errno == EINTR || errno == EAGAIN) continue;
            throw Error(ErrorCode::io, std::string("cannot read standard input: ") + std::strerror(errno));
        }
        buffer_.append(bytes, static_cast<size_t>(count));
        if (count == 0) {
            arguments_.pop_front();
            if (!buffer_.empty()) {  // a last line without an end
                add_line(std::exchange(buffer_, {}));
                return true;
            }
        }
    }
    return false;
}

std::vector<Input> InputSource::next(size_t limit) {
    while (ready_.size() < limit && take(ready_.empty())) {
    }
    std::vector<Input> batch;
    while (!ready_.empty() && batch.size() < limit && (batch.empty() || is_image(ready_.front()) == is_image(batch.front()))) {
        batch.push_back(std::move(ready_.front()));
        ready_.pop_front();
    }
    return batch;
}

}  // namespace whynot::cli
