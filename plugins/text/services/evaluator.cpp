#include "text/services/evaluator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "text/language/fluency.h"
#include "text/language/masked_model_training.h"
#include "text/networks/autoencoder_training.h"
#include "text/services/explaining.h"
#include "training/checkpoint.h"
#include "whynot/error.h"
#include "whynot/solver.h"

namespace whynot::text {

namespace {

using base::Json;
using Clock = std::chrono::steady_clock;

constexpr size_t batch_size = 64;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

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
    double probability_before = 0, probability_answer = 0;
    int64_t fact = 0;
};

struct Cost {
    double seconds = 0, solver = 0, networks = 0;
};

// Explains sentences as one batch, the way the explainer does.
std::vector<Outcome> explain(TextModel& model, const std::vector<std::string>& texts, Cost& cost) {
    const auto began = Clock::now();
    std::vector<Outcome> outcomes(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) outcomes[i].before = texts[i];
    Boundaries found = find_boundaries(model, texts, 1);
    const std::vector<size_t>& index = found.index;
    if (index.empty()) return outcomes;
    TextBatch& batch = *found.batch;
    Problem& problem = found.problem;
    const Summary& summary = found.summary;
    cost.solver += summary.seconds;
    cost.networks += summary.seconds_forward + summary.seconds_backward;

    std::vector<RenderRequest> requests;
    for (size_t row = 0; row < index.size(); ++row) {
        Outcome& outcome = outcomes[index[row]];
        const auto r = static_cast<int64_t>(row);
        outcome.solution = summary.solutions[row];
        outcome.solved = true;
        outcome.fact = problem.fact[r].item<int64_t>();
        outcome.probability_before = std::exp(found.log_probabilities[r].max().item<double>());
        if (outcome.solution.feasible)
            requests.push_back({r, outcome.fact, problem.foil[r].item<int64_t>(), outcome.solution.z, "edit", "", ""});
    }
    const std::vector<Rendering> renderings = batch.render(requests, 1);
    cost.seconds += seconds_since(began);

    // What follows is measuring, not explaining.
    problem.extra_starts = at::Tensor();
    const Summary alone = solve(problem, found.options);
    const Sentences said = model.networks().autoencoder.greedy(batch.refined(), model.networks().longest + 1);
    for (size_t row = 0; row < index.size(); ++row) {
        Outcome& outcome = outcomes[index[row]];
        outcome.alone = alone.solutions[row];
        const Ids& sentence = batch.relaxation().sentences()[row];
        outcome.exact_start = said[row] == sentence;
        outcome.tokens = static_cast<int64_t>(sentence.size());
        for (size_t t = 0; t < std::min(sentence.size(), said[row].size()); ++t) outcome.tokens_right += said[row][t] == sentence[t];
    }
    for (size_t i = 0; i < requests.size(); ++i) {
        const Json record = Json::parse(renderings[i].record);
        if (!record.contains("answer")) continue;
        Outcome& outcome = outcomes[index[requests[i].row]];
        outcome.answer = record["answer"];
        outcome.edits = record["edits"].size();
        const at::Tensor asked = ask(model, outcome.answer);
        if (!asked.defined()) continue;
        outcome.flips = asked.argmax().item<int64_t>() == requests[i].foil;
        outcome.probability_answer = std::exp(asked[outcome.fact].item<double>());
    }
    return outcomes;
}

// The language model that measures: trained on the half of the sentences that the pack has not read.
FluencyModel yardstick(const Networks& networks, const Corpus& corpus, const EvaluateRequest& request, const Observer& observer) {
    const int64_t vocabulary = networks.tokenizer.size();
    Sentences sentences;
    for (const auto& words : language_model_halves(corpus.train).yardstick) sentences.push_back(networks.tokenizer.encode(words).ids);
    NGram ngram(sentences, vocabulary, 3);

    MaskedModelSizes sizes;
    sizes.vocabulary = vocabulary;
    sizes.hidden = 256;
    sizes.head = 192;
    sizes.both_sides = false;
    constexpr uint64_t seed = 1;
    const MaskedTraining training;
    MaskedModel network(sizes, seed);
    // The vocabulary decides what the indices mean, the corpus what was read, the epochs how often.
    std::string words;
    for (int64_t id = 0; id < vocabulary; ++id) words += networks.tokenizer.piece(id) + "\n";
    uint64_t key = 0xcbf29ce484222325ull;
    for (const char c : words + corpus.sha256 + std::to_string(training.epochs))
        key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    char name[64];
    std::snprintf(name, sizeof name, "yardstick-%016llx.safetensors", static_cast<unsigned long long>(key));
    const training::Checkpoint cache(request.cache.empty() ? std::filesystem::path() : request.cache / name, name);
    if (training::NamedTensors saved = cache.load(); !saved.empty()) {
        const at::NoGradGuard no_grad;
        for (auto& item : network->named_parameters()) item.value().copy_(saved.at(item.key()));
    } else {
        if (observer.log)
            observer.log("training the language model that measures naturalness" +
                         (request.cache.empty() ? std::string() : ", kept in " + request.cache.string()));
        train_masked_model(network, sentences, training, seed, observer);
        training::NamedTensors weights;
        for (auto& item : network->named_parameters()) weights[item.key()] = item.value();
        if (!request.cache.empty()) std::filesystem::create_directories(request.cache);
        cache.save(weights);
    }
    for (auto& item : network->named_parameters()) item.value().set_requires_grad(false);
    return FluencyModel(network, std::move(ngram));
}

struct Naturalness {
    double nll = 0;                   ///< of all sentences, nats
    double tokens = 0;                ///< words and <eos>
    std::vector<double> rarity_free;  ///< (NLL + log unigram) / tokens of each sentence
};

Naturalness naturalness(const FluencyModel& model, const Sentences& sentences) {
    Naturalness result;
    const std::vector<double> log_likelihood = model.log_likelihood(sentences);
    const std::vector<double>& unigram = model.ngram().unigram();
    for (size_t i = 0; i < sentences.size(); ++i) {
        double words = unigram[eos_id];
        for (const int64_t word : sentences[i]) words += unigram[word];
        const auto tokens = static_cast<double>(sentences[i].size() + 1);
        result.nll -= log_likelihood[i];
        result.tokens += tokens;
        result.rarity_free.push_back((-log_likelihood[i] + words) / tokens);
    }
    return result;
}

}  // namespace

