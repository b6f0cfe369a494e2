// Section 4.4.2, tables 4.1 and 4.2: sentences at the boundary, decoded the dissertation's way and ours.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/json.h"
#include "text/experiments/experiments.h"
#include "text/services/explaining.h"
#include "training/steps.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

struct Decoding {
    const char* key;   ///< of the plugin's option `decode`
    const char* name;  ///< for people
};
constexpr Decoding decodings[] = {{"soft", "soft decoding"}, {"edit", "edited decoding"}};

/// Explains sentences: for each the class, the boundary, and for each decoding the text, its edits and what the classifier says of it.
Json explain(TextModel& model, const std::vector<std::string>& sentences, uint64_t seed) {
    const Boundaries found = find_boundaries(model, sentences, seed);
    Json explained = Json::array();
    for (const std::string& sentence : sentences) explained.push_back({{"before", sentence}});
    std::vector<RenderRequest> requests;
    for (size_t row = 0; row < found.index.size(); ++row) {
        const auto r = static_cast<int64_t>(row);
        const Solution& solution = found.summary.solutions[row];
        const int64_t fact = found.problem.fact[r].item<int64_t>(), foil = found.problem.foil[r].item<int64_t>();
        Json& json = explained[found.index[row]];
        json["fact"] = fact;
        json["probability"] = std::exp(found.log_probabilities[r][fact].item<double>());
        json["gap"] = std::isfinite(solution.gap) ? Json(solution.gap) : Json();
        if (solution.feasible) requests.push_back({r, fact, foil, solution.z, "", "", ""});
    }
    for (const Decoding& decoding : decodings) {
        for (RenderRequest& request : requests) request.decode = decoding.key;
        const std::vector<Rendering> renderings = found.batch->render(requests, seed);
        for (size_t i = 0; i < requests.size(); ++i) {
            const Json record = base::parse_own_json(renderings[i].record);
            if (!record.contains("answer")) continue;
            const std::string text = record["answer"];
            Json json{{"text", text}, {"edits", record["edits"].size()}, {"foil", false}, {"probability", nullptr}};
            // Of the decoded words themselves: "<unk>" in a text would be read as three unknown words.
            if (const std::vector<double>& asked = renderings[i].answer; !text.empty()) {
                json["foil"] = std::max_element(asked.begin(), asked.end()) - asked.begin() == requests[i].foil;
                json["probability"] = asked[static_cast<size_t>(requests[i].fact)];
            }
            explained[found.index[static_cast<size_t>(requests[i].row)]][decoding.key] = std::move(json);
        }
    }
    return explained;
}

ExperimentValue rounded(const Json& value, double steps) {
    if (!value.is_number()) return {};
    return std::round(value.get<double>() * steps) / steps + 0.0;  // no -0
}

/// The sample, and how often the classifier is right on all held-out sentences.
struct Sample {
    std::vector<std::string> sentences;  ///< the first held-out ones in the order of their hash that the classifier gets right
    double accuracy = 0;
    int64_t held_out = 0;
};

Sample draw_sample(const Corpus& corpus, const Networks& networks, size_t limit) {
    const std::vector<const LabelledSentence*> held_out = in_order_of_hash(corpus.held_out);
    Sentences ids;
    std::vector<int64_t> labels;
    for (const LabelledSentence* sentence : held_out) {
        ids.push_back(networks.read(sentence->words));
        labels.push_back(sentence->label);
    }
    Sample sample;
    if (!held_out.empty()) {
        const at::Tensor right = networks.classifier().logits(ids).argmax(1).eq(at::tensor(labels, at::kLong));
        sample.accuracy = right.to(at::kDouble).mean().item<double>();
        sample.held_out = static_cast<int64_t>(held_out.size());
        for (size_t i = 0; i < held_out.size() && sample.sentences.size() < limit; ++i)
            if (right[static_cast<int64_t>(i)].item<bool>()) sample.sentences.push_back(base::joined(held_out[i]->words, " "));
    }
    if (sample.sentences.empty())
        throw Error(ErrorCode::invalid_input, "expected held-out sentences that the classifier gets right, found none");
    return sample;
}

/// `explain` for all of them, in steps of a few seconds.
std::vector<Json> explain_in_steps(TextModel& model, const std::vector<std::string>& sentences, uint64_t seed, const training::Steps& steps,
                                   const Json& identity, const Observer& observer) {
    constexpr size_t at_once = 20;
    std::vector<Json> explained;
    for (size_t begin = 0; begin < sentences.size(); begin += at_once) {
        const std::vector<std::string> some(sentences.begin() + static_cast<std::ptrdiff_t>(begin),
                                            sentences.begin() + static_cast<std::ptrdiff_t>(std::min(sentences.size(), begin + at_once)));
        if (observer.progress)
            observer.progress({"explaining", static_cast<double>(begin) / static_cast<double>(sentences.size()),
                               std::to_string(begin) + " of " + std::to_string(sentences.size()) + " sentences"});
        const std::string name = "sentences-" + std::to_string(begin + 1) + "-" + std::to_string(begin + some.size());
        for (const Json& one : steps.run(name, identity, [&] { return explain(model, some, seed); })) explained.push_back(one);
    }
    return explained;
}

bool is_at_boundary(const Json& one) { return one.contains("gap") && one["gap"].is_number() && std::abs(one["gap"].get<double>()) < 0.01; }

