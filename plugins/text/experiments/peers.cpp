// Our answers beside those of people and of published methods, on the texts that those are measured on.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/format.h"
#include "base/json.h"
#include "corpora/files.h"
#include "corpora/sentence_table.h"
#include "text/experiments/experiments.h"
#include "text/model/word_edits.h"
#include "text/services/explaining.h"
#include "training/steps.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

/// A text that the classifier gets right, and what people made of it so that it says the other class.
struct Asked {
    std::string text;
    std::vector<std::string> rewritings;
};

/// One corpus of the comparison.
struct Texts {
    std::string name;  ///< of the corpus
    std::vector<Asked> asked;
    int64_t candidates = 0;  ///< of which the classifier gets `asked` right
};

/// A column of a file of a corpus, row by row.
std::vector<corpora::LabelledText> column(const ExperimentRequest& request, const CorpusManifest& manifest, const std::string& file,
                                          const std::string& text, const std::string& label) {
    const std::filesystem::path path = request.corpora / manifest.name / file;
    return corpora::parse_sentence_table(corpora::read_file(path), {"tsv", text, label}, path);
}

/// What the classifier says of texts: class by class, [n, C]; undefined for none.
at::Tensor probabilities(const TextModel& model, const std::vector<std::string>& texts) {
    Sentences read;
    for (const std::string& text : texts) read.push_back(model.read_again(text));
    return at::softmax(model.networks().classifier().logits(read).to(at::kDouble), 1);
}
int64_t class_of(const TextModel& model, const std::string& text) { return probabilities(model, {text})[0].argmax().item<int64_t>(); }

int64_t label_of(const CorpusManifest& manifest, const std::string& label) {
    const auto found = std::find(manifest.classes.begin(), manifest.classes.end(), label);
    if (found == manifest.classes.end())
        throw Error(ErrorCode::invalid_input, "corpus " + manifest.name + ": expected one of its classes, found '" + label + "'");
    return found - manifest.classes.begin();
}

/// Sentences of Yelp with four rewritings each.
Texts read_yelp(const ExperimentRequest& request, const TextModel& model, size_t limit) {
    const CorpusManifest manifest = find_corpus(request.corpora, "yelp-human");
    const std::string file = manifest.files.front().name;
    const std::vector<corpora::LabelledText> originals = column(request, manifest, file, "original", "label");
    std::vector<std::vector<corpora::LabelledText>> people;
    for (const char* name : {"ref0", "ref1", "ref2", "ref3"}) people.push_back(column(request, manifest, file, name, "label"));
    Texts texts{manifest.name, {}, 0};
    for (size_t i = 0; i < std::min(limit, originals.size()); ++i) {
        ++texts.candidates;
        if (class_of(model, originals[i].text) != label_of(manifest, originals[i].label)) continue;
        Asked asked{originals[i].text, {}};
        for (const auto& person : people) asked.rewritings.push_back(person.at(i).text);
        texts.asked.push_back(std::move(asked));
    }
    return texts;
}

/// Reviews of films, one of each pair: the original, with its revision.
Texts read_reviews(const ExperimentRequest& request, const TextModel& model, size_t limit) {
    const CorpusManifest manifest = find_corpus(request.corpora, "imdb-human");
    const auto dev = std::find_if(manifest.files.begin(), manifest.files.end(), [](const auto& file) { return file.split == "dev"; });
    if (dev == manifest.files.end()) throw Error(ErrorCode::not_found, "corpus imdb-human: expected a file of the split dev, found none");
    const std::vector<corpora::LabelledText> reviews = column(request, manifest, dev->name, "text", "sentiment"),
                                             pairs = column(request, manifest, dev->name, "text", "pair");
    Texts texts{manifest.name, {}, 0};
    for (size_t i = 0; i + 1 < reviews.size() && static_cast<size_t>(texts.candidates) < limit; ++i) {
        if (pairs[i].label != pairs[i + 1].label) continue;
        ++texts.candidates;
        if (class_of(model, reviews[i].text) == label_of(manifest, reviews[i].label))
            texts.asked.push_back({reviews[i].text, {reviews[i + 1].text}});
    }
    return texts;
}

/// The words of `text` that a rewriting touches: those that change or go, and the neighbours of what comes between.
std::set<size_t> touched(const std::vector<WordEdit>& edits, size_t words) {
    std::set<size_t> places;
    for (const WordEdit& edit : edits) {
        if (edit.position < words) places.insert(edit.position);
        if (edit.kind == WordEdit::Kind::insert && edit.position > 0) places.insert(edit.position - 1);
    }
    return places;
}

