// Figure 3.2: can the pixels be asked directly? Equation 3.2 without a generator, and the gradient, whole or in windows, beside ours.
#include <ATen/ATen.h>

#include <cmath>
#include <ctime>
#include <functional>

#include "base/json.h"
#include "image/attribution/maps.h"
#include "image/comparing/ground.h"
#include "image/comparing/sheets.h"
#include "image/comparing/yardsticks.h"
#include "image/experiments/experiments.h"
#include "image/measuring/judging.h"
#include "image/model/levels.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr const char* no_number = "not published as a number";

/// One way to propose a change, [n, h, w].
struct Way {
    std::string key;   ///< of its step
    std::string name;  ///< for people
    bool is_shown;     ///< on the sheets
    std::function<at::Tensor(const Asked&, const Kind&, const Watch&)> make;
};

at::Tensor gradient_of(const ImageModel& model, const Asked& asked, const Kind& kind) {
    return added(gradient(model, {asked.sample.images(), asked.sample.fact(), kind.foil}));
}

/// One window of each size, wherever a map adds up to most; they may meet.
at::Tensor in_one_of_each(const at::Tensor& map) {
    at::Tensor kept = at::zeros_like(map);
    for (const int64_t side : {3, 5, 7, 9}) {
        const at::Tensor window = in_windows(map, side, 1);
        kept = at::where(window.ne(0), window, kept);
    }
    return kept;
}

at::Tensor change_to(const Asked& asked, const at::Tensor& pictures) { return (pictures - asked.sample.images()).sum(1).detach(); }

at::Tensor solved_in_pixels(const Asked& asked, const Kind& kind, const Watch& watch) {
    return asked.sample.answer_in_pixels(kind.foil, watch).z().view_as(asked.sample.images()).detach();
}

at::Tensor solved_in_clipped_pixels(const Asked& asked, const Kind& kind, const Watch& watch) {
    return asked.sample.answer_in_pixels(kind.foil, watch, true).z().view_as(asked.sample.images()).clamp(0, 1).detach();
}

at::Tensor solved_in_codes(const Asked& asked, const Kind& kind, const Watch& watch) {
    return asked.sample.draw(asked.sample.answer(kind.foil, 3, true, watch).z()).detach();
}

std::vector<Way> all_ways(const ImageModel& model) {
    std::vector<Way> all{
        {"ours", "ours", true,
         [](const Asked& asked, const Kind& kind, const Watch& watch) { return change_to(asked, solved_in_codes(asked, kind, watch)); }},
        {"pixels", "pixels, unbounded", false,
         [](const Asked& asked, const Kind& kind, const Watch& watch) { return change_to(asked, solved_in_pixels(asked, kind, watch)); }},
        {"pixels-clipped", "pixels", true,
         [](const Asked& asked, const Kind& kind, const Watch& watch) {
             return change_to(asked, solved_in_clipped_pixels(asked, kind, watch));
         }},
        {"pixels-windows", "pixels, a window of each size", true,
         [](const Asked& asked, const Kind& kind, const Watch& watch) {
             return in_one_of_each(change_to(asked, solved_in_clipped_pixels(asked, kind, watch)));
         }},
        {"gradient", "gradient", true,
         [&model](const Asked& asked, const Kind& kind, const Watch&) { return gradient_of(model, asked, kind); }},
        {"gradient-windows", "gradient, a window of each size", true,
         [&model](const Asked& asked, const Kind& kind, const Watch&) { return in_one_of_each(gradient_of(model, asked, kind)); }},
    };
    const auto windows = [&](int64_t count, int64_t side) {
        const std::string size = std::to_string(side) + " x " + std::to_string(side), number = std::to_string(count);
        all.push_back({"gradient-" + number + "-of-" + std::to_string(side),
                       "gradient, " + (count == 1 ? "1 window " : number + " windows ") + size, count == 3 && side == 5,
                       [&model, side, count](const Asked& asked, const Kind& kind, const Watch&) {
                           return in_windows(gradient_of(model, asked, kind), side, count);
                       }});
    };
    for (const int64_t side : {3, 5, 7}) windows(3, side);
    for (const int64_t side : {3, 5, 7, 9}) windows(1, side);
    return all;
}

