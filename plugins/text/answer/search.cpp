#include "text/answer/search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "text/answer/candidates.h"
#include "text/answer/cost.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

void check(const AnswerProblem& problem, int64_t vocabulary) {
    const auto& x = problem.sentence;
    const auto m = static_cast<int64_t>(x.size());
    const auto expect = [](bool right, const std::string& message) {
        if (!right) throw Error(ErrorCode::invalid_argument, "answer: expected " + message);
    };
    expect(!x.empty(), "a sentence of at least one word, found an empty one");
    for (const auto word : x)
        expect(word >= unk_id && word < vocabulary,
               "words of the vocabulary of " + std::to_string(vocabulary) + ", found " + std::to_string(word));
    expect(problem.falls.size() == x.size(),
           "a fall for each of " + std::to_string(m) + " words, found " + std::to_string(problem.falls.size()));
    expect(!problem.preference.defined() ||
               (problem.preference.dim() == 2 && problem.preference.size(0) == m && problem.preference.size(1) == vocabulary),
           "the generator's preference to be [" + std::to_string(m) + ", " + std::to_string(vocabulary) + "], found another shape");
    expect(problem.kept.empty() || problem.kept.size() == x.size(),
           "a mark for each of " + std::to_string(m) + " words that says whether it is kept, found " + std::to_string(problem.kept.size()));
    expect(problem.wanted >= 1, "at least one answer to be wanted, found " + std::to_string(problem.wanted));
    expect(problem.word_gaps.empty() || static_cast<int64_t>(problem.word_gaps.size()) == vocabulary,
           "a gap for each of " + std::to_string(vocabulary) + " words or none, found " + std::to_string(problem.word_gaps.size()));
    expect(static_cast<bool>(problem.gap), "a function that tells the gap, found none");
}

/// A sentence on its way to an answer.
struct Draft {
    Answer answer;
    std::vector<char> touched;  // which positions of the original
};

/// One search for one problem.
class Search {
public:
    Search(const AnswerModels& models, const AnswerProblem& problem, const AnswerOptions& options, bool nearest)
        : models_(models),
          problem_(problem),
          options_(options),
          weights_(options.weights),
          x_(problem.sentence),
          m_(static_cast<int64_t>(x_.size())),
          nearest_(nearest),
          cost_(models, problem, options.weights) {
        start_.answer.ids = x_;
        start_.answer.gap = problem.gap({x_}).at(0);
        start_.touched.assign(x_.size(), 0);
    }

    AnswerResult run() {
        if (!nearest_ && start_.answer.gap < 0) return failed("the classifier calls the sentence the foil as it is");
        for (size_t t = 0; t < x_.size(); ++t)
            if (editable(t)) order_.push_back(t);
        if (order_.empty())
            return failed(std::any_of(x_.begin(), x_.end(), Cost::editable)
                              ? "all the words of the sentence that the model knows are to be kept"
                              : "the model knows none of the words of the sentence, and unknown words stay as they are");
        std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return problem_.falls[a] > problem_.falls[b]; });

        std::vector<Draft> states{start_};
        const int64_t max_edits = nearest_ ? std::min<int64_t>(3, options_.max_edits) : options_.max_edits;
        for (int64_t edits = 1; edits <= max_edits && !states.empty(); ++edits) {
            states = edit_once(states, edits, edits < max_edits);
            judge();
            if (!judged_.empty() && ((!nearest_ && edits >= 2) || nothing_cheaper(edits + 1))) break;
        }
        return best_answers(max_edits);
    }

