#pragma once

#include <string>
#include <vector>

#include "whynot/attribution.h"

namespace whynot::text {

/// The service `whynot.attribution/1` for text: the methods of attribution.h, one score a word of the person's text, whatever pieces the classifier
/// reads for it. A text of several sentences is one text, as the classifier reads it. A pack needs no generator, except for the control `rarity`.
class TextAttribution : public Attribution {
public:
    std::vector<AttributionMethod> methods() const override;
    std::vector<AttributionMap> attribute(Model& model, Batch& batch, const AttributionRequest& request) override;
};

/// Scores of words as bars for a terminal, the words that matter most first: at most a dozen, and none with less than a tenth of the largest score.
/// @param title says what ▇ (above 0) and ░ (below 0) stand for
std::string score_bars(const std::string& title, const std::vector<std::string>& words, const std::vector<double>& scores);

}  // namespace whynot::text
