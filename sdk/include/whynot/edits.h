#pragma once

/// Lines in which a modality marks what it changed, as `Answer::terminal` has them, taken apart for whoever shows them in a way of their own.
///
///     #include <iostream>
///
///     #include "whynot/answer.h"
///     #include "whynot/edits.h"
///
///     // The line without what was inserted.
///     void print_before(const whynot::Answer& answer) {
///         for (const auto& [kind, part] : whynot::edit_parts(answer.terminal, answer.record.question.input))
///             if (kind != whynot::EditPart::Kind::inserted) std::cout << part;
///     }

#include <string_view>
#include <vector>

#include "whynot/export.h"

namespace whynot {

struct EditPart {
    enum class Kind { kept, deleted, inserted };
    Kind kind;
    std::string_view text;  ///< without the marks; a part of the line
};

/// The parts of a line in order: `-[...]-` is deleted, `+[...]+` inserted. A mark that has no end is kept as it is.
/// @param typed the input: marks that stand in it were typed by somebody, and are no edit
WHYNOT_API std::vector<EditPart> edit_parts(std::string_view line, std::string_view typed = {});

}  // namespace whynot
