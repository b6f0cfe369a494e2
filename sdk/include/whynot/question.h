#pragma once

/// What is asked: an input, and why it is class A and not class B.

#include <string>

namespace whynot {

/// A raw input as the caller has it: the text itself for text; the bytes of the file, with its name, for images.
struct Input {
    std::string content;  ///< the text (UTF-8), or the bytes of a file
    std::string path;     ///< where it came from; empty for text given directly
};

/// What is asked of an input. Classes go by the pack's names.
struct Question {
    std::string fact;  ///< the class to be explained; empty: the one the classifier gives the input
    std::string foil;  ///< the class asked about; empty: the likeliest class other than the fact
    std::string id;    ///< the caller's name for the question; empty: `question_id` (explanation.h)
};

}  // namespace whynot
