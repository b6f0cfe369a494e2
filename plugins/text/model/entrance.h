#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "text/networks/classifier.h"
#include "text/pack/reader.h"
#include "text/reading/ids.h"
#include "text/reading/tokenizer.h"

namespace whynot::text {

/// What the words of a generator look like at the entrance of a classifier. That is all that a generator needs to know of it.
///
/// Where both share a vocabulary, word w is row w of the classifier's embedding. A classifier with a reading of its own takes several pieces for a
/// word. Position t of a sentence then has as many as the person's own word has there, L_t, with its own capitals, so that the sentence itself is
/// what the classifier would be given. Another word w stands there by the mean of its pieces, m_w, in each of the L_t places; for the generator's
/// mixture d_t this makes, at place i, whose own piece is p_i,
///
///     sum_w d_t(w) m_w  +  d_t(x_t) (M[p_i] - m_{x_t})
///
/// It says where a sentence gives way. What a sentence is called is always asked with its own pieces (`asked`).
class Entrance {
public:
    /// One vocabulary for both. Keeps a reference, as the other does.
    explicit Entrance(const Classifier& classifier);
    /// A classifier with a reading of its own. @param words the generator's
    Entrance(const Reader& reader, const Tokenizer& words);

    bool shared() const { return pieces_.empty(); }
    const Classifier& classifier() const { return *classifier_; }

    /// What each word of the generator is there: m_w, [V, e], or M where both share it; of a classifier that adds up its words what each adds
    /// to its logits, [V, C].
    const at::Tensor& words() const { return words_; }
    /// The same of the classifier's own pieces, [V', e] or [V', C].
    const at::Tensor& pieces() const { return own_; }

    /// What the classifier takes for a sentence of the generator's words that was made from another by edits: the pieces of the words that
    /// stayed as they are there, those of the others as they stand in a vocabulary.
    /// @param original the generator's words of the sentence, and how the classifier reads it
    Ids asked(const Ids& original, const PieceSentence& read, const Ids& edited) const;
    /// How it reads words of the generator, with nothing before and behind them. Only where both share a vocabulary.
    static PieceSentence read_shared(const Ids& words);

    /// A copy that computes on a device, of a classifier there, which it keeps a reference to.
    Entrance on(const Classifier& classifier) const;

private:
    const Classifier* classifier_;
    at::Tensor words_, own_;
    std::vector<Ids> pieces_;  // of each word of the generator
};

}  // namespace whynot::text
