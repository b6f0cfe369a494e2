#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/explain/explain.h"
#include "whynot/explainer.h"
#include "whynot/page.h"

namespace whynot::cli {

/// Tries whether a file can be written, before the work that it is for; empty: none is wanted. Throws `io`.
void expect_writable(const std::string& option, const std::string& file);

/// The page that `--html` asks for: answers are added as they come, and it is written at the end. Without a file it does nothing.
class AnswerPage {
public:
    /// Tries the folder of the file first. Throws `io`.
    /// @param packs those that are asked
    AnswerPage(const ExplainCommand& command, const std::vector<Pack>& packs);

    void add(const Answer& answer);
    void write() const;

private:
    const std::string file_;
    std::unique_ptr<ExplanationPage> page_;  ///< null: none is wanted
};

}  // namespace whynot::cli
