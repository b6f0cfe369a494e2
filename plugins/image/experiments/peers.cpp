// Our answers beside those of other methods: what does a second classifier say of them, are they plausible, how far away, at what price?
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>

#include "base/format.h"
#include "base/json.h"
#include "drawing/drawing.h"
#include "drawing/image_file.h"
#include "image/comparing/ground.h"
#include "image/comparing/peer_methods.h"
#include "image/comparing/sheets.h"
#include "image/experiments/experiments.h"
#include "image/measuring/evaluator.h"
#include "image/measuring/judging.h"
#include "image/measuring/questions.h"
#include "image/model/levels.h"
#include "image/services/held_out.h"
#include "training/random.h"
#include "training/run.h"
#include "training/steps.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

/// One way to answer. `make` answers all questions of a kind.
struct Peer {
    std::string key;   ///< of its step
    std::string name;  ///< for people
    std::function<at::Tensor(const Asked&, const Kind&, const Watch&)> make;
};

PeerQuestions questions(const Asked& asked, const Kind& kind) { return {asked.sample.images(), kind.foil}; }

/// Those that have no part in making a picture, and judge it.
struct Judges {
    const ImageModel& model;
    const Classifier& second;
    const TrainingImages& train;
};

/// What became of the questions of a kind by a method: of each question "foil" (the classifier says it), "second" (the second classifier's
/// probability of it), "plausible", "distance"; "seconds" of all of them; the first few "pictures" as bytes.
Json measure(const Peer& method, const Asked& asked, const Kind& kind, const Judges& judges, const Watch& watch) {
    const std::clock_t begin = std::clock();
    const at::Tensor made = method.make(asked, kind, watch);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    const at::NoGradGuard no_grad;
    const at::Tensor pictures = to_levels(made);  // as a file would hold them
    const auto of_foil = [&](const at::Tensor& logits) { return at::softmax(logits, 1).gather(1, kind.foil.unsqueeze(1)).squeeze(1); };
    const at::Tensor logits = judges.model.logits(pictures), said = of_foil(logits), second = of_foil(judges.second.logits(pictures));
    const at::Tensor is_foil = logits.argmax(1).eq(kind.foil), near = plausible(pictures, kind.foil, judges.train, watch);
    const at::Tensor distance = (pictures - asked.sample.images()).flatten(1).norm(2, 1);
    Json json{{"seconds", seconds}};
    for (int64_t i = 0; i < pictures.size(0); ++i) {
        json["foil"].push_back(is_foil[i].item<bool>());
        json["probability"].push_back(said[i].item<double>());
        json["second"].push_back(second[i].item<double>());
        json["plausible"].push_back(near[i].item<bool>());
        json["distance"].push_back(distance[i].item<double>());
    }
    const at::Tensor bytes = pictures.slice(0, 0, shown_questions).mul(255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
    for (int64_t i = 0; i < bytes.size(0); ++i)
        json["pictures"].push_back(std::vector<int>(bytes[i].data_ptr<uint8_t>(), bytes[i].data_ptr<uint8_t>() + bytes[i].numel()));
    return json;
}

/// Figures of a method over the questions of a kind. What is not the foil counts as not plausible; distances are of all.
struct Row {
    double foil = 0, second = 0, plausible = 0, distance = 0, milliseconds = 0;
    int64_t n = 0;

    Row() = default;
    explicit Row(const Json& measured) : n(static_cast<int64_t>(measured["foil"].size())) {
        for (size_t i = 0; i < measured["foil"].size(); ++i) {
            foil += measured["foil"][i].get<bool>();
            second += measured["second"][i].get<double>();
            plausible += measured["foil"][i].get<bool>() && measured["plausible"][i].get<bool>();
            distance += measured["distance"][i].get<double>();
        }
        milliseconds = 1000 * measured["seconds"].get<double>();
        divide(static_cast<double>(n));
    }

    /// Of kinds with as many questions each.
    static Row mean(const std::vector<Row>& rows) {
        Row mean;
        for (const Row& row : rows) {
            mean.foil += row.foil;
            mean.second += row.second;
            mean.plausible += row.plausible;
            mean.distance += row.distance;
            mean.milliseconds += row.milliseconds;
            mean.n += row.n;
        }
        mean.divide(static_cast<double>(rows.size()));
        return mean;
    }

private:
    void divide(double by) {
        for (double* figure : {&foil, &second, &plausible, &distance, &milliseconds}) *figure /= by;
    }
};

/// Our boundary or answer, drawn, written and read again.
Peer ours(bool is_answer, double confidence, const std::string& key, const std::string& name) {
    return {key, name, [=](const Asked& asked, const Kind& kind, const Watch& watch) {
                const Shown shown = asked.sample.show(kind.foil, 3, confidence, watch);
                return is_answer ? shown.answer : shown.boundary;
            }};
}

Peer revise(const ImageModel& model, double weight, const std::string& name) {
    return {"revise-" + base::number(weight), name, [=, &model](const Asked& asked, const Kind& kind, const Watch& watch) {
                LatentSearch options;
                options.weight = weight;
                return search_codes(model, questions(asked, kind), options, watch);
            }};
}

constexpr double default_weight = 0.5;
constexpr const char* tuned_revise = "REVISE, tuned";

/// The weight of REVISE's distance, chosen on images of its own: of those whose answers lie no farther from their inputs than those of `yardstick`,
/// the one whose answers convince the second classifier most.
/// @param measured a method's figures over all kinds of foils @param table gets a row for each weight
double tuned_weight(const std::vector<double>& weights, const std::function<Row(const Peer&)>& measured, const ImageModel& model,
                    const Peer& yardstick, ExperimentTable& table) {
    const double farthest = measured(yardstick).distance;
    double best = weights.front(), most = -1;
    for (const double weight : weights) {
        const Row row = measured(revise(model, weight, ""));
        table.rows.push_back({weight, rounded(row.foil), rounded(row.second), rounded(row.plausible), rounded(row.distance)});
        if (row.distance > farthest || row.second <= most) continue;
        most = row.second;
        best = weight;
    }
    return best;
}

/// The first questions of a kind, side by side: the input and what each method made of it.
void draw(const std::filesystem::path& out, const std::vector<std::pair<Peer, Json>>& answers, const Asked& asked, const Kind& kind,
          const std::vector<std::string>& classes, ExperimentResult& result) {
    const auto picture = [&](std::vector<uint8_t> bytes) {
        const at::Tensor& images = asked.sample.images();
        return Picture{images.size(3), images.size(2), images.size(1), std::move(bytes)};
    };
    for (int64_t i = 0; i < std::min(shown_questions, asked.sample.size()); ++i) {
        const std::string fact = classes[static_cast<size_t>(asked.sample.fact()[i].item<int64_t>())],
                          foil = classes[static_cast<size_t>(kind.foil[i].item<int64_t>())];
        const at::Tensor bytes = asked.sample.images()[i].mul(255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
        std::vector<drawing::Panel> panels{
            {picture({bytes.data_ptr<uint8_t>(), bytes.data_ptr<uint8_t>() + bytes.numel()}), {"input", "called " + fact}, 0}};
        for (const auto& [peer, json] : answers) {
            const auto index = static_cast<size_t>(i);
            panels.push_back({picture(json["pictures"][index].get<std::vector<uint8_t>>()),
                              {peer.name, foil + " " + base::percent(json["probability"][index].get<double>()),
                               "second " + base::percent(json["second"][index].get<double>())},
                              0});
        }
        const std::string file = kind.name + "-" + std::to_string(i + 1) + ".png";
        const std::string title = "why " + fact + " and not " + foil + "?";
        write_file_atomically(out / file,
                              drawing::to_png(drawing::draw_sheet(
                                  title, "What each method makes of it, and how sure both classifiers are of " + foil + ".", panels)));
        result.pictures.push_back({file, title});
    }
}

/// All that are compared. They keep references to both. @param weight of the distance, of REVISE as it was tuned
std::vector<Peer> all_peers(const ImageModel& model, const TrainingImages& train, double weight) {
    return {
        ours(false, 0.9, "ours-boundary", "ours, boundary"),
        ours(true, 0.9, "ours-90", "ours, P = .9"),
        ours(true, 0.99, "ours-99", "ours, P = .99"),
        revise(model, default_weight, "REVISE"),
        revise(model, weight, tuned_revise),
        {"wachter", "Wachter",
         [&model](const Asked& of, const Kind& kind, const Watch& watch) { return search_pixels(model, questions(of, kind), watch); }},
        {"pgd", "PGD",
         [&model](const Asked& of, const Kind& kind, const Watch& watch) { return descend_in_balls(model, questions(of, kind), watch); }},
        {"gradient", "gradient",
         [&model](const Asked& of, const Kind& kind, const Watch& watch) { return follow_gradient(model, questions(of, kind), watch); }},
        {"nearest", "nearest of foil",
         [&train](const Asked& of, const Kind& kind, const Watch& watch) { return nearest_of_foil(questions(of, kind), train, watch); }},
        {"mean", "mean of foil",
         [&train](const Asked& of, const Kind& kind, const Watch&) { return mean_of_foil(questions(of, kind), train); }},
    };
}

std::vector<std::string> notes() {
    return {
        "All pictures are measured as a file would hold them: in [0, 1], 256 levels. Ours are the pictures that are shown, read again.",
        "The second classifier had no part in any search: the pack's own kind, from other first weights, on the same images. Plausible: "
        "called the foil, and of the "
        "five nearest training images at least three are of it. Distance: L2 of the pixels, over all questions.",
        "ms: processor time a question, 32 questions at a time. Ours includes the boundary, the sheet and the morph, and reading them "
        "again; the others stop at the picture.",
        "REVISE, tuned: the weight of the table below, whose answers convince the second classifier most among those no farther away than "
        "ours at P = .99. "
        "Without that bound a weight near 0 convinces more, by giving up the input.",
        "Nearest and mean of foil ignore the classifier. No yardstick that they top proves anything: they say what plausible pictures cost "
        "in distance.",
        "A boundary is where both classes are as likely: about half of them are called the foil."};
}

/// Puts the peers side by side: a table for each kind of foil, the figures that matter most, pictures.
/// @param measured (peer, kind, number of those before it)
void compare(const std::vector<Peer>& peers, const Asked& asked, const std::function<Json(const Peer&, const Kind&, size_t)>& measured,
             const std::filesystem::path& out, const std::vector<std::string>& classes, ExperimentResult& result) {
    size_t done = 0;
    for (const Kind& kind : asked.kinds) {
        ExperimentTable table{
            "The foil: " + kind.name, {"method", "called the foil", "second classifier", "plausible", "distance", "ms"}, {}};
        std::vector<std::pair<Peer, Json>> answers;
        for (const Peer& peer : peers) {
            const Json json = measured(peer, kind, done++);
            const Row row(json);
            table.rows.push_back({peer.name, rounded(row.foil), rounded(row.second), rounded(row.plausible), rounded(row.distance),
                                  rounded(row.milliseconds)});
            // Head to head; the table has the rest.
            if (peer.key == "ours-90" || peer.key == "ours-99" || peer.name == tuned_revise) {
                const std::string name = "foil " + kind.name + ", " + peer.name + ": ";
                result.figures.push_back({name + "second classifier", row.second, row.n, "probability", {}, ""});
                result.figures.push_back({name + "plausible", row.plausible, row.n, "share", {}, ""});
            }
            if (peer.key != "nearest" && peer.key != "mean") answers.emplace_back(peer, json);
        }
        result.tables.push_back(std::move(table));
        draw(out, answers, asked, kind, classes, result);
    }
}

}  // namespace

void run_peers(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Pack pack = experiment_pack(request, "mnist");
    const Watch stop = [&](double) { training::stop_if_cancelled(observer, "the experiment"); };
    const Ground ground(request, pack, observer);
    const ImageModel& model = ground.model;
    const corpora::ImageCorpus& corpus = ground.corpus;
    const TrainingImages &held_out = ground.held_out, &train = ground.train;
    const int64_t n = request.quick ? 16 : 200, for_tuning = request.quick ? 8 : 40;
    Asked asked(model, ground.images(n), request.seed, stop), tuning(model, ground.images(for_tuning, n), request.seed, stop);
    for (Asked* each : {&asked, &tuning}) each->kinds.resize(std::min<size_t>(2, each->kinds.size()));  // runner-up and random
    constexpr double learned = 0.2, tuned = 0.4;  // shares of the whole that are done then, roughly
    const auto judge = second_classifier(request, ground, training::part(observer, 0, learned));
    const Judges judges{model, *judge, train};

    const training::Steps steps = experiment_steps(request, corpus, pack, observer);
    const auto measured = [&](const Asked& of, const Peer& peer, const Kind& kind, const std::string& name, double begin, double end) {
        const Observer part = training::part(observer, begin, end);
        const Watch watch = [&](double share) {
            stop(share);
            if (part.progress) part.progress({name, share, ""});
        };
        return steps.run(name, nullptr, [&] { return measure(peer, of, kind, judges, watch); });
    };
    const Peer ours_99 = ours(true, 0.99, "ours-99", "ours, P = .99");
    const std::vector<double> weights =
        request.quick ? std::vector<double>{0.03, 0.003} : std::vector<double>{0.1, 0.03, 0.01, 0.003, 0.002, 0.001};
    ExperimentTable choice{"REVISE's weight of the distance, on " + std::to_string(for_tuning) + " other images, both kinds of foils",
                           {"weight", "called the foil", "second classifier", "plausible", "distance"},
                           {}};
    const auto over_kinds = [&](const Peer& peer) {
        std::vector<Row> rows;
        for (const Kind& kind : tuning.kinds)
            rows.emplace_back(measured(tuning, peer, kind, "tuning-" + kind.name + "-" + peer.key, learned, tuned));
        return Row::mean(rows);
    };
    const double weight = tuned_weight(weights, over_kinds, model, ours_99, choice);

    const std::vector<Peer> peers = all_peers(model, train, weight);
    const double share = (1 - tuned) / static_cast<double>(peers.size() * asked.kinds.size());
    const auto measured_here = [&](const Peer& peer, const Kind& kind, size_t before) {
        const double begin = tuned + share * static_cast<double>(before);
        return measured(asked, peer, kind, kind.name + "-" + peer.key, begin, begin + share);
    };
    compare(peers, asked, measured_here, request.out, corpus.classes(), result);
    result.tables.push_back(std::move(choice));
    result.figures.push_back(
        {"second classifier: accuracy on held-out images", accuracy(*judge, held_out, stop), held_out.size(), "share", {}, ""});
    result.notes = notes();
    result.packs = {pack.identity()};
    Json settings = sources_of(corpus, pack);
    settings["images"] = n;
    settings["images_for_tuning"] = for_tuning;
    settings["revise"] = {{"default_weight", default_weight}, {"tuned_weight", weight}};
    result.settings = settings.dump();
}

}  // namespace whynot::image
