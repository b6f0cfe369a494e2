#include "stream/stream.h"

#include <malloc.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <sstream>

#include "asking/answer_page.h"
#include "asking/asking.h"
#include "asking/models.h"
#include "console/interrupt.h"
#include "console/terminal.h"
#include "stream/answers.h"
#include "stream/batching.h"
#include "stream/questions.h"
#include "stream/records.h"
#include "stream/workers.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

/// "2/8": every 8th question from the second.
struct Shard {
    int64_t index = 1, of = 1;

    explicit Shard(const std::string& text) {
        if (text.empty()) return;
        std::istringstream in(text);
        char slash = 0;
        if (!(in >> index >> slash >> of) || slash != '/' || in.peek() != EOF || index < 1 || index > of)
            throw Error(ErrorCode::invalid_argument, "--shard '" + text + "': expected I/N with I from 1 to N, as 2/8");
    }
    bool has(int64_t number) const { return (number - 1) % of == index - 1; }
};

/// Batch after batch needs the same large tensors. glibc would hand each back to the system and fetch it anew, which takes time, and the
/// largest ones beside a heap that could hold them: the peak would depend on which batches there were. Nor may a thread have a heap of its
/// own: those are strung together from pieces of 64 MB, whose ends break up, and what one has freed another cannot use.
void keep_memory() {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

/// Questions on their way from standard input through the workers to where the answers go.
class Stream {
public:
    explicit Stream(const ExplainCommand& command, const ExplainOptions& options)
        : shard_(command.shard),
          whole_batches_(command.whole_batches),
          answers_(command.resume),
          models_(command, command.pack),
          page_(command, models_.packs()),
          questions_(command),
          workers_(command, options, models_, workers_for(command.threads)) {
        check_question(command, models_.host(), models_.packs());
    }

    int run() {
        while (true) {
            write_finished();
            if (over_ && answers_.in_file()) ended_ = true;
            if (ended_ && under_way_.empty()) break;
            if (ended_ || under_way_.size() >= 2 * workers_.count()) {
                wait();
            } else {
                read();
            }
        }
        if (failure_) std::rethrow_exception(failure_);
        if (!over_) answers_.expect_no_more();
        page_.write();
        return answers_.given_have_answers() ? code_ : none_found;
    }

private:
    /// Writes what is done, in order.
    void write_finished() {
        while (!under_way_.empty() && workers_.is_done(*under_way_.front())) {
            const Job& job = *under_way_.front();
            over_ = over_ || job.unasked;
            if (over_ && answers_.in_file()) {
                code_ = none_found;  // left to a later run, which goes on with the file
            } else {
                std::string lines;
                for (size_t i = 0; i < job.answers.size(); ++i) {
                    if (job.questions[i].answered) continue;
                    lines += to_json(job.answers[i].record) + '\n';
                    page_.add(job.answers[i]);
                    if (!has_answer(job.answers[i].record)) code_ = none_found;
                }
                status_.clear();
                answers_.write(lines);
                done_ += job.answers.size();
            }
            under_way_.pop_front();
        }
        status_.show(std::to_string(done_) + " answered");
    }

    /// For a job that is done.
    void wait() {
        pollfd events[] = {{workers_.finished(), POLLIN, 0}, {interruption(), POLLIN, 0}};
        poll(events, 2, 1000);
        if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
    }

    /// With a batch begun, further questions are waited for a moment only; without one, until a question or an answer is there.
    void read() {
        StreamedQuestion question;
        const bool for_a_moment = batch_ && !whole_batches_;
        try {
            switch (questions_.next(question, for_a_moment ? line_timeout() : -1, for_a_moment ? -1 : workers_.finished())) {
                case Lines::Got::none_yet:
                    if (for_a_moment && under_way_.size() < workers_.count()) give();
                    return;
                case Lines::Got::end:
                    give();
                    ended_ = true;
                    return;
                default: break;
            }
            if (!shard_.has(question.number)) return;
            question.answered = answers_.has(question);
            add(std::move(question));
        } catch (const Error& error) {
            if (error.code() == ErrorCode::cancelled) throw;
            failure_ = std::current_exception();  // what was read before is answered first
            give();
            ended_ = true;
        }
    }

    void add(StreamedQuestion question) {
        if (question.problem.empty()) question.problem = models_.why_not(question.image);
        if (!question.answered) read_image_of(question);
        if (batch_ && batch_->questions.front().image != question.image) give();
        if (!batch_) batch_ = std::make_shared<Job>();
        batch_bytes_ += question.input.content.size();
        batch_->questions.push_back(std::move(question));
        if (batch_->questions.size() == max_batch_size || batch_bytes_ >= max_batch_bytes) give();
    }

    void give() {
        if (!batch_) return;
        std::vector<StreamedQuestion>& questions = batch_->questions;
        if (!std::all_of(questions.begin(), questions.end(), [](const StreamedQuestion& each) { return each.answered; })) {
            for (StreamedQuestion& each : questions) read_image_of(each);  // those that were passed over
            under_way_.push_back(batch_);
            workers_.give(std::move(batch_));
        }
        batch_.reset();
        batch_bytes_ = 0;
    }

    const Shard shard_;
    const bool whole_batches_;
    Answers answers_;
    const Models models_;
    AnswerPage page_;
    Questions questions_;
    StatusLine status_;
    std::shared_ptr<Job> batch_;  // begun; empty: none
    size_t batch_bytes_ = 0;
    std::deque<std::shared_ptr<Job>> under_way_;
    size_t done_ = 0;
    int code_ = answered;
    bool ended_ = false;          // no further questions are read
    bool over_ = false;           // the run's budget is used up
    std::exception_ptr failure_;  // of reading
    Workers workers_;             // end first
};

}  // namespace

int explain_stream(const ExplainCommand& command) {
    return interruptible([&] {
        if (command.foil == "all")
            throw Error(ErrorCode::invalid_argument, "--foil all: in a stream each line asks about one foil; write a line for each");
        const ExplainOptions options = explain_options(command);
        set_threads(1, 1);
        keep_memory();
        return Stream(command, options).run();
    });
}

}  // namespace whynot::cli
