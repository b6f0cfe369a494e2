#pragma once

#include <memory>
#include <string>

#include "whynot/modality.h"

namespace whynot::text {

/// The service `whynot.modality/1` for text. Decodings: `edit` (default), `audit`, `soft`, `nearest`; see decode.h.
class TextModality : public Modality {
public:
    std::unique_ptr<Model> open(const Pack& pack, const std::string& device) override;
};

}  // namespace whynot::text
