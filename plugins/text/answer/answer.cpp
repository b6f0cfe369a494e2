#include "text/answer/answer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "whynot/error.h"

namespace whynot::text {

namespace {

bool is_letter(unsigned char c) { return c >= 128 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

/// A sentence on its way to an answer.
struct Draft {
    Answer answer;
    std::vector<char> touched;  // which positions of the original
};

/// What one operation would do with each word of the vocabulary.
struct Field {
    std::vector<char> allowed;
    std::vector<double> language;   // estimated F(y) - F(x)
    std::vector<double> generator;  // weighted
    std::vector<double> likeness;   // weighted
    std::vector<double> gap;
    double edits = 0, position = 0;  // weighted, the same for every word
};

/// Log-probabilities of words between contexts of equally long sentences. All of one sentence are asked for first, then computed together:
/// those of a beam of sentences at a time would take tens of megabytes.
class Cloze {
public:
    Cloze(const MaskedModel& model, const Sentences& sentences) : model_(model) {
        auto ids = at::empty({static_cast<int64_t>(sentences.size()), static_cast<int64_t>(sentences.front().size())}, at::kLong);
        auto* to = ids.data_ptr<int64_t>();
        for (const auto& sentence : sentences) to = std::copy(sentence.begin(), sentence.end(), to);
        contexts_ = model->contexts(ids);
        gaps_ = ids.size(1) + 1;
    }
    /// From here on `ask` means this sentence.
    void about(size_t sentence) {
        first_ = static_cast<int64_t>(sentence) * gaps_;
        rows_.clear();
        lefts_.clear();
        rights_.clear();
    }
    /// The word between the words before `left` and those from `right` on.
    void ask(int64_t left, int64_t right) {
        if (!rows_.try_emplace({left, right}, static_cast<int64_t>(lefts_.size())).second) return;
        lefts_.push_back(first_ + left);
        rights_.push_back(first_ + right);
    }
    void answer() {
        if (lefts_.empty()) return;
        const auto pick = [&](const at::Tensor& states, const std::vector<int64_t>& rows) {
            return states.reshape({-1, states.size(2)}).index_select(0, at::tensor(rows, at::kLong));
        };
        answers_ = model_->between(pick(contexts_.left, lefts_), pick(contexts_.right, rights_));
    }
    const float* operator()(int64_t left, int64_t right) const {
        return answers_.data_ptr<float>() + rows_.at({left, right}) * answers_.size(1);
    }

private:
    const MaskedModel& model_;
    MaskedModelImpl::Contexts contexts_;
    int64_t gaps_ = 0, first_ = 0;
    std::map<std::pair<int64_t, int64_t>, int64_t> rows_;
    std::vector<int64_t> lefts_, rights_;
    at::Tensor answers_;
};

Ids spliced(const Ids& ids, size_t position, size_t removed, const Ids& inserted) {
    Ids result(ids.begin(), ids.begin() + static_cast<int64_t>(position));
    result.insert(result.end(), inserted.begin(), inserted.end());
    result.insert(result.end(), ids.begin() + static_cast<int64_t>(position + removed), ids.end());
    return result;
}

}  // namespace

/// One search for one problem.
class Search {
public:
    Search(const AnswerSearch& search, const AnswerProblem& problem, const AnswerOptions& options, bool nearest)
        : fluency_(search.fluency_),
          associations_(search.associations_),
          lexicon_(search.lexicon_),
          options_(options),
          frequency_(search.frequency_),
          problem_(problem),
          weights_(options.weights),
          x_(problem.sentence),
          m_(static_cast<int64_t>(x_.size())),
          nearest_(nearest) {
        check();
        start_.answer.ids = x_;
        start_.answer.gap = problem.gap({x_}).at(0);
        start_.touched.assign(x_.size(), 0);

        const auto rows = at::tensor(x_, at::kLong);
        likeness_ = at::mm(search.directions_.index_select(0, rows), search.directions_.t()).neg_().add_(1).mul_(weights_.likeness);
        if (problem.preference.defined()) {
            const auto p = problem.preference.to(at::kFloat);
            penalty_ = (std::get<0>(p.max(1, true)) - p).clamp_max_(weights_.generator_cap).mul_(weights_.generator).contiguous();
        } else {
            penalty_ = at::zeros({m_, vocabulary()});
        }
    }