/// What one rewriting is: whether the classifier calls it the other class, its probability of that, its edits over words.
Json rewriting(const TextModel& model, int64_t fact, const std::vector<std::string>& words, const std::string& text) {
    const at::Tensor p = probabilities(model, {text})[0];
    const double of_fact = p[fact].item<double>();
    return {{"text", text},
            {"flips", p.argmax().item<int64_t>() != fact},
            {"probability", 1 - of_fact},
            {"edits", difference(words, texts(split_words(text))).size()}};
}

/// Words taken away, the one first without which the fact is least likely, until the class changes: the plainest explanation of a text in
/// terms of its own words (SEDC; D. Martens, F. Provost, Explaining Data-Driven Document Classifications, MIS Quarterly 2014), in one pass.
Json without_words(const TextModel& model, int64_t fact, const std::vector<std::string>& words) {
    const auto without = [&](const std::set<size_t>& gone) {
        std::vector<std::string> left;
        for (size_t t = 0; t < words.size(); ++t)
            if (gone.count(t) == 0) left.push_back(words[t]);
        return base::joined(left, " ");
    };
    if (words.size() < 2) return {};
    std::vector<std::string> each;
    for (size_t t = 0; t < words.size(); ++t) each.push_back(without({t}));
    std::vector<double> left;
    for (const std::string& text : each) left.push_back(probabilities(model, {text})[0][fact].item<double>());
    std::vector<size_t> order(words.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return left[a] < left[b]; });
    std::set<size_t> gone;
    for (const size_t t : order) {
        gone.insert(t);
        if (gone.size() == words.size()) break;
        const std::string text = without(gone);
        if (class_of(model, text) != fact) return rewriting(model, fact, words, text);
    }
    return {};
}

/// Explains texts: of each what it is, our answer, people's, and what is left of it without the words that weigh most.
Json explain(TextModel& model, const std::vector<Asked>& asked, uint64_t seed) {
    std::vector<std::string> all;
    for (const Asked& one : asked) all.push_back(one.text);
    const Boundaries found = find_boundaries(model, all, seed);
    Json explained = Json::array();
    for (const Asked& one : asked) {
        const std::vector<std::string> words = texts(split_words(one.text));
        const int64_t fact = class_of(model, one.text);
        Json people = Json::array();
        for (const std::string& text : one.rewritings) people.push_back(rewriting(model, fact, words, text));
        explained.push_back(
            {{"before", one.text}, {"words", words.size()}, {"people", people}, {"removal", without_words(model, fact, words)}});
    }
    std::vector<RenderRequest> requests;
    for (size_t row = 0; row < found.index.size(); ++row) {
        const Solution& solution = found.summary.solutions[row];
        const auto r = static_cast<int64_t>(row);
        if (solution.feasible)
            requests.push_back(
                {r, found.problem.fact[r].item<int64_t>(), found.problem.foil[r].item<int64_t>(), solution.z, "edit", "", ""});
    }
    const std::vector<Rendering> renderings = found.batch->render(requests, seed);
    for (size_t i = 0; i < requests.size(); ++i) {
        const Json record = base::parse_own_json(renderings[i].record);
        if (!record.contains("answer")) continue;
        const size_t at = found.index[static_cast<size_t>(requests[i].row)];
        const std::vector<std::string> words = texts(split_words(asked[at].text));
        Json answer = rewriting(model, requests[i].fact, words, record["answer"]);
        // Among the words that the person touched who changed least?
        std::vector<WordEdit> least;
        for (const std::string& text : asked[at].rewritings) {
            std::vector<WordEdit> edits = difference(words, texts(split_words(text)));
            if (least.empty() || edits.size() < least.size()) least = std::move(edits);
        }
        const std::set<size_t> theirs = touched(least, words.size());
        answer["agrees"] = false;
        for (const Json& edit : record["edits"])
            if (theirs.count(edit["position"].get<size_t>()) != 0) answer["agrees"] = true;
        explained[at]["ours"] = std::move(answer);
    }
    return explained;
}

Json explain_in_steps(TextModel& model, const Texts& texts, size_t at_once, uint64_t seed, const training::Steps& steps,
                      const Json& identity, const Observer& observer) {
    Json explained = Json::array();
    for (size_t begin = 0; begin < texts.asked.size(); begin += at_once) {
        const size_t end = std::min(texts.asked.size(), begin + at_once);
        const std::vector<Asked> some(texts.asked.begin() + static_cast<std::ptrdiff_t>(begin),
                                      texts.asked.begin() + static_cast<std::ptrdiff_t>(end));
        if (observer.progress)
            observer.progress({"explaining " + texts.name, static_cast<double>(begin) / static_cast<double>(texts.asked.size()),
                               std::to_string(begin) + " of " + std::to_string(texts.asked.size())});
        const std::string step = texts.name + "-" + std::to_string(begin + 1) + "-" + std::to_string(end);
        for (const Json& one : steps.run(step, identity, [&] { return explain(model, some, seed); })) explained.push_back(one);
    }
    return explained;
}

