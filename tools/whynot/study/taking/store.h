#pragma once

/// What participants did: one line of JSON an event, in `data/log.jsonl` of the study's folder. A line is on disk before anybody is told that it was
/// taken; a line that a crash cut off was never acknowledged, and is removed when the study is opened again.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "study/making/design.h"
#include "study/taking/course.h"

namespace whynot::cli::study {

struct Participant {
    std::string id;
    int64_t number = 0;  ///< from 0, in the order in which they began
    size_t arm = 0;
    uint64_t seed = 0;
    base::Json external = base::Json::object();  ///< ids of those who sent them
    std::vector<Screen> course;
    std::vector<base::Json> answers;  ///< events, one a screen that was answered
    bool withdrawn = false;

    bool has_ended() const { return answers.size() == course.size(); }
};

/// Who takes part. The data of a study are of the one kind or of the other, so that nobody takes the one for the other.
enum class Taking { people, simulated };

class Store {
public:
    /// Opens the data of a study, makes them where there are none, and keeps other servers from them. Throws `io`, `invalid_input` for data of another
    /// study or kind, or a line that is no event.
    explicit Store(const Design& design, Taking taking = Taking::people);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Whether somebody with these external ids has begun.
    bool knows(const base::Json& external) const;
    /// A new participant, or the one with these external ids, where there are any. @param agent the browser, as it calls itself
    Participant& begin(const base::Json& external, const std::string& agent);
    /// Null: there is none of that id, or not any more.
    Participant* find(const std::string& id);
    const std::map<std::string, Participant>& all() const { return participants_; }

    /// The answer to the screen that a participant is at.
    void answer(Participant& participant, base::Json event);
    void reload(const Participant& participant);
    void withdraw(Participant& participant);
    /// Everything of a participant, from the log too: the file is written anew without it.
    void remove(const std::string& id);
    /// The ids of those who sent people, of everybody: once they are paid. Whoever has not come to the end can go on with a link alone.
    void forget_externals();

    /// The arm of participant `number`: permuted blocks, so that the arms of each block are as many of each, in an order that nobody can tell.
    static size_t arm_of(const Design& design, int64_t number);

private:
    void replay();
    void take(const base::Json& event, const std::string& line);
    void append(base::Json event);
    void reopen();
    void rewrite(const std::string& lines);
    void sync_folder() const;

    const Design& design_;
    const Taking taking_;
    const std::filesystem::path path_;
    int file_ = -1;            // -1: it is not there any more, and nothing can be saved
    bool has_header_ = false;  // the line that says of which study these data are
    int64_t next_ = 0;
    std::map<std::string, Participant> participants_;
    std::map<std::string, std::string> by_external_;
};

/// The events of a study's log, for reading alone: of a server that runs too. Throws `not_found`, `invalid_input`.
std::vector<base::Json> read_log(const Design& design);

}  // namespace whynot::cli::study