    AnswerResult run() {
        if (!nearest_ && start_.answer.gap < 0) return failed("the classifier calls the sentence the foil as it is");
        for (size_t t = 0; t < x_.size(); ++t)
            if (editable(t)) order_.push_back(t);
        if (order_.empty()) return failed("the model knows none of the words of the sentence, and unknown words stay as they are");
        std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return problem_.falls[a] > problem_.falls[b]; });
        largest_fall_ = std::max(problem_.falls[order_.front()], 1e-6);

        std::vector<Draft> states{start_};
        const int64_t most = nearest_ ? std::min<int64_t>(3, options_.most_edits) : options_.most_edits;
        for (int64_t edits = 1; edits <= most && !states.empty(); ++edits) {
            states = edit_once(states, edits, edits < most);
            judge();
            if (!judged_.empty() && ((!nearest_ && edits >= 2) || nothing_cheaper(edits + 1))) break;
        }
        return best_answers(most);
    }

private:
    void check() const {
        const auto expect = [](bool right, const std::string& message) {
            if (!right) throw Error(ErrorCode::invalid_argument, "answer: expected " + message);
        };
        expect(!x_.empty(), "a sentence of at least one word, found an empty one");
        for (const auto word : x_)
            expect(word >= unk_id && word < vocabulary(),
                   "words of the vocabulary of " + std::to_string(vocabulary()) + ", found " + std::to_string(word));
        expect(problem_.falls.size() == x_.size(),
               "a fall for each of " + std::to_string(m_) + " words, found " + std::to_string(problem_.falls.size()));
        expect(!problem_.preference.defined() ||
                   (problem_.preference.dim() == 2 && problem_.preference.size(0) == m_ && problem_.preference.size(1) == vocabulary()),
               "the generator's preference to be [" + std::to_string(m_) + ", " + std::to_string(vocabulary()) + "], found another shape");
        expect(problem_.word_gaps.empty() || static_cast<int64_t>(problem_.word_gaps.size()) == vocabulary(),
               "a gap for each of " + std::to_string(vocabulary()) + " words or none, found " + std::to_string(problem_.word_gaps.size()));
        expect(static_cast<bool>(problem_.gap), "a function that tells the gap, found none");
    }

    int64_t vocabulary() const { return static_cast<int64_t>(frequency_.size()); }
    bool additive() const { return !problem_.word_gaps.empty(); }
    double word_gap(int64_t word) const { return additive() ? problem_.word_gaps[static_cast<size_t>(word)] : 0; }
    double frequency(int64_t word) const { return frequency_[static_cast<size_t>(word)]; }
    bool punctuation(int64_t word) const { return lexicon_.punctuation[static_cast<size_t>(word)] != 0; }
    bool editable(size_t t) const { return x_[t] >= first_word_id; }
    const float* penalty(size_t t) const { return penalty_.data_ptr<float>() + static_cast<int64_t>(t) * vocabulary(); }
    const float* likeness(size_t t) const { return likeness_.data_ptr<float>() + static_cast<int64_t>(t) * vocabulary(); }

    double position_cost(size_t t) const {
        return weights_.position * std::clamp(1 - problem_.falls[t] / largest_fall_, 0.0, 2.0) +
               (punctuation(x_[t]) ? weights_.punctuation : 0);
    }
    double score(const Field& field, size_t word) const {
        return weights_.fluency * field.language[word] + field.generator[word] + field.likeness[word] +
               weights_.boundary * std::abs(field.gap[word]);
    }

    /// A field in which `kind` of words are allowed, except those in `except` (neighbours, what stands there now).
    Field field(const std::vector<char>& kind, const Ids& except) const {
        Field result;
        const auto size = frequency_.size();
        result.allowed = kind;
        for (const auto word : except) result.allowed[static_cast<size_t>(word)] = 0;
        result.language.assign(size, 0);
        result.generator.assign(size, 0);
        result.likeness.assign(size, 0);
        result.gap.assign(size, 0);
        return result;
    }

