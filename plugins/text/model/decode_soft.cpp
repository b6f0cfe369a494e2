#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "text/model/decode.h"
#include "text/model/word_edits.h"

namespace whynot::text {

void decode_soft(Decoding& decoding) {
    const Generator& generator = *decoding.model.networks().generator;
    const Ids& ids = decoding.reading.pieces.ids;
    Rendering& rendering = decoding.rendering;
    Edited edited;
    const Ids said = decoding.relaxation.greedy(decoding.request.boundary.unsqueeze(0), {decoding.request.row}, 3)[0];
    // A word that the vocabulary lacks is <unk> to the generator: where it stays that, the sentence's own word stands.
    const bool by_word = generator.tokenizer.kind() == TokenizerKind::word;
    edited.edits =
        decoding.in_text(difference(by_word ? generator.tokenizer.decode(ids) : decoding.words, generator.tokenizer.decode(said)));
    edited.text = base::joined(apply_edits(decoding.words, edited.edits), " ");
    const bool whole = decoding.model.networks().shared() && decoding.reading.sentences.empty();
    edited.asked = whole ? said : decoding.model.read_again(edited.text);
    decoding.show(edited);
    rendering.terminal = edited.text + "\n";
    if (edited.edits.empty())
        rendering.warnings.push_back(
            "decoded greedily, the boundary point says the sentence itself: its mixtures are neutral, their likeliest words are not");
    else if (std::max_element(rendering.answer.begin(), rendering.answer.end()) - rendering.answer.begin() != decoding.request.foil)
        rendering.warnings.push_back("the classifier does not call the decoded sentence the foil");
}

}  // namespace whynot::text