/// A way's worth, what it costs, and its first changes.
Json measure(const Way& way, const Asked& asked, const Kind& kind, const Jury& jury, const Watch& watch) {
    const std::clock_t begin = std::clock();
    const at::Tensor changes = way.make(asked, kind, [&](double done) { watch(0.5 * done); });
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    const Worth worth = worth_of(changes, asked.sample.images(), kind.foil, jury, [&](double done) { watch(0.5 + 0.5 * done); });
    return {{"worth", worth.to_json()}, {"seconds", seconds}, {"shown", numbers_of(changes.slice(0, 0, shown_questions))}};
}

/// The boundary itself, as a file holds it: what does one think of it who had no part in it? Figures over the questions:
///
///     held        share with a gap below .1 nats, of the file
///     second      the second classifier's mean probability of the foil
///     in_two      share of which that one's two likeliest are fact and foil
///     plausible   share of which three of the five nearest training images are of the foil
///     distance    mean L2 of the pixels
Json figures_at_boundary(const at::Tensor& solved, const Asked& asked, const Kind& kind, const Jury& jury, const Watch& watch) {
    const at::NoGradGuard no_grad;
    const at::Tensor pictures = to_levels(solved), fact = asked.sample.fact().unsqueeze(1), foil = kind.foil.unsqueeze(1);
    const at::Tensor logits = jury.model.logits(pictures), second = jury.second.logits(pictures);
    const at::Tensor two = std::get<1>(second.topk(2, 1));
    return {{"held", mean_of((logits.gather(1, fact) - logits.gather(1, foil)).abs().lt(0.1))},
            {"second", mean_of(second.softmax(1).gather(1, foil))},
            {"in_two", mean_of(two.eq(fact).any(1).logical_and(two.eq(foil).any(1)))},
            {"plausible", mean_of(plausible(pictures, kind.foil, jury.train, watch))},
            {"distance", mean_of((pictures - asked.sample.images()).flatten(1).norm(2, 1))}};
}

std::vector<std::string> notes() {
    return {
        "Pixels: equation 3.2 without a generator, the same search with the guards, its variables the pixels, within what a picture can "
        "hold. Unbounded, as the equation has it, it ends beyond [0, 1]: what is cut off takes its boundary away.",
        "A window holds what a map has where it adds up to most, either way; a window of each size: 3 x 3, 5 x 5, 7 x 7, 9 x 9.",
        "Flips: the 5 or 10 % of the pixels with the largest change that have room are set to light or dark; the share that is called the "
        "foil then. Area: the foil's mean probability over 0 to 20 %. Second: by a classifier of other first weights.",
        "Turned: the classifier says the foil of x + s E / |E| for an s up to 10; L2: the smallest. Plausible: at 1.5 s three of the five "
        "nearest training images are of the foil; the yardstick to look at, for it asks no network.",
        "What does not repeat: that pixels searched directly would not do. With the pack mnist they turn the classifier with less change "
        "than ours, and more often by 5 % of the pixels. These are adversarial patterns: whether they are about the foil is to be asked of "
        "the pictures, of the second classifier at the boundary, and of what is plausible. Windows make neither them nor the gradient more "
        "plausible, and turn the classifier less often.",
        "The boundary is measured as a file holds it, in [0, 1] and 256 levels, by plain rounding, which moves the gap. One that was not "
        "found counts as the point that came nearest.",
        "ms: processor time a question, of the map alone."};
}

/// Fills a kind's two tables and its figures, and draws its sheets.
class Comparison {
public:
    Comparison(const ExperimentRequest& request, const Ground& ground, const Asked& asked, const Jury& jury, const training::Steps& steps,
               ExperimentResult& result)
        : request_(request), ground_(ground), asked_(asked), jury_(jury), steps_(steps), result_(result) {}