/// The figures of some rewritings of texts, one a text; a text without one counts as not flipped.
struct Tally {
    int64_t n = 0, flipped = 0, single = 0;
    double edits = 0, share = 0;  // of the flipped

    void add(const Json& of_text, const Json& one) {
        ++n;
        if (one.is_null() || !one["flips"].get<bool>()) return;
        ++flipped;
        const double count = one["edits"].get<double>();
        single += count == 1;
        edits += count;
        share += count / of_text["words"].get<double>();
    }
    std::vector<ExperimentValue> row(const std::string& who, const std::string& judge) const {
        const auto rounded = [&](double value) -> ExperimentValue {
            if (flipped == 0) return {};
            return std::round(value / static_cast<double>(flipped) * 1000) / 1000;
        };
        return {who,
                n,
                std::round(static_cast<double>(flipped) / static_cast<double>(std::max<int64_t>(1, n)) * 1000) / 1000,
                rounded(edits),
                rounded(share),
                rounded(static_cast<double>(single)),
                judge};
    }
};

const std::vector<std::string> columns{"who", "n", "flips", "edits", "edits/words", "one edit", "the classifier"};

/// A published row. NAN: not published. The shares of one edit and the edits are of all their texts, not of those that flip.
std::vector<ExperimentValue> published(const std::string& who, int64_t n, double flips, double edits, double share, double single,
                                       const std::string& judge) {
    const auto value = [](double number) { return std::isnan(number) ? ExperimentValue() : ExperimentValue(number); };
    return {who, n, value(flips), value(edits), value(share), value(single), judge};
}

/// Ours, people's and the removal of words, measured here.
void add_measured(ExperimentResult& result, ExperimentTable& table, const Json& explained, const std::string& name,
                  const std::string& judge) {
    Tally ours, people, least, removal;
    int64_t agrees = 0, answered = 0;
    for (const Json& one : explained) {
        ours.add(one, one.value("ours", Json()));
        removal.add(one, one["removal"]);
        for (const Json& person : one["people"]) people.add(one, person);
        least.add(one, *std::min_element(one["people"].begin(), one["people"].end(),
                                         [](const Json& a, const Json& b) { return a["edits"] < b["edits"]; }));
        if (!one.contains("ours")) continue;
        ++answered;
        agrees += one["ours"]["agrees"].get<bool>();
    }
    table.rows.push_back(ours.row("whynot, measured here", judge));
    const bool several = people.n > least.n;
    table.rows.push_back(people.row(several ? "people, each of the four, measured here" : "people, measured here", judge));
    if (several) table.rows.push_back(least.row("people, the one of four who changed least, measured here", judge));
    table.rows.push_back(removal.row("words removed (SEDC, one pass), measured here", judge));
    result.figures.push_back({name + ": answers called the other class, asked afresh",
                              static_cast<double>(ours.flipped) / static_cast<double>(std::max<int64_t>(1, ours.n)),
                              ours.n,
                              "share",
                              {},
                              ""});
    if (answered > 0)
        result.figures.push_back({name + ": an edit stands among the words that the least-changing person touched",
                                  static_cast<double>(agrees) / static_cast<double>(answered),
                                  answered,
                                  "share",
                                  {},
                                  ""});
}

ExperimentTable first_answers(const Json& explained, const std::string& name, size_t rows) {
    ExperimentTable table{"The first of " + name + ", none left out", {"text", "whynot", "p", "edits", "a person"}, {}};
    for (size_t i = 0; i < std::min(rows, explained.size()); ++i) {
        const Json& one = explained[i];
        std::vector<ExperimentValue>& row = table.rows.emplace_back(table.columns.size());
        row[0] = one["before"].get<std::string>();
        if (one.contains("ours")) {
            row[1] = one["ours"]["text"].get<std::string>();
            row[2] = std::round(one["ours"]["probability"].get<double>() * 1000) / 1000;
            row[3] = one["ours"]["edits"].get<int64_t>();
        }
        row[4] = one["people"][0]["text"].get<std::string>();
    }
    return table;
}

