#include "text/answer/search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
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
    const auto is_class = [&](int64_t y) { return problem.opinion == nullptr || (y >= 0 && y < problem.opinion->classes()); };
    expect(problem.fact != problem.foil && is_class(problem.fact) && is_class(problem.foil),
           "two different classes of the second opinion, found " + std::to_string(problem.fact) + " and " + std::to_string(problem.foil));
}

/// A sentence on its way to an answer. Of each of its words it knows which position of the original it stands at, and whether it is new: such a
/// word is not edited again. An inserted one stands at the position that it was put before.
struct Draft {
    Answer answer;
    std::vector<size_t> at;
    std::vector<char> is_new, inserted;
    size_t account = 0;    ///< the position of the original on account of which it was edited last
    size_t from = 0;       ///< which of the states it was made of
    bool further = false;  ///< whether it may be edited once more

    bool untouched(size_t i) const { return i < is_new.size() && is_new[i] == 0; }
    /// The position of the original that what is put before word `i` comes before.
    size_t before(size_t i, size_t original_size) const { return i < at.size() ? at[i] : original_size; }
};

/// What one operation does to a draft.
struct Change {
    size_t index = 0, removed = 0;
    bool insertion = false;
    EditKind kind = EditKind::replace;
};

/// One edit of one state, before anybody was asked about it.
struct Proposal {
    size_t state = 0;
    size_t account = 0;  ///< the position of the original that it is made on account of
    Change change;
    Ids words;
    Step step;
    double price = 0;      ///< of the sentence, as far as it is known
    bool further = false;  ///< whether it may be edited once more
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
          m_(x_.size()),
          nearest_(nearest),
          cost_(models, problem, options) {
        start_.answer.ids = x_;
        own_count_ = counted(x_);
        start_.answer.gap = problem.gap({x_}).at(0);
        start_.answer.cost.opinion = cost_.opinion(x_);
        start_.answer.cost.evidence = cost_.evidence(x_);
        start_.answer.cost.conflict = cost_.conflict(x_);
        start_.at.resize(m_);
        std::iota(start_.at.begin(), start_.at.end(), size_t{0});
        start_.is_new.assign(m_, 0);
        start_.inserted.assign(m_, 0);
    }

    AnswerResult run() {
        if (!nearest_ && start_.answer.gap < 0) return failed("the classifier calls the sentence the foil as it is");
        for (size_t t = 0; t < m_; ++t)
            if (cost_.open(t)) order_.push_back(t);
        if (order_.empty()) return failed(nothing_open());
        std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return cost_.fall(a) > cost_.fall(b); });

        std::vector<Draft> states{start_};
        const int64_t max_edits = nearest_ ? std::min<int64_t>(3, options_.max_edits) : options_.max_edits;
        for (int64_t edits = 1; edits <= max_edits && !states.empty(); ++edits) {
            states = edit_once(states, edits, edits < max_edits);
            judge();
            if (!judged_.empty() && ((!nearest_ && !options_.clear && edits >= 2) || nothing_cheaper(edits + 1))) break;
        }
        return best_answers(max_edits);
    }