    void compare(const Kind& kind, const Observer& observer) {
        ExperimentTable table{"The change, followed; the foil: " + kind.name,
                              {"method", "flips 5 %", "flips 10 %", "area", "second", "turned", "L2", "plausible", "ms"},
                              {}};
        std::vector<std::pair<std::string, at::Tensor>> shown;
        const std::vector<Way> ways = all_ways(ground_.model);
        const int64_t n = asked_.sample.size();
        for (size_t w = 0; w < ways.size(); ++w) {
            const Observer part = training::part(observer, 0.9 * static_cast<double>(w) / static_cast<double>(ways.size()),
                                                 0.9 * static_cast<double>(w + 1) / static_cast<double>(ways.size()));
            const Json json = steps_.run(kind.name + "-" + ways[w].key, nullptr,
                                         [&] { return measure(ways[w], asked_, kind, jury_, watching(part, ways[w].name)); });
            const Worth worth = Worth::from_json(json["worth"]);
            table.rows.push_back({ways[w].name, rounded(worth.flips_5), rounded(worth.flips_10), rounded(worth.area),
                                  rounded(worth.second_area), rounded(worth.turned), rounded(worth.length), rounded(worth.plausible),
                                  std::round(1e5 * json["seconds"].get<double>() / static_cast<double>(n)) / 100});
            const at::Tensor& images = asked_.sample.images();
            if (ways[w].is_shown) shown.emplace_back(ways[w].name, tensor_of(json["shown"]).view({-1, images.size(2), images.size(3)}));
            if (ways[w].key == "ours" || ways[w].key == "pixels-clipped" || ways[w].key == "gradient")
                result_.figures.push_back(
                    {"foil " + kind.name + ", " + ways[w].name + ": plausible", worth.plausible, n, "share", no_number, ""});
        }
        result_.tables.push_back(std::move(table));
        compare_boundaries(kind, training::part(observer, 0.9, 1));
        draw_changes(request_.out, kind, asked_, shown, ground_.classes(), result_);
    }

private:
    void compare_boundaries(const Kind& kind, const Observer& observer) {
        ExperimentTable table{"The boundary as a file holds it; the foil: " + kind.name,
                              {"searched in", "gap below .1", "second classifier's probability of the foil",
                               "its two likeliest are fact and foil", "plausible", "L2"},
                              {}};
        const auto row = [&](const std::string& key, const std::string& name, const auto& solve) {
            const Watch watch = watching(observer, "boundaries");
            const Json found = steps_.run(kind.name + "-boundary-" + key, nullptr,
                                          [&] { return figures_at_boundary(solve(asked_, kind, watch), asked_, kind, jury_, watch); });
            std::vector<ExperimentValue> cells{name};
            for (const char* figure : {"held", "second", "in_two", "plausible", "distance"})
                cells.push_back(rounded(found[figure].get<double>()));
            table.rows.push_back(std::move(cells));
            result_.figures.push_back({"foil " + kind.name + ", boundary in " + name + ": second classifier", found["second"].get<double>(),
                                       asked_.sample.size(), "probability", no_number, ""});
        };
        row("codes", "codes (ours)", solved_in_codes);
        row("pixels", "pixels, unbounded", solved_in_pixels);
        row("pixels-clipped", "pixels", solved_in_clipped_pixels);
        result_.tables.push_back(std::move(table));
    }

    const ExperimentRequest& request_;
    const Ground& ground_;
    const Asked& asked_;
    const Jury& jury_;
    const training::Steps& steps_;
    ExperimentResult& result_;
};

}  // namespace

void run_direct(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Ground ground(request, experiment_pack(request, "mnist"), observer);
    const int64_t n = request.quick ? 16 : 200;
    const Asked asked(ground.model, ground.images(n), request.seed, watching(observer, "reading images"));
    constexpr double learned = 0.4;
    const auto second = second_classifier(request, ground, training::part(observer, 0, learned));
    const Jury jury{ground.model, *second, ground.train};
    const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, observer);
    Comparison comparison(request, ground, asked, jury, steps, result);
    comparison.compare(asked.kind("runner-up"), training::part(observer, learned, (1 + learned) / 2));
    comparison.compare(asked.kind("random"), training::part(observer, (1 + learned) / 2, 1));
    result.figures.push_back({"second classifier: accuracy on held-out images",
                              accuracy(*second, ground.held_out, watching(observer, "judging")),
                              ground.held_out.size(),
                              "share",
                              {},
                              ""});
    result.notes = notes();
    result.packs = {ground.pack.identity()};
    Json settings = sources_of(ground.corpus, ground.pack);
    settings["images"] = n;
    result.settings = settings.dump();
}

}  // namespace whynot::image
