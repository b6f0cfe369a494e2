#include "inputs.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/text.h"
#include "interrupt.h"
#include "terminal.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

constexpr size_t longest_line = 1 << 24;  // far more than any classifier reads; an endless line must not fill the memory

/// How long to wait for a further line before the ones that are there are answered. Whoever writes without a pause gets full batches,
/// and so the same batches each time; at a terminal every line stands alone.
int patience_ms() { return isatty(STDIN_FILENO) ? 0 : 50; }

/// No picture is as large; it must not fill the memory.
constexpr uint64_t largest_file = 512 * 1000 * 1000;

/// A batch of large pictures is a small one.
constexpr size_t enough_bytes = 64 * 1000 * 1000;

bool begins_like_a_picture(InputFile& file) {
    char bytes[12] = {};
    const std::string_view head(bytes, file.read_some(bytes, sizeof bytes));
    const auto at = [head](size_t place, std::string_view mark) {
        return head.size() > place && head.compare(place, mark.size(), mark) == 0;
    };
    using namespace std::string_view_literals;
    return at(0, "\x89PNG\r\n\x1a\n"sv) || at(0, "\xff\xd8\xff"sv) || at(0, "GIF8"sv) || (at(0, "BM"sv) && at(6, "\0\0\0\0"sv)) ||  // BMP
           at(0, "II*\0"sv) || at(0, "MM\0*"sv) ||                                                                                  // TIFF
           (at(0, "RIFF"sv) && at(8, "WEBP"sv));
}

bool ends_like_a_picture(const std::string& argument) {
    std::string extension = fs::path(argument).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

Argument::Kind kind_of(const std::string& argument) {
    if (argument == "-") return Argument::Kind::lines;
    const bool by_name = ends_like_a_picture(argument);
    const bool means_a_file = by_name || argument.find('/') != std::string::npos;
    std::error_code error;
    const fs::file_status found = fs::status(argument, error);
    const std::string name = escape_controls(argument);
    if (!fs::exists(found)) {
        // With a space in it, it may well be a sentence that speaks of a file.
        if (!by_name || argument.find(' ') != std::string::npos) return Argument::Kind::sentence;
        if (found.type() == fs::file_type::not_found) throw Error(ErrorCode::not_found, "there is no file " + name);
        throw Error(ErrorCode::io, "cannot read " + name + ": " + error.message());
    }
    if (!fs::is_regular_file(found)) {
        if (!means_a_file) return Argument::Kind::sentence;
        if (fs::is_directory(found))
            throw Error(ErrorCode::io,
                        name + " is a folder; give the files in it, as in " + escape_controls((fs::path(argument) / "*.png").string()));
        throw Error(ErrorCode::io, name + " is a device, pipe or socket; pictures are read from regular files");
    }
    if (!means_a_file && access(argument.c_str(), R_OK) != 0) return Argument::Kind::sentence;  // a word that happens to be a file's name
    InputFile file(argument);
    if (!by_name && !begins_like_a_picture(file)) return Argument::Kind::sentence;
    if (file.size() > largest_file) {
        throw Error(ErrorCode::io,
                    name + " has " + bytes_for_people(file.size()) + "; pictures of up to " + bytes_for_people(largest_file) + " are read");
    }
    return Argument::Kind::image;
}

}  // namespace

std::vector<Argument> look_at(const std::vector<std::string>& inputs) {
    std::vector<Argument> arguments;
    for (const std::string& input : inputs) arguments.push_back({input, kind_of(input)});
    return arguments;
}

void InputSource::add(Input input) {
    ready_bytes_ += input.content.size();
    ready_.push_back(std::move(input));
}

/// Makes one more input ready. False: there is none, or none yet and `wait` is false.
bool InputSource::take(bool wait) {
    while (!arguments_.empty()) {
        if (arguments_.front().kind != Argument::Kind::lines) {
            const Argument argument = std::move(arguments_.front());
            arguments_.pop_front();
            add(is_image(argument) ? Input{read_file(argument.text, largest_file, ErrorCode::io), argument.text}
                                   : Input{argument.text, ""});
            return true;
        }
        const auto add_line = [&](std::string line) {
            if (std::exchange(first_line_, false) && line.compare(0, 3, "\xef\xbb\xbf") == 0) line.erase(0, 3);  // byte order mark
            if (!line.empty() && line.back() == '\r') line.pop_back();
            add({std::move(line), ""});
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
    while (ready_.size() < limit && ready_bytes_ < enough_bytes && take(ready_.empty())) {
    }
    std::vector<Input> batch;
    while (!ready_.empty() && batch.size() < limit && (batch.empty() || is_image(ready_.front()) == is_image(batch.front()))) {
        ready_bytes_ -= ready_.front().content.size();
        batch.push_back(std::move(ready_.front()));
        ready_.pop_front();
    }
    return batch;
}

}  // namespace whynot::cli
