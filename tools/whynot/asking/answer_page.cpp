#include "asking/answer_page.h"

#include "base/atomic_file.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot::cli {

void expect_writable(const std::string& option, const std::string& file) {
    if (file.empty()) return;
    try {
        base::AtomicFile(std::filesystem::path(file));  // never committed
    } catch (const Error& wrong) {
        throw Error(ErrorCode::io, option + " " + file + ": nothing can be written there; " + wrong.what());
    }
}

AnswerPage::AnswerPage(const ExplainCommand& command, const std::vector<Pack>& packs) : file_(command.html) {
    expect_writable("--html", file_);
    if (file_.empty()) return;
    page_ = std::make_unique<ExplanationPage>(PageInfo{"Why this class and not that one?", command.line, {}});
    for (const Pack& pack : packs) page_->add_pack(pack.identity());
}

void AnswerPage::add(const Answer& answer) {
    if (page_) page_->add(answer);
}

void AnswerPage::write() const {
    if (page_) write_file_atomically(file_, page_->html());
}

}  // namespace whynot::cli
