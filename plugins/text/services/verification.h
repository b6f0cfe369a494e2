#pragma once

#include <string>

#include "text/pack/reader.h"
#include "whynot/import.h"

namespace whynot::text {

/// Compares a classifier with what its own code says of some texts (`ImportRequest::verify`), and finds what it emits by the way.
/// @returns a sentence of how many texts there were and how far apart their probabilities are
/// @throws Error invalid_input naming the first text of which a probability is off by more than 1e-4, with the pieces that it is read as
std::string verify(Reader& reader, const ImportRequest& request);

}  // namespace whynot::text