    /// Fills in the gaps: of all words for an additive classifier, else of the best few, and allows only those.
    template <class Build>
    void weigh(Field& field, double gap_without, Build build) const {
        if (additive()) {
            for (size_t w = 0; w < field.gap.size(); ++w) field.gap[w] = gap_without + problem_.word_gaps[w];
            return;
        }
        const auto words = best(
            field, options_.asked, [](double) { return true; }, 0);
        Sentences sentences;
        for (const auto word : words) sentences.push_back(build(word));
        std::fill(field.allowed.begin(), field.allowed.end(), char{0});
        if (words.empty()) return;
        const auto gaps = problem_.gap(sentences);
        for (size_t i = 0; i < words.size(); ++i) {
            field.allowed[static_cast<size_t>(words[i])] = 1;
            field.gap[static_cast<size_t>(words[i])] = gaps.at(i);
        }
    }

    /// The `count` allowed words of least score whose gap `accept`s, best first, ties by index.
    template <class Accept>
    Ids best(const Field& field, int64_t count, Accept accept, double remaining_gap) const {
        std::vector<std::pair<double, int64_t>> scored;
        for (size_t w = 0; w < field.allowed.size(); ++w)
            if (field.allowed[w] != 0 && accept(field.gap[w]))
                scored.emplace_back(score(field, w) + remaining_gap * std::max(0.0, field.gap[w]), static_cast<int64_t>(w));
        const auto end = scored.begin() + std::min(count, static_cast<int64_t>(scored.size()));
        std::partial_sort(scored.begin(), end, scored.end());
        Ids words;
        for (auto i = scored.begin(); i != end; ++i) words.push_back(i->second);
        return words;
    }

    bool answers(double gap) const { return nearest_ || gap < 0; }

    Draft drafted(const Draft& state, const Field& field, int64_t word, Ids ids, Edit edit) const {
        const auto w = static_cast<size_t>(word);
        return drafted(state, field.gap[w], field.language[w], field.generator[w], field.likeness[w], field.edits, field.position,
                       std::move(ids), std::move(edit));
    }
    Draft drafted(const Draft& state, double gap, double language, double generator, double likeness, double edits, double position,
                  Ids ids, Edit edit) const {
        Draft draft = state;
        auto& [answer, touched] = draft;
        answer.ids = std::move(ids);
        answer.gap = gap;
        answer.cost.fluency += weights_.fluency * language;
        answer.cost.generator += generator;
        answer.cost.likeness += likeness;
        answer.cost.edits += edits;
        answer.cost.position += position;
        answer.cost.boundary = weights_.boundary * std::abs(gap);
        if (edit.position < m_) touched[static_cast<size_t>(edit.position)] = 1;
        answer.edits.push_back(std::move(edit));
        return draft;
    }

    /// Remembers a candidate; of two ways to the same sentence the cheaper one.
    void keep(Draft draft) {
        const auto& ids = draft.answer.ids;
        if (ids == x_ || std::all_of(ids.begin(), ids.end(), [&](int64_t word) { return punctuation(word); })) return;
        const auto [known, is_new] = found_.try_emplace(ids, draft.answer);
        if (!is_new && draft.answer.cost.total() < known->second.cost.total()) known->second = std::move(draft.answer);
    }

