#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "text/model/decode.h"
#include "text/model/word_edits.h"

namespace whynot::text {

void decode_soft(Decoding& decoding) {
    const Networks& networks = decoding.model.networks();
    const Ids& ids = decoding.reading.pieces.ids;
    Rendering& rendering = decoding.rendering;
    Edited edited;
    edited.ids = networks.autoencoder.greedy(decoding.request.boundary.unsqueeze(0), static_cast<int64_t>(ids.size()) + 3)[0];
    // A word that the vocabulary lacks is <unk> to the generator: where it stays that, the sentence's own word stands.
    const bool by_word = networks.tokenizer.kind() == TokenizerKind::word;
    edited.edits = difference(by_word ? networks.tokenizer.decode(ids) : decoding.words, networks.tokenizer.decode(edited.ids));
    edited.text = base::joined(apply_edits(decoding.words, edited.edits), " ");
    decoding.show(edited);
    rendering.terminal = edited.text + "\n";
    if (edited.edits.empty())
        rendering.warnings.push_back(
            "decoded greedily, the boundary point says the sentence itself: its mixtures are neutral, their likeliest words are not");
    else if (std::max_element(rendering.answer.begin(), rendering.answer.end()) - rendering.answer.begin() != decoding.request.foil)
        rendering.warnings.push_back("the classifier does not call the decoded sentence the foil");
}

}  // namespace whynot::text
