#pragma once

/// What `whynot explain` asks, the same for a few inputs and for a stream of them.

#include <filesystem>
#include <memory>
#include <vector>

#include "asking/models.h"
#include "commands/explain/explain.h"
#include "whynot/explainer.h"

namespace whynot::cli {

/// Search, decoding, seed, and the folder for pictures, which is made unless it is there, and tried: what cannot be kept need not be searched for.
/// Throws `invalid_argument`, `io`.
ExplainOptions explain_options(const ExplainCommand& command);

/// The folder for answers, made unless it is there, and tried. Throws `io`.
void prepare_folder(const std::filesystem::path& folder);

/// Asks all together. What fails for all is asked one by one, and what fails alone has no answer but the reason, a refusal: one bad question
/// takes no others with it. Throws `cancelled` when the callback ended it.
std::vector<Answer> explain_each(Explainer& model, const std::vector<Ask>& asks, const ExplainOptions& options,
                                 const ExplainCommand& command);

/// Throws `invalid_argument` for a name that is not empty and no class of the pack.
void check_class(const Pack& pack, const char* option, const std::string& name);

/// Throws `invalid_argument` for classes and modes of decoding that none of the packs, or its plugin, has. One that has them is enough: a stream opens
/// one for each kind of input, and does not know yet which will come; a question of the other kind is refused by itself.
void check_question(const ExplainCommand& command, const Host& host, const std::vector<Pack>& packs);

}  // namespace whynot::cli
