#pragma once

/// What one participant goes through: a list of screens, in an order of their own, and what each of them shows.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "study/making/design.h"

namespace whynot::cli::study {

struct Screen {
    std::string step;
    std::string kind;            ///< "text", "questions", "trial", "feedback", "scale"
    std::string item;            ///< of a trial and its feedback
    int64_t number = 0, of = 0;  ///< of the trials of its step
    size_t first_choice = 0;     ///< of a trial: which class is on the first button
};

/// Which class is on the first button of a participant: drawn for each, so that a liking for a side is none for a class.
size_t first_choice_of(uint64_t seed);

/// All screens in order: the trials of each step are shuffled by the participant's seed, and where a step gives feedback, each is followed by it.
std::vector<Screen> course_of(const Design& design, uint64_t seed);

/// Pictures under names that say nothing of what they are.
class OpaqueNames {
public:
    explicit OpaqueNames(const Design& design);
    /// "/file/..."
    const std::string& of(const std::string& file) const { return names_.at(file); }
    /// The file of such a path; empty: none.
    std::string file_of(const std::string& path) const;

private:
    std::map<std::string, std::string> names_, files_;
};

/// What a participant sees, without the right answer and without the arm.
/// @param given the answer to the trial before, for its feedback
base::Json to_json(const Design& design, const Arm& arm, const Screen& screen, const base::Json& given, const OpaqueNames& names);

/// Why an answer is none to that screen, a sentence; empty: it is one. @param confidence null: none came
std::string problem_of(const Design& design, const Screen& screen, const base::Json& answer, const base::Json& confidence);

/// The right answer, where a screen has one.
std::optional<std::string> right_answer(const Design& design, const Screen& screen);

constexpr int64_t confidence_points = 5;

}  // namespace whynot::cli::study
