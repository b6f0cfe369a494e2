#pragma once

/// Lines in which a modality marks what it changed: `the food was -[gross]- +[good]+ .`

#include <string_view>
#include <vector>

namespace whynot::base {

struct EditPart {
    enum class Kind { kept, deleted, inserted };
    Kind kind;
    std::string_view text;  ///< without the marks; a part of the line
};

/// The parts of a line in order. A mark that has no end is kept as it is.
/// @param typed the input: marks that stand in it were typed by somebody, and are no edit
std::vector<EditPart> edit_parts(std::string_view line, std::string_view typed = {});

}  // namespace whynot::base
