#include "base/format.h"
#include "text/model/decode.h"

namespace whynot::text {

void decode_nearest(Decoding& decoding) {
    const Reading& reading = decoding.reading;
    const AnswerResult result = decoding.model.search().nearest(decoding.problem(0.5, decoding.contributions.before));
    const auto edited = result.answers.empty() ? std::nullopt : decoding.write(result.answers[0]);
    if (!edited) {
        decoding.rendering.warnings.push_back("no sentence nearest to one half was found: " + result.failure);
        return;
    }
    decoding.record["nearest"] = edited->text;
    const double of_foil = decoding.classify(edited->asked)[decoding.request.foil];
    decoding.rendering.terminal +=
        "\nnearest to one half: " + marked(reading.text, reading.words, edited->edits) + "   (" + base::fixed(of_foil, 3) + ")\n";
}

}  // namespace whynot::text
