#pragma once

/// The INPUT arguments as the SDK wants them.

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "stream/lines.h"
#include "whynot/question.h"

namespace whynot::cli {

/// What an INPUT is.
struct Argument {
    enum class Kind {
        sentence,
        image,  ///< a file that ends in .png, .jpg or .jpeg, or begins like a picture
        lines,  ///< `-`: the lines of standard input, each a sentence
    };
    std::string text;
    Kind kind = Kind::sentence;
    std::string problem = {};  ///< why the file cannot be read, where `look_at_each` looked; empty: it can
};

/// An input, or why it cannot be read.
struct Given {
    Input input;
    std::string problem;
};

/// Looks at every argument, and into the files that they name. Throws `not_found` or `io` for what is meant as a file and cannot be one:
/// an image that is not there, cannot be read or is too large, a folder.
std::vector<Argument> look_at(const std::vector<std::string>& inputs);

/// The same where one bad argument is not to take others with it: what is wrong with it stands in its `problem`. Throws only where all are bad.
std::vector<Argument> look_at_each(const std::vector<std::string>& inputs);

/// The bytes of a picture file. Throws `not_found` or `io` as `look_at`.
Input read_image(const std::string& path);

inline bool is_image(const Argument& argument) { return argument.kind == Argument::Kind::image; }
inline bool is_image(const Input& input) { return !input.path.empty(); }
inline bool is_image(const Given& given) { return is_image(given.input); }

/// Hands out the inputs in order: a sentence, an image file, or for `-` the lines of standard input as they come.
class InputSource {
public:
    explicit InputSource(const std::vector<Argument>& arguments) : arguments_(arguments.begin(), arguments.end()) {}

    /// The next inputs, all images or none, at most `limit`, fewer where they are large; none at the end. Waits for a first line, but not
    /// for more than there are: a line typed by hand is answered at once. Throws `cancelled` when a signal comes while it waits.
    std::vector<Given> next(size_t limit);

private:
    bool take(bool wait);
    void add(Given given);

    std::deque<Argument> arguments_;
    std::deque<Given> ready_;
    size_t ready_bytes_ = 0;
    Lines lines_;
};

}  // namespace whynot::cli
