#pragma once

#include "whynot/held_out.h"

namespace whynot::text {

/// The service `whynot.held-out/1` for text: held-out sentences, their words with single spaces between them.
class TextHeldOut : public HeldOut {
public:
    std::vector<Input> inputs(const Pack& pack, const std::filesystem::path& corpora, const std::string& corpus, int64_t limit) override;
};

}  // namespace whynot::text
