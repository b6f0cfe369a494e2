#pragma once

/// The models of a server: opened when they are first asked, closed where all together take too much memory.

#include <memory>

#include "commands/serve/serve.h"
#include "serve/asker.h"

namespace whynot::cli {

std::unique_ptr<Asker> open_asker(const ServeCommand& command);

}  // namespace whynot::cli
