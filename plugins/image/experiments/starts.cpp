// Figure 3.6: does an explanation depend on where the search begins? The same questions from several codes of the same image.
#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "drawing/drawing.h"
#include "image/comparing/ground.h"
#include "image/comparing/sheets.h"
#include "image/experiments/experiments.h"
#include "image/measuring/questions.h"
#include "image/model/fit.h"
#include "image/model/levels.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr const char* published = "\"reasonably stable\", no number";
constexpr double alike = 0.5;      // cosine
constexpr double tolerance = 0.1;  // nats: rounding to 256 levels lifts a third class that is tied with both by some hundredths
constexpr int64_t sheets = 2;      // of each kind and generator

/// One generator whose codes are where searches begin.
struct Beginner {
    std::string name;
    const ImageModel& model;
    /// Codes of all images, those of the s-th start, [n, k].
    std::function<at::Tensor(int64_t s, const Watch&)> codes;
};

/// From codes of the posterior: the first its mean, the others draws.
at::Tensor posterior(const ConvolutionalGenerator& generator, const at::Tensor& images, int64_t s, uint64_t seed) {
    const at::NoGradGuard no_grad;
    const ConvolutionalGenerator::Code code = generator.encode(images);
    if (s == 0) return code.mean;
    const at::Tensor noise =
        at::empty_like(code.mean).normal_(0, 1, training::make_generator(training::mix_seed(seed, 11, static_cast<uint64_t>(s))));
    return code.mean + noise * (0.5 * code.log_variance).exp();
}

/// What a kind's questions come to from one start: "found", "distance", "pair" (no class of the picture is above both fact and foil), and "changes" of
/// the pictures in levels, [n, channels, h, w].
Json answers_of(const ImageModel& model, const Asked& asked, const Kind& kind, int64_t starts, const Watch& watch) {
    const Answers answers = asked.sample.answer(kind.foil, starts, true, watch);
    const at::NoGradGuard no_grad;
    const at::Tensor pictures = to_levels(asked.sample.draw(answers.z().detach()));
    const at::Tensor logits = model.logits(pictures), most = std::get<0>(logits.max(1));
    const auto of = [&](const at::Tensor& label) { return logits.gather(1, label.unsqueeze(1)).squeeze(1); };
    Json json{{"pair", numbers_of((most - at::maximum(of(asked.sample.fact()), of(kind.foil))).lt(tolerance))}};
    for (const Solution& solution : answers.solutions) {
        json["found"].push_back(solution.feasible ? 1 : 0);
        json["distance"].push_back(solution.distance);
    }
    const at::Tensor levels = ((pictures - asked.sample.images()) * 255).round().to(at::kInt).contiguous();
    json["changes"] = std::vector<int>(levels.data_ptr<int>(), levels.data_ptr<int>() + levels.numel());
    return json;
}

/// The same questions from all starts.
struct FromStarts {
    at::Tensor found, distance, pair;  ///< [starts, n], double
    at::Tensor ways;                   ///< changes of length 1, [starts, n, pixels], float
    at::Tensor changes;                ///< [starts, n, channels, h, w]

    FromStarts(const std::vector<Json>& steps, const std::string& key, at::IntArrayRef image) {
        std::vector<at::Tensor> columns[4];
        for (const Json& step : steps) {
            const char* const names[] = {"found", "distance", "pair", "changes"};
            for (size_t c = 0; c < 4; ++c) columns[c].push_back(tensor_of(step.at(key).at(names[c])));
        }
        found = at::stack(columns[0]), distance = at::stack(columns[1]), pair = at::stack(columns[2]);
        changes = at::stack(columns[3]).to(at::kFloat).div(255).view({found.size(0), found.size(1), image[1], image[2], image[3]});
        const at::Tensor flat = changes.flatten(2);
        ways = flat / flat.norm(2, 2, true).clamp_min(1e-12);
    }
    int64_t starts() const { return found.size(0); }
    int64_t size() const { return found.size(1); }

    /// Cosines of all pairs of starts that both found something, a row for each question.
    std::vector<std::vector<double>> cosines() const {
        std::vector<std::vector<double>> all(static_cast<size_t>(size()));
        for (int64_t q = 0; q < size(); ++q)
            for (int64_t a = 0; a < starts(); ++a)
                for (int64_t b = 0; b < a; ++b)
                    if (found[a][q].item<double>() * found[b][q].item<double>() > 0)
                        all[static_cast<size_t>(q)].push_back(ways[a][q].dot(ways[b][q]).item<double>());
        return all;
    }
    /// What it is when nothing is in common but the kind of question: the mean cosine with the next question's change.
    double control() const { return (ways * ways.roll({1}, {1})).sum(2).mean().item<double>(); }
};

