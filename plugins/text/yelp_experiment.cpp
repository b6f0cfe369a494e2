// Section 4.4.2, tables 4.1 and 4.2: sentences at the boundary, decoded the dissertation's way and ours.
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments.h"
#include "explaining.h"
#include "steps.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using Json = nlohmann::ordered_json;

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
            const Json record = Json::parse(renderings[i].record);
            if (!record.contains("answer")) continue;
            const std::string text = record["answer"];
            Json json{{"text", text}, {"edits", record["edits"].size()}, {"foil", false}, {"probability", nullptr}};
            if (const at::Tensor asked = ask(model, text); asked.defined()) {
                json["foil"] = asked.argmax().item<int64_t>() == requests[i].foil;
                json["probability"] = std::exp(asked[requests[i].fact].item<double>());
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

}  // namespace

void run_yelp(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Corpus corpus = read_corpus(request.corpora, "yelp");
    const Pack pack = experiment_pack(request, "yelp", corpus);
    TextModel model(pack);

    // The first held-out sentences in the order of their hash that the classifier gets right.
    const size_t limit = request.quick ? 24 : 200;
    const std::vector<const LabelledSentence*> held_out = in_order_of_hash(corpus.held_out);
    Sentences ids;
    std::vector<int64_t> labels;
    for (const LabelledSentence* sentence : held_out) {
        ids.push_back(model.networks().tokenizer.encode(sentence->words).ids);
        labels.push_back(sentence->label);
    }
    const at::Tensor right = model.networks().classifier.logits(ids).argmax(1).eq(at::tensor(labels, at::kLong));
    std::vector<std::string> sample;
    for (size_t i = 0; i < held_out.size() && sample.size() < limit; ++i)
        if (right[static_cast<int64_t>(i)].item<bool>()) sample.push_back(joined(held_out[i]->words));
    if (sample.empty()) throw Error(ErrorCode::invalid_input, "expected held-out sentences that the classifier gets right, found none");

    const Steps steps(request.out / "steps",
                      {{"experiment", request.name},
                       {"seed", request.seed},
                       {"quick", request.quick},
                       {"corpus", corpus.sha256},
                       {"pack", pack.sha256()}},
                      observer);
    constexpr size_t at_once = 20;
    Json explained = Json::array();
    for (size_t begin = 0; begin < sample.size(); begin += at_once) {
        const size_t end = std::min(sample.size(), begin + at_once);
        if (observer.progress)
            observer.progress({"explaining", static_cast<double>(begin) / static_cast<double>(sample.size()),
                               std::to_string(begin) + " of " + std::to_string(sample.size()) + " sentences"});
        const std::string name = "sentences-" + std::to_string(begin + 1) + "-" + std::to_string(end);
        const std::vector<std::string> some(sample.begin() + static_cast<std::ptrdiff_t>(begin),
                                            sample.begin() + static_cast<std::ptrdiff_t>(end));
        for (const Json& one : steps.run(name, {{"sentences", some}}, [&] { return explain(model, some, request.seed); }))
            explained.push_back(one);
    }

    // What failed anywhere stays in the denominator.
    const auto n = static_cast<int64_t>(explained.size());
    const auto share = [&](auto&& holds) {
        return static_cast<double>(std::count_if(explained.begin(), explained.end(), holds)) / static_cast<double>(n);
    };
    result.figures.push_back({"classifier: accuracy on held-out sentences",
                              right.to(at::kDouble).mean().item<double>(),
                              static_cast<int64_t>(held_out.size()),
                              "share",
                              {},
                              ""});
    const double at_half =
        share([](const Json& one) { return one.contains("gap") && one["gap"].is_number() && std::abs(one["gap"].get<double>()) < 0.01; });
    result.figures.push_back(
        {"boundary: gap under 0.01 nats", at_half, n, "share", {}, "of the soft point, a mixture of words at each position"});
    const auto for_both = [&](const std::string& what, const std::string& unit, const ExperimentValue& published, auto&& measure) {
        for (const Decoding& decoding : decodings) {
            ExperimentFigure figure{what + ", " + decoding.name, {}, n, unit, {}, ""};
            measure(std::string(decoding.key), figure);
            if (std::string(decoding.key) == "soft") figure.published = published;
            result.figures.push_back(std::move(figure));
        }
    };
    const auto share_of = [&](auto&& holds) {
        return [&share, holds](const std::string& key, ExperimentFigure& figure) {
            figure.value = share([&](const Json& one) { return one.contains(key) && holds(one[key], one); });
        };
    };
    const auto changed = [](const Json& said, const Json& one) { return said["text"] != one["before"]; };
    const auto near_half = [](const Json& said, const Json&) {
        return said["probability"].is_number() && std::abs(said["probability"].get<double>() - 0.5) < 0.1;
    };
    for_both("sentences changed", "share", {}, share_of(changed));
    for_both("edits of the changed, mean", "edits", {}, [&](const std::string& key, ExperimentFigure& figure) {
        double edits = 0;
        figure.n = 0;
        for (const Json& one : explained) {
            if (!one.contains(key) || !changed(one[key], one)) continue;
            edits += one[key]["edits"].get<double>();
            ++figure.n;
        }
        if (figure.n > 0) figure.value = edits / static_cast<double>(figure.n);
    });
    for_both("called the other class, asked afresh", "share", {},
             share_of([](const Json& said, const Json&) { return said["foil"].get<bool>(); }));
    for_both("probability within 0.1 of one half, afresh", "share", "almost 0.5", share_of(near_half));

    ExperimentTable table{"As tables 4.1 and 4.2: the first 20 of the sample, none left out",
                          {"class", "sentence", "p", "soft decoding", "p soft", "edited decoding", "p edited", "edits", "gap"},
                          {}};
    for (size_t i = 0; i < std::min<size_t>(20, explained.size()); ++i) {
        const Json& one = explained[i];
        std::vector<ExperimentValue> row(table.columns.size());
        row[1] = one["before"].get<std::string>();
        if (one.contains("fact")) {
            row[0] = corpus.classes().at(one["fact"].get<size_t>());
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
        table.rows.push_back(std::move(row));
    }
    result.tables.push_back(std::move(table));

    const double decoded_at_half = share([&](const Json& one) { return one.contains("soft") && near_half(one["soft"], one); });
    char sentence[300];
    std::snprintf(sentence, sizeof sentence,
                  "The soft point is at one half in %.0f %% of the sentences. Put into words by the generator's own likeliest ones, the "
                  "dissertation's way, %.0f %% are within 0.1 of it: a mixture can be neutral while each of its likeliest words stays.",
                  100 * at_half, 100 * decoded_at_half);
    result.notes = {
        "p is the classifier's probability of the sentence's own class, of a decoded sentence asked afresh; gap is the log-likelihood of "
        "that "
        "class minus that of the other at the soft point, in nats.",
        "The sample: the first held-out sentences in the order of their hash that the classifier gets right. One that fails anywhere stays "
        "in "
        "the denominator.",
        sentence,
        "Edited decoding is ours: the fewest and most natural edits that make the classifier, asked afresh, say the other class. It does "
        "not aim "
        "at one half."};
    result.settings = Json{{"corpus", {{"name", corpus.manifest.name}, {"sha256", corpus.sha256}}},
                           {"pack", {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}},
                           {"sentences", sample.size()},
                           {"solver", {{"method", "sqp"}, {"starts", 2}}}}
                          .dump();
}

}  // namespace whynot::text
