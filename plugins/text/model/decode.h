#pragma once

/// How a boundary point becomes something to read: which words gave way, and a sentence that the classifier, asked afresh,
/// calls the foil.
///
/// Decodings:
///   edit     the answer with the fewest and most natural edits (answer.h); the default
///   audit    such an answer at the word that gave up most of the gap: what the decision rests on, however the sentence reads
///   soft     the dissertation's: the generator's own words at the boundary point. They often say the sentence itself, since
///            a mixture may be neutral while each of its likeliest words stays; shown as it is, and said so
///   nearest  beside the answer, the discrete sentence nearest to one half

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/answer/answer.h"
#include "text/model/contributions.h"
#include "text/model/model.h"
#include "whynot/modality.h"

namespace whynot::text {

/// A sentence with edits in it, as a person would read it.
struct Edited {
    std::vector<WordEdit> edits;
    std::string text;
    Ids asked;  ///< the text, as the classifier reads it again
};

/// One question on its way to a rendering.
struct Decoding {
    const TextModel& model;
    const Relaxation& relaxation;
    const Reading& reading;
    const RenderRequest& request;
    std::vector<std::string> words;  ///< the reading's
    at::Tensor preference;           ///< AnswerProblem::preference
    Contributions contributions;

    base::Json record;  ///< what the decoding has to say
    Rendering rendering;

    /// The classifier's probabilities of a sentence, [C]. @param asked as it reads it
    std::vector<double> classify(const Ids& asked) const;
    /// By how much some other class is likelier than the foil, for each of some sentences; negative: each is called the foil. @param asked as the
    /// classifier reads them @param confidence the least probability of the foil; at one half it is enough that it is the likeliest class
    std::vector<double> gaps(const Sentences& asked, double confidence) const;
    /// Edits of what the generator says, as edits of the words of the text.
    std::vector<WordEdit> in_text(std::vector<WordEdit> edits) const;
    /// What the classifier takes for a sentence of the generator's words, once it is written with the person's own spelling.
    Ids as_written(const Ids& sentence) const;
    /// The question as the search for an answer takes it. @param confidence the least probability of the foil in an answer
    /// @param weighs [m], how much each position weighs
    AnswerProblem problem(double confidence, const std::vector<double>& weighs) const;
    /// Of the sentence's pieces: whether they belong to what is to be kept, [m].
    std::vector<char> kept_pieces() const;
    /// Writes an answer out and reads it again. Nothing where it cannot be written so that it is read back, or would leave no word.
    std::optional<Edited> write(const Answer& answer) const;
    /// Puts a sentence into the record as the answer.
    void show(const Edited& edited);
    /// Puts further ones into the record and under the answer, asked afresh like it.
    void show_further(const std::vector<Edited>& further);
};

/// `edit` and `audit`. Where no sentence has the confidence that is asked for, one that is called the foil at all.
void decode_edit(Decoding& decoding, bool audit);
void decode_soft(Decoding& decoding);
/// What it shows beside the answer of `decode_edit`.
void decode_nearest(Decoding& decoding);

}  // namespace whynot::text