double mean(const std::vector<double>& values) { return values.empty() ? 0 : mean_of(at::tensor(values, at::kDouble)); }

/// A row of a generator's table, and figures of the searches without extra starts.
void tell_figures(const FromStarts& answers, const std::string& beginner, const std::string& kind, int64_t extra, ExperimentTable& table,
                  ExperimentResult& result) {
    std::vector<double> means;
    int64_t stable = 0;
    for (const std::vector<double>& cosines : answers.cosines()) {
        if (cosines.empty()) continue;
        means.push_back(mean(cosines));
        stable += *std::min_element(cosines.begin(), cosines.end()) > alike;
    }
    const auto n = static_cast<int64_t>(means.size());
    const double solved = mean_of(answers.found), all_pairs = mean_of((answers.found * answers.pair).amin(0));
    const auto cell = [](bool is_there, double value) { return is_there ? rounded(value) : ExperimentValue(); };
    table.rows.push_back({kind, extra, rounded(solved), rounded(all_pairs), cell(n > 0, mean(means)),
                          cell(n > 0, n > 0 ? median_of(at::tensor(means, at::kDouble)) : 0),
                          cell(n > 0, static_cast<double>(stable) / static_cast<double>(n)), rounded(answers.control()),
                          cell(solved > 0, mean_of(answers.distance * answers.found) / solved)});
    if (extra > 0) return;
    const std::string name = beginner + ", foil " + kind + ": ";
    result.figures.push_back({name + "boundary found", solved, answers.found.numel(), "share", {}, ""});
    result.figures.push_back({name + "from all starts about the same two classes", all_pairs, answers.size(), "share", published, ""});
    result.figures.push_back({name + "cosine of the changes from two starts", n > 0 ? std::optional<double>(mean(means)) : std::nullopt, n,
                              "", published, n > 0 ? "" : "no question was answered from two starts"});
}

void draw(const FromStarts& answers, const Asked& asked, const Kind& kind, const std::string& beginner, const Ground& ground,
          const std::filesystem::path& out, ExperimentResult& result) {
    const auto cosines = answers.cosines();
    for (int64_t q = 0; q < std::min(sheets, answers.size()); ++q) {
        const auto name = [&](const at::Tensor& labels) { return ground.classes()[static_cast<size_t>(labels[q].item<int64_t>())]; };
        const std::string title = "why " + name(asked.sample.fact()) + " and not " + name(kind.foil) + "? " + beginner;
        std::vector<drawing::Panel> panels{{to_picture(asked.sample.images()[q]), {"input", "called " + name(asked.sample.fact())}}};
        for (int64_t s = 0; s < answers.starts(); ++s) {
            const bool found = answers.found[s][q].item<double>() > 0;
            panels.push_back({draw_change(asked.sample.images()[q], answers.changes[s][q].sum(0)),
                              {"start " + std::to_string(s + 1), found ? "distance " + base::fixed(answers.distance[s][q].item<double>(), 2)
                                                                       : "no boundary; the nearest to one"}});
        }
        const std::vector<double>& of_it = cosines[static_cast<size_t>(q)];
        write_sheet(out, beginner + "-" + kind.name + "-" + std::to_string(q + 1) + ".png", title,
                    "The change to the boundary from each start, lighter (red) and darker (blue)." +
                        (of_it.empty() ? "" : " Mean cosine of two: " + base::fixed(mean(of_it), 2) + "."),
                    panels, result);
    }
}

/// Mean distance between two starts of the same image, the last word on whether they are several.
double apart(const std::vector<Json>& steps) {
    std::vector<double> all;
    for (size_t a = 0; a < steps.size(); ++a)
        for (size_t b = 0; b < a; ++b) {
            const auto n = steps[a].at("images").get<int64_t>();
            all.push_back(mean_of((tensor_of(steps[a].at("codes")) - tensor_of(steps[b].at("codes"))).view({n, -1}).norm(2, 1)));
        }
    return mean(all);
}

