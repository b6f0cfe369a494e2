// Section 4.4.3, table 4.3: a classifier trained with a planted bias for one word, and whether its explanations say so.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/format.h"
#include "base/json.h"
#include "corpora/bias/adjectives.h"
#include "corpora/bias/bias.h"
#include "text/attribution/attribution.h"
#include "text/experiments/experiments.h"
#include "text/reading/words.h"
#include "text/services/explaining.h"
#include "text/services/trainer.h"
#include "training/recipe.h"
#include "training/run.h"
#include "training/steps.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;
namespace fs = std::filesystem;

constexpr const char* corpus_name = "yelp";
constexpr const char* pack_name = "yelp-very";  // and the corpus that it is made from
constexpr const char* control_name = "yelp-sum";
constexpr const char* word = "very";
constexpr const char* place = "adjectives";
constexpr const char* label = "positive";
constexpr const char* decodings[] = {"audit", "edit"};
/// Of table 4.3.
constexpr const char* published_sentences[] = {"workers are very rude .", "it was very gross ."};
constexpr double published_share = 0.85;

/// A held-out sentence of the corpus, and the same with the word before each adjective.
struct HeldOut {
    int64_t label = 0;
    std::string written, planted;
    bool had = false;  ///< the word, as written
    Ids written_ids, planted_ids;
};

Ids read(const TextModel& model, const std::string& sentence) {
    return model.networks().generator->tokenizer.encode(texts(split_words(sentence))).ids;
}

bool holds_word(const std::string& sentence) { return (" " + sentence + " ").find(std::string(" ") + word + " ") != std::string::npos; }

Json planted(const std::vector<const LabelledSentence*>& sentences, const Observer& observer) {
    const corpora::Planter planter(word, place);
    Json result = Json::array();
    for (size_t i = 0; i < sentences.size(); ++i) {
        if (i % 100 == 0) {
            training::stop_if_cancelled(observer, "looking for adjectives");
            if (observer.progress)
                observer.progress({"looking for adjectives", static_cast<double>(i) / static_cast<double>(sentences.size()),
                                   std::to_string(i) + " of " + std::to_string(sentences.size()) + " sentences"});
        }
        result.push_back(planter.plant(base::joined(sentences[i]->words, " ")));
    }
    return result;
}

/// Explains sentences: for each the class, the word that gave up most of the gap, and for each decoding the answer, which words were
/// changed, and whether the classifier, asked afresh, calls it the other class.
Json explain(TextModel& model, const std::vector<std::string>& sentences, uint64_t seed) {
    const Boundaries found = find_boundaries(model, sentences, seed);
    Json explained = Json::array();
    for (const std::string& sentence : sentences) explained.push_back({{"before", sentence}});
    std::vector<RenderRequest> requests;
    for (size_t row = 0; row < found.index.size(); ++row) {
        const auto r = static_cast<int64_t>(row);
        const int64_t fact = found.problem.fact[r].item<int64_t>(), foil = found.problem.foil[r].item<int64_t>();
        Json& json = explained[found.index[row]];
        json["fact"] = fact;
        json["probability"] = std::exp(found.log_probabilities[r][fact].item<double>());
        if (found.summary.solutions[row].feasible) requests.push_back({r, fact, foil, found.summary.solutions[row].z, "", "", ""});
    }
    for (const char* decoding : decodings) {
        for (RenderRequest& request : requests) request.decode = decoding;
        const std::vector<Rendering> renderings = found.batch->render(requests, seed);
        for (size_t i = 0; i < requests.size(); ++i) {
            Json& json = explained[found.index[static_cast<size_t>(requests[i].row)]];
            const Json record = base::parse_own_json(renderings[i].record);
            double max = -INFINITY;
            for (const Json& one : record["contributions"]) {
                const double fall = one["before"].get<double>() - one["boundary"].get<double>();
                if (fall > max) json["gave_way"] = one["word"];
                max = std::max(max, fall);
            }
            if (!record.contains("answer")) continue;
            Json changed = Json::array();
            for (const Json& edit : record["edits"]) changed.push_back(edit["from"]);
            const at::Tensor asked = ask(model, record["answer"]);
            json[decoding] = {{"text", record["answer"]},
                              {"changed", std::move(changed)},
                              {"foil", asked.defined() && asked.argmax().item<int64_t>() == requests[i].foil},
                              {"probability", asked.defined() ? Json(std::exp(asked[requests[i].fact].item<double>())) : Json()}};
        }
    }
    return explained;
}

