#include "text/services/held_out.h"

#include "base/format.h"
#include "text/reading/corpus.h"
#include "whynot/error.h"

namespace whynot::text {

std::vector<Input> TextHeldOut::inputs(const Pack& pack, const std::filesystem::path& corpora, const std::string& name, int64_t limit) {
    const Corpus corpus = read_corpus(corpora, name);
    if (corpus.classes() != pack.manifest().classes)
        throw Error(ErrorCode::invalid_argument, "the corpus '" + name + "' has other classes than the pack '" + pack.manifest().id + "'");
    std::vector<Input> inputs;
    for (const LabelledSentence* sentence : in_order_of_hash(corpus.held_out)) {
        if (static_cast<int64_t>(inputs.size()) >= limit) break;
        inputs.push_back({base::joined(sentence->words, " "), ""});
    }
    return inputs;
}

}  // namespace whynot::text
