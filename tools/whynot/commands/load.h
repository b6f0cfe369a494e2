#pragma once

/// The libraries that belong to this program and are opened when one of their commands is asked for.

#include "commands/commands.h"
#include "commands/corpus/corpus.h"
#include "commands/serve/serve.h"

namespace whynot::cli {

/// The commands that need LibTorch. Throws `io` where they are missing or of another version, and says what to do.
const Commands& commands();

/// `whynot corpus`. Throws likewise.
const CorpusCommands& corpus_commands();

/// `whynot serve`. Throws likewise.
const ServeCommands& serve_commands();

}  // namespace whynot::cli