ExperimentTable yelp_table() {
    return {"Sentences of Yelp rewritten by people (yelp-human), beside what is published of the whole thousand", columns, {}};
}
void add_published_yelp(ExperimentTable& table) {
    const std::string none = "none: words counted only";
    table.rows.push_back(published("people, the one of four who changed least", 1000, NAN, 2.50, .245, .353, none));
    table.rows.push_back(published("DualRL (Luo et al. 2019), its stored outputs", 1000, NAN, 2.2, NAN, NAN, none));
    table.rows.push_back(published("UnsuperMT, stored by DualRL", 1000, NAN, 3.0, NAN, NAN, none));
    table.rows.push_back(published("template (Li et al. 2018)", 1000, NAN, 4.2, NAN, NAN, none));
    table.rows.push_back(published("CrossAlignment (Shen et al. 2017)", 1000, NAN, 5.4, NAN, NAN, none));
    table.rows.push_back(published("DeleteRetrieve (Li et al. 2018)", 1000, NAN, 6.1, NAN, NAN, none));
}

ExperimentTable review_table() {
    return {"Film reviews revised by people (imdb-human), beside what is published of the test part", columns, {}};
}
void add_published_reviews(ExperimentTable& table) {
    const std::string bert = "CEval's BERT";
    table.rows.push_back(published("people, experts (contrast sets)", 483, .805, 28.1, .186, NAN, bert));
    table.rows.push_back(published("people, crowd (CAD)", 483, .849, 24.2, .161, NAN, bert));
    table.rows.push_back(published("MiCE (2021)", 488, 1.000, 38.5, .243, NAN, bert));
    table.rows.push_back(published("GBDA (2021)", 488, .971, 46.0, .282, NAN, bert));
    table.rows.push_back(published("CREST (2023)", 488, .707, 66.9, .391, NAN, bert));
    table.rows.push_back(published("LLaMA-2, temperature .2", 483, .679, 51, .303, NAN, bert));
}

}  // namespace

void run_peers(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    Corpus sentences;
    sentences.manifest = find_corpus(request.corpora, "yelp-human");
    const Pack pack = experiment_pack(request, "yelp", sentences);
    TextModel model(pack);
    const Texts yelp = read_yelp(request, model, request.quick ? 24 : 501);
    const Texts reviews = read_reviews(request, model, request.quick ? 4 : 245);
    const Json identity{{"pack", pack.sha256()}};
    const training::Steps steps{
        request.out / "steps", {{"experiment", request.name}, {"seed", request.seed}, {"quick", request.quick}}, observer};
    const Json of_yelp = explain_in_steps(model, yelp, 20, request.seed, steps, identity, observer);
    const Json of_reviews = explain_in_steps(model, reviews, 5, request.seed, steps, identity, observer);

    for (const auto& [texts, explained] : {std::pair(&yelp, &of_yelp), std::pair(&reviews, &of_reviews)}) {
        result.figures.push_back({texts->name + ": texts that the classifier gets right, and that are asked about",
                                  static_cast<double>(texts->asked.size()) / static_cast<double>(std::max<int64_t>(1, texts->candidates)),
                                  texts->candidates,
                                  "share",
                                  {},
                                  ""});
        const bool is_yelp = texts == &yelp;
        ExperimentTable table = is_yelp ? yelp_table() : review_table();
        add_measured(result, table, *explained, texts->name, "the pack " + pack.manifest().id);
        is_yelp ? add_published_yelp(table) : add_published_reviews(table);
        result.tables.push_back(std::move(table));
        result.tables.push_back(first_answers(*explained, texts->name, is_yelp ? 20 : 2));
    }
    result.notes = {
        "Measured here: texts that the classifier gets right, each answered for its other class; a text without an answer counts as not "
        "flipped; edits are the least number of words replaced, inserted and deleted (Levenshtein), of the answers that flip.",
        "Published flips are those of other classifiers, for which the other methods were made: theirs and ours say how often each method "
        "does what it promises, not which is better at one task. Published edits were counted with another split into words.",
        "Published figures of Yelp are of all thousand sentences and of style transfer, which is to rewrite the sentence and not to change "
        "as little as possible; measured here are the 501 of them that the corpus has. Published figures of reviews are of the test part "
        "of "
        "488, measured here is the development part. The published ones were recomputed from the outputs that CEval (2024) and DualRL "
        "(2019) store.",
        "That a person's rewriting is not called the other class says as much of the classifier, which was trained on restaurants and "
        "shops, "
        "as of the person. Few edits are no merit in themselves: people change more, and what they write is more often right.",
        "Perplexity by GPT-2, which the published tables have, is not measured: there is no such model here."};
    result.packs = {pack.identity()};
    result.settings = Json{{"pack", {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}},
                           {"sentences", yelp.asked.size()},
                           {"reviews", reviews.asked.size()},
                           {"solver", {{"method", "sqp"}, {"starts", 2}}}}
                          .dump();
}

}  // namespace whynot::text
