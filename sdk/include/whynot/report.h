#pragma once

/// An explanation for people, or a map of attribution, in a terminal.
///
///     negative (99.8 %), why not positive (0.2 %)?
///
///         the food was -[gross]- +[great]+ .
///         ...
///
///     with these changes: positive 98.1 %
///     boundary: gap 0.003 · distance 4.21 · edits 1
///     found · 23 evaluations · 0.12 s

#include <string>
#include <vector>

#include "whynot/attribution.h"
#include "whynot/explanation.h"
#include "whynot/export.h"
#include "whynot/picture.h"

namespace whynot {

/// How a terminal shows pictures: not at all, or as half blocks in the 256 colours of xterm or in 24-bit colours.
enum class Pictures { none, palette, true_colour };

/// How a terminal wants its text.
struct TerminalStyle {
    bool colour = false;  ///< ANSI colours: what goes is red and struck out, what comes green; without: `-[...]-` and `+[...]+`
    int width = 80;       ///< columns; lines that are longer are broken between words
    Pictures pictures = Pictures::none;
};

/// The explanation as lines of UTF-8, with a newline at the end. Control characters in it come out as escapes such as `\u001b`, so
/// that an input cannot drive the reader's terminal.
/// @param modality_terminal `Rendering::terminal`, the modality's own lines; may be empty
/// @param pictures `Rendering::pictures`; they stand side by side, made small enough for the width. `invalid_argument` for one whose
/// bytes do not fit its size
WHYNOT_API std::string to_terminal(const Explanation& explanation, const std::string& modality_terminal, const TerminalStyle& style = {},
                                   const std::vector<NamedPicture>& pictures = {});

/// A map likewise, with its own lines and pictures.
WHYNOT_API std::string to_terminal(const Attributed& attributed, const TerminalStyle& style = {});

}  // namespace whynot
