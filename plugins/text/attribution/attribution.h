#pragma once

/// Attribution: which words a classifier's decision for the fact and against the foil rests on, by methods that explanations are compared with.
///
///     const AttributedClassifier classifier = attributed(model);
///     const std::vector<double> scores = occlusion(classifier, ids, fact, foil);   // one a word
///     const size_t first = loudest(scores);                                        // the word it names first
///
/// All of them explain the gap h(x) = l_fact(x) - l_foil(x), in nats; with the foil -1 the fact's own logit, h(x) = l_fact(x). The score of a
/// word is positive where it speaks for the fact. "Without a word" means with the embedding of <pad> in its place, the one that says nothing, so
/// that a sentence keeps its length.
///
/// A classifier may read several pieces for a word. The word has one score then: by gradients the sum of its pieces'; occlusion and LIME take
/// away all of them at once. What stands around the words, such as "[CLS]", stays as it is and has no score.
///
/// A classifier that adds up its words (classifier.h) leaves nothing to find out: the score of a word is what it adds, and occlusion,
/// gradient x embedding and integrated gradients all say exactly that. Elsewhere they differ.
///
/// Shapes: a sentence has m words and n pieces, and the embedding d columns. Threads: pure functions. Memory: the classifier is asked of at most
/// 256 sentences at a time, of long ones fewer. Time: `check_interruption` is called each time. Errors: `invalid_argument` for a sentence without
/// words, pieces outside the vocabulary, classes that are none or the same, options out of range.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

class TextModel;
struct PieceSentence;

/// A classifier of sentences as attribution sees it.
struct AttributedClassifier {
    at::Tensor embedding;  ///< [V, d]
    /// Logits [b, C] of embedded sentences [b, m, d], differentiable in them; each row depends on its own row only.
    std::function<at::Tensor(const at::Tensor&)> logits;
    at::Tensor nothing = {};  ///< what stands in place of a word that is not there, [d]; undefined: the embedding of <pad>
};

/// A sentence as attribution sees it. Implicit, so that a list of words is one.
struct AttributedSentence {
    AttributedSentence(const Ids& sentence);  ///< each word a row of the embedding
    AttributedSentence(std::initializer_list<int64_t> sentence);
    AttributedSentence(const PieceSentence& read);  ///< all of the text, whatever part of it a generator says

    Ids ids;                     ///< [n], rows of the embedding
    std::vector<int64_t> owner;  ///< [n], the word that each belongs to; -1: none, it stays as it is
    size_t words = 0;            ///< m. One without pieces, because a piece before it holds it too, has the score 0
};

/// The classifier of a pack. It shares the model's tensors. `nothing` is <pad>; of a classifier with a reading of its own its "[PAD]" or "<pad>",
/// and zeros where it has neither.
AttributedClassifier attributed(const TextModel& model);

/// How far the gap falls without the word (erasure; J. Li, W. Monroe, D. Jurafsky, Understanding Neural Networks through Representation Erasure,
/// 2016, arXiv:1612.08220), [m].
std::vector<double> occlusion(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact, int64_t foil);

/// grad h(e_t) . (e_t - e_pad), what the word would add if the gap were linear (gradient x input; A. Shrikumar, P. Greenside, A. Shcherbina,
/// A. Kundaje, Not Just a Black Box, 2016, arXiv:1605.01713), [m].
std::vector<double> gradient_times_embedding(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact,
                                             int64_t foil);

/// The same with the gradient averaged over the straight line from a sentence of nothing but <pad> (M. Sundararajan, A. Taly, Q. Yan,
/// Axiomatic Attribution for Deep Networks, ICML 2017, arXiv:1703.01365), [m]. The scores add up to h(x) - h(<pad> ... <pad>): what stands around
/// the words stands around <pad> too, so that nothing of the difference is lost to it.
/// @param steps points of the line, in the middles of as many equal parts
std::vector<double> integrated_gradients(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact,
                                         int64_t foil, int64_t steps = 64);

struct LimeOptions {
    int64_t samples = 1000;  ///< sentences with words missing; the sentence itself is the first of them
    double width = 0.25;     ///< of the kernel
    double ridge = 1;        ///< penalty of the squared weights
    uint64_t seed = 1;
};

/// LIME over words (M. T. Ribeiro, S. Singh, C. Guestrin, "Why Should I Trust You?", KDD 2016, arXiv:1602.04938): weights of a linear model of
/// which words are there, [m]. Each sample lacks a random number of words, from 1 to m, drawn evenly, each such set as likely as another. What is
/// fitted is the fact's probability when fact and foil alone compete, 1 / (1 + exp(-h)), or among all classes where there is no foil, by ridge
/// regression with an intercept, samples weighed by exp(-D^2 / (2 width^2)), where D = 1 - sqrt(k / m) is the cosine distance of k words that are
/// there from all m. So does the authors' program. The score is a probability, not nats.
std::vector<double> lime(const AttributedClassifier& classifier, const AttributedSentence& sentence, int64_t fact, int64_t foil,
                         const LimeOptions& options = {});

/// What became of a sentence whose words were swapped.
struct WordSwaps {
    Ids sentence;
    std::vector<size_t> positions;  ///< in the order of the swaps
    bool changed = false;           ///< the foil is now above the fact
};

/// An attack by greedy word swaps, like HotFlip (J. Ebrahimi, A. Rao, D. Lowd, D. Dou, ACL 2018, arXiv:1712.06751): as long as the fact is not below
/// the foil, the swap of one word not yet swapped for another which lowers the gap most by its gradient, grad h(e_t) . (e_w - e_t). There has to be
/// a foil.
/// @param allowed [V], which words may come in; the words of the vocabulary proper where it is empty
/// @param max_swaps at most; 0: as many as there are words
WordSwaps greedy_word_swap(const AttributedClassifier& classifier, const Ids& sentence, int64_t fact, int64_t foil,
                           const std::vector<char>& allowed = {}, int64_t max_swaps = 0);

/// The position of the largest score, the first of equals.
size_t loudest(const std::vector<double>& scores);

}  // namespace whynot::text