private:
    bool additive() const { return !problem_.word_gaps.empty(); }
    double word_gap(int64_t word) const { return additive() ? problem_.word_gaps[static_cast<size_t>(word)] : 0; }
    bool editable(size_t t) const { return cost_.open(t); }

    bool answers(double gap) const { return nearest_ || gap < 0; }
    Ids answering(const Field& field, int64_t count) const {
        return field.best(weights_, count, [&](double gap) { return answers(gap); });
    }

    Draft drafted(const Draft& state, const Step& step, Ids ids, Edit edit) const {
        Draft draft = state;
        auto& [answer, touched] = draft;
        answer.ids = std::move(ids);
        answer.gap = step.gap;
        answer.cost.fluency += weights_.fluency * step.language;
        answer.cost.generator += step.generator;
        answer.cost.likeness += step.likeness;
        answer.cost.edits += step.edits;
        answer.cost.position += step.position;
        answer.cost.boundary = weights_.boundary * std::abs(step.gap);
        if (edit.position < m_) touched[static_cast<size_t>(edit.position)] = 1;
        answer.edits.push_back(std::move(edit));
        return draft;
    }

    /// Remembers a candidate; of two ways to the same sentence the cheaper one.
    void keep(Draft draft) {
        const auto& ids = draft.answer.ids;
        if (ids == x_ || std::all_of(ids.begin(), ids.end(), [&](int64_t word) { return cost_.punctuation(word); })) return;
        const auto [known, is_new] = found_.try_emplace(ids, draft.answer);
        if (!is_new && draft.answer.cost.total() < known->second.cost.total()) known->second = std::move(draft.answer);
    }

    /// Positions that the `edits`-th edit may touch: the falls that are large enough, and a few more in case those give no answer.
    std::vector<size_t> opened(int64_t edits) const {
        if (nearest_) return order_;
        size_t count = 0;
        while (count < order_.size() && large(order_[count])) ++count;
        count = std::max<size_t>(count, 1);
        const size_t more = edits == 1 ? count + 2 : std::max(count, static_cast<size_t>(edits) + 1);
        return {order_.begin(), order_.begin() + static_cast<int64_t>(std::min(more, order_.size()))};
    }
    bool large(size_t t) const {
        if (options_.top_position_only) return t == order_.front();
        return problem_.falls[t] >= options_.open * cost_.max_fall();
    }

    /// Every state with one more edit: answers are kept, the most promising others come back.
    std::vector<Draft> edit_once(const std::vector<Draft>& states, int64_t edits, bool go_on) {
        const auto positions = opened(edits);
        Sentences sentences;
        for (const auto& state : states) sentences.push_back(state.answer.ids);
        Cloze cloze(models_.fluency.network(), sentences);
        std::vector<std::pair<double, Draft>> next;
        for (size_t s = 0; s < states.size(); ++s) {
            const auto& state = states[s];
            cloze.about(s);
            for (const auto position : positions) {
                const auto t = static_cast<int64_t>(position);
                if (state.touched[position] != 0) continue;
                cloze.ask(t, t + 1);
                if (edits > 1) continue;
                cloze.ask(t, t);
                cloze.ask(t + 1, t + 1);
                for (const auto pair : {t - 1, t})
                    if (pair >= 0 && pair + 1 < m_) {
                        cloze.ask(pair, pair + 1);
                        cloze.ask(pair + 1, pair + 2);
                        cloze.ask(pair, pair + 2);
                    }
            }
            cloze.answer();
            for (const auto t : positions) {
                if (state.touched[t] != 0) continue;
                if (!nearest_ && edits == 1 && !found_.empty() && !large(t))
                    continue;  // opened only in case the larger falls give no answer
                replace(state, t, edits, cloze(static_cast<int64_t>(t), static_cast<int64_t>(t) + 1), go_on, next);
                if (edits > 1) continue;
                remove(state, t);
                insert(state, t, t, cloze);
                insert(state, t, t + 1, cloze);
                if (t > 0) merge(state, t, t - 1, cloze);
                merge(state, t, t, cloze);
            }
        }
        std::stable_sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<Draft> result;
        for (size_t i = 0; i < next.size() && i < static_cast<size_t>(options_.beam); ++i) result.push_back(std::move(next[i].second));
        return result;
    }

    /// Another word at position `t`, by the log-probabilities `mask` of what could stand there.
    void replace(const Draft& state, size_t t, int64_t edits, const float* mask, bool go_on, std::vector<std::pair<double, Draft>>& next) {
        const auto& y = state.answer.ids;
        Ids except{y[t]};
        if (t > 0) except.push_back(y[t - 1]);
        if (t + 1 < y.size()) except.push_back(y[t + 1]);
        Field field(cost_.punctuation(y[t]) ? models_.lexicon.mark : models_.lexicon.word, except);
        const double now = -static_cast<double>(mask[y[t]]) + cost_.frequency(y[t]);
        const float *generator = cost_.generator(t), *likeness_here = cost_.likeness(t);
        for (size_t w = 0; w < field.language.size(); ++w) {
            field.language[w] = -static_cast<double>(mask[w]) + models_.frequency[w] - now;
            field.generator[w] = static_cast<double>(generator[w]);
            field.likeness[w] = static_cast<double>(likeness_here[w]);
        }
        field.position = cost_.position(t);
        field.edits = edits > 1 ? weights_.edit : 0;
        const auto build = [&](int64_t word) { return spliced(y, t, 1, {word}); };
        const auto draft = [&](int64_t word) {
            return drafted(state, field.step(word), build(word), {EditKind::replace, static_cast<int64_t>(t), {x_[t]}, {word}});
        };
        field.weigh(problem_, options_, state.answer.gap - word_gap(y[t]), build);
        for (const auto word : answering(field, options_.replacements)) keep(draft(word));
        if (!go_on) return;
        const auto promising = [&](double gap) { return nearest_ || (gap >= 0 && gap < state.answer.gap - options_.min_step); };
        const double remaining = nearest_ ? 0 : options_.step_gap;
        for (const auto word : field.best(weights_, options_.steps, promising, remaining)) {
            auto step = draft(word);
            const double estimate = step.answer.cost.total() + remaining * step.answer.gap;
            next.emplace_back(estimate, std::move(step));
        }
    }

    void remove(const Draft& state, size_t t) {
        if (m_ < 2) return;
        auto ids = spliced(x_, t, 1, {});
        const double gap = additive() ? state.answer.gap - word_gap(x_[t]) : problem_.gap({ids}).at(0);
        if (!answers(gap)) return;
        // What a deletion does to fluency only the whole sentence tells: as good as it can be, so that it will be considered.
        const Step step{gap, -weights_.fluency_cap, 0, 0, weights_.deletion, cost_.position(t)};
        keep(drafted(state, step, std::move(ids), {EditKind::remove, static_cast<int64_t>(t), {x_[t]}, {}}));
    }

    /// A word before position `j`, on account of position `t` beside it.
    void insert(const Draft& state, size_t t, size_t j, const Cloze& cloze) {
        if (j == x_.size() && cost_.punctuation(x_.back())) return;
        Ids except;
        if (j > 0) except.push_back(x_[j - 1]);
        if (j < x_.size()) except.push_back(x_[j]);
        Field field(models_.lexicon.word, except);
        const auto gap_index = static_cast<int64_t>(j);
        const auto* words = cloze(gap_index, gap_index);
        const float* generator = j < x_.size() ? cost_.generator(j) : nullptr;
        for (size_t w = 0; w < field.language.size(); ++w) {
            field.language[w] = std::max(-2.0, -static_cast<double>(words[w]) + models_.frequency[w]);
            field.generator[w] = generator != nullptr ? static_cast<double>(generator[w]) : weights_.generator * weights_.generator_cap;
        }
        field.position = cost_.position(t);
        field.edits = weights_.insertion;
        const auto build = [&](int64_t word) { return spliced(x_, j, 0, {word}); };
        field.weigh(problem_, options_, state.answer.gap, build);
        for (const auto word : answering(field, options_.insertions))
            keep(drafted(state, field.step(word), build(word), {EditKind::insert, gap_index, {}, {word}}));
    }

    /// The words at `a` and `a + 1` as one, on account of position `t`, one of them.
    void merge(const Draft& state, size_t t, size_t a, const Cloze& cloze) {
        const size_t b = a + 1;
        if (b >= x_.size() || m_ < 3 || !editable(a) || !editable(b) || cost_.punctuation(x_[a]) || cost_.punctuation(x_[b])) return;
        Ids except{x_[a], x_[b]};
        if (a > 0) except.push_back(x_[a - 1]);
        if (b + 1 < x_.size()) except.push_back(x_[b + 1]);
        Field field(models_.lexicon.word, except);
        const auto i = static_cast<int64_t>(a);
        const auto* words = cloze(i, i + 2);
        const double now = 0.5 * (static_cast<double>(-cloze(i, i + 1)[x_[a]] - cloze(i + 1, i + 2)[x_[b]]) + cost_.frequency(x_[a]) +
                                  cost_.frequency(x_[b]));
        const float *first = cost_.generator(a), *second = cost_.generator(b);
        for (size_t w = 0; w < field.language.size(); ++w) {
            field.language[w] = -static_cast<double>(words[w]) + models_.frequency[w] - now;
            field.generator[w] = static_cast<double>(std::min(first[w], second[w]));
        }
        field.position = cost_.position(t);
        field.edits = weights_.edit;  // two words change: it counts as two edits
        const auto build = [&](int64_t word) { return spliced(x_, a, 2, {word}); };
        field.weigh(problem_, options_, state.answer.gap - word_gap(x_[a]) - word_gap(x_[b]), build);
        for (const auto word : answering(field, options_.merges))
            keep(drafted(state, field.step(word), build(word), {EditKind::merge, i, {x_[a], x_[b]}, {word}}));
    }

    static bool cheaper(const Answer& a, const Answer& b) { return a.cost.total() < b.cost.total(); }
    static void keep_cheapest(std::vector<Answer>& candidates, int64_t count) {
        std::stable_sort(candidates.begin(), candidates.end(), cheaper);
        if (candidates.size() > static_cast<size_t>(count)) candidates.resize(static_cast<size_t>(count));
    }

    /// Whether no sentence of so many edits could be among the answers. Further edits are dear: most searches are over after one.
    bool nothing_cheaper(int64_t edits) {
        keep_cheapest(judged_, options_.answers);
        if (judged_.size() < static_cast<size_t>(options_.answers)) return false;
        return judged_.back().cost.total() <= cost_.lower_bound(edits);
    }

    /// Judges the best of the candidates found so far by their whole sentences and by the classifier itself, and forgets the others. The
    /// network reads few: n-grams and the topic, which cost next to nothing, say beforehand which. Of 1,024 sentences two had an answer
    /// that was not among the first 20 then, and 27 without these two.
    void judge() {
        if (found_.empty()) return;
        std::vector<Answer> candidates;
        for (auto& [ids, answer] : found_) candidates.push_back(std::move(answer));  // in the order of their ids
        found_.clear();
        keep_cheapest(candidates, options_.considered);
        const auto counted = [&](const Ids& sentence) {
            const auto words = models_.fluency.ngram().log_probabilities(sentence);
            return cost_.surprise(sentence, std::accumulate(words.begin(), words.end(), 0.0));
        };
        const double own_count = counted(x_);
        for (auto& candidate : candidates) {
            const double by_counts = cost_.fluency(counted(candidate.ids), own_count);
            const double guessed = std::max(candidate.cost.fluency, -weights_.fluency * weights_.fluency_cap);
            candidate.cost.fluency = candidate.edits.back().kind == EditKind::remove ? by_counts : (guessed + by_counts) / 2;
            candidate.cost.topic = cost_.topic(candidate.ids);
        }
        keep_cheapest(candidates, options_.judged);

        Sentences sentences{x_};
        for (const auto& candidate : candidates) sentences.push_back(candidate.ids);
        const auto gaps = problem_.gap(sentences);
        const auto likelihoods = models_.fluency.log_likelihood(sentences);
        for (size_t i = 0; i < candidates.size(); ++i) {
            auto& candidate = candidates[i];
            candidate.gap = gaps.at(i + 1);
            if (!answers(candidate.gap)) continue;
            candidate.cost.fluency = cost_.fluency(cost_.surprise(candidate.ids, likelihoods[i + 1]), cost_.surprise(x_, likelihoods[0]));
            candidate.cost.boundary = weights_.boundary * std::abs(candidate.gap);
            std::sort(candidate.edits.begin(), candidate.edits.end(), [](const Edit& a, const Edit& b) { return a.position < b.position; });
            judged_.push_back(std::move(candidate));
        }
    }

    AnswerResult best_answers(int64_t max_edits) {
        if (judged_.empty())
            return failed(nearest_ ? "no word of the sentence can be edited into another sentence"
                                   : "no natural sentence within " + std::to_string(max_edits) + " edits of this one changes the class");
        keep_cheapest(judged_, options_.answers);
        AnswerResult result;
        result.answers = std::move(judged_);
        return result;
    }

    static AnswerResult failed(const std::string& why) {
        AnswerResult result;
        result.failure = why;
        return result;
    }

    const AnswerModels& models_;
    const AnswerProblem& problem_;
    const AnswerOptions& options_;
    const AnswerWeights& weights_;
    const Ids& x_;
    const int64_t m_;
    const bool nearest_;
    const Cost cost_;

    Draft start_;
    std::vector<size_t> order_;    // editable positions, largest fall first
    std::map<Ids, Answer> found_;  // candidates, each sentence once
    std::vector<Answer> judged_;   // of them, the best
};

}  // namespace

AnswerResult search_answers(const AnswerModels& models, const AnswerProblem& problem, const AnswerOptions& options, bool nearest) {
    check(problem, static_cast<int64_t>(models.frequency.size()));
    if (problem.wanted == 1) return Search(models, problem, options, nearest).run();
    // The best few are much alike: different ones are among many.
    AnswerOptions more = options;
    more.answers = std::max(options.answers, 8 * problem.wanted);
    more.judged = std::max(options.judged, 2 * more.answers);
    more.considered = std::max(options.considered, 2 * more.judged);
    return Search(models, problem, more, nearest).run();
}

}  // namespace whynot::text
