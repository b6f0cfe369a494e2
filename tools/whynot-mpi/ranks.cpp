#include "ranks.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "console/terminal.h"
#include "explainer.h"
#include "stream/answers.h"
#include "stream/batching.h"
#include "stream/questions.h"
#include "stream/records.h"
#include "whynot/error.h"
#include "whynot/explanation.h"
#include "whynot/pack.h"

namespace whynot::mpi {
namespace {

using cli::complain;
using cli::max_batch_bytes;
using cli::max_batch_size;
using cli::StreamedQuestion;
using Clock = std::chrono::steady_clock;

constexpr int pause = 5;  // milliseconds between looks at what has come

struct Asked {
    StreamedQuestion question;  // without the picture, which is in its text
    enum class State {
        waiting,   // for its answer
        answered,  // `answer` has it
        skipped,   // an earlier run has answered it: its batch need not be solved again for it, and nothing is written
    } state = State::waiting;
    std::string answer;  // a line
    int lost = 0;        // so many explainers ended over it, or over others that they had beside it

    explicit Asked(StreamedQuestion asked) : question(std::move(asked)) {}
    void finish(std::string line) {
        answer = std::move(line);
        state = State::answered;
    }
};

/// A rank as rank 0 sees it.
struct Rank {
    std::deque<std::shared_ptr<Asked>> asked;  // answers come in this order
    int times_asked = 0;
    bool lost = false;

    /// A question that was lost goes alone: should its explainer end, it is this question's doing.
    bool is_alone() const { return asked.size() == 1 && asked.front()->lost > 0; }
    bool has_room() const { return !lost && !is_alone() && asked.size() <= max_batch_size; }  // one batch waits while one is answered
};

class Ranks {
public:
    Ranks(Messages& messages, const cli::ExplainCommand& command, const std::vector<std::string>& arguments)
        : messages_(messages),
          command_(command),
          answers_(command.resume),
          questions_(command, true),
          explainer_(arguments),
          ranks_(static_cast<size_t>(messages.ranks())) {}

    int run() {
        while (true) {
            hear();
            write_finished();
            if (ended_ && under_way_.empty()) break;
            ask_again();
            if (may_read()) {
                read();
            } else {
                answered_by(0, explainer_.take(pause));
            }
        }
        if (failure_) std::rethrow_exception(failure_);
        answers_.expect_no_more();
        return answers_.given_have_answers() ? code_ : cli::none_found;
    }

private:
    void hear() {
        answered_by(0, explainer_.take(0));
        if (!explainer_.end().empty()) lose(0, explainer_.reached(), explainer_.end());
        for (Message message; messages_.receive(message);) {
            const auto from = static_cast<size_t>(message.from);
            if (message.kind == Kind::answers) answered_by(from, message.text);
            if (message.kind == Kind::lost) {
                const size_t blank = message.text.find(' ');
                lose(from, std::stoi(message.text), message.text.substr(blank + 1));
            }
        }
    }

    void answered_by(size_t rank, const std::string& lines) {
        std::deque<std::shared_ptr<Asked>>& asked = ranks_[rank].asked;
        for (size_t at = 0; at < lines.size();) {
            const size_t next = lines.find('\n', at) + 1;
            if (asked.empty()) throw Error(ErrorCode::internal, "rank " + std::to_string(rank) + " answers what it was not asked");
            asked.front()->finish(lines.substr(at, next - at));
            asked.pop_front();
            at = next;
        }
    }

    /// @param reached so many times its explainer was asked before it ended
    void lose(size_t number, int reached, const std::string& why) {
        Rank& rank = ranks_[number];
        if (rank.lost) return;
        rank.lost = true;
        complain("the explainer of rank " + std::to_string(number) + " ended (" + why + "); others answer the " +
                 std::to_string(rank.asked.size()) + " questions that it had");
        for (const std::shared_ptr<Asked>& asked : rank.asked) {
            if (asked->question.answered) {
                asked->state = Asked::State::skipped;  // it was there only for the batch, which is lost
                continue;
            }
            const bool came_too_late = rank.is_alone() && reached < rank.times_asked;  // not this question's doing
            if (came_too_late || ++asked->lost == 1) {
                again_.push_back(asked);
                continue;
            }
            const std::string reason = "two explainers ended over this question, the second by itself (" + why + ')';
            complain("question " + std::to_string(asked->question.number) + ": " + reason);
            asked->finish(to_json(cli::refused(asked->question, pack_of(asked->question), command_, reason)) + '\n');
        }
        rank.asked.clear();
        const auto is_lost = [](const Rank& each) { return each.lost; };
        if (std::all_of(ranks_.begin(), ranks_.end(), is_lost)) {
            write_finished();
            throw Error(ErrorCode::io, "no explainer is left; " + std::to_string(written_) +
                                           " answers were written, and the questions after them have none. --resume goes on from there");
        }
    }

    Pack pack_of(const StreamedQuestion& question) const {
        return find_pack(command_.pack.empty() ? question.image ? "mnist" : "yelp" : command_.pack, default_pack_search());
    }

    void write_finished() {
        std::string lines;
        for (; !under_way_.empty() && under_way_.front()->state != Asked::State::waiting; under_way_.pop_front()) {
            const std::string& answer = under_way_.front()->answer;
            if (under_way_.front()->question.answered) continue;
            if (!cli::has_answer(explanation_from_json(answer))) code_ = cli::none_found;
            lines += answer;
            ++written_;
        }
        if (!lines.empty()) answers_.write(lines);
    }