private:
    std::string nothing_open() const {
        if (std::none_of(x_.begin(), x_.end(), Cost::editable))
            return "the model knows none of the words of the sentence, and unknown words stay as they are";
        if (std::any_of(problem_.kept.begin(), problem_.kept.end(), [](char kept) { return kept != 0; }))
            return "all the words of the sentence that the model knows are to be kept";
        return "there is no word in the sentence that the model knows, only marks and numbers";
    }

    bool additive() const { return !problem_.word_gaps.empty(); }
    double word_gap(int64_t word) const { return additive() ? problem_.word_gaps[static_cast<size_t>(word)] : 0; }

    bool answers(double gap) const { return nearest_ || gap < 0; }

    /// A draft after a change, of which everything but what the whole sentence tells is known.
    Draft drafted(const Draft& state, const Proposal& proposal) const {
        const auto& [from, account, change, words, step, price, further] = proposal;
        Draft draft = state;
        draft.from = from;
        draft.account = account;
        draft.further = further;
        Answer& answer = draft.answer;
        Edit edit{change.kind, static_cast<int64_t>(state.before(change.index, m_)), {}, words};
        for (size_t i = change.index; i < change.index + change.removed; ++i) edit.from.push_back(state.answer.ids[i]);
        answer.ids = spliced(state.answer.ids, change.index, change.removed, words);
        const auto splice = [&](auto& list, auto value) {
            const auto begin = list.begin() + static_cast<std::ptrdiff_t>(change.index);
            list.insert(list.erase(begin, begin + static_cast<std::ptrdiff_t>(change.removed)), words.size(), value);
        };
        splice(draft.at, static_cast<size_t>(edit.position));
        splice(draft.is_new, char{1});
        splice(draft.inserted, static_cast<char>(change.insertion));
        if (words.size() > edit.from.size() && !change.insertion) {  // what is more than before comes before it
            const auto more = edit.to.end() - static_cast<std::ptrdiff_t>(edit.from.size());
            answer.edits.push_back({EditKind::insert, edit.position, {}, Ids(edit.to.begin(), more)});
            edit.to.erase(edit.to.begin(), more);
        }
        if (edit.from != edit.to) answer.edits.push_back(std::move(edit));
        answer.gap = step.gap;
        answer.cost.fluency += weights_.fluency * step.language;
        answer.cost.generator += step.generator;
        answer.cost.likeness += step.likeness;
        answer.cost.edits += step.edits;
        answer.cost.position += step.position;
        answer.cost.boundary = weights_.boundary * std::abs(step.gap);
        answer.cost.opinion = cost_.opinion(answer.ids);
        answer.cost.evidence = cost_.evidence(answer.ids);
        answer.cost.conflict = cost_.conflict(answer.ids);
        if (!words.empty())
            set_article(draft, change.index);
        else
            set_stem(draft, change.index);
        return draft;
    }

    /// English: what stands before n't only, where that is gone.
    void set_stem(Draft& draft, size_t index) const {
        if (index == 0 || !draft.untouched(index - 1)) return;
        Ids& ids = draft.answer.ids;
        if (index < ids.size() && ids[index] == models_.lexicon.english.not_) return;
        const int64_t now = ids[index - 1];
        const auto found = models_.lexicon.english.stems.find(now);
        if (found == models_.lexicon.english.stems.end() || !cost_.open(draft.at[index - 1])) return;
        ids[index - 1] = found->second;
        draft.is_new[index - 1] = 1;
        draft.answer.edits.push_back({EditKind::replace, static_cast<int64_t>(draft.at[index - 1]), {now}, {found->second}});
    }

    /// Takes words out of a field that cannot stand between these neighbours, -1: none.
    void forbid(Field& field, int64_t left, int64_t right) const {
        const English& english = models_.lexicon.english;
        if (english.not_ >= 0 && (left < 0 || english.takes_not[static_cast<size_t>(left)] == 0))
            field.allowed[static_cast<size_t>(english.not_)] = 0;
        if (right != english.not_)
            for (const auto& [stem, whole] : english.stems) field.allowed[static_cast<size_t>(stem)] = 0;
        else if (english.not_ >= 0)
            for (size_t w = 0; w < field.allowed.size(); ++w)
                if (english.takes_not[w] == 0) field.allowed[w] = 0;
    }

    /// English: "a" or "an" before a new word, whichever its n-grams prefer. It counts as part of the edit that asks for it.
    void set_article(Draft& draft, size_t index) const {
        const int64_t a = models_.lexicon.english.a, an = models_.lexicon.english.an;
        if (a < 0 || index == 0 || !draft.untouched(index - 1)) return;
        Ids& ids = draft.answer.ids;
        const int64_t now = ids[index - 1];
        if ((now != a && now != an) || !cost_.open(draft.at[index - 1])) return;
        const auto counted = [&](int64_t article) {
            Ids pair = ids;
            pair[index - 1] = article;
            const auto words = models_.fluency.ngram().log_probabilities(pair);
            return std::accumulate(words.begin(), words.end(), 0.0);
        };
        const int64_t other = now == a ? an : a;
        if (counted(other) <= counted(now) + 1) return;
        ids[index - 1] = other;
        draft.is_new[index - 1] = 1;
        draft.answer.edits.push_back({EditKind::replace, static_cast<int64_t>(draft.at[index - 1]), {now}, {other}});
    }

    /// Remembers a candidate; of two ways to the same sentence the cheaper one.
    void keep(Draft draft) {
        const auto& ids = draft.answer.ids;
        if (ids == x_ || std::all_of(ids.begin(), ids.end(), [&](int64_t word) { return cost_.punctuation(word); })) return;
        if (!seen_.insert(ids).second && found_.count(ids) == 0) return;
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
        return cost_.fall(t) >= options_.open * cost_.max_fall();
    }

    /// What an edit of draft words `i` and, where they are to become one, `i + 1` asks the masked model.
    static void ask_about(Cloze& cloze, const Draft& state, size_t index, bool whole) {
        const auto i = static_cast<int64_t>(index), size = static_cast<int64_t>(state.at.size());
        cloze.ask(i, i + 1);
        if (!whole) return;
        cloze.ask(i, i);
        cloze.ask(i + 1, i + 1);
        for (const auto pair : {i - 1, i})
            if (pair >= 0 && pair + 1 < size) {
                cloze.ask(pair, pair + 1);
                cloze.ask(pair + 1, pair + 2);
                cloze.ask(pair, pair + 2);
            }
    }

    /// Every state with one more edit: answers are kept, the most promising sentences come back.
    std::vector<Draft> edit_once(const std::vector<Draft>& states, int64_t edits, bool go_on) {
        proposals_.clear();
        const auto positions = opened(edits);
        const bool whole = edits == 1 || options_.clear;  // also deletions, insertions, mergers
        for (size_t s = 0; s < states.size(); ++s) {
            const Draft& state = states[s];
            Cloze cloze(models_.fluency.network(), {state.answer.ids});
            std::vector<size_t> indices;
            for (const auto position : positions)
                for (size_t i = 0; i < state.at.size(); ++i)
                    if (state.at[i] == position && state.untouched(i)) indices.push_back(i);
            cloze.about(0);
            for (const size_t i : indices) ask_about(cloze, state, i, whole);
            cloze.answer();
            for (const size_t i : indices) {
                replace(state, s, i, edits, cloze);
                if (!whole) continue;
                remove(state, s, i, edits);
                if (options_.clear) deny(state, s, i, edits);
                insert(state, s, i, i, edits, cloze);
                insert(state, s, i, i + 1, edits, cloze);
                if (i > 0) merge(state, s, i, i - 1, edits, cloze);
                merge(state, s, i, i, edits, cloze);
            }
        }
        std::vector<std::pair<double, Draft>> next;
        std::vector<Draft> drafts = ask(states);
        // What was opened in case the larger falls give no answer is for that case only.
        const auto in_reserve = [&](const Draft& draft) { return !nearest_ && edits == 1 && !large(draft.account); };
        const bool enough =
            std::any_of(drafts.begin(), drafts.end(), [&](const Draft& draft) { return answers(draft.answer.gap) && !in_reserve(draft); });
        for (Draft& draft : drafts) {
            if (enough && in_reserve(draft)) continue;
            const Draft& state = states[draft.from];
            if (answers(draft.answer.gap)) keep(draft);
            if (!go_on || !draft.further || !promising(state, draft.answer)) continue;
            const double estimate = draft.answer.cost.total() - unclear(draft.answer.cost) + remaining() * std::max(0.0, draft.answer.gap);
            next.emplace_back(estimate, std::move(draft));
        }
        std::stable_sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<Draft> result;
        std::set<Ids> taken;
        std::map<std::pair<size_t, size_t>, int64_t> of_place;  // else the words of one place fill the beam
        for (auto& [estimate, draft] : next) {
            if (result.size() == static_cast<size_t>(options_.beam)) break;
            int64_t& already = of_place[{draft.from, draft.account}];
            if (already == std::max<int64_t>(1, options_.beam / 3) || !taken.insert(draft.answer.ids).second) continue;
            ++already;
            result.push_back(std::move(draft));
        }
        return result;
    }

    /// What a nat of gap that is left adds to the price of a sentence that is edited further.
    double remaining() const { return nearest_ ? 0 : options_.step_gap; }

    /// Whether a sentence is worth one more edit than `state`: it brings the class nearer, or it is an answer that is not clear yet.
    bool promising(const Draft& state, const Answer& draft) const {
        if (nearest_) return true;
        const double left = draft.cost.opinion + unclear(draft.cost);
        if (draft.gap < 0) return options_.clear && left > 0;
        const double won = std::max(0.0, state.answer.gap) - draft.gap;
        const double clearer = state.answer.cost.opinion + unclear(state.answer.cost) - left;
        return won > options_.min_step || (options_.clear && clearer > 1 && won > -options_.min_step);
    }

    /// The sentences of the proposals, with their gaps. Where a second opinion has sorted them the classifier is asked about the best few.
    std::vector<Draft> ask(const std::vector<Draft>& states) {
        const bool advised = !cost_.opinion_words().empty();
        std::stable_sort(proposals_.begin(), proposals_.end(), [](const Proposal& a, const Proposal& b) { return a.price < b.price; });
        if (advised && !additive() && proposals_.size() > static_cast<size_t>(options_.drafted))
            proposals_.resize(static_cast<size_t>(options_.drafted));
        std::vector<std::pair<double, Draft>> priced;
        std::set<Ids> here;
        for (const Proposal& proposal : proposals_) {
            Draft draft = drafted(states[proposal.state], proposal);
            if (!here.insert(draft.answer.ids).second) continue;
            if (options_.clear) count(draft.answer);
            const double price = draft.answer.cost.total();
            priced.emplace_back(price, std::move(draft));
        }
        if (advised) choose_asked(priced);
        std::vector<Draft> drafts;
        Sentences sentences;
        for (auto& [price, draft] : priced) {
            sentences.push_back(draft.answer.ids);
            drafts.push_back(std::move(draft));
        }
        if (drafts.empty() || additive()) return drafts;
        const auto gaps = problem_.gap(sentences);
        for (size_t i = 0; i < drafts.size(); ++i) {
            drafts[i].answer.gap = gaps.at(i);
            drafts[i].answer.cost.boundary = weights_.boundary * std::abs(gaps[i]);
        }
        return drafts;
    }

    /// The best few as they are, and the best steps to one that is edited once more: what still speaks for the fact may go then.
    void choose_asked(std::vector<std::pair<double, Draft>>& priced) const {
        const auto best = static_cast<size_t>(options_.asked_advised);
        const auto cheaper_than = [](const auto& a, const auto& b) { return a.first < b.first; };
        std::stable_sort(priced.begin(), priced.end(), cheaper_than);
        if (additive() || priced.size() <= best) return;
        for (auto& [price, draft] : priced) price -= unclear(draft.answer.cost);
        std::stable_sort(priced.begin() + static_cast<std::ptrdiff_t>(best), priced.end(), cheaper_than);
        priced.resize(std::min(priced.size(), best + static_cast<size_t>(options_.asked_steps)));
    }

    /// Sorts the words of a field by what a second classifier would say of each by itself.
    void advise(Field& field, const Draft& state, double without) const {
        const auto& words = cost_.opinion_words();
        if (words.empty()) return;
        const double now = cost_.opinion_gap(state.answer.ids) - without;
        field.opinion.resize(words.size());
        for (size_t w = 0; w < words.size(); ++w) field.opinion[w] = cost_.opinion_cost(now + words[w]);
    }
    double opinion_of(int64_t word) const {
        const auto& words = cost_.opinion_words();
        return words.empty() ? 0 : words[static_cast<size_t>(word)];
    }

    /// What a further edit may take away.
    static double unclear(const AnswerCost& cost) { return cost.evidence + cost.conflict; }
    /// What a further edit of a draft does not change in its price. What still speaks for the fact may be what it takes away.
    static double paid(const Draft& state) {
        const AnswerCost& cost = state.answer.cost;
        return cost.total() - cost.boundary - unclear(cost);
    }

    /// Proposes the best words of a field. @param gap_without of an additive classifier, without what the change takes away
    /// @param count how many that are answers @param steps how many that may be edited further
    void propose(Field& field, const Draft& state, size_t s, size_t account, const Change& change, double gap_without, int64_t count,
                 int64_t steps) {
        const auto take = [&](int64_t word, bool further) {
            Step step = field.step(word);
            double price = paid(state) + weights_.fluency * step.language + step.generator + step.likeness + step.edits + step.position;
            if (!field.opinion.empty()) price += field.opinion[static_cast<size_t>(word)] - state.answer.cost.opinion;
            proposals_.push_back({s, account, change, {word}, step, price, further});
        };
        if (!additive()) {
            const int64_t asked = field.opinion.empty() ? options_.asked : options_.replacements;
            for (const auto word : field.best(weights_, asked, [](double) { return true; })) take(word, steps > 0);
            return;
        }
        for (size_t w = 0; w < field.gap.size(); ++w) field.gap[w] = gap_without + problem_.word_gaps[w];
        const auto answering = field.best(weights_, count, [&](double gap) { return answers(gap); });
        for (const auto word : answering) take(word, steps > 0);
        if (steps == 0) return;
        const auto nearer = [&](double gap) {
            return nearest_ || options_.clear || (gap >= 0 && gap < state.answer.gap - options_.min_step);
        };
        for (const auto word : field.best(weights_, steps, nearer, remaining()))
            if (std::find(answering.begin(), answering.end(), word) == answering.end()) take(word, true);
    }

    /// Words of a sentence that are not said in it again: those that not every other sentence has.
    void add_said_once(const Ids& y, Ids& words) const {
        if (models_.associations == nullptr || !options_.clear) return;
        for (const auto word : y)
            if (models_.associations->share(word) < weights_.topic_share) words.push_back(word);
    }

    /// Another word in place of word `i`.
    void replace(const Draft& state, size_t s, size_t i, int64_t edits, const Cloze& cloze) {
        const auto& y = state.answer.ids;
        // A word in the place of a number makes no sense, but tells an audit what the decision rests on.
        if (models_.lexicon.number[static_cast<size_t>(y[i])] != 0 && !options_.top_position_only) return;
        const size_t t = state.at[i];
        const float* mask = cloze(static_cast<int64_t>(i), static_cast<int64_t>(i) + 1);
        Ids except{y[i]};
        if (i > 0) except.push_back(y[i - 1]);
        if (i + 1 < y.size()) except.push_back(y[i + 1]);
        add_said_once(y, except);
        Field field(cost_.punctuation(y[i]) ? models_.lexicon.mark : models_.lexicon.word, except);
        const double now = -static_cast<double>(mask[y[i]]) + cost_.frequency(y[i]);
        const float *generator = cost_.generator(t), *likeness_here = cost_.likeness(t);
        for (size_t w = 0; w < field.language.size(); ++w) {
            field.language[w] = -static_cast<double>(mask[w]) + models_.frequency[w] - now;
            field.generator[w] = static_cast<double>(generator[w]);
            field.likeness[w] = static_cast<double>(likeness_here[w]);
        }
        field.position = cost_.position(t);
        field.edits = edits > 1 ? weights_.edit : 0;
        forbid(field, i > 0 ? y[i - 1] : -1, i + 1 < y.size() ? y[i + 1] : -1);
        advise(field, state, opinion_of(y[i]));
        propose(field, state, s, t, {i, 1, false, EditKind::replace}, state.answer.gap - word_gap(y[i]), options_.replacements,
                options_.steps);
    }

    /// English: "loved" as "did n't love", and "did n't love" as "loved". What it does to fluency only the whole sentence tells.
    void deny(const Draft& state, size_t s, size_t i, int64_t edits) {
        const English& english = models_.lexicon.english;
        const auto& y = state.answer.ids;
        const auto propose = [&](size_t first, size_t removed, const Ids& words) {
            for (size_t k = first; k < first + removed; ++k)
                if (!state.untouched(k) || !cost_.open(state.at[k])) return;
            double gap = state.answer.gap;
            for (size_t k = first; k < first + removed; ++k) gap -= word_gap(y[k]);
            for (const int64_t word : words) gap += word_gap(word);
            const double language = edits > 1 ? 0 : -weights_.fluency_cap;
            const Step step{gap, language, 0, 0, weights_.denial + (edits > 1 ? weights_.edit : 0), cost_.position(state.at[i])};
            const double price = paid(state) + weights_.fluency * step.language + step.edits + step.position;
            proposals_.push_back({s, state.at[i], {first, removed, false, EditKind::replace}, words, step, price, options_.clear});
        };
        if (const auto denied = english.denied(y[i]); denied && i > 0 && (i + 1 == y.size() || y[i + 1] != english.not_)) {
            const bool plain = denied->back() == y[i];  // "i love": no "it love", and no noun that is spelt so
            if (plain ? english.is_plural_subject(y[i - 1]) : !english.shuts_out_do(y[i - 1])) propose(i, 1, *denied);
        }
        if (i + 1 < y.size() && y[i + 1] == english.not_ && i + 2 < y.size())
            if (const auto affirmed = english.affirmed(y[i], y[i + 2])) propose(i, 3, {*affirmed});
    }

    void remove(const Draft& state, size_t s, size_t i, int64_t edits) {
        const auto& y = state.answer.ids;
        if (y.size() < 2) return;
        // What a deletion does to fluency only the whole sentence tells: as good as it can be, so that it will be considered.
        const double language = edits > 1 ? 0 : -weights_.fluency_cap;
        const Step step{state.answer.gap - word_gap(y[i]), language, 0, 0, weights_.deletion + (edits > 1 ? weights_.edit : 0),
                        cost_.position(state.at[i])};
        const double price = paid(state) + weights_.fluency * language + step.edits + step.position;
        proposals_.push_back({s, state.at[i], {i, 1, false, EditKind::remove}, {}, step, price, options_.clear});
    }

    /// A word before word `j`, on account of word `i` beside it.
    void insert(const Draft& state, size_t s, size_t i, size_t j, int64_t edits, const Cloze& cloze) {
        const auto& y = state.answer.ids;
        if (j == y.size() && cost_.punctuation(y.back())) return;
        if (j > 0 && j < y.size() && y[j] == models_.lexicon.english.not_) return;  // it stays with its verb
        if ((j > 0 && state.inserted[j - 1] != 0) || (j < y.size() && state.inserted[j] != 0)) return;
        Ids except;
        if (j > 0) except.push_back(y[j - 1]);
        if (j < y.size()) except.push_back(y[j]);
        add_said_once(y, except);
        Field field(models_.lexicon.word, except);
        const auto gap_index = static_cast<int64_t>(j);
        const auto* words = cloze(gap_index, gap_index);
        const float* generator = j < y.size() ? cost_.generator(state.at[j]) : nullptr;
        for (size_t w = 0; w < field.language.size(); ++w) {
            field.language[w] = std::max(-2.0, -static_cast<double>(words[w]) + models_.frequency[w]);
            field.generator[w] = generator != nullptr ? static_cast<double>(generator[w]) : weights_.generator * weights_.generator_cap;
        }
        field.position = cost_.position(state.at[i]);
        field.edits = weights_.insertion + (edits > 1 ? weights_.edit : 0);
        forbid(field, j > 0 ? y[j - 1] : -1, j < y.size() ? y[j] : -1);
        advise(field, state, 0);
        propose(field, state, s, state.at[i], {j, 0, true, EditKind::insert}, state.answer.gap, options_.insertions,
                options_.clear ? options_.steps / 2 : 0);
    }

    /// The words `a` and `a + 1` as one, on account of word `i`, one of them.
    void merge(const Draft& state, size_t s, size_t i, size_t a, int64_t edits, const Cloze& cloze) {
        const auto& y = state.answer.ids;
        const size_t b = a + 1;
        if (b >= y.size() || y.size() < 3 || !state.untouched(a) || !state.untouched(b)) return;
        if (!cost_.open(state.at[a]) || !cost_.open(state.at[b]) || cost_.punctuation(y[a]) || cost_.punctuation(y[b])) return;
        if (state.at[b] != state.at[a] + 1) return;  // a word between them is gone
        Ids except{y[a], y[b]};
        if (a > 0) except.push_back(y[a - 1]);
        if (b + 1 < y.size()) except.push_back(y[b + 1]);
        add_said_once(y, except);
        Field field(models_.lexicon.word, except);
        const auto first = static_cast<int64_t>(a);
        const auto* words = cloze(first, first + 2);
        const double now = 0.5 * (static_cast<double>(-cloze(first, first + 1)[y[a]] - cloze(first + 1, first + 2)[y[b]]) +
                                  cost_.frequency(y[a]) + cost_.frequency(y[b]));
        const float *generator_a = cost_.generator(state.at[a]), *generator_b = cost_.generator(state.at[b]);
        for (size_t w = 0; w < field.language.size(); ++w) {
            field.language[w] = -static_cast<double>(words[w]) + models_.frequency[w] - now;
            field.generator[w] = static_cast<double>(std::min(generator_a[w], generator_b[w]));
        }
        field.position = cost_.position(state.at[i]);
        field.edits = weights_.edit + (edits > 1 ? weights_.edit : 0);  // two words change: it counts as two edits
        forbid(field, a > 0 ? y[a - 1] : -1, b + 1 < y.size() ? y[b + 1] : -1);
        advise(field, state, opinion_of(y[a]) + opinion_of(y[b]));
        propose(field, state, s, state.at[i], {a, 2, false, EditKind::merge}, state.answer.gap - word_gap(y[a]) - word_gap(y[b]),
                options_.merges, 0);
    }

    static bool cheaper(const Answer& a, const Answer& b) { return a.cost.total() < b.cost.total(); }
    static void keep_cheapest(std::vector<Answer>& candidates, int64_t count) {
        std::stable_sort(candidates.begin(), candidates.end(), cheaper);
        if (candidates.size() > static_cast<size_t>(count)) candidates.resize(static_cast<size_t>(count));
    }

    /// Whether no sentence of so many edits could be among the answers. Further edits are dear: most searches are over after one.
    bool nothing_cheaper(int64_t edits) {
        keep_cheapest(judged_, std::max(options_.answers, options_.clear ? options_.parsed : 0));
        if (judged_.size() < static_cast<size_t>(options_.answers)) return false;
        return judged_[static_cast<size_t>(options_.answers) - 1].cost.total() <= cost_.lower_bound(edits);
    }

    /// How surprising a sentence is by its n-grams alone.
    double counted(const Ids& sentence) const {
        const auto words = models_.fluency.ngram().log_probabilities(sentence);
        return cost_.surprise(sentence, std::accumulate(words.begin(), words.end(), 0.0));
    }

    /// Corrects what was guessed of an answer's fluency by its n-grams and its topic, which cost next to nothing.
    void count(Answer& answer) const {
        const double by_counts = cost_.fluency(counted(answer.ids), own_count_);
        const double guessed = std::max(answer.cost.fluency, -weights_.fluency * weights_.fluency_cap);
        const bool is_guess = answer.edits.back().kind == EditKind::replace;  // of the word alone; of other edits only the sentence tells
        answer.cost.fluency = is_guess ? (guessed + by_counts) / 2 : by_counts;
        answer.cost.topic = cost_.topic(answer.ids);
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
        for (auto& candidate : candidates) count(candidate);
        keep_cheapest(candidates, options_.judged);

        Sentences sentences{x_};
        for (const auto& candidate : candidates) sentences.push_back(candidate.ids);
        const auto gaps = problem_.gap(sentences);
        const auto words = models_.fluency.log_likelihoods(sentences);
        std::vector<double> likelihoods;
        for (const auto& of_sentence : words) likelihoods.push_back(std::accumulate(of_sentence.begin(), of_sentence.end(), 0.0));
        const double usual = cost_.most_surprising(x_, words[0]);
        for (size_t i = 0; i < candidates.size(); ++i) {
            auto& candidate = candidates[i];
            candidate.gap = gaps.at(i + 1);
            if (!answers(candidate.gap)) continue;
            candidate.cost.opinion = cost_.opinion(candidate.ids);
            candidate.cost.evidence = cost_.evidence(candidate.ids);
            candidate.cost.conflict = cost_.conflict(candidate.ids);
            candidate.cost.fluency = cost_.fluency(cost_.surprise(candidate.ids, likelihoods[i + 1]), cost_.surprise(x_, likelihoods[0]));
            candidate.cost.worst = weights_.worst * std::max(0.0, cost_.most_surprising(candidate.ids, words[i + 1]) - usual);
            candidate.cost.boundary = weights_.boundary * std::abs(candidate.gap);
            std::stable_sort(candidate.edits.begin(), candidate.edits.end(),
                             [](const Edit& a, const Edit& b) { return a.position < b.position; });
            judged_.push_back(std::move(candidate));
        }
        if (options_.clear) weigh_evidence();
    }

    /// What the classifier itself still hears for the fact in the best of the judged: by how much the gap falls without a word.
    void weigh_evidence() {
        if (additive() || weights_.evidence == 0) return;
        std::stable_sort(judged_.begin(), judged_.end(), cheaper);
        Sentences asked;
        std::vector<Answer*> about;
        for (Answer& answer : judged_) {
            if (about.size() == static_cast<size_t>(options_.weighed)) break;
            if (answer.ids.size() < 2 || weighed_.count(answer.ids) != 0) continue;
            about.push_back(&answer);
            for (size_t i = 0; i < answer.ids.size(); ++i) asked.push_back(spliced(answer.ids, i, 1, {}));
        }
        if (asked.empty()) return;
        const auto gaps = problem_.gap(asked);
        size_t next = 0;
        for (Answer* answer : about) {
            double left = 0;
            for (size_t i = 0; i < answer->ids.size(); ++i) left += cost_.evidence_of(answer->ids[i], answer->gap - gaps[next++]);
            answer->cost.evidence = std::max(answer->cost.evidence, weights_.evidence * left);
            weighed_.insert(answer->ids);
        }
    }

    void hold_against_grammar() {
        if (!problem_.reading_cost || weights_.grammar == 0) return;
        const std::optional<double> own = problem_.reading_cost(x_);
        if (!own) return;
        constexpr double odd = 2;  // so much dearer is as bad as no reading
        std::stable_sort(judged_.begin(), judged_.end(), cheaper);
        for (size_t i = 0; i < judged_.size(); ++i) {
            std::optional<double> cost;
            if (i < static_cast<size_t>(options_.parsed)) cost = problem_.reading_cost(judged_[i].ids);
            judged_[i].cost.grammar = weights_.grammar * (cost ? std::clamp((*cost - *own) / odd, 0.0, 1.0) : 1);
        }
    }

    AnswerResult best_answers(int64_t max_edits) {
        if (judged_.empty())
            return failed(nearest_ ? "no word of the sentence can be edited into another sentence"
                                   : "no natural sentence within " + std::to_string(max_edits) + " edits of this one changes the class");
        if (options_.clear) hold_against_grammar();
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
    const size_t m_;
    const bool nearest_;
    const Cost cost_;

    Draft start_;
    double own_count_ = 0;         // of the original
    std::vector<size_t> order_;    // editable positions, largest fall first
    std::map<Ids, Answer> found_;  // candidates, each sentence once
    std::set<Ids> seen_;           // all that ever were
    std::set<Ids> weighed_;        // whose evidence the classifier was asked about
    std::vector<Proposal> proposals_;
    std::vector<Answer> judged_;  // of them, the best
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
