#include "study/taking/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>

#include "base/format.h"
#include "base/text.h"
#include "serve/guard.h"
#include "study/making/random.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli::study {
namespace {

using base::Json;

fs::path log_of(const Design& design) { return design.folder() / "data" / "log.jsonl"; }

/// UTC, "2026-01-31T12:00:00.123Z".
std::string now() {
    const auto time = std::chrono::system_clock::now().time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string rest = std::to_string(ms % 1000);
    return std::string(text) + "." + std::string(3 - rest.size(), '0') + rest + "Z";
}

[[noreturn]] void fail(const std::string& what, const fs::path& path) {
    throw Error(ErrorCode::io, what + " " + path.string() + ": " + std::strerror(errno));
}

/// By what somebody is known who begins again: the names of a platform, or the key that the page drew for itself, as a browser may send a request twice
/// without telling anybody. Empty: nothing.
std::string key_of(const Json& external) {
    const std::string person = external.value("PROLIFIC_PID", "");
    if (!person.empty()) return "person " + person + "\n" + external.value("STUDY_ID", "");
    const std::string key = external.value("key", "");
    return key.empty() ? "" : "key " + key;
}

void each_line(const std::string& text, const std::function<void(const std::string&)>& take) {
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = text.find('\n', begin);
        if (end == std::string::npos) return;  // cut off
        take(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) fail("cannot read", path);
    return text;
}

Json event_in(const std::string& line, const fs::path& path) {
    const Json event = base::parse_json_object(line, ErrorCode::invalid_input, path.string());
    if (!event.value("event", Json()).is_string())
        throw Error(ErrorCode::invalid_input, path.string() + ": a line is no event: " + base::in_quotes(line));
    return event;
}

}  // namespace

size_t Store::arm_of(const Design& design, int64_t number) {
    const int64_t block = number / design.block(), place = number % design.block();
    std::vector<size_t> arms;
    for (int64_t i = 0; i < design.block(); ++i) arms.push_back(static_cast<size_t>(i) % design.arms().size());
    Random(design.seed(), "block " + std::to_string(block)).shuffle(arms);
    return arms[static_cast<size_t>(place)];
}

Store::Store(const Design& design, Taking taking) : design_(design), taking_(taking), path_(log_of(design)) {
    std::error_code error;
    fs::create_directories(path_.parent_path(), error);
    if (error) throw Error(ErrorCode::io, "cannot make the folder " + path_.parent_path().string() + ": " + error.message());
    fs::permissions(path_.parent_path(), fs::perms::owner_all, error);  // the ids of recruiters are for nobody else's eyes
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) fail("cannot open", path_);
    try {
        if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
            throw Error(ErrorCode::io, path_.string() + " is in use: another 'whynot study serve' runs on this study; end that one first");
        replay();
    } catch (...) {
        ::close(file_);
        throw;
    }
}

Store::~Store() {
    if (file_ >= 0) ::close(file_);
}

void Store::replay() {
    const std::string text = contents(path_);
    const size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (whole < text.size() && ::ftruncate(file_, static_cast<off_t>(whole)) != 0) fail("cannot remove the cut line at the end of", path_);
    each_line(text, [&](const std::string& line) { take(event_in(line, path_), line); });
}

void Store::take(const Json& event, const std::string& line) {
    const std::string kind = event.at("event").get<std::string>();
    const auto refuse = [&](const std::string& why) {
        throw Error(ErrorCode::invalid_input, path_.string() + ": " + why + ": " + base::in_quotes(line));
    };
    if (kind == "study") {
        if (event.value("study", "") != design_.sha256())
            refuse("these are data of another study, or study.json was changed after it began");
        if (event.value("simulated", false) != (taking_ == Taking::simulated))
            refuse(taking_ == Taking::people
                       ? "these are data of simulated participants; people take part in the study that they were made from"
                       : "these are data of people");
        has_header_ = true;
        return;
    }
    const std::string id = event.value("participant", "");
    if (kind == "begin") {
        Participant made;
        made.id = id;
        made.number = event.value("number", int64_t{0});
        made.arm = arm_of(design_, made.number);
        made.seed = event.value("seed", uint64_t{0});
        made.external = event.value("external", Json::object());
        made.course = course_of(design_, made.seed);
        if (const std::string key = key_of(made.external); !key.empty()) by_external_[key] = id;
        next_ = std::max(next_, made.number + 1);
        participants_[id] = std::move(made);
        return;
    }
    if (kind == "gap") {  // numbers of participants that were deleted
        next_ = std::max(next_, event.value("next", int64_t{0}));
        return;
    }
    Participant* const participant = find(id);
    if (!participant) refuse("nobody of that name has begun");
    if (kind == "answer") {
        if (event.value("seq", size_t{0}) != participant->answers.size() || participant->has_ended()) refuse("an answer out of order");
        participant->answers.push_back(event);
    } else if (kind == "withdraw") {
        participant->withdrawn = true;
    }
}

