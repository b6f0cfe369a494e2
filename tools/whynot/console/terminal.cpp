#include "console/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/format.h"
#include "base/text.h"
#include "console/environment.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

int width_of(int descriptor) {
    winsize size{};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

size_t columns(std::string_view text) {
    size_t count = 0;
    for (size_t position = 0; position < text.size(); ++count) base::next_code_point(text, position);
    return count;
}

std::string cut(std::string_view text, size_t width) {
    size_t position = 0;
    for (size_t count = 0; count < width && position < text.size(); ++count) base::next_code_point(text, position);
    return std::string(text.substr(0, position));
}

/// The first of these that is set decides, says POSIX.
bool locale_is_utf8() {
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        std::string locale = variable(name);
        if (locale.empty()) continue;
        std::transform(locale.begin(), locale.end(), locale.begin(), [](unsigned char c) { return std::tolower(c); });
        return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    }
    return false;
}

Pictures pictures_of_terminal() {
    if (!locale_is_utf8()) return Pictures::none;
    const std::string colours = variable("COLORTERM");
    if (colours == "truecolor" || colours == "24bit") return Pictures::true_colour;
    return variable("TERM").find("256color") != std::string::npos ? Pictures::palette : Pictures::none;
}

std::string time_for_people(double seconds) {
    char text[64];
    const auto whole = static_cast<long long>(seconds + 0.5);
    if (whole >= 3600) {
        std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
    }
    return text;
}

}  // namespace

void print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        throw Error(ErrorCode::io, std::string("cannot write to standard output: ") + std::strerror(errno));
    }
}

void complain(std::string_view message) {
    std::string text = "whynot: ";
    for (size_t begin = 0; begin <= message.size();) {  // some messages are tables: their line ends stay
        const size_t end = std::min(message.find('\n', begin), message.size());
        text += base::escape_controls(message.substr(begin, end - begin)) + '\n';
        begin = end + 1;
    }
    std::fputs(text.c_str(), stderr);
}

TerminalStyle terminal_style() {
    TerminalStyle style;
    if (isatty(STDOUT_FILENO)) {
        style.colour = variable("NO_COLOR").empty();
        style.width = width_of(STDOUT_FILENO);
        if (style.colour) style.pictures = pictures_of_terminal();
    }
    return style;
}

bool error_is_terminal() { return isatty(STDERR_FILENO) != 0; }

std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view right) {
    std::vector<std::vector<std::string>> cells = rows;
    std::vector<size_t> widths;
    for (auto& row : cells) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) {
            row[i] = base::escape_controls(row[i]);
            if (i + 1 < row.size() || (i < right.size() && right[i] == 'r')) widths[i] = std::max(widths[i], columns(row[i]));
        }
    }
    std::string text;
    for (const auto& row : cells) {
        std::string line;
        for (size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - std::min(widths[i], columns(row[i])), ' ');
            line += (i ? "  " : "") + (i < right.size() && right[i] == 'r' ? padding + row[i] : row[i] + padding);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string bytes_for_people(uint64_t bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    double value = static_cast<double>(bytes);
    const char* const units[] = {"kB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (value /= 1000; value >= 999.95 && unit < 3; ++unit) value /= 1000;
    return base::fixed(value, 1) + ' ' + units[unit];
}

std::string for_shell(const std::string& word) {
    const auto plain = [](unsigned char c) { return std::isalnum(c) || c >= 0x80 || std::strchr("_-./+,:=@%", c) != nullptr; };
    if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return base::escape_controls(quoted + '\'');
}

StatusLine::StatusLine() : terminal_(error_is_terminal()) {}

StatusLine::~StatusLine() { clear(); }

bool StatusLine::due() const {
    using namespace std::chrono_literals;
    const Clock::time_point now = Clock::now();
    return terminal_ && now - began_ > 2s && now - drawn_ > 100ms;
}

void StatusLine::show(const std::string& text) {
    if (!due()) return;
    // One column less than there are: a full line would wrap, and could not be taken back.
    std::fprintf(stderr, "\r\033[K%s", cut(base::escape_controls(text), static_cast<size_t>(width_of(STDERR_FILENO)) - 1).c_str());
    std::fflush(stderr);
    visible_ = true;
    drawn_ = Clock::now();
}

void StatusLine::show(const Progress& progress) {
    if (first_fraction_ < 0) {
        first_fraction_ = progress.fraction;
        first_time_ = Clock::now();
    }
    if (!due()) return;
    const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
    const auto filled = static_cast<size_t>(fraction * 24);
    const std::string whole = base::fixed(100 * fraction, 0);
    std::string text = progress.stage + " [" + std::string(filled, '#') + std::string(24 - filled, '.') + "] " +
                       std::string(3 - whole.size(), ' ') + whole + " %";
    if (fraction - first_fraction_ > 0.001) {
        const double seconds = std::chrono::duration<double>(Clock::now() - first_time_).count();
        text += ", " + time_for_people(seconds * (1 - fraction) / (fraction - first_fraction_)) + " left";
    }
    if (!progress.detail.empty()) text += ", " + progress.detail;
    show(text);
}

void StatusLine::clear() {
    if (!visible_) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    visible_ = false;
}

}  // namespace whynot::cli