/// Of one decoding; false where there is none.
bool is_changed(const Json& one, const char* decoding) { return one.contains(decoding) && one[decoding]["text"] != one["before"]; }
bool is_the_other_class(const Json& one, const char* decoding) { return one.contains(decoding) && one[decoding]["foil"].get<bool>(); }
bool is_near_half(const Json& one, const char* decoding) {
    if (!one.contains(decoding) || !one[decoding]["probability"].is_number()) return false;
    return std::abs(one[decoding]["probability"].get<double>() - 0.5) < 0.1;
}

/// What failed anywhere stays in the denominator.
template <class Holds>
double share_of(const std::vector<Json>& explained, Holds&& holds) {
    return static_cast<double>(std::count_if(explained.begin(), explained.end(), holds)) / static_cast<double>(explained.size());
}

void add_figures(ExperimentResult& result, const Sample& sample, const std::vector<Json>& explained) {
    const auto n = static_cast<int64_t>(explained.size());
    result.figures.push_back({"classifier: accuracy on held-out sentences", sample.accuracy, sample.held_out, "share", {}, ""});
    result.figures.push_back({"boundary: gap under 0.01 nats",
                              share_of(explained, is_at_boundary),
                              n,
                              "share",
                              {},
                              "of the soft point, a mixture of words at each position"});
    const auto add_share = [&](const std::string& name, bool (*holds)(const Json&, const char*), const ExperimentValue& published_soft) {
        for (const auto& [key, decoding] : decodings) {
            const double share = share_of(explained, [holds, key = key](const Json& one) { return holds(one, key); });
            const bool soft = std::string(key) == "soft";
            result.figures.push_back({name + ", " + decoding, share, n, "share", soft ? published_soft : ExperimentValue(), ""});
        }
    };
    add_share("sentences changed", is_changed, {});
    for (const auto& [key, decoding] : decodings) {
        ExperimentFigure figure{std::string("edits of the changed, mean, ") + decoding, {}, 0, "edits", {}, ""};
        double edits = 0;
        for (const Json& one : explained) {
            if (!is_changed(one, key)) continue;
            edits += one[key]["edits"].get<double>();
            ++figure.n;
        }
        if (figure.n > 0) figure.value = edits / static_cast<double>(figure.n);
        result.figures.push_back(std::move(figure));
    }
    add_share("called the other class, asked afresh", is_the_other_class, {});
    add_share("probability within 0.1 of one half, asked afresh", is_near_half, "almost 0.5");
}

ExperimentTable first_sentences(const std::vector<Json>& explained, const std::vector<std::string>& classes) {
    constexpr size_t rows = 20;
    ExperimentTable table{"As tables 4.1 and 4.2: the first of the sample, none left out",
                          {"class", "sentence", "p", "soft decoding", "p soft", "edited decoding", "p edited", "edits", "gap"},
                          {}};
    for (size_t i = 0; i < std::min(rows, explained.size()); ++i) {
        const Json& one = explained[i];
        std::vector<ExperimentValue>& row = table.rows.emplace_back(table.columns.size());
        row[1] = one["before"].get<std::string>();
        if (one.contains("fact")) {
            row[0] = classes.at(one["fact"].get<size_t>());
            row[2] = rounded(one["probability"], 1000);
            row[8] = rounded(one["gap"], 10000);
        }
        if (one.contains("soft")) {
            row[3] = one["soft"]["text"].get<std::string>();
            row[4] = rounded(one["soft"]["probability"], 1000);
        }
        if (one.contains("edit")) {
            row[5] = one["edit"]["text"].get<std::string>();
            row[6] = rounded(one["edit"]["probability"], 1000);
            row[7] = one["edit"]["edits"].get<int64_t>();
        }
    }
    return table;
}

}  // namespace

void run_yelp(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Corpus corpus = read_corpus(request.corpora, "yelp");
    const Pack pack = experiment_pack(request, "yelp-sum", corpus);
    TextModel model(pack);
    const Sample sample = draw_sample(corpus, model.networks(), request.quick ? 24 : 200);
    const training::Steps steps = experiment_steps(request, corpus, observer);
    const std::vector<Json> explained = explain_in_steps(model, sample.sentences, request.seed, steps, {{"pack", pack.sha256()}}, observer);

    add_figures(result, sample, explained);
    result.tables.push_back(first_sentences(explained, corpus.classes()));
    const double decoded_near_half = share_of(explained, [](const Json& one) { return is_near_half(one, "soft"); });
    result.notes = {
        "p is the classifier's probability of the sentence's own class, of a decoded sentence asked afresh; edits are those of the edited "
        "decoding; gap is the log-likelihood of the sentence's own class minus that of the other at the soft point, in nats.",
        "<unk> in a softly decoded sentence is one word that the pack's vocabulary lacks, whatever it may be: the generator says no more, "
        "and so it is put to the classifier. A word of the sentence that is such, and stays one, is shown as it was.",
        "The sample: the first held-out sentences in the order of their hash that the classifier gets right. One that fails anywhere stays "
        "in the denominator.",
        "The soft point is at one half in " + base::percent(share_of(explained, is_at_boundary)) +
            " of the sentences. Put into words by the generator's own likeliest ones, the dissertation's way, " +
            base::percent(decoded_near_half) + " are within 0.1 of it: a mixture can be neutral while each of its likeliest words stays.",
        "Edited decoding is ours: the fewest and most natural edits that make the classifier, asked afresh, say the other class. It does "
        "not aim at one half."};
    result.packs = {pack.identity()};
    Json settings = sources_of(corpus, pack);
    settings["sentences"] = sample.sentences.size();
    settings["solver"] = {{"method", "sqp"}, {"starts", 2}};
    result.settings = settings.dump();
}

}  // namespace whynot::text