    /// Positions that the `edits`-th edit may touch: the falls that are large enough, and some more where those do not do.
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
        return problem_.falls[t] >= options_.open * largest_fall_;
    }

    /// Every state with one more edit: answers are kept, the most promising others come back.
    std::vector<Draft> edit_once(const std::vector<Draft>& states, int64_t edits, bool go_on) {
        const auto positions = opened(edits);
        Sentences sentences;
        for (const auto& state : states) sentences.push_back(state.answer.ids);
        Cloze cloze(fluency_.network(), sentences);
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
                if (!nearest_ && edits == 1 && !found_.empty() && !large(t)) continue;  // these are for want of better
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

    void replace(const Draft& state, size_t t, int64_t edits, const float* mask, bool go_on, std::vector<std::pair<double, Draft>>& next) {
        const auto& y = state.answer.ids;
        Ids except{y[t]};
        if (t > 0) except.push_back(y[t - 1]);
        if (t + 1 < y.size()) except.push_back(y[t + 1]);
        auto options = field(punctuation(y[t]) ? lexicon_.mark : lexicon_.word, except);
        const double now = -static_cast<double>(mask[y[t]]) + frequency(y[t]);
        const float *generator = penalty(t), *likeness_here = likeness(t);
        for (size_t w = 0; w < options.language.size(); ++w) {
            options.language[w] = -static_cast<double>(mask[w]) + frequency_[w] - now;
            options.generator[w] = static_cast<double>(generator[w]);
            options.likeness[w] = static_cast<double>(likeness_here[w]);
        }
        options.position = position_cost(t);
        options.edits = edits > 1 ? weights_.edit : 0;
        const auto build = [&](int64_t word) { return spliced(y, t, 1, {word}); };
        const auto draft = [&](int64_t word) {
            return drafted(state, options, word, build(word), {EditKind::replace, static_cast<int64_t>(t), {x_[t]}, {word}});
        };
        weigh(options, state.answer.gap - word_gap(y[t]), build);
        for (const auto word : best(
                 options, options_.replacements, [&](double gap) { return answers(gap); }, 0))
            keep(draft(word));
        if (!go_on) return;
        const auto promising = [&](double gap) { return nearest_ || (gap >= 0 && gap < state.answer.gap - options_.least_step); };
        const double remaining = nearest_ ? 0 : options_.step_gap;
        for (const auto word : best(options, options_.steps, promising, remaining)) {
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
        keep(drafted(state, gap, -weights_.fluency_cap, 0, 0, weights_.deletion, position_cost(t), std::move(ids),
                     {EditKind::remove, static_cast<int64_t>(t), {x_[t]}, {}}));
    }

    /// A word before position `j`, on account of position `t` beside it.
    void insert(const Draft& state, size_t t, size_t j, const Cloze& cloze) {
        if (j == x_.size() && punctuation(x_.back())) return;
        Ids except;
        if (j > 0) except.push_back(x_[j - 1]);
        if (j < x_.size()) except.push_back(x_[j]);
        auto options = field(lexicon_.word, except);
        const auto gap_index = static_cast<int64_t>(j);
        const auto* words = cloze(gap_index, gap_index);
        const float* generator = j < x_.size() ? penalty(j) : nullptr;
        for (size_t w = 0; w < options.language.size(); ++w) {
            options.language[w] = std::max(-2.0, -static_cast<double>(words[w]) + frequency_[w]);
            options.generator[w] = generator != nullptr ? static_cast<double>(generator[w]) : weights_.generator * weights_.generator_cap;
        }
        options.position = position_cost(t);
        options.edits = weights_.insertion;
        const auto build = [&](int64_t word) { return spliced(x_, j, 0, {word}); };
        weigh(options, state.answer.gap, build);
        for (const auto word : best(
                 options, options_.insertions, [&](double gap) { return answers(gap); }, 0))
            keep(drafted(state, options, word, build(word), {EditKind::insert, gap_index, {}, {word}}));
    }

    /// The words at `a` and `a + 1` as one, on account of position `t`, one of them.
    void merge(const Draft& state, size_t t, size_t a, const Cloze& cloze) {
        const size_t b = a + 1;
        if (b >= x_.size() || m_ < 3 || !editable(a) || !editable(b) || punctuation(x_[a]) || punctuation(x_[b])) return;
        Ids except{x_[a], x_[b]};
        if (a > 0) except.push_back(x_[a - 1]);
        if (b + 1 < x_.size()) except.push_back(x_[b + 1]);
        auto options = field(lexicon_.word, except);
        const auto i = static_cast<int64_t>(a);
        const auto* words = cloze(i, i + 2);
        const double now =
            0.5 * (static_cast<double>(-cloze(i, i + 1)[x_[a]] - cloze(i + 1, i + 2)[x_[b]]) + frequency(x_[a]) + frequency(x_[b]));
        const float *first = penalty(a), *second = penalty(b);
        for (size_t w = 0; w < options.language.size(); ++w) {
            options.language[w] = -static_cast<double>(words[w]) + frequency_[w] - now;
            options.generator[w] = static_cast<double>(std::min(first[w], second[w]));
        }
        options.position = position_cost(t);
        options.edits = weights_.edit;  // two words change: it counts as two edits
        const auto build = [&](int64_t word) { return spliced(x_, a, 2, {word}); };
        weigh(options, state.answer.gap - word_gap(x_[a]) - word_gap(x_[b]), build);
        for (const auto word : best(
                 options, options_.merges, [&](double gap) { return answers(gap); }, 0))
            keep(drafted(state, options, word, build(word), {EditKind::merge, i, {x_[a], x_[b]}, {word}}));
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
        const double least =
            static_cast<double>(edits - 1) * weights_.edit - weights_.fluency * weights_.fluency_cap - weights_.topic * weights_.topic_cap;
        return judged_.back().cost.total() <= least;
    }

    /// How surprising a sentence is for its words, from the log-likelihood of the whole; with it, what it costs to say y and not x.
    double surprise(const Ids& sentence, double log_likelihood) const {
        double sum = frequency(eos_id) - log_likelihood;
        for (const auto word : sentence) sum += frequency(word);
        return sum;
    }
    double fluency_cost(double of_answer, double of_sentence) const {
        return weights_.fluency * std::max(-weights_.fluency_cap, of_answer - of_sentence);
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
            const auto words = fluency_.ngram().log_probabilities(sentence);
            return surprise(sentence, std::accumulate(words.begin(), words.end(), 0.0));
        };
        const double own_count = counted(x_);
        for (auto& candidate : candidates) {
            const double by_counts = fluency_cost(counted(candidate.ids), own_count);
            const double guessed = std::max(candidate.cost.fluency, -weights_.fluency * weights_.fluency_cap);
            candidate.cost.fluency = candidate.edits.back().kind == EditKind::remove ? by_counts : (guessed + by_counts) / 2;
            candidate.cost.topic = -weights_.topic * belonging(candidate.ids);
        }
        keep_cheapest(candidates, options_.judged);

        Sentences sentences{x_};
        for (const auto& candidate : candidates) sentences.push_back(candidate.ids);
        const auto gaps = problem_.gap(sentences);
        const auto likelihoods = fluency_.log_likelihood(sentences);
        for (size_t i = 0; i < candidates.size(); ++i) {
            auto& candidate = candidates[i];
            candidate.gap = gaps.at(i + 1);
            if (!answers(candidate.gap)) continue;
            candidate.cost.fluency = fluency_cost(surprise(candidate.ids, likelihoods[i + 1]), surprise(x_, likelihoods[0]));
            candidate.cost.boundary = weights_.boundary * std::abs(candidate.gap);
            std::sort(candidate.edits.begin(), candidate.edits.end(), [](const Edit& a, const Edit& b) { return a.position < b.position; });
            judged_.push_back(std::move(candidate));
        }
    }

    AnswerResult best_answers(int64_t most) {
        if (judged_.empty())
            return failed(nearest_ ? "no word of the sentence can be edited into another sentence"
                                   : "no natural sentence within " + std::to_string(most) + " edits of this one changes the class");
        keep_cheapest(judged_, options_.answers);
        AnswerResult result;
        result.answers = std::move(judged_);
        return result;
    }

    /// How well the new words of `y` go with those that stay, in nats. Between bounds, for the topic may not pay for another edit.
    double belonging(const Ids& y) const {
        if (associations_ == nullptr || weights_.topic == 0) return 0;
        auto a = x_, b = y;
        std::sort(a.begin(), a.end());
        std::sort(b.begin(), b.end());
        Ids fresh, kept;
        std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(fresh));
        std::set_intersection(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(kept));
        double nats = 0;
        for (const auto word : fresh)
            for (const auto other : kept)
                if (other >= first_word_id && !punctuation(other) && associations_->share(other) < weights_.topic_share)
                    nats += (*associations_)(word, other);
        return std::clamp(nats, -weights_.topic_cap, weights_.topic_cap);
    }

    static AnswerResult failed(const std::string& why) {
        AnswerResult result;
        result.failure = why;
        return result;
    }

    const FluencyModel& fluency_;
    const WordAssociations* associations_;
    const Lexicon& lexicon_;
    const AnswerOptions& options_;
    const std::vector<double>& frequency_;
    const AnswerProblem& problem_;
    const AnswerWeights& weights_;
    const Ids& x_;
    const int64_t m_;
    const bool nearest_;

    Draft start_;
    at::Tensor likeness_, penalty_;  // [m, V], weighted
    std::vector<size_t> order_;      // editable positions, largest fall first
    double largest_fall_ = 0;
    std::map<Ids, Answer> found_;  // candidates, each sentence once
    std::vector<Answer> judged_;   // of them, the best
};