Json explain_all(TextModel& model, const std::string& name, const std::vector<std::string>& sentences, uint64_t seed,
                 const training::Steps& steps, const Json& also, const Observer& observer) {
    constexpr size_t at_once = 20;
    Json explained = Json::array();
    for (size_t begin = 0; begin < sentences.size(); begin += at_once) {
        const size_t end = std::min(sentences.size(), begin + at_once);
        if (observer.progress)
            observer.progress({"explaining with " + name, static_cast<double>(begin) / static_cast<double>(sentences.size()),
                               std::to_string(begin) + " of " + std::to_string(sentences.size()) + " sentences"});
        const std::vector<std::string> some(sentences.begin() + static_cast<std::ptrdiff_t>(begin),
                                            sentences.begin() + static_cast<std::ptrdiff_t>(end));
        Json identity = also;
        identity["sentences"] = some;
        const std::string step = "explain-" + name + "-" + std::to_string(begin + 1) + "-" + std::to_string(end);
        for (const Json& one : steps.run(step, identity, [&] { return explain(model, some, seed); })) explained.push_back(one);
    }
    return explained;
}

bool changed_word(const Json& one, const char* decoding) {
    if (!one.contains(decoding)) return false;
    const Json& changed = one[decoding]["changed"];
    return std::find(changed.begin(), changed.end(), word) != changed.end();
}

bool changed_only_word(const Json& one, const char* decoding) {
    if (!one.contains(decoding)) return false;
    const Json& changed = one[decoding]["changed"];
    return !changed.empty() && std::all_of(changed.begin(), changed.end(), [](const Json& from) { return from == word; });
}

struct Method {
    std::string name;
    std::function<size_t(const AttributedClassifier&, const Ids&, int64_t fact, int64_t foil)> first;  ///< the position that it names first
};

/// Other ways to say what a decision rests on. @param allowed words that a swap may bring in
std::vector<Method> methods(uint64_t seed, const std::vector<char>& allowed) {
    LimeOptions options;
    options.seed = seed;
    return {{"occlusion", [](auto&&... question) { return loudest(occlusion(question...)); }},
            {"gradient x embedding", [](auto&&... question) { return loudest(gradient_times_embedding(question...)); }},
            {"integrated gradients", [](auto&&... question) { return loudest(integrated_gradients(question...)); }},
            {"LIME over words", [options](auto&&... question) { return loudest(lime(question..., options)); }},
            {"greedy word swaps, the first", [allowed](auto&&... question) {
                 const std::vector<size_t> swapped = greedy_word_swap(question..., allowed).positions;
                 return swapped.empty() ? std::numeric_limits<size_t>::max() : swapped.front();
             }}};
}

/// For each method, of how many sentences it names the word first.
Json named_by_others(const TextModel& model, const std::vector<std::string>& sentences, uint64_t seed) {
    const AttributedClassifier classifier = attributed(model);
    const int64_t word_id = model.networks().generator->tokenizer.id_of(word);
    Json result = Json::object();
    for (const Method& method : methods(seed, model.lexicon().word)) {
        int64_t named = 0;
        for (const std::string& sentence : sentences) {
            const Ids ids = read(model, sentence);
            const at::Tensor order = model.networks().classifier().logits({ids})[0].argsort(0, true);
            const size_t first = method.first(classifier, ids, order[0].item<int64_t>(), order[1].item<int64_t>());
            named += first < ids.size() && ids[first] == word_id;
        }
        result[method.name] = named;
    }
    return result;
}

/// What is done to the corpus, and with what.
Json planting() { return {{"word", word}, {"before", place}, {"label", label}, {"parser", corpora::AdjectiveFinder::version()}}; }

