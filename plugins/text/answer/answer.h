#pragma once

/// The discrete answer: the sentence that the classifier, asked afresh, calls the foil, with the fewest and most natural edits.
///
/// The solver's boundary point is soft: at each position a mixture of words. This room turns it into a sentence. The optimiser
/// says *where* (the positions whose contribution falls most), a masked word model says *which words could stand there*, the
/// classifier says *which of them change the class*, n-grams choose a few of these, and a fluency model the best. An answer y of the
/// sentence x minimises
///
///     J(y) =   fluency    max(-cap, F(y) - F(x))            F(y) = -log p(y) + 1/2 sum_t log p_unigram(y_t), <eos> in both
///            + worst      max(0, max_t s_t(y) - max_t s_t(x))   s_t: what word t adds to F
///            + generator  g_t(w)                            g_t(w) = min(8, max_k P_t(k) - P_t(w))
///            + likeness   (1 - cos(W_w, W_{x_t}))           W: output rows of the masked model
///            - turn       T(x_t, w)                     T: how often w takes the place of x_t when people turn a sentence (english.h)
///            - topic      max(-1, min(1, sum a(w, c)))   a: association of the new words w with those that stay, c
///            + edit       (edits - 1) + deletion + insertion
///            + position   (1 - D_t / max D) + punctuation   D_t: the fall of position t
///            + boundary   |h(y)|                            h: the gap, fact minus foil
///            + grammar    min(1, (r(y) - r(x)) / 2)     r: what the cheapest reading by the rules of a grammar costs; 1 where only x has one
///            + opinion    max(0, 3 + h'(y))                h': the gap of a second classifier, of another kind
///            + evidence   sum_t max(0, min(4, e_t) - 1/2)    e_t: what word t of y still says for the fact, by either classifier
///            + conflict   sum max(0, min(2, |v|, |w|) - 0.3)  v, w: what the second classifier says of two words that are joined, of unlike sign
///
/// subject to h(y) < 0. The last four, `worst` and `turn` are zero where there is no second opinion. The unigram term divides word frequency out:
/// without it the search swaps rare words for frequent ones and calls that fluent. The cap keeps a sentence that is more fluent than the original from paying for another edit.
///
/// All but the topic term, with its constants, was measured in a study of its own (ratio of perplexities, ablations, bias audit). The
/// topic term keeps praise of the staff out of sentences about food ("the drink prices are very quick" -> "very high").
///
///     AnswerSearch search(fluency, lexicon, &associations);
///     auto result = search.edit(problem);
///     if (result.answers.empty()) tell(result.failure); else show(result.answers.front());

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "text/answer/lexicon.h"
#include "text/language/associations.h"
#include "text/language/fluency.h"
#include "text/networks/ngram_classifier.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// One sentence to be answered.
struct AnswerProblem {
    Ids sentence;  ///< x, m words. Unknown ones (<unk>) stay where they are: edits go on around them
    /// D_t, [m]: how much each position weighs. For `edit`, what its word adds to the gap: there people change a sentence. For `audit`, its fall,
    /// how much of the gap position t gives up between the word itself and the soft word at the boundary,
    /// v[x_t] - sum_k d_t(z_e)_k v_k. Measured against the word, not against the soft word at z0: that finds a bias more often.
    std::vector<double> falls;
    /// P, [m, V] float: the generator's log-probabilities, the largest over points of the line from z0 through z_e.
    /// Undefined: it has no preference.
    at::Tensor preference;
    /// [m]: positions that no edit may touch; empty: none.
    std::vector<char> kept;
    int64_t wanted = 1;  ///< how many different answers somebody wants: so many more are looked for
    /// The exact gap of whole sentences: the classifier's log-likelihood of the fact (of the likeliest other class, where there
    /// are several) minus that of the foil. Negative: the classifier says foil. What this function says decides.
    std::function<std::vector<double>(const Sentences&)> gap;
    /// For a classifier that adds up its words: what each adds to the gap, [V]; every candidate is then weighed at once. Empty for
    /// any other classifier: the likeliest candidates are asked in batches.
    std::vector<double> word_gaps;
    /// Who has a say beside the classifier, in the same classes; null: nobody.
    const NGramClassifier* opinion = nullptr;
    int64_t fact = 0, foil = 1;  ///< classes of the opinion
    /// What it costs to read a sentence by the rules of a grammar, nothing where it cannot be. Where the original can be read, answers that cannot are
    /// put last, and those that cost more before them. Empty: nobody knows.
    std::function<std::optional<double>(const Ids&)> reading_cost;
};

