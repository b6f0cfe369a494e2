#pragma once

#include "text/answer/answer.h"

namespace whynot::text {

/// The answers of one problem, found by a beam search over edits: each state gets one more edit at the open positions; what changes the
/// class is judged by the whole sentence, the most promising others are edited again.
/// @param nearest search the sentence nearest to one half instead, on either side of the boundary
/// Throws Error `invalid_argument` for a problem whose sizes do not fit.
AnswerResult search_answers(const AnswerModels& models, const AnswerProblem& problem, const AnswerOptions& options, bool nearest);

}  // namespace whynot::text