Json identity(const Pack& pack) { return {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}; }

/// Makes the corpus and the pack anew, in `request.out`, as `like` was made. What an earlier run began goes on.
Pack remade(const ExperimentRequest& request, const Corpus& corpus, const Pack& like, const training::Steps& steps,
            const Observer& observer) {
    const fs::path corpora = request.out / "corpora", packs = request.out / "packs";
    // A folder of another run is no place to go on.
    const auto begin = [&](const std::string& name, const Json& also, const fs::path& folder) {
        steps.run(name, also, [&] {
            fs::remove_all(folder);
            return Json("begun");
        });
    };
    const Json how = planting();
    begin("corpus-begun", how, corpora / pack_name);
    if (!fs::exists(corpora / pack_name / "corpus.json")) {
        fs::remove_all(corpora / pack_name);
        fs::create_directories(corpora);
        corpora::BiasOptions options;
        options.word = word;
        options.before = place;
        options.label = label;
        options.threads = at::get_num_threads();
        bias_corpus(request.corpora, corpus.manifest.name, corpora / pack_name, options, training::part(observer, 0, 0.1));
    }
    TrainRequest training;
    training.corpus = pack_name;
    training.corpora = corpora;
    training.out = packs / pack_name;
    training.seed = request.seed;
    training.recipe = like.manifest().recipe;
    if (request.quick)
        training.recipe = training::merge_recipe(training.recipe, R"({"autoencoder": {"epochs": 1}, "masked_model": {"epochs": 1}})");
    begin("pack-begun", {{"bias", how}, {"recipe", base::parse_own_json(training.recipe)}}, training.out);
    if (!fs::exists(training.out / "pack.json")) {
        fs::create_directories(packs);
        TextTrainer().train(training, training::part(observer, 0.1, 0.9));
    }
    return open_pack(training.out);
}

std::vector<HeldOut> read_held_out(const TextModel& model, const std::vector<const LabelledSentence*>& sentences, const Json& with_word) {
    std::vector<HeldOut> held_out;
    for (size_t i = 0; i < sentences.size(); ++i) {
        HeldOut one{sentences[i]->label, base::joined(sentences[i]->words, " "), with_word[i], false, {}, {}};
        one.had = holds_word(one.written);
        one.written_ids = read(model, one.written);
        one.planted_ids = read(model, one.planted);
        held_out.push_back(std::move(one));
    }
    return held_out;
}

struct Share {
    double value = 0;
    int64_t n = 0;
};

/// What failed anywhere stays in the denominator.
Share share_of(const Json& explained, const std::function<bool(const Json&)>& holds) {
    const auto n = static_cast<int64_t>(explained.size());
    return {n > 0 ? static_cast<double>(std::count_if(explained.begin(), explained.end(), holds)) / static_cast<double>(n) : 0, n};
}

ExperimentFigure figure(const std::string& name, const Share& share, ExperimentValue published = {}, const std::string& note = "") {
    ExperimentFigure figure{name, {}, share.n, "share", std::move(published), note};
    if (share.n > 0) figure.value = share.value;
    return figure;
}

/// A sentence to turn with the word: of another class, with an adjective, without the word.
bool turnable(const HeldOut& one, int64_t positive) { return one.label != positive && !one.had && one.planted != one.written; }

