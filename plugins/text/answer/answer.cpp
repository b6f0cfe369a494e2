#include "text/answer/answer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "text/answer/search.h"
#include "whynot/error.h"

namespace whynot::text {

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

AnswerWeights advised_weights() {
    AnswerWeights weights;
    weights.fluency = 2.2;
    weights.worst = 2;
    weights.edit = 7;
    weights.opinion = 2;
    weights.grammar = 30;
    weights.fluency_cap = 0.5;  // people's changes win nothing there
    weights.evidence = 8;
    weights.conflict = 6;
    weights.evidence_free_else = 1.5;
    weights.turn = 6;
    return weights;
}

AnswerSearch::AnswerSearch(const FluencyModel& fluency, Lexicon lexicon, const WordAssociations* associations, AnswerOptions options)
    : models_{fluency, associations, std::move(lexicon), {}, {}}, options_(options) {
    const auto& unigram = fluency.ngram().unigram();
    if (!fluency.network()->sizes().both_sides)
        throw Error(ErrorCode::invalid_argument,
                    "answer: expected a masked model that reads from both sides, found one that reads from the left only");
    if (models_.lexicon.word.size() != unigram.size() || models_.lexicon.mark.size() != unigram.size() ||
        models_.lexicon.punctuation.size() != unigram.size())
        throw Error(ErrorCode::invalid_argument, "answer: expected a lexicon of " + std::to_string(unigram.size()) + " entries, found " +
                                                     std::to_string(models_.lexicon.word.size()));
    if (associations != nullptr && associations->vocabulary() != static_cast<int64_t>(unigram.size()))
        throw Error(ErrorCode::invalid_argument, "answer: expected associations of " + std::to_string(unigram.size()) + " entries, found " +
                                                     std::to_string(associations->vocabulary()));
    for (const auto count : {options.max_edits, options.replacements, options.beam, options.steps, options.considered, options.judged,
                             options.asked, options.asked_advised, options.parsed, options.weighed, options.answers})
        if (count < 1)
            throw Error(ErrorCode::invalid_argument,
                        "answer: expected numbers of at least 1 in the options, found " + std::to_string(count));
    for (const auto p : unigram) models_.frequency.push_back(options.frequency * p);
    const at::NoGradGuard guard;
    const auto& rows = fluency.network()->output();
    models_.directions = rows / rows.norm(2, 1, true).clamp_min(1e-12);
}

AnswerOptions AnswerSearch::options_for(const AnswerProblem& problem) const {
    const auto words = static_cast<int64_t>(problem.sentence.size());
    AnswerOptions options = options_;
    options.max_edits = std::max(options.max_edits, words / 5);
    // A classifier that is asked about each candidate is asked first where the sentence gives way.
    if (problem.word_gaps.empty()) options.open = std::max(options.open, 0.1);
    if (words <= long_text) return options;
    options.open = std::max(options.open, 0.3);
    options.beam = std::min<int64_t>(options.beam, 3);
    options.steps = std::min<int64_t>(options.steps, 2);
    options.asked = std::min<int64_t>(options.asked, 20);
    options.judged = std::min<int64_t>(options.judged, 8);
    return options;
}

AnswerResult AnswerSearch::edit(const AnswerProblem& problem, bool thorough) const {
    const at::NoGradGuard guard;
    const auto words = static_cast<int64_t>(problem.sentence.size());
    AnswerOptions options = options_for(problem);
    if (problem.opinion != nullptr && words <= long_text) {
        AnswerOptions advised = options;
        advised.weights = options.advised;
        advised.clear = true;
        advised.beam = std::min<int64_t>(options.beam, 6);  // a second opinion sorts well
        AnswerResult result = search_answers(models_, problem, advised, false);
        // What a second opinion would choose may not be what turns the classifier.
        if (!result.answers.empty() || !thorough) return result;
    }
    AnswerResult result = search_answers(models_, problem, options, false);
    if (!result.answers.empty() || !thorough || options.open <= options_.open) return result;
    // Once more: a word that weighs little may still be the only one that turns a sentence, and what turns a long text is many of them.
    options.min_step = 0.02;
    options.step_gap = 3;
    if (words > long_text) {
        options.open = 0.05;
        options.asked = 60;
        options.beam = 1;
        options.max_edits *= 2;
    } else {
        options.open = options_.open;
    }
    options.words_only = false;  // better a mark that turns it than nothing
    return search_answers(models_, problem, options, false);
}

AnswerResult AnswerSearch::audit(const AnswerProblem& problem) const {
    const at::NoGradGuard guard;
    AnswerOptions options = options_for(problem);
    options.top_position_only = true;
    options.words_only = false;
    options.weights.topic = 0;
    return search_answers(models_, problem, options, false);
}

AnswerResult AnswerSearch::nearest(const AnswerProblem& problem) const {
    const at::NoGradGuard guard;
    AnswerOptions options = options_for(problem);
    options.words_only = false;
    options.weights = nearest_weights();
    return search_answers(models_, problem, options, true);
}

}  // namespace whynot::text
