#include "stream/inputs.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <exception>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "console/terminal.h"
#include "stream/batching.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

/// No picture is as large; it must not fill the memory.
constexpr uint64_t largest_file = 512 * 1000 * 1000;

/// Pictures that are read, and those that are known by name to be refused with the command that converts them: never a sentence.
bool ends_like_a_picture(const std::string& argument) {
    static const std::set<std::string> endings{".png",  ".jpg",  ".jpeg", ".jfif", ".jpe", ".heic", ".heif",
                                               ".avif", ".webp", ".gif",  ".bmp",  ".tif", ".tiff", ".jxl",
                                               ".jp2",  ".svg",  ".dcm",  ".ico",  ".psd", ".npy",  ".pdf"};
    std::string extension = fs::path(argument).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    return endings.count(extension) > 0;
}

bool begins_like_a_picture(base::InputFile& file) {
    char bytes[12] = {};
    const std::string_view head(bytes, file.read_some(bytes, sizeof bytes));
    const auto at = [head](size_t place, std::string_view mark) {
        return head.size() > place && head.compare(place, mark.size(), mark) == 0;
    };
    using namespace std::string_view_literals;
    return at(0, "\x89PNG\r\n\x1a\n"sv) || at(0, "\xff\xd8\xff"sv) || at(0, "GIF8"sv) || (at(0, "BM"sv) && at(6, "\0\0\0\0"sv)) ||  // BMP
           at(0, "II*\0"sv) || at(0, "MM\0*"sv) ||                                                                                  // TIFF
           (at(0, "RIFF"sv) && at(8, "WEBP"sv)) || at(4, "ftyp"sv);  // HEIC, AVIF
}

void expect_no_url(const std::string& argument) {
    if (argument.find(' ') != std::string::npos) return;  // a sentence that names one
    for (const char* const begin : {"http://", "https://", "ftp://", "file://"})
        if (argument.compare(0, std::strlen(begin), begin) == 0)
            throw Error(
                ErrorCode::invalid_input,
                base::in_quotes(argument) + " is an address, and nothing is fetched from the network; save the picture and give its file");
}

Argument::Kind kind_of(const std::string& argument) {
    if (argument == "-") return Argument::Kind::lines;
    expect_no_url(argument);
    const bool by_name = ends_like_a_picture(argument);
    const bool means_a_file = by_name || argument.find('/') != std::string::npos;
    std::error_code error;
    const fs::file_status found = fs::status(argument, error);
    const std::string name = base::escape_controls(argument);
    if (!fs::exists(found)) {
        // With a space in it, it may well be a sentence that speaks of a file.
        if (!by_name || argument.find(' ') != std::string::npos) return Argument::Kind::sentence;
        if (found.type() == fs::file_type::not_found) throw Error(ErrorCode::not_found, "there is no file " + name);
        throw Error(ErrorCode::io, "cannot read " + name + ": " + error.message());
    }
    if (!fs::is_regular_file(found)) {
        if (!means_a_file) return Argument::Kind::sentence;
        if (fs::is_directory(found))
            throw Error(ErrorCode::io, name + " is a folder; give the files in it, as in " +
                                           base::escape_controls((fs::path(argument) / "*.png").string()));
        throw Error(ErrorCode::io, name + " is a device, pipe or socket; pictures are read from regular files");
    }
    if (!means_a_file && access(argument.c_str(), R_OK) != 0) return Argument::Kind::sentence;  // a word that happens to be a file's name
    base::InputFile file(argument);
    if (!by_name && !begins_like_a_picture(file)) {
        if (!means_a_file) return Argument::Kind::sentence;
        throw Error(ErrorCode::invalid_input, name + " is a file, and no picture. Its lines, each a sentence: whynot explain - < " + name);
    }
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

std::vector<Argument> look_at_each(const std::vector<std::string>& inputs) {
    std::vector<Argument> arguments;
    std::exception_ptr first;
    size_t bad = 0;
    for (const std::string& input : inputs) {
        try {
            arguments.push_back({input, kind_of(input)});
        } catch (const Error& error) {  // of what is meant as a picture
            if (++bad == 1) first = std::current_exception();
            arguments.push_back({input, Argument::Kind::image, error.what()});
        }
    }
    if (bad > 0 && bad == inputs.size()) std::rethrow_exception(first);
    return arguments;
}

Input read_image(const std::string& path) {
    expect_no_url(path);
    std::error_code error;
    const fs::file_status found = fs::status(path, error);
    if (found.type() == fs::file_type::not_found) throw Error(ErrorCode::not_found, "there is no file " + base::escape_controls(path));
    if (fs::exists(found) && !fs::is_regular_file(found))
        throw Error(ErrorCode::io, base::escape_controls(path) + " is no regular file, and pictures are read from those");
    return {base::read_file(path, largest_file, ErrorCode::io), path};
}

namespace {

/// What an argument names. A file may have gone since it was looked at.
Given given_by(const Argument& argument) {
    if (!is_image(argument)) return {{argument.text, ""}, ""};
    if (!argument.problem.empty()) return {{"", argument.text}, argument.problem};
    try {
        return {read_image(argument.text), ""};
    } catch (const Error& error) {
        return {{"", argument.text}, error.what()};
    }
}

}  // namespace

void InputSource::add(Given given) {
    ready_bytes_ += given.input.content.size();
    ready_.push_back(std::move(given));
}

/// Makes one more input ready. False: there is none, or none yet and `wait` is false.
bool InputSource::take(bool wait) {
    while (!arguments_.empty()) {
        if (arguments_.front().kind != Argument::Kind::lines) {
            const Argument argument = std::move(arguments_.front());
            arguments_.pop_front();
            add(given_by(argument));
            return true;
        }
        std::string line;
        switch (lines_.next(line, wait ? -1 : line_timeout())) {
            case Lines::Got::line: add({{std::move(line), ""}, ""}); return true;
            case Lines::Got::too_long: throw Error(ErrorCode::invalid_input, "a line of standard input is longer than 16 MB");
            case Lines::Got::none_yet: return false;
            case Lines::Got::end: arguments_.pop_front();
        }
    }
    return false;
}

std::vector<Given> InputSource::next(size_t limit) {
    while (ready_.size() < limit && ready_bytes_ < max_batch_bytes && take(ready_.empty())) {
    }
    std::vector<Given> batch;
    while (!ready_.empty() && batch.size() < limit && (batch.empty() || is_image(ready_.front()) == is_image(batch.front()))) {
        ready_bytes_ -= ready_.front().input.content.size();
        batch.push_back(std::move(ready_.front()));
        ready_.pop_front();
    }
    return batch;
}

}  // namespace whynot::cli
