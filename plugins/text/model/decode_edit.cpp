#include "text/model/decode.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace whynot::text {

namespace {

using Places = std::set<size_t>;

Places places_of(const Edited& edited) {
    Places places;
    for (const WordEdit& edit : edited.edits) places.insert(edit.position);
    return places;
}

/// Some of the answers, the best first: each next one the best that changes other words than those before it; where there is none left, the
/// best with another word in place of theirs. Two that make the same change, and one of them another besides, are no different answers.
std::vector<Edited> different(std::vector<Edited> answers, size_t count) {
    std::vector<Edited> chosen;
    const auto says = [](const WordEdit& edit) { return std::tuple(edit.kind, edit.position, edit.to); };
    const auto shares_edit = [&](const Edited& a, const Edited& b) {
        for (const WordEdit& one : a.edits)
            for (const WordEdit& other : b.edits)
                if (says(one) == says(other)) return true;
        return false;
    };
    for (const bool other_places : {true, false})
        for (const Edited& answer : answers) {
            if (chosen.size() == count) return chosen;
            const bool is_new = std::none_of(chosen.begin(), chosen.end(), [&](const Edited& known) {
                return known.text == answer.text || shares_edit(known, answer) || (other_places && places_of(known) == places_of(answer));
            });
            if (is_new) chosen.push_back(answer);
        }
    return chosen;
}

}  // namespace

void decode_edit(Decoding& decoding, bool audit) {
    const Reading& reading = decoding.reading;
    const AnswerSearch& search = decoding.model.search();
    // What a word adds to the gap is where people change a sentence; what gave way between the word and the mixture finds a bias more often. Of
    // 483 sentences that four people rewrote, the word that adds most is one of those that the least-changing touched in .74, the one that gave
    // way most in .69.
    const std::vector<double>& weighs = audit ? decoding.contributions.falls : decoding.contributions.before;
    if (audit) decoding.rendering.confidence = 0.5;  // what tips the class names what it rests on
    for (const double confidence : {audit ? 0.5 : decoding.request.confidence, 0.5}) {
        const AnswerProblem problem = decoding.problem(confidence, weighs);
        const AnswerResult result = audit ? search.audit(problem) : search.edit(problem, confidence == 0.5);
        std::vector<Edited> answers;  // the best first
        for (const Answer& answer : result.answers) {
            // The sentence is written out, read again and put to the classifier again: what a person would do with it.
            auto edited = decoding.write(answer);
            if (edited && decoding.gaps({edited->asked}, confidence)[0] < 0) answers.push_back(*std::move(edited));
            if (decoding.request.answers == 1 && !answers.empty()) break;
        }
        if (!answers.empty()) {
            const std::vector<Edited> chosen = different(std::move(answers), static_cast<size_t>(decoding.request.answers));
            decoding.show(chosen.front());
            decoding.rendering.terminal = marked(reading.text, reading.words, chosen.front().edits) + "\n";
            decoding.show_further({chosen.begin() + 1, chosen.end()});
            decoding.rendering.failure.clear();
            return;
        }
        decoding.rendering.failure =
            result.failure.empty() ? "no edited sentence was called the foil when the classifier was asked afresh" : result.failure;
    }
    decoding.rendering.terminal = reading.text + "\n";
}

}  // namespace whynot::text
