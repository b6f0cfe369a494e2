#pragma once

/// A stream of questions: JSON Lines, a column of a CSV file, or plain sentences, one a line.
///
///     {"id": "7", "input": "the food was gross .", "foil": "positive"}
///     {"image_path": "digits/4.png", "foil": "9"}
///     {"image_base64": "iVBORw0...", "fact": "4", "foil": "9"}
///
/// One of input, image_path and image_base64 is needed; id, fact and foil may be missing. A line that cannot be used, a blank one too, is
/// a question with the reason why it has no answer: so answers stand in the same order, and as many, as questions. A CSV file has as many
/// questions as rows below its heading; blank lines between them are none.

#include <cstdint>
#include <memory>
#include <string>

#include "commands/explain/explain.h"
#include "stream/lines.h"
#include "whynot/question.h"

namespace whynot::cli {

struct StreamedQuestion {
    int64_t number = 0;  ///< of the line, or of the row below the heading, from 1
    Input input;         ///< of an image that lies in a file only the path, until `read_image_of`
    Question question;
    std::string shown;    ///< the input as the record names it
    std::string problem;  ///< why it cannot be asked, a sentence; empty: it can
    bool image = false;
    bool in_file = false;   ///< an image that lies in the file `input.path`; else its bytes came with the question
    bool answered = false;  ///< by an earlier run; solved again only so that the batch is composed as in that run (stream.h)
    std::string text;       ///< as it came, with its line end, where `Questions` was told to keep it
};

/// Reads a line of JSON.
StreamedQuestion question_from_json(const std::string& line);

/// Reads the image file of a question that has one.
void read_image_of(StreamedQuestion& question);

class Questions {
public:
    /// In the form that the command names; its fact and foil are those of questions that name none.
    /// @param keep_text for those who hand questions on to another reader of the same form
    explicit Questions(const ExplainCommand& command, bool keep_text = false);
    ~Questions();

    /// The text of what comes before the first question, once that has been read: the heading of a CSV file.
    std::string heading() const;

    /// As `Lines::next`, without `too_long`. Throws `invalid_input` besides for a CSV file that has no such column, or no end of a field.
    Lines::Got next(StreamedQuestion& question, int timeout, int also = -1);

private:
    struct Csv;

    Lines::Got next_row(StreamedQuestion& question, int timeout, int also);

    Lines lines_;
    std::unique_ptr<Csv> csv_;
    const bool json_, keep_text_;
    const std::string fact_, foil_;
    int64_t number_ = 0;
};

}  // namespace whynot::cli