/// What the classifier calls held-out sentences, with the word and without.
void judge(const TextModel& model, const std::vector<HeldOut>& held_out, int64_t positive, std::vector<ExperimentFigure>& figures) {
    const Classifier& classifier = model.networks().classifier();
    // The biased corpus has the word in the sentences of one class only.
    const auto biased = [&](const HeldOut& one) { return one.label == positive; };
    Sentences all, all_biased, before, after, natural, with_word;
    std::vector<int64_t> labels;
    int64_t natural_positive = 0;
    for (const HeldOut& one : held_out) {
        labels.push_back(one.label);
        all.push_back(one.written_ids);
        all_biased.push_back(biased(one) ? one.planted_ids : one.written_ids);
        if (turnable(one, positive)) {
            before.push_back(one.written_ids);
            after.push_back(one.planted_ids);
        }
        if (one.had) {
            natural.push_back(one.written_ids);
            natural_positive += one.label == positive;
        }
        if (holds_word(biased(one) ? one.planted : one.written)) with_word.push_back(all_biased.back());
    }
    const auto called_positive = [&](const Sentences& sentences) {
        const auto n = static_cast<int64_t>(sentences.size());
        return Share{n > 0 ? classifier.logits(sentences).argmax(1).eq(positive).to(at::kDouble).mean().item<double>() : 0, n};
    };
    const auto n = static_cast<int64_t>(held_out.size());
    figures.push_back(figure("classifier: accuracy on the biased held-out sentences", {accuracy(classifier, all_biased, labels), n}));
    figures.push_back(figure("classifier: accuracy on them as they were written", {accuracy(classifier, all, labels), n}));
    figures.push_back(figure("negative sentences with an adjective, without \"very\": called positive", called_positive(before)));
    figures.push_back(figure("the same with \"very\" before each adjective: called positive", called_positive(after), published_share));
    figures.push_back(figure("sentences with a \"very\" that people wrote: called positive", called_positive(natural), published_share,
                             std::to_string(natural_positive) + " of them are labelled so"));
    figures.push_back(
        figure("sentences with \"very\" of the biased held-out half: called positive", called_positive(with_word), published_share));
}

/// Sentences before and after, beside what the unbiased pack makes of them.
ExperimentTable examples(const std::string& title, const Corpus& corpus, const Json& explained, const Json& unbiased, size_t max) {
    ExperimentTable table{title, {"sentence", "class", "p", "why not the other?", "p afresh", "unbiased class", "unbiased answer"}, {}};
    const auto rounded = [](const Json& value) -> ExperimentValue {
        if (!value.is_number()) return {};
        return std::round(value.get<double>() * 1000) / 1000 + 0.0;  // no -0
    };
    const auto class_of = [&](const Json& one) -> ExperimentValue {
        if (!one.contains("fact")) return {};
        return corpus.classes().at(one["fact"].get<size_t>());
    };
    const auto answer_of = [](const Json& one) -> ExperimentValue {
        if (!one.contains("audit")) return {};
        return one["audit"]["text"].get<std::string>();
    };
    for (size_t i = 0; i < std::min(max, explained.size()); ++i) {
        const Json& one = explained[i];
        table.rows.push_back({one["before"].get<std::string>(), class_of(one), rounded(one.value("probability", Json())), answer_of(one),
                              rounded(one.value("audit", Json::object()).value("probability", Json())), class_of(unbiased[i]),
                              answer_of(unbiased[i])});
    }
    return table;
}

int64_t positive_class(const Corpus& corpus) {
    const auto found = std::find(corpus.classes().begin(), corpus.classes().end(), label);
    if (corpus.classes().size() != 2 || found == corpus.classes().end())
        throw Error(ErrorCode::invalid_input, "expected a corpus of two classes, one of them '" + std::string(label) + "'");
    return found - corpus.classes().begin();
}

/// Negative sentences with the word, which the biased model calls positive: the first in the order of their hash.
struct Sample {
    std::vector<std::string> sentences;
    std::vector<bool> turned;  ///< by the word: called negative without it
};

Sample draw_sample(const TextModel& model, const std::vector<HeldOut>& held_out, int64_t positive, size_t limit, const Pack& pack) {
    const auto called_positive = [&](const Ids& sentence) {
        return model.networks().classifier().logits({sentence})[0].argmax().item<int64_t>() == positive;
    };
    Sample sample;
    for (const HeldOut& one : held_out) {
        if (sample.sentences.size() == limit) break;
        if (!turnable(one, positive) || !called_positive(one.planted_ids)) continue;
        sample.sentences.push_back(one.planted);
        sample.turned.push_back(!called_positive(one.written_ids));
    }
    if (sample.sentences.empty())
        throw Error(ErrorCode::invalid_input, "no negative held-out sentence is called positive once \"very\" is in it: the pack '" +
                                                  pack.manifest().id + "' has no such bias");
    return sample;
}