enum class EditKind {
    replace,  ///< one word by one
    remove,   ///< one word by none
    insert,   ///< a word before `position`
    merge,    ///< two adjacent words by one
};

/// "replace", "delete", "insert", "merge".
const char* to_string(EditKind kind) noexcept;

struct Edit {
    EditKind kind = EditKind::replace;
    int64_t position = 0;  ///< in the original sentence; m for an insertion at its end
    Ids from;              ///< the original words: none for an insertion, two for a merge
    Ids to;                ///< what stands there now: none for a deletion
};

/// The terms of J, weighted, in nats.
struct AnswerCost {
    double fluency = 0;
    double worst = 0;
    double generator = 0;
    double likeness = 0;
    double topic = 0;
    double edits = 0;     ///< their number and their kinds
    double position = 0;  ///< where they are
    double boundary = 0;
    double opinion = 0;   ///< the second classifier's
    double evidence = 0;  ///< for the fact, that is left: by the second classifier or by the first, whichever is more
    double conflict = 0;  ///< of words that are joined
    double grammar = 0;   ///< of what cannot be read by rules, where the original can
    double total() const {
        return grammar + fluency + worst + generator + likeness + topic + edits + position + boundary + opinion + evidence + conflict;
    }
};

struct Answer {
    Ids ids;
    std::vector<Edit> edits;  ///< in the order of their positions
    double gap = 0;           ///< h(y), from `AnswerProblem::gap`
    AnswerCost cost;
};

struct AnswerResult {
    std::vector<Answer> answers;  ///< best first; empty when none was found
    std::string failure;          ///< then: why, a sentence
};

/// How much a nat of each term counts.
struct AnswerWeights {
    double fluency = 1.5;
    double worst = 0;        ///< of the word that surprises most, beyond the most surprising one of the original
    double fluency_cap = 3;  ///< nats that being more fluent than the original may earn
    double generator = 0.3;
    double generator_cap = 8;   ///< nats; beyond it the generator's tails say nothing
    double likeness = 5;        ///< of the word's place in the language: acts as a filter of parts of speech
    double turn = 0;            ///< for a word that people turn the old one into, or that is its opposite (English)
    double topic = 2;           ///< of belonging to what the sentence is about; more draws the answer to words of the topic at any price
    double topic_cap = 1;       ///< nats that it may earn or cost: the topic may not pay for another edit
    double topic_share = 0.03;  ///< words that more sentences hold than this belong to no topic ("food" among them, in reviews)
    double edit = 40;      ///< each edit after the first: a second one must be needed. Below about 8 it starts to buy fluency with meaning
    double deletion = 5;   ///< keep insertion >= deletion >= 3 and deletion <= 5: cheap insertions hide what a biased model
    double denial = 3;     ///< "did n't love" for "loved", and back
    double insertion = 5;  ///< looks at ("very little terrible"), dear deletions drive the search away from it
    double position = 8;   ///< for a position that falls little, against the one that falls most: keeps edits where the optimiser put them
    double punctuation = 1.5;  ///< for touching punctuation
    double boundary = 0.2;     ///< a tiebreak; 0.6 brings answers nearer to one half at some cost in fluency
    double opinion = 0;
    double grammar = 0;
    double opinion_margin = 3;  ///< nats that the second classifier is to put the foil ahead
    double evidence = 0;
    /// Nats of a word that count for nothing; of a word that nothing turns (english.h), which may speak for a class without being an opinion ("phx");
    /// and those beyond which it counts no more.
    double conflict = 0;         ///< of words that are joined and speak for different classes
    double conflict_free = 0.3;  ///< nats of the weaker of two such words that count for nothing
    double evidence_free = 0.5, evidence_free_else = 0.5, evidence_cap = 4;
};

