#pragma once

/// A stream of questions: JSON Lines, or a column of a CSV file.
///
///     {"id": "7", "input": "the food was gross .", "foil": "positive"}
///     {"image_path": "digits/4.png", "foil": "9"}
///     {"image_base64": "iVBORw0...", "fact": "4", "foil": "9"}
///
/// One of input, image_path and image_base64 is needed; id, fact and foil may be missing. A line that cannot be used is a question too,
/// with the reason why it has no answer: so answers stand in the same order, and as many, as questions.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "lines.h"
#include "whynot/explainer.h"

namespace whynot::cli {

struct StreamedQuestion {
    int64_t number = 0;  ///< of the line, or of the row below the heading, from 1
    Ask ask;
    std::string shown;    ///< the input as the record names it
    std::string problem;  ///< why it cannot be asked, a sentence; empty: it can
    bool image = false;
};

class Questions {
public:
    /// @param csv_column the column of inputs, by its heading; empty: JSON Lines. Columns called id, fact and foil are used where there are.
    /// @param fact, foil of questions that name none
    Questions(const std::string& csv_column, std::string fact, std::string foil);
    ~Questions();

    /// As `Lines::next`. Throws `invalid_input` for a CSV file without that column, besides.
    Lines::Got next(StreamedQuestion& question, int patience, int also = -1);

private:
    struct Csv;

    StreamedQuestion from_json(const std::string& line) const;

    Lines lines_;
    std::unique_ptr<Csv> csv_;
    const std::string fact_, foil_;
    int64_t number_ = 0;
};

}  // namespace whynot::cli