Lexicon make_lexicon(const std::vector<std::string>& vocabulary, const std::vector<int64_t>& counts, int64_t least_count) {
    if (counts.size() != vocabulary.size())
        throw Error(ErrorCode::invalid_argument, "lexicon: expected a count for each of " + std::to_string(vocabulary.size()) +
                                                     " entries, found " + std::to_string(counts.size()));
    Lexicon lexicon;
    for (size_t i = 0; i < vocabulary.size(); ++i) {
        const auto& entry = vocabulary[i];
        const bool special = i < static_cast<size_t>(first_word_id);
        const bool spoken = std::any_of(entry.begin(), entry.end(), [](unsigned char c) { return is_letter(c) || is_digit(c); });
        const bool plain = !entry.empty() && entry.front() != '-' && std::all_of(entry.begin(), entry.end(), [](unsigned char c) {
            return is_letter(c) || is_digit(c) || c == '\'' || c == '-';
        });
        lexicon.word.push_back(!special && spoken && plain && counts[i] >= least_count);
        lexicon.mark.push_back(!special && (entry == "." || entry == "!" || entry == "?" || entry == ","));
        lexicon.punctuation.push_back(!special && !spoken);
    }
    return lexicon;
}

const char* to_string(EditKind kind) noexcept {
    switch (kind) {
        case EditKind::replace: return "replace";
        case EditKind::remove: return "delete";
        case EditKind::insert: return "insert";
        case EditKind::merge: return "merge";
    }
    return "unknown";
}