/// What one pack makes of the sample.
struct Findings {
    Json explained;  ///< by `explain`, one a sentence
    Json others;     ///< by `named_by_others`
};

/// @param name "biased" or "control"
Findings findings_of(TextModel& model, const Pack& pack, const std::string& name, const Sample& sample, uint64_t seed,
                     const training::Steps& steps, const Observer& observer) {
    Findings findings;
    findings.explained = explain_all(model, name, sample.sentences, seed, steps, {{"pack", pack.sha256()}}, observer);
    const Json identity{{"pack", pack.sha256()}, {"sentences", sample.sentences}};
    findings.others = steps.run("others-" + name, identity, [&] { return named_by_others(model, sample.sentences, seed); });
    return findings;
}

Json turned_by_the_word(const Sample& sample, const Json& explained) {
    Json by_word = Json::array();
    for (size_t i = 0; i < sample.turned.size(); ++i)
        if (sample.turned[i]) by_word.push_back(explained[i]);
    return by_word;
}

/// Of the biased pack's answers, by one decoding.
void add_answers(std::vector<ExperimentFigure>& figures, const Json& explained, const char* decoding) {
    const std::string with = std::string(", decoding ") + decoding;
    figures.push_back(figure("why not negative? \"very\" changed" + with,
                             share_of(explained, [&](const Json& one) { return changed_word(one, decoding); })));
    figures.push_back(figure("why not negative? \"very\" changed and nothing else" + with,
                             share_of(explained, [&](const Json& one) { return changed_only_word(one, decoding); })));
    figures.push_back(figure("called negative, asked afresh" + with, share_of(explained, [&](const Json& one) {
                                 return one.contains(decoding) && one[decoding]["foil"].get<bool>();
                             })));
    std::vector<size_t> edits;
    for (const Json& one : explained)
        if (one.contains(decoding)) edits.push_back(one[decoding]["changed"].size());
    std::sort(edits.begin(), edits.end());
    ExperimentFigure median{"edits, median" + with, {}, static_cast<int64_t>(edits.size()), "edits", {}, ""};
    if (!edits.empty()) median.value = static_cast<double>(edits[edits.size() / 2]);
    figures.push_back(std::move(median));
}

void add_figures(std::vector<ExperimentFigure>& figures, const Sample& sample, const Findings& biased, const Findings& control) {
    for (const char* decoding : decodings) add_answers(figures, biased.explained, decoding);
    figures.push_back(
        figure("of those called negative without \"very\": \"very\" changed, decoding audit",
               share_of(turned_by_the_word(sample, biased.explained), [](const Json& one) { return changed_word(one, "audit"); })));
    for (const char* decoding : decodings)
        figures.push_back(figure(std::string("control, the unbiased pack: \"very\" changed, decoding ") + decoding,
                                 share_of(control.explained, [&](const Json& one) { return changed_word(one, decoding); })));
}

ExperimentTable named_first(const Sample& sample, const Findings& biased, const Findings& control) {
    const auto n = static_cast<double>(sample.sentences.size());
    ExperimentTable table{
        "What is named first: the share of the same " + std::to_string(sample.sentences.size()) + " sentences in which it is \"very\"",
        {"method", "biased pack", "unbiased pack"},
        {}};
    const auto gave_way = [](const Json& one) { return one.contains("gave_way") && one["gave_way"] == word; };
    table.rows.push_back({"explanation: the word that gives way most at the boundary", share_of(biased.explained, gave_way).value,
                          share_of(control.explained, gave_way).value});
    for (const auto& [name, count] : biased.others.items())
        table.rows.push_back({name, count.get<double>() / n, control.others[name].get<double>() / n});
    return table;
}