void run_beginner(const Beginner& beginner, const Ground& ground, int64_t n, int64_t starts, const ExperimentRequest& request,
                  const training::Steps& steps, const Json& identity, const Observer& observer, ExperimentResult& result) {
    const at::Tensor images = ground.images(n);
    const std::vector<const char*> kinds{"runner-up", "random"};
    std::string key = beginner.name;
    std::transform(key.begin(), key.end(), key.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    std::vector<Json> found;
    for (int64_t s = 0; s < starts; ++s) {
        const Observer mine = training::part(observer, static_cast<double>(s) / static_cast<double>(starts),
                                             static_cast<double>(s + 1) / static_cast<double>(starts));
        const std::string stage = beginner.name + ", start " + std::to_string(s + 1) + " of " + std::to_string(starts);
        found.push_back(steps.run(key + "-start-" + std::to_string(s + 1), identity, [&] {
            const at::Tensor codes = beginner.codes(s, watching(training::part(mine, 0, 0.5), stage));
            Json json{{"images", n}, {"codes", numbers_of(codes)}};
            const Watch watch = watching(training::part(mine, 0.5, 1), stage);
            const Asked asked(beginner.model, images, request.seed, watch, codes);
            for (const char* kind : kinds)
                for (const int64_t extra : {0, 2})
                    json[kind + std::string("-") + std::to_string(extra)] =
                        answers_of(beginner.model, asked, asked.kind(kind), 1 + extra, watch);
            return json;
        }));
    }
    ExperimentTable table{beginner.name + ": " + std::to_string(n) + " images, " + std::to_string(starts) + " starts each, " +
                              base::fixed(apart(found), 2) + " apart",
                          {"foil", "extra starts", "found", "same classes", "cosine", "median", "> .5", "other", "distance"},
                          {}};
    const at::Tensor codes = tensor_of(found.front().at("codes")).to(at::kFloat).view({n, -1});
    const Asked asked(beginner.model, images, request.seed, watching(observer, "drawing"), codes);
    for (const char* kind : kinds)
        for (const int64_t extra : {0, 2}) {
            const FromStarts answers(found, kind + std::string("-") + std::to_string(extra), images.sizes());
            tell_figures(answers, beginner.name, kind, extra, table, result);
            if (extra == 0) draw(answers, asked, asked.kind(kind), beginner.name, ground, request.out, result);
        }
    result.tables.push_back(std::move(table));
}

std::vector<std::string> notes(const ExperimentRequest& request) {
    std::vector<std::string> notes{
        "GAN: each start is the best of four inversions (the dissertation's Procedure 2) from draws of its own. VAE: the first start is "
        "the encoder's mean, the others are draws of its posterior. What the generator cannot draw of the image at a start is added back, "
        "so that each start is the image itself.",
        "Found: a boundary with its guards, over all questions and starts. Same classes: share of questions with a boundary from every "
        "start at which no third class of the picture, as a file holds it, is above both fact and foil (by .1 nats or more: rounding lifts "
        "one that is tied with both a little).",
        "Cosine: of the changes of pixels, mean over the pairs of starts that found a boundary, then mean and median over questions. > .5: "
        "share of questions of which every pair is. Other: with the change of the next image's question, for comparison.",
        "Extra starts: the search from each start also begins at the two nearest codes of the foil; its distance is still measured from "
        "the start.",
        "What repeats, with the pack mnist: nearly all questions are answered from every start by the same two classes, and the changes "
        "are alike, far beyond those of other questions. What does not: that it does not matter where the search begins. Of about half of "
        "the questions some two starts give changes with a cosine below .5. A VAE begun at draws of its posterior is no steadier than the "
        "GAN."};
    if (request.quick) notes.push_back("Quick: the GAN is a tiny one that draws no digits; what it cannot draw of an image is added back.");
    return notes;
}

}  // namespace

void run_starts(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Ground ground(request, experiment_pack(request, "mnist"), observer);
    const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, observer);
    const int64_t n = request.quick ? 6 : 60, starts = request.quick ? 2 : 5;
    result.packs = {ground.pack.identity()};
    Json settings = sources_of(ground.corpus, ground.pack);
    settings["images"] = n;
    settings["starts"] = starts;
    const auto inversions = [&](const ImageModel& model) {
        return [&](int64_t s, const Watch& watch) {
            return starts_of(model, ground.images(n), training::mix_seed(request.seed, 13, static_cast<uint64_t>(s)), watch);
        };
    };
    constexpr double trained = 0.4, beside = 0.9;
    const Generator& generator = ground.model.networks().required_generator();
    const std::string name = name_of(generator);
    if (name == "GAN") {
        run_beginner({name, ground.model, inversions(ground.model)}, ground, n, starts, request, steps, nullptr, observer, result);
    } else {
        const BesideGan gan = beside_gan(request, ground, training::part(observer, 0, trained));
        settings["gan"] = base::parse_own_json(gan.recipe);
        run_beginner({"GAN", gan.model, inversions(gan.model)}, ground, n, starts, request, steps, gan.recipe,
                     training::part(observer, trained, beside), result);
    }
    result.notes = notes(request);
    if (name == "VAE") {
        const auto draws = [&](int64_t s, const Watch&) {
            return posterior(dynamic_cast<const ConvolutionalGenerator&>(generator), ground.images(n), s, request.seed);
        };
        run_beginner({name, ground.model, draws}, ground, n, starts, request, steps, nullptr, training::part(observer, beside, 1), result);
    } else {
        result.notes.push_back("Beside the GAN there is no VAE: the pack's generator has no posterior to draw starts from.");
    }
    result.settings = settings.dump();
}

}  // namespace whynot::image