Json evaluate_model(TextModel& model, const Corpus* corpus, std::vector<std::string> sample, const EvaluateRequest& request,
                    const Observer& observer) {
    const Networks& networks = model.networks();
    Json figures = Json::array();
    const auto figure = [&](const std::string& name, double value, size_t n, const char* unit) {
        figures.push_back({{"name", name}, {"value", value}, {"n", n}, {"unit", unit}});
    };
    const auto check = [&](const char* stage, double fraction) {
        if (observer.cancelled && observer.cancelled()) throw Error(ErrorCode::cancelled, "the evaluation was stopped");
        if (observer.progress) observer.progress({stage, fraction, ""});
    };
    check("reading", 0);
    const auto limit = static_cast<size_t>(request.limit);
    Sentences short_ones;
    if (corpus) {
        const std::vector<const LabelledSentence*> held_out = in_order_of_hash(corpus->held_out);
        Sentences ids;
        std::vector<int64_t> labels;
        for (const LabelledSentence* sentence : held_out) {
            ids.push_back(networks.tokenizer.encode(sentence->words).ids);
            labels.push_back(sentence->label);
        }
        figure("classifier: accuracy on the held-out half", accuracy(networks.classifier, ids, labels), ids.size(), "share");
        const at::Tensor predicted = networks.classifier.logits(ids).argmax(1);
        sample.clear();
        for (size_t i = 0; i < held_out.size(); ++i) {
            if (sample.size() < limit && predicted[static_cast<int64_t>(i)].item<int64_t>() == labels[i])
                sample.push_back(base::joined(held_out[i]->words, " "));
            if (short_ones.size() < limit && ids[i].size() <= 8) short_ones.push_back(ids[i]);
        }
    }
    if (sample.size() > limit) sample.resize(limit);
    if (sample.empty()) throw Error(ErrorCode::invalid_input, "expected sentences to explain, found none");

    // Explanations.
    std::vector<Outcome> outcomes;
    Cost cost;
    for (size_t i = 0; i < sample.size(); i += batch_size) {
        check("explaining", 0.1 + 0.3 * static_cast<double>(i) / static_cast<double>(sample.size()));
        for (Outcome& outcome : explain(model, {sample.begin() + i, sample.begin() + std::min(sample.size(), i + batch_size)}, cost))
            outcomes.push_back(std::move(outcome));
    }
    const auto n = outcomes.size();
    const auto share = [&](auto&& holds) {
        return static_cast<double>(std::count_if(outcomes.begin(), outcomes.end(), holds)) / std::max<double>(1, static_cast<double>(n));
    };
    int64_t tokens = 0, tokens_right = 0;
    for (const Outcome& outcome : outcomes) {
        tokens += outcome.tokens;
        tokens_right += outcome.tokens_right;
    }
    figure("autoencoder, encoding and refinement: sentences back exactly", share([](const Outcome& o) { return o.exact_start; }), n,
           "share");
    figure("autoencoder, encoding and refinement: words back",
           static_cast<double>(tokens_right) / std::max<double>(1, static_cast<double>(tokens)), n, "share");
    if (!short_ones.empty()) {
        const Reconstruction encoded = reconstruction(networks.autoencoder, short_ones, networks.autoencoder.encode(short_ones));
        figure("autoencoder, encoding alone, up to 8 words: sentences back exactly", encoded.exact, short_ones.size(), "share");
        figure("autoencoder, encoding alone, up to 8 words: words back", encoded.tokens, short_ones.size(), "share");
    }

    figure("solver: gap under 0.01 nats", share([](const Outcome& o) { return o.solved && std::abs(o.solution.gap) < 0.01; }), n, "share");
    const auto search = [&](const std::string& name, Solution Outcome::*which) {
        std::vector<double> feasible_after, forward, distance;
        for (const Outcome& outcome : outcomes) {
            const Solution& solution = outcome.*which;
            if (!outcome.solved) continue;
            forward.push_back(static_cast<double>(solution.forward));
            if (solution.evaluations_to_feasible >= 0) feasible_after.push_back(static_cast<double>(solution.evaluations_to_feasible));
            if (solution.feasible) distance.push_back(solution.distance);
        }
        figure(name + ": evaluations to the first feasible point, median", median(feasible_after), feasible_after.size(), "evaluations");
        figure(name + ": evaluations to rest, median", median(forward), forward.size(), "evaluations");
        figure(name + ": distance, median", median(distance), distance.size(), "latent");
    };
    search("solver, from z0 alone", &Outcome::alone);
    search("solver, from z0 and the extra start", &Outcome::solution);
    figure("solver: share of its time outside the networks, batch 64", 1 - cost.networks / std::max(1e-9, cost.solver), n, "share");

    // Answers.
    figure("answer: called the foil by the classifier asked afresh", share([](const Outcome& o) { return o.flips; }), n, "share");
    figure("answer: identical to the input", share([](const Outcome& o) { return o.answer == o.before; }), n, "share");
    double edits = 0, single = 0;
    Sentences originals, answers;
    for (const Outcome& outcome : outcomes) {
        if (!outcome.flips) continue;
        edits += static_cast<double>(outcome.edits);
        single += outcome.edits == 1;
        originals.push_back(networks.tokenizer.encode(texts(split_words(outcome.before))).ids);
        answers.push_back(networks.tokenizer.encode(texts(split_words(outcome.answer))).ids);
    }
    const double flipped = std::max<double>(1, static_cast<double>(answers.size()));
    figure("answer: edits in those, mean", edits / flipped, answers.size(), "edits");
    figure("answer: single edits among those", single / flipped, answers.size(), "share");

    if (corpus && !answers.empty()) {
        check("measuring naturalness", 0.4);
        const FluencyModel judge = yardstick(networks, *corpus, request, observer);
        const Naturalness before = naturalness(judge, originals), after = naturalness(judge, answers);
        figure("answer: perplexity against the originals'",
               std::exp(after.nll / std::max(1.0, after.tokens) - before.nll / std::max(1.0, before.tokens)), answers.size(), "times");
        figure("originals: perplexity", std::exp(before.nll / std::max(1.0, before.tokens)), originals.size(), "");
        double rise = 0;
        for (size_t i = 0; i < answers.size(); ++i) rise += after.rarity_free[i] - before.rarity_free[i];
        figure("answer: rise of (NLL + log unigram) per token, mean", rise / flipped, answers.size(), "nats");
    }

    // Speed: the same sentences as one batch and one by one, in turn.
    check("timing", 0.9);
    const std::vector<std::string> timed(sample.begin(), sample.begin() + std::min(sample.size(), batch_size));
    Cost together, alone;
    std::vector<double> one;
    explain(model, timed, together);
    together = {};
    explain(model, timed, together);
    for (const std::string& text : timed) {
        Cost single_cost;
        explain(model, {text}, single_cost);
        alone.seconds += single_cost.seconds;
        one.push_back(single_cost.seconds);
    }
    figure("speed: sentences a second, batch 64 against batch 1", alone.seconds / std::max(1e-9, together.seconds), timed.size(), "times");
    figure("speed: one sentence, median", median(one), one.size(), "seconds");

    Json examples = Json::array();
    for (size_t i = 0; i < std::min<size_t>(30, outcomes.size()); ++i) {
        const Outcome& outcome = outcomes[i];
        examples.push_back({{"fact", model.info().classes[outcome.fact]},
                            {"before", outcome.before},
                            {"probability_before", outcome.probability_before},
                            {"answer", outcome.answer.empty() ? Json() : Json(outcome.answer)},
                            {"probability_answer", outcome.probability_answer}});
    }
    return {{"figures", figures}, {"examples", examples}};
}

std::string TextEvaluator::evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) {
    if (request.limit < 1)
        throw Error(ErrorCode::invalid_argument, "expected a limit of at least 1, found " + std::to_string(request.limit));
    std::error_code ignored;
    if (std::filesystem::is_regular_file(request.corpus, ignored)) {
        std::vector<std::string> sentences;
        std::ifstream file(request.corpus, std::ios::binary);
        for (std::string line; static_cast<int64_t>(sentences.size()) < request.limit && std::getline(file, line);) {
            if (!line.empty() && line.back() == '\r') line.pop_back();
            if (!line.empty()) sentences.push_back(line);
        }
        TextModel model(pack);
        return evaluate_model(model, nullptr, std::move(sentences), request, observer).dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const Corpus corpus = read_corpus(request.corpora, request.corpus);
    if (corpus.classes() != pack.manifest().classes)
        throw Error(ErrorCode::invalid_argument,
                    "the corpus '" + request.corpus + "' has other classes than the pack '" + pack.manifest().id + "'");
    TextModel model(pack);
    return evaluate_model(model, &corpus, {}, request, observer).dump();
}

}  // namespace whynot::text