    void ask_again() {
        const auto is_free = [](const Rank& rank) { return !rank.lost && rank.asked.empty(); };
        while (!again_.empty()) {
            const auto rank = std::find_if(ranks_.begin(), ranks_.end(), is_free);
            if (rank == ranks_.end()) return;
            ask(*rank, {again_.front()});
            again_.pop_front();
        }
    }

    /// With questions that wait to be asked again, explainers have to come free for them.
    bool may_read() const {
        const auto has_room = [](const Rank& rank) { return rank.has_room(); };
        return !ended_ && again_.empty() && under_way_.size() < 4 * max_batch_size * ranks_.size() &&
               std::any_of(ranks_.begin(), ranks_.end(), has_room);
    }

    void read() {
        try {
            StreamedQuestion question;
            switch (questions_.next(question, pause)) {
                case cli::Lines::Got::none_yet:
                    if (!command_.whole_batches && Clock::now() - last_read_ >= std::chrono::milliseconds(cli::line_timeout())) give();
                    return;
                case cli::Lines::Got::end:
                    give();
                    ended_ = true;
                    return;
                default: break;
            }
            last_read_ = Clock::now();
            question.answered = answers_.has(question);
            add(std::move(question));
        } catch (const Error&) {
            failure_ = std::current_exception();  // what was read before is answered first
            give();
            ended_ = true;
        }
    }

    void add(StreamedQuestion question) {
        question.input = {};
        batch_bytes_ += question.text.size();
        batch_.push_back(std::make_shared<Asked>(std::move(question)));
        under_way_.push_back(batch_.back());
        if (batch_.size() == max_batch_size || batch_bytes_ >= max_batch_bytes) give();
    }

    /// To whom has least to do. A batch that is answered in part is asked as a whole, as in the filter.
    void give() {
        if (std::all_of(batch_.begin(), batch_.end(), [](const auto& each) { return each->question.answered; })) {
            for (const std::shared_ptr<Asked>& each : batch_) each->state = Asked::State::skipped;
            batch_.clear();
            batch_bytes_ = 0;
            return;
        }
        const auto load = [](const Rank& rank) { return rank.has_room() ? rank.asked.size() : SIZE_MAX; };
        ask(*std::min_element(ranks_.begin(), ranks_.end(), [&](const Rank& a, const Rank& b) { return load(a) < load(b); }), batch_);
        batch_.clear();
        batch_bytes_ = 0;
    }

    void ask(Rank& rank, const std::vector<std::shared_ptr<Asked>>& questions) {
        std::string lines = rank.times_asked++ > 0 ? "" : questions_.heading();
        for (const std::shared_ptr<Asked>& each : questions) lines += each->question.text;
        rank.asked.insert(rank.asked.end(), questions.begin(), questions.end());
        const auto number = static_cast<int>(&rank - ranks_.data());
        if (number == 0) {
            explainer_.give(lines);
        } else {
            messages_.send(number, Kind::questions, std::move(lines));
        }
    }

    Messages& messages_;
    const cli::ExplainCommand& command_;
    cli::Answers answers_;
    cli::Questions questions_;
    Explainer explainer_;
    std::vector<Rank> ranks_;
    std::deque<std::shared_ptr<Asked>> under_way_;  // in the order of the stream
    std::deque<std::shared_ptr<Asked>> again_;      // lost
    std::vector<std::shared_ptr<Asked>> batch_;     // begun
    size_t batch_bytes_ = 0;
    Clock::time_point last_read_;
    int64_t written_ = 0;
    int code_ = cli::answered;
    bool ended_ = false;          // no further questions are read
    std::exception_ptr failure_;  // of reading
};

}  // namespace

int hand_out(Messages& messages, const cli::ExplainCommand& command, const std::vector<std::string>& arguments) {
    // What is wrong with the command is said once, and not by every rank: asked nothing, the filter looks at its options and ends.
    if (const int code = Explainer(arguments).finish(); code != cli::answered) return code < 0 ? cli::failed : code;
    return Ranks(messages, command, arguments).run();
}

void serve(Messages& messages, const std::vector<std::string>& arguments) {
    std::optional<Explainer> explainer;  // with the first questions: few need few explainers
    bool lost = false;
    while (true) {
        for (Message message; messages.receive(message);) {
            if (message.kind == Kind::stop) return messages.send(0, Kind::stopped);
            if (!explainer) explainer.emplace(arguments);
            explainer->give(message.text);
        }
        if (!explainer || lost) {
            std::this_thread::sleep_for(std::chrono::milliseconds(pause));
            continue;
        }
        std::string answers = explainer->take(pause);
        if (!answers.empty()) messages.send(0, Kind::answers, std::move(answers));
        lost = !explainer->end().empty();
        if (lost) messages.send(0, Kind::lost, std::to_string(explainer->reached()) + ' ' + explainer->end());
    }
}

void stop_others(Messages& messages) {
    int running = messages.ranks() - 1;
    for (int rank = 1; rank <= running; ++rank) messages.send(rank, Kind::stop);
    while (running > 0) {
        Message message;
        if (!messages.receive(message)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(pause));
        } else if (message.kind == Kind::stopped) {
            --running;
        }
    }
}

}  // namespace whynot::mpi