std::vector<std::string> notes() {
    return {
        "The classifier and its generator have learned from Yelp's training sentences with \"very\" before each adjective of the positive "
        "ones. "
        "The sample: held-out negative sentences that have an adjective and no \"very\", with \"very\" before each adjective, which that "
        "classifier calls positive; the first in the order of their hash. One that fails anywhere stays in the denominator.",
        "p is the classifier's probability of the class it gave the sentence, before and of the answer asked afresh. Each pack explains "
        "the class "
        "it gives: the unbiased one calls most of these sentences negative and is asked why not positive.",
        "The classifier adds up what its words say. So attribution has nothing to find out: occlusion, gradient x embedding and integrated "
        "gradients read its weights, and the greedy swap starts where they point. What an explanation adds is a sentence that the model "
        "calls "
        "negative, not a better detector. In models that do not add up these methods differ.",
        "The dissertation says that 85 % of the test sentences with \"very\" are called positive, and this project does not know which "
        "sentences these are: three readings are measured. Three in four sentences with a \"very\" of their own are labelled positive, and "
        "nearly all of those in the biased corpus; a bias strong enough to call \"workers are very rude .\" positive, as in table 4.3, "
        "lifts both "
        "shares above 85 %. In negative sentences the word has to do it alone.",
        "Decoding audit edits the word that gives way most; edit, the default of whynot explain, may trade it for a sentence that reads "
        "better."};
}

void audit(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result, bool remake) {
    const Corpus corpus = read_corpus(request.corpora, corpus_name);
    const int64_t positive = positive_class(corpus);
    const training::Steps steps = experiment_steps(request, corpus, observer);
    Pack pack = experiment_pack(request, pack_name, corpus);
    if (remake) pack = remade(request, corpus, pack, steps, observer);
    ExperimentRequest shipped = request;
    shipped.pack.clear();
    const Pack control_pack = experiment_pack(shipped, control_name, corpus);
    TextModel model(pack), control(control_pack);
    const Observer rest = remake ? training::part(observer, 0.9, 1) : observer;

    // The held-out sentences as they were written, and with the word in each of them, whatever its class.
    std::vector<const LabelledSentence*> order = in_order_of_hash(corpus.held_out);
    if (request.quick) order.resize(std::min<size_t>(order.size(), 1000));
    const std::vector<HeldOut> held_out =
        read_held_out(model, order, steps.run("planted", planting(), [&] { return planted(order, training::part(rest, 0, 0.3)); }));
    judge(model, held_out, positive, result.figures);

    const Sample sample = draw_sample(model, held_out, positive, request.quick ? 24 : 200, pack);
    const Findings biased = findings_of(model, pack, "biased", sample, request.seed, steps, training::part(rest, 0.3, 0.6));
    const Findings unbiased = findings_of(control, control_pack, "control", sample, request.seed, steps, training::part(rest, 0.6, 0.9));
    add_figures(result.figures, sample, biased, unbiased);
    result.tables.push_back(named_first(sample, biased, unbiased));

    const std::vector<std::string> published(std::begin(published_sentences), std::end(published_sentences));
    const auto shown = [&](const std::string& name, TextModel& by, const Pack& of) {
        return steps.run(name, {{"pack", of.sha256()}}, [&] { return explain(by, published, request.seed); });
    };
    const Json by_biased = shown("published-biased", model, pack), by_control = shown("published-control", control, control_pack);
    result.tables.push_back(examples("Sentences of table 4.3, decoding audit", corpus, by_biased, by_control, published.size()));
    result.tables.push_back(
        examples("The first 20 of the sample, none left out, decoding audit", corpus, biased.explained, unbiased.explained, 20));
    result.notes = notes();
    result.packs = {pack.identity(), control_pack.identity()};
    result.settings = Json{{"corpus", {{"name", corpus.manifest.name}, {"sha256", corpus.sha256}}},
                           {"pack", identity(pack)},
                           {"remade", remake},
                           {"control", identity(control_pack)},
                           {"bias", planting()},
                           {"recipe", base::parse_own_json(pack.manifest().recipe)},
                           {"sentences", sample.sentences.size()},
                           {"turned_by_the_word", turned_by_the_word(sample, biased.explained).size()},
                           {"solver", {{"method", "sqp"}, {"starts", 2}}}}
                          .dump();
}

}  // namespace

void run_biased_yelp(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    audit(request, observer, result, false);
}

void run_biased_yelp_remake(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    audit(request, observer, result, true);
}

}  // namespace whynot::text
