#include "stream/answers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "console/terminal.h"
#include "stream/records.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

using base::Json;

constexpr std::string_view beginning = "{\"schema\":\"whynot.explanation/";  // of every record

/// Classes that the question or the record leaves open may be any.
bool same_class(const std::string& asked, const Json& answered) { return asked.empty() || answered.is_null() || asked == answered; }

bool answers_it(const Json& record, const StreamedQuestion& question) {
    const auto& [fact, foil, id] = question.question;
    const Json& asked = record.at("question");
    const Json& input = asked.at("input");
    if (!id.empty() && record.at("id") != id) return false;
    if ((input.is_object() ? input.at("path") : input) != question.shown) return false;
    // Pictures that came within the question have no name of their own.
    if (input.is_object() && !question.input.content.empty() && input.at("sha256") != base::sha256_hex(question.input.content))
        return false;
    return same_class(fact, asked.at("fact")) && same_class(foil, asked.at("foil"));
}

}  // namespace

Answers::Answers(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    const auto fail = [&](const std::string& why) { throw Error(ErrorCode::io, "--resume " + base::escape_controls(path_) + ": " + why); };
    const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
    if (file < 0) fail(std::string("cannot be written: ") + std::strerror(errno));
    file_ = file;
    struct stat found {};
    if (fstat(file_, &found) != 0 || !S_ISREG(found.st_mode)) fail("is no regular file");
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) fail("another run is writing to it");
    given_.open(path_, std::ios::binary);
    if (!given_) fail("cannot be read: " + std::string(std::strerror(errno)));
}

Answers::~Answers() {
    if (file_ >= 0) close(file_);
}

void Answers::refuse(const std::string& why) const {
    throw Error(ErrorCode::invalid_input, "--resume " + base::escape_controls(path_) + ": " + why);
}

/// The next line of those that were there when we came. False: there are no more.
bool Answers::next_given(std::string& line) {
    if (!given_.is_open()) return false;
    if (std::getline(given_, line) && !given_.eof()) {
        ++given_lines_;
        whole_ += static_cast<int64_t>(line.size()) + 1;
        return true;
    }
    given_.close();
    if (line.empty()) return false;
    // Nobody's data are cut off but our own.
    if (line.compare(0, beginning.size(), beginning.substr(0, line.size())) != 0)
        refuse("its last line is no answer; name the file of answers that a run left behind, or a new one");
    if (ftruncate(file_, whole_) != 0)
        throw Error(ErrorCode::io, "cannot write " + base::escape_controls(path_) + ": " + std::strerror(errno));
    return false;
}

bool Answers::has(const StreamedQuestion& question) {
    std::string line;
    if (!next_given(line)) return false;
    bool same = false;
    Json record;
    try {
        record = base::parse_json(line, ErrorCode::invalid_input, "an answer");
        same = answers_it(record, question);
        given_have_answers_ = given_have_answers_ && has_answer(record);
    } catch (const std::exception&) {  // no JSON, or none of ours
        refuse("its line " + std::to_string(given_lines_) + " is no answer; name the file of answers that a run left behind, or a new one");
    }
    if (same) return true;
    const std::string& id = question.question.id;
    const Json& given = id.empty() ? record["question"]["input"] : record["id"];
    refuse("its line " + std::to_string(given_lines_) + " answers " +
           base::shown(given) + ", and question " +
           std::to_string(question.number) + " is " + base::in_quotes(id.empty() ? question.shown : id) +
           "; these are not the answers to these questions");
}

void Answers::expect_no_more() {
    std::string line;
    if (next_given(line))
        refuse("it holds more answers than there are questions: " + std::to_string(given_lines_ - 1) +
               " were asked; these are not the answers to these questions");
}

void Answers::write(const std::string& lines) const {
    if (file_ < 0) return print(lines);
    for (size_t at = 0; at < lines.size();) {
        const ssize_t count = ::write(file_, lines.data() + at, lines.size() - at);
        if (count < 0 && errno != EINTR)
            throw Error(ErrorCode::io, "cannot write " + base::escape_controls(path_) + ": " + std::strerror(errno));
        if (count > 0) at += static_cast<size_t>(count);
    }
}

}  // namespace whynot::cli
