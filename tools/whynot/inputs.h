#pragma once

/// The INPUT arguments as the SDK wants them.

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "whynot/question.h"

namespace whynot::cli {

/// An argument that names an image: it ends in .png, .jpg or .jpeg, and such a file exists.
bool names_image(const std::string& argument);

inline bool is_image(const Input& input) { return !input.path.empty(); }

/// Hands out the inputs in order: a sentence, an image file, or for `-` the lines of standard input as they come.
class InputSource {
public:
    explicit InputSource(const std::vector<std::string>& arguments) : arguments_(arguments.begin(), arguments.end()) {}

    /// The next inputs, all images or none, at most `limit`; none at the end. Waits for a first line, but not for more than there are: a
    /// line typed by hand is answered at once. Throws `cancelled` when a signal comes while it waits.
    std::vector<Input> next(size_t limit);

private:
    bool take(bool wait);

    std::deque<std::string> arguments_;
    std::deque<Input> ready_;
    std::string buffer_;   // of standard input: what has no line end yet
    size_t searched_ = 0;  // so many bytes of it hold no line end
    bool first_line_ = true;
};

}  // namespace whynot::cli
