#include "text/model/decode.h"

namespace whynot::text {

void decode_edit(Decoding& decoding, bool audit) {
    const Reading& reading = decoding.reading;
    const AnswerSearch& search = decoding.model.search();
    for (const double confidence : {decoding.request.confidence, 0.5}) {
        const AnswerProblem problem = decoding.problem(confidence);
        const AnswerResult result = audit ? search.audit(problem) : search.edit(problem);
        for (const Answer& answer : result.answers) {
            // The sentence is written out, read again and put to the classifier again: what a person would do with it.
            const auto edited = decoding.write(answer);
            if (!edited || problem.gap({edited->ids})[0] >= 0) continue;
            decoding.show(*edited);
            decoding.rendering.terminal = marked(reading.text, reading.words, edited->edits) + "\n";
            decoding.rendering.failure.clear();
            return;
        }
        decoding.rendering.failure =
            result.failure.empty() ? "no edited sentence was called the foil when the classifier was asked afresh" : result.failure;
    }
    decoding.rendering.terminal = reading.text + "\n";
}

}  // namespace whynot::text