void Store::append(Json event) {
    event["time"] = now();
    const std::string line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const off_t before = ::lseek(file_, 0, SEEK_END);
    size_t written = 0;
    while (written < line.size()) {
        const ssize_t some = ::write(file_, line.data() + written, line.size() - written);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) break;
        written += static_cast<size_t>(some);
    }
    if (written == line.size() && ::fdatasync(file_) == 0) return;
    const int why = errno;
    // A part of a line would spoil the next one. (Where even this fails, the next start finds a line that is none, and says so.)
    [[maybe_unused]] const int cut = ::ftruncate(file_, before);
    errno = why;
    fail("cannot write to", path_);
}

void Store::sync_folder() const {
    const int folder = ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    ::fsync(folder);
    ::close(folder);
}

Participant* Store::find(const std::string& id) {
    const auto found = participants_.find(id);
    return found == participants_.end() ? nullptr : &found->second;
}

bool Store::knows(const Json& external) const { return by_external_.count(key_of(external)) > 0; }

Participant& Store::begin(const Json& external, const std::string& agent) {
    if (const std::string key = key_of(external); !key.empty())
        if (const auto known = by_external_.find(key); known != by_external_.end()) return participants_.at(known->second);
    const std::string id = random_name(16);
    const int64_t number = next_;
    const uint64_t seed = Random(design_.seed(), "participant " + std::to_string(number)).below(uint64_t{1} << 53);
    Json event{{"event", "begin"}, {"participant", id},    {"number", number}, {"arm", design_.arms()[arm_of(design_, number)].id},
               {"seed", seed},     {"external", external}, {"agent", agent}};
    if (!has_header_) {  // not before: whoever looks at a study and changes its texts then has no data of another one
        Json header{{"event", "study"}, {"study", design_.sha256()}};
        if (taking_ == Taking::simulated) header["simulated"] = true;
        append(header);
        sync_folder();
        has_header_ = true;
    }
    append(event);
    take(event, "");
    return participants_.at(id);
}

void Store::answer(Participant& participant, Json event) {
    event["event"] = "answer";
    event["participant"] = participant.id;
    event["seq"] = participant.answers.size();
    append(event);
    participant.answers.push_back(std::move(event));
    if (participant.has_ended()) append({{"event", "end"}, {"participant", participant.id}});
}

void Store::reload(const Participant& participant) {
    append({{"event", "reload"}, {"participant", participant.id}, {"seq", participant.answers.size()}});
}

void Store::withdraw(Participant& participant) {
    append({{"event", "withdraw"}, {"participant", participant.id}});
    participant.withdrawn = true;
}

void Store::remove(const std::string& id) {
    std::string kept;
    each_line(contents(path_), [&](const std::string& line) {
        if (event_in(line, path_).value("participant", "") != id) kept += line + "\n";
    });
    kept += Json{{"event", "gap"}, {"next", next_}, {"time", now()}}.dump() + "\n";
    rewrite(kept);
    if (const Participant* const gone = find(id)) by_external_.erase(key_of(gone->external));
    participants_.erase(id);
}

void Store::forget_externals() {
    std::string kept;
    each_line(contents(path_), [&](const std::string& line) {
        Json event = event_in(line, path_);
        if (event.contains("external")) event["external"] = Json::object();
        kept += event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    });
    rewrite(kept);
    by_external_.clear();
    for (auto& [id, participant] : participants_) participant.external = Json::object();
}

void Store::rewrite(const std::string& lines) {
    try {
        write_file_atomically(path_, lines);
    } catch (...) {
        reopen();  // it may be there nevertheless
        throw;
    }
    reopen();
    sync_folder();
}

/// Goes over to the file that has the log's name now, where that is another one. The lock goes with the file: the new one is locked before the old one is
/// let go.
void Store::reopen() {
    struct stat now {
    }, named{};
    if (::fstat(file_, &now) == 0 && ::stat(path_.c_str(), &named) == 0 && now.st_ino == named.st_ino && now.st_dev == named.st_dev) return;
    const int renewed = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
    const bool is_ours = renewed >= 0 && ::flock(renewed, LOCK_EX | LOCK_NB) == 0 && ::fchmod(renewed, 0600) == 0;
    const int why = errno;
    ::close(file_);
    file_ = is_ours ? renewed : -1;  // what is written to a file without a name would be lost
    if (is_ours) return;
    if (renewed >= 0) ::close(renewed);
    errno = why;
    fail("cannot open", path_);
}

std::vector<Json> read_log(const Design& design) {
    const fs::path path = log_of(design);
    if (!fs::exists(path)) throw Error(ErrorCode::not_found, path.string() + ": nobody has taken part yet");
    std::vector<Json> events;
    each_line(contents(path), [&](const std::string& line) { events.push_back(event_in(line, path)); });
    if (events.empty()) throw Error(ErrorCode::not_found, path.string() + ": nobody has taken part yet");
    if (events.front().value("study", "") != design.sha256())
        throw Error(ErrorCode::invalid_input,
                    path.string() + ": these are data of another study, or study.json was changed after it began");
    return events;
}

}  // namespace whynot::cli::study
