#pragma once

/// What the commands say of records, and the records that they write themselves.

#include <string>

#include "base/json.h"
#include "commands/explain/explain.h"
#include "stream/questions.h"
#include "whynot/explainer.h"
#include "whynot/explanation.h"
#include "whynot/pack.h"

namespace whynot::cli {

/// There is an answer for people: the search came to rest, or was cut short with a point that the classifier calls the foil.
bool has_answer(const Explanation& record);

/// The same of a record that was read from a file. Throws what nlohmann throws for one that is none.
bool has_answer(const base::Json& record);

/// A question as streams have them.
StreamedQuestion question_of(const Ask& ask);

/// What a classifier says, as `whynot classify --json` prints it.
base::Json record_of(const Classification& said);

/// The answer to a question of a stream that was not asked, or came to nothing.
Explanation refused(const StreamedQuestion& question, const Pack& pack, const ExplainCommand& command, const std::string& reason);

}  // namespace whynot::cli
