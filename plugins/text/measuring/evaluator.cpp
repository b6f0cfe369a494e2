#include "text/measuring/evaluator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "base/format.h"
#include "base/json.h"
#include "base/stopwatch.h"
#include "text/measuring/yardstick.h"
#include "text/networks/autoencoder_training.h"
#include "text/pack/likeness.h"
#include "text/services/explaining.h"
#include "training/pack_contents.h"
#include "training/run.h"
#include "whynot/error.h"
#include "whynot/solver.h"

namespace whynot::text {

namespace {

using base::Json;
using training::Figures;

constexpr size_t batch_size = 64;

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// What became of one sentence.
struct Outcome {
    std::string before, answer;
    size_t edits = 0;
    bool exact_start = false;
    int64_t tokens_right = 0, tokens = 0;
    Solution solution;
    Solution alone;  ///< from z0, without the extra start
    bool solved = false;
    bool flips = false;  ///< the classifier, asked afresh, calls the answer the foil
    double probability_before = 0, probability_answer = 0, probability_foil = 0;
    int64_t fact = 0, foil = 0;
};
using Outcomes = std::vector<Outcome>;

struct Cost {
    double seconds = 0, solver = 0, networks = 0;
};

// The part of sentences that begins there, of at most a batch.
std::vector<std::string> batch_at(const std::vector<std::string>& sentences, size_t begin) {
    return {sentences.begin() + static_cast<std::ptrdiff_t>(begin),
            sentences.begin() + static_cast<std::ptrdiff_t>(std::min(sentences.size(), begin + batch_size))};
}

// How far each sentence came back from its code, and what the search finds from z0 alone.
void measure_start(Boundaries& found, Outcomes& outcomes) {
    found.problem.extra_starts = at::Tensor();
    const Summary alone = solve(found.problem, found.options);
    std::vector<int64_t> rows(found.index.size());
    std::iota(rows.begin(), rows.end(), int64_t{0});
    const Sentences said = found.batch->relaxation().greedy(found.batch->refined(), rows, 1);
    for (size_t row = 0; row < found.index.size(); ++row) {
        Outcome& outcome = outcomes[found.index[row]];
        outcome.alone = alone.solutions[row];
        const Ids& sentence = found.batch->relaxation().sentences()[row];
        outcome.exact_start = said[row] == sentence;
        outcome.tokens = static_cast<int64_t>(sentence.size());
        for (size_t t = 0; t < std::min(sentence.size(), said[row].size()); ++t) outcome.tokens_right += said[row][t] == sentence[t];
    }
}

// What the classifier, asked afresh, says of an answer.
void measure_answer(TextModel& model, const RenderRequest& request, const Rendering& rendering, Outcome& outcome) {
    const Json record = base::parse_own_json(rendering.record);
    if (!record.contains("answer")) return;
    outcome.answer = record["answer"];
    outcome.edits = record["edits"].size();
    const at::Tensor asked = ask(model, outcome.answer);
    if (!asked.defined()) return;
    outcome.foil = request.foil;
    outcome.flips = asked.argmax().item<int64_t>() == request.foil;
    outcome.probability_foil = std::exp(asked[request.foil].item<double>());
    outcome.probability_answer = std::exp(asked[outcome.fact].item<double>());
}

// Explains sentences as one batch, the way the explainer does. The cost is that of explaining, not of measuring.
Outcomes explain(TextModel& model, const std::vector<std::string>& texts, double confidence, Cost& cost) {
    const base::Stopwatch watch;
    Outcomes outcomes(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) outcomes[i].before = texts[i];
    Boundaries found = find_boundaries(model, texts, 1);
    if (found.index.empty()) return outcomes;
    const Summary& summary = found.summary;
    cost.solver += summary.seconds;
    cost.networks += summary.seconds_forward + summary.seconds_backward;

    std::vector<RenderRequest> requests;
    for (size_t row = 0; row < found.index.size(); ++row) {
        Outcome& outcome = outcomes[found.index[row]];
        const auto r = static_cast<int64_t>(row);
        outcome.solution = summary.solutions[row];
        outcome.solved = true;
        outcome.fact = found.problem.fact[r].item<int64_t>();
        outcome.probability_before = std::exp(found.log_probabilities[r].max().item<double>());
        if (outcome.solution.feasible)
            requests.push_back(
                {r, outcome.fact, found.problem.foil[r].item<int64_t>(), outcome.solution.z, "edit", "", "", {}, confidence});
    }
    const std::vector<Rendering> renderings = found.batch->render(requests, 1);
    cost.seconds += watch.seconds();

    measure_start(found, outcomes);
    for (size_t i = 0; i < requests.size(); ++i)
        measure_answer(model, requests[i], renderings[i], outcomes[found.index[static_cast<size_t>(requests[i].row)]]);
    return outcomes;
}

struct Sample {
    std::vector<std::string> sentences;
    Sentences short_ones;  ///< of up to 8 words, whatever the classifier calls them
};

// The first held-out sentences in the order of their hash that the classifier gets right.
Sample draw_sample(Figures& figures, const Networks& networks, const Corpus& corpus, size_t limit) {
    const std::vector<const LabelledSentence*> held_out = in_order_of_hash(corpus.held_out);
    Sentences ids, said;  // as the classifier takes them, as the generator says them
    std::vector<int64_t> labels;
    for (const LabelledSentence* sentence : held_out) {
        ids.push_back(networks.read(sentence->words));
        said.push_back(networks.generator->tokenizer.encode(sentence->words).ids);
        labels.push_back(sentence->label);
    }
    figures.add("classifier: accuracy on the held-out half", accuracy(networks.classifier(), ids, labels), static_cast<int64_t>(ids.size()),
                "share");
    if (networks.generator->usual_surprise.excess > 0) {
        const auto is_strange = [&](const Ids& sentence) { return strangeness_of(*networks.generator, sentence).value.value_or(0) > 1; };
        figures.add(
            "held-out sentences warned of as unlike",
            static_cast<double>(std::count_if(said.begin(), said.end(), is_strange)) / std::max<double>(1, static_cast<double>(ids.size())),
            static_cast<int64_t>(ids.size()), "share");
    }
    const at::Tensor predicted = networks.classifier().logits(ids).argmax(1);
    Sample sample;
    for (size_t i = 0; i < held_out.size(); ++i) {
        if (sample.sentences.size() < limit && predicted[static_cast<int64_t>(i)].item<int64_t>() == labels[i])
            sample.sentences.push_back(base::joined(held_out[i]->words, " "));
        if (sample.short_ones.size() < limit && said[i].size() <= 8) sample.short_ones.push_back(said[i]);
    }
    return sample;
}

// What failed anywhere stays in the denominator.
template <class Holds>
double share_of(const Outcomes& outcomes, Holds&& holds) {
    return static_cast<double>(std::count_if(outcomes.begin(), outcomes.end(), holds)) /
           std::max<double>(1, static_cast<double>(outcomes.size()));
}

void add_autoencoder(Figures& figures, const Autoencoder& autoencoder, const Outcomes& outcomes, const Sentences& short_ones) {
    const auto n = static_cast<int64_t>(outcomes.size());
    int64_t tokens = 0, tokens_right = 0;
    for (const Outcome& outcome : outcomes) {
        tokens += outcome.tokens;
        tokens_right += outcome.tokens_right;
    }
    figures.add("autoencoder, encoding and refinement: sentences back exactly",
                share_of(outcomes, [](const Outcome& o) { return o.exact_start; }), n, "share");
    figures.add("autoencoder, encoding and refinement: words back",
                static_cast<double>(tokens_right) / std::max<double>(1, static_cast<double>(tokens)), n, "share");
    if (short_ones.empty()) return;
    const Reconstruction encoded = reconstruction(autoencoder, short_ones, autoencoder.encode(short_ones));
    const auto n_short = static_cast<int64_t>(short_ones.size());
    figures.add("autoencoder, encoding alone, up to 8 words: sentences back exactly", encoded.exact, n_short, "share");
    figures.add("autoencoder, encoding alone, up to 8 words: words back", encoded.tokens, n_short, "share");
}

void add_search(Figures& figures, const Outcomes& outcomes, const std::string& name, Solution Outcome::*which) {
    std::vector<double> feasible_after, forward, distance;
    for (const Outcome& outcome : outcomes) {
        const Solution& solution = outcome.*which;
        if (!outcome.solved) continue;
        forward.push_back(static_cast<double>(solution.forward));
        if (solution.evaluations_to_feasible >= 0) feasible_after.push_back(static_cast<double>(solution.evaluations_to_feasible));
        if (solution.feasible) distance.push_back(solution.distance);
    }
    const auto add = [&](const char* what, const std::vector<double>& values, const char* unit) {
        figures.add(name + what, median(values), static_cast<int64_t>(values.size()), unit);
    };
    add(": evaluations to the first feasible point, median", feasible_after, "evaluations");
    add(": evaluations to rest, median", forward, "evaluations");
    add(": distance, median", distance, "latent");
}

void add_solver(Figures& figures, const Outcomes& outcomes, const Cost& cost) {
    const auto n = static_cast<int64_t>(outcomes.size());
    figures.add("solver: gap under 0.01 nats",
                share_of(outcomes, [](const Outcome& o) { return o.solved && std::abs(o.solution.gap) < 0.01; }), n, "share");
    add_search(figures, outcomes, "solver, from z0 alone", &Outcome::alone);
    add_search(figures, outcomes, "solver, from z0 and the extra start", &Outcome::solution);
    figures.add("solver: share of its time outside the networks, batch 64", 1 - cost.networks / std::max(1e-9, cost.solver), n, "share");
}

// The sentences whose answers are called the foil, and those answers.
struct Flipped {
    Sentences originals, answers;
    int64_t count() const { return static_cast<int64_t>(answers.size()); }
    double at_least_one() const { return std::max<double>(1, static_cast<double>(answers.size())); }
};

Flipped add_answers(Figures& figures, const Tokenizer& tokenizer, const Outcomes& outcomes) {
    const auto n = static_cast<int64_t>(outcomes.size());
    figures.add("answer: called the foil by the classifier asked afresh", share_of(outcomes, [](const Outcome& o) { return o.flips; }), n,
                "share");
    figures.add("answer: identical to the input", share_of(outcomes, [](const Outcome& o) { return o.answer == o.before; }), n, "share");
    double edits = 0, single = 0;
    Flipped flipped;
    for (const Outcome& outcome : outcomes) {
        if (!outcome.flips) continue;
        edits += static_cast<double>(outcome.edits);
        single += outcome.edits == 1;
        flipped.originals.push_back(tokenizer.encode(texts(split_words(outcome.before))).ids);
        flipped.answers.push_back(tokenizer.encode(texts(split_words(outcome.answer))).ids);
    }
    figures.add("answer: edits in those, mean", edits / flipped.at_least_one(), flipped.count(), "edits");
    figures.add("answer: single edits among those", single / flipped.at_least_one(), flipped.count(), "share");
    return flipped;
}

// What others than the classifier say of the answers: the pack's second opinion, which had a part in choosing them, and a third classifier
// that nothing used, trained on the half of the sentences that neither the second nor the search has read.
void add_opinions(Figures& figures, const Networks& networks, const Corpus& corpus, const Outcomes& outcomes, double confidence) {
    const auto n = static_cast<int64_t>(outcomes.size());
    if (confidence > 0.5)
        figures.add("answer: the foil with the confidence asked for",
                    share_of(outcomes, [&](const Outcome& o) { return o.flips && o.probability_foil >= confidence; }), n, "share");
    const Tokenizer& tokenizer = networks.generator->tokenizer;
    if (tokenizer.kind() != TokenizerKind::word) return;
    const auto agrees = [&](const NGramClassifier& judge) {
        return share_of(outcomes, [&](const Outcome& o) {
            if (o.answer.empty()) return false;
            const std::vector<double> said = judge.logits(tokenizer.encode(texts(split_words(o.answer))).ids);
            return std::max_element(said.begin(), said.end()) - said.begin() == o.foil;
        });
    };
    if (networks.opinion) figures.add("answer: the foil for the second opinion too", agrees(*networks.opinion), n, "share");
    const NGramClassifier third = opinion_of_half(corpus, tokenizer, false, 3);
    figures.add("answer: the foil for a third classifier, of words, pairs and triples, that had no part in it", agrees(third), n, "share");
}

void add_naturalness(Figures& figures, const FluencyModel& judge, const Flipped& flipped) {
    const Naturalness before = naturalness(judge, flipped.originals), after = naturalness(judge, flipped.answers);
    figures.add("answer: perplexity against the originals'", std::exp(after.nll_per_token() - before.nll_per_token()), flipped.count(),
                "times");
    figures.add("originals: perplexity", std::exp(before.nll_per_token()), flipped.count(), "");
    double rise = 0;
    for (size_t i = 0; i < flipped.answers.size(); ++i) rise += after.rarity_free[i] - before.rarity_free[i];
    figures.add("answer: rise of (NLL + log unigram) per token, mean", rise / flipped.at_least_one(), flipped.count(), "nats");
}

// The same sentences as one batch and one by one.
void add_speed(Figures& figures, TextModel& model, const std::vector<std::string>& sentences, double confidence) {
    Cost together;
    double alone = 0;
    std::vector<double> one;
    explain(model, sentences, confidence, together);
    together = {};
    explain(model, sentences, confidence, together);
    for (const std::string& text : sentences) {
        Cost cost;
        explain(model, {text}, confidence, cost);
        alone += cost.seconds;
        one.push_back(cost.seconds);
    }
    const auto n = static_cast<int64_t>(sentences.size());
    figures.add("speed: sentences a second, batch 64 against batch 1", alone / std::max(1e-9, together.seconds), n, "times");
    figures.add("speed: one sentence, median", median(one), n, "seconds");
}

Json examples_of(const Outcomes& outcomes, const std::vector<std::string>& classes) {
    Json examples = Json::array();
    for (size_t i = 0; i < std::min<size_t>(30, outcomes.size()); ++i) {
        const Outcome& outcome = outcomes[i];
        examples.push_back({{"fact", classes[static_cast<size_t>(outcome.fact)]},
                            {"before", outcome.before},
                            {"probability_before", outcome.probability_before},
                            {"answer", outcome.answer.empty() ? Json() : Json(outcome.answer)},
                            {"probability_answer", outcome.probability_answer}});
    }
    return examples;
}

std::vector<std::string> first_lines(const std::string& path, int64_t limit) {
    std::vector<std::string> lines;
    std::ifstream file(path, std::ios::binary);
    for (std::string line; static_cast<int64_t>(lines.size()) < limit && std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

}  // namespace

Json evaluate_model(TextModel& model, const Corpus* corpus, std::vector<std::string> sentences, const EvaluateRequest& request,
                    const Observer& observer) {
    const Networks& networks = model.networks();
    Figures figures;
    const auto begin = [&](const char* stage, double fraction) {
        training::stop_if_cancelled(observer, "the evaluation");
        if (observer.progress) observer.progress({stage, fraction, ""});
    };
    begin("reading", 0);
    const auto limit = static_cast<size_t>(request.limit);
    Sample sample = corpus ? draw_sample(figures, networks, *corpus, limit) : Sample{std::move(sentences), {}};
    if (sample.sentences.size() > limit) sample.sentences.resize(limit);
    if (sample.sentences.empty()) throw Error(ErrorCode::invalid_input, "expected sentences to explain, found none");

    const double confidence = request.confidence != 0 ? request.confidence : model.info().confidence;
    Outcomes outcomes;
    Cost cost;
    for (size_t i = 0; i < sample.sentences.size(); i += batch_size) {
        begin("explaining", 0.1 + 0.3 * static_cast<double>(i) / static_cast<double>(sample.sentences.size()));
        for (Outcome& outcome : explain(model, batch_at(sample.sentences, i), confidence, cost)) outcomes.push_back(std::move(outcome));
    }
    add_autoencoder(figures, networks.generator->autoencoder, outcomes, sample.short_ones);
    add_solver(figures, outcomes, cost);
    const Flipped flipped = add_answers(figures, networks.generator->tokenizer, outcomes);
    if (corpus) add_opinions(figures, networks, *corpus, outcomes, confidence);
    if (corpus && flipped.count() > 0) {
        begin("measuring naturalness", 0.4);
        add_naturalness(figures, yardstick(networks.generator->tokenizer, *corpus, request.cache, observer), flipped);
    }
    begin("timing", 0.9);
    add_speed(figures, model, batch_at(sample.sentences, 0), confidence);
    return {{"figures", figures.json()}, {"examples", examples_of(outcomes, model.info().classes)}};
}

std::string TextEvaluator::evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) {
    if (request.limit < 1)
        throw Error(ErrorCode::invalid_argument, "expected a limit of at least 1, found " + std::to_string(request.limit));
    std::error_code ignored;
    if (std::filesystem::is_regular_file(request.corpus, ignored)) {
        TextModel model(pack);
        return evaluate_model(model, nullptr, first_lines(request.corpus, request.limit), request, observer)
            .dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const Corpus corpus = read_corpus(request.corpora, request.corpus);
    if (corpus.classes() != pack.manifest().classes)
        throw Error(ErrorCode::invalid_argument,
                    "the corpus '" + request.corpus + "' has other classes than the pack '" + pack.manifest().id + "'");
    TextModel model(pack);
    return evaluate_model(model, &corpus, {}, request, observer).dump();
}

}  // namespace whynot::text
