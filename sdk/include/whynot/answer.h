#pragma once

/// What an `Explainer` (explainer.h) gives: answers, and what a classifier says. No LibTorch here, so that a program can pass them on, keep and show
/// them without it: report.h in a terminal, page.h as a page.

#include <optional>
#include <string>
#include <vector>

#include "whynot/explanation.h"
#include "whynot/picture.h"
#include "whynot/question.h"

namespace whynot {

/// One explanation: the record, the modality's lines for a terminal, and its pictures.
struct Answer {
    Explanation record;
    std::string terminal;                ///< as `Rendering::terminal` (modality.h)
    std::vector<NamedPicture> pictures;  ///< as `Rendering::pictures`
    std::vector<Frame> frames;           ///< as `Rendering::frames`, where they were asked for
};

/// What the classifier says of one input.
struct Classification {
    Input input;
    std::string refusal;                ///< why it could not be read, a sentence; empty: it was
    std::string predicted;              ///< the likeliest class
    ClassProbabilities probabilities;   ///< in the order of the pack's classes
    std::optional<double> strangeness;  ///< `Strangeness::value`
    std::vector<std::string> warnings;
};

}  // namespace whynot