/// What counts for `nearest`: the gap above all.
AnswerWeights nearest_weights();
/// What counts for `edit` where a second opinion has a say: all that speaks for the fact is to go, in words that fit, with as many edits as that
/// takes.
AnswerWeights advised_weights();

struct AnswerOptions {
    AnswerWeights weights;
    AnswerWeights advised = advised_weights();  ///< in place of `weights` where a second opinion has a say
    double open = 0;  ///< positions that fall at least this share of the largest fall are open to edits; 0: all of them, at their price
    bool words_only = true;  ///< marks and numbers stay as they are
    bool clear = false;  ///< more edits are tried as long as they may make a better answer, not only until one is found. Set with `advised`
    bool top_position_only = false;  ///< open the largest fall alone, as long as one edit there does
    int64_t max_edits = 4;           ///< the search gives up beyond it, or beyond a fifth of the words, if that is more
    int64_t replacements = 15;       ///< candidates at each position
    int64_t insertions = 6;          ///< at each gap
    int64_t merges = 6;              ///< for each pair
    int64_t beam = 24;               ///< sentences that get one more edit
    int64_t steps = 8;               ///< of them, at most this many from one position
    double step_gap = 0.3;           ///< what a nat of remaining gap counts when they are chosen
    double min_step = 0.2;           ///< nats of gap that such an edit must win
    int64_t considered = 100;        ///< candidates, of each number of edits, whose n-grams and topic are looked at
    int64_t judged = 24;             ///< of them, whose whole sentence the network judges
    int64_t parsed = 12;             ///< of the answers, which are held against a grammar in the end
    int64_t weighed = 8;             ///< of them, whose words the classifier is asked about one by one
    double frequency = 0.5;          ///< share of the unigram log-probability that is divided out
    int64_t asked = 40;              ///< candidates of one operation a classifier that is not additive is asked about
    int64_t drafted = 120;           ///< sentences of each number of edits that are looked at as a whole where a second opinion has a say
    int64_t asked_steps = 6;         ///< of them, beside the best: those that may become the best with one more edit
    int64_t asked_advised = 12;      ///< sentences of each number of edits that it is asked about where a second opinion has sorted them
    int64_t answers = 5;             ///< how many of the best to return
};

/// What an answer is searched with.
struct AnswerModels {
    const FluencyModel& fluency;
    const WordAssociations* associations;  ///< null leaves the topic term out
    Lexicon lexicon;
    at::Tensor directions;          ///< [V, p]: output rows of the masked model, each of length 1
    std::vector<double> frequency;  ///< [V]: AnswerOptions::frequency times the unigram log-probability
};

/// Searches answers with one set of models. Keeps no state between calls; several threads may search at a time.
class AnswerSearch {
public:
    /// @param fluency is kept by reference and must outlive this object
    /// @param associations likewise; null leaves the topic term out
    AnswerSearch(const FluencyModel& fluency, Lexicon lexicon, const WordAssociations* associations, AnswerOptions options = {});

    /// The answer, as above. Its gap is negative, or there is none: never a sentence that does not change the class.
    /// Throws Error `invalid_argument` for a problem whose sizes do not fit.
    /// @param thorough search once more, and longer, where nothing was found
    AnswerResult edit(const AnswerProblem& problem, bool thorough = true) const;

    /// The answer that names what the decision rests on: as `edit`, but the position that falls most is edited, whatever else would read
    /// better; another one only where no edit of that one changes the class. The topic does not count. For bias audits.
    AnswerResult audit(const AnswerProblem& problem) const;

    /// The discrete sentence nearest to one half: any position, up to three edits, |h| above all, of either sign. Say which it is
    /// when showing it: it lands on whatever small unrelated word brings the gap to zero, and so hides a bias.
    AnswerResult nearest(const AnswerProblem& problem) const;

private:
    /// What is said of a long text has several sentences. Its class hangs on more words than a sentence's: the search goes on for longer, and looks
    /// at less on its way.
    static constexpr int64_t long_text = 40;  // words
    AnswerOptions options_for(const AnswerProblem& problem) const;

    AnswerModels models_;
    AnswerOptions options_;
};

}  // namespace whynot::text
