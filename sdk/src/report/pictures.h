#pragma once

#include <string>
#include <vector>

#include "whynot/report.h"

namespace whynot::internal {

/// Pictures as lines for a terminal with colours: side by side, as many as the width has room for and the others below, each under its
/// name, two pixels a character. Larger ones are made smaller, all by the same factor; none is enlarged. `invalid_argument` for a
/// picture whose bytes do not fit its size.
/// @param style its `pictures` must not be `none`
std::vector<std::string> draw_pictures(const std::vector<NamedPicture>& pictures, const TerminalStyle& style);

}  // namespace whynot::internal