AnswerWeights nearest_weights() {
    AnswerWeights weights;
    weights.fluency = 0.5;
    weights.likeness = 1;
    weights.edit = 0.5;
    weights.topic = 1;
    weights.deletion = weights.insertion = weights.position = weights.punctuation = 0;
    weights.boundary = 2;
    return weights;
}

AnswerSearch::AnswerSearch(const FluencyModel& fluency, Lexicon lexicon, const WordAssociations* associations, AnswerOptions options)
    : fluency_(fluency), associations_(associations), lexicon_(std::move(lexicon)), options_(options) {
    const auto& unigram = fluency.ngram().unigram();
    if (!fluency.network()->sizes().both_sides)
        throw Error(ErrorCode::invalid_argument,
                    "answer: expected a masked model that reads from both sides, found one that reads from the left only");
    if (lexicon_.word.size() != unigram.size() || lexicon_.mark.size() != unigram.size() || lexicon_.punctuation.size() != unigram.size())
        throw Error(ErrorCode::invalid_argument, "answer: expected a lexicon of " + std::to_string(unigram.size()) + " entries, found " +
                                                     std::to_string(lexicon_.word.size()));
    if (associations != nullptr && associations->vocabulary() != static_cast<int64_t>(unigram.size()))
        throw Error(ErrorCode::invalid_argument, "answer: expected associations of " + std::to_string(unigram.size()) + " entries, found " +
                                                     std::to_string(associations->vocabulary()));
    for (const auto count : {options.most_edits, options.replacements, options.beam, options.steps, options.considered, options.judged,
                             options.asked, options.answers})
        if (count < 1)
            throw Error(ErrorCode::invalid_argument,
                        "answer: expected numbers of at least 1 in the options, found " + std::to_string(count));
    for (const auto p : unigram) frequency_.push_back(options.frequency * p);
    const at::NoGradGuard guard;
    const auto& rows = fluency.network()->output();
    directions_ = rows / rows.norm(2, 1, true).clamp_min(1e-12);
}

AnswerResult AnswerSearch::edit(const AnswerProblem& problem) const {
    const at::NoGradGuard guard;
    return Search(*this, problem, options_, false).run();
}

AnswerResult AnswerSearch::audit(const AnswerProblem& problem) const {
    const at::NoGradGuard guard;
    AnswerOptions options = options_;
    options.top_position_only = true;
    options.weights.topic = 0;
    return Search(*this, problem, options, false).run();
}

AnswerResult AnswerSearch::nearest(const AnswerProblem& problem) const {
    const at::NoGradGuard guard;
    AnswerOptions options = options_;
    options.weights = nearest_weights();
    return Search(*this, problem, options, true).run();
}

}  // namespace whynot::text
