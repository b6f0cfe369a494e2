// Figures 3.4 and 3.5: what the guards are good for. On the boundary of fact and foil, without them, a third class is often above both.
#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "drawing/drawing.h"
#include "drawing/image_file.h"
#include "image/comparing/ground.h"
#include "image/comparing/sheets.h"
#include "image/experiments/experiments.h"
#include "image/measuring/questions.h"
#include "image/model/fit.h"
#include "image/model/levels.h"
#include "whynot/atomic_file.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr const char* no_number = "not published as a number";
constexpr int64_t starts = 3;
constexpr double tolerance = 0.1;  // nats: rounding to 256 levels lifts a third class that is tied with both by some hundredths
constexpr int64_t places = 41;     // of a path, its ends included
constexpr int64_t frames = 6;      // of them on a sheet
constexpr size_t most_curves = 10;

/// One who is asked: a model and the questions.
struct Party {
    std::string name;  ///< of its generator
    const ImageModel& model;
    const Asked& asked;
};

/// How the questions of a kind end, with guards or without; of the pictures as a file holds them.
struct Ends {
    at::Tensor z;         ///< [n, k]
    at::Tensor found;     ///< [n], bool
    at::Tensor distance;  ///< [n], latent
    at::Tensor said;      ///< log-probabilities, [n, C], double
    at::Tensor third;     ///< [n], the likeliest class other than fact and foil
    at::Tensor margin;    ///< [n], nats: by how much that is above both; below 0, it is not

    Ends(const Party& party, const Kind& kind, bool guards, const Watch& watch) {
        const Answers answers = party.asked.sample.answer(kind.foil, starts, guards, watch);
        std::vector<double> lengths;
        std::vector<int64_t> there;
        for (const Solution& solution : answers.solutions) {
            lengths.push_back(solution.distance);
            there.push_back(solution.feasible);
        }
        z = answers.z().detach();
        distance = at::tensor(lengths, at::kDouble);
        found = at::tensor(there, at::kLong).to(at::kBool);
        const at::NoGradGuard no_grad;
        said = party.model.logits(to_levels(party.asked.sample.draw(z))).to(at::kDouble).log_softmax(1);
        const at::Tensor fact = party.asked.sample.fact().unsqueeze(1), foil = kind.foil.unsqueeze(1);
        const auto [most, which] = said.scatter(1, fact, -INFINITY).scatter(1, foil, -INFINITY).max(1);
        third = which;
        margin = most - at::maximum(said.gather(1, fact), said.gather(1, foil)).squeeze(1);
    }

    /// The probability of one class each, [n].
    at::Tensor probability(const at::Tensor& classes) const { return said.exp().gather(1, classes.unsqueeze(1)).squeeze(1); }

    Json to_json(const at::Tensor& fact, const at::Tensor& foil) const {
        return {{"found", numbers_of(found)},
                {"distance", numbers_of(distance)},
                {"margin", numbers_of(margin)},
                {"fact", numbers_of(probability(fact))},
                {"foil", numbers_of(probability(foil))},
                {"third", numbers_of(probability(third))}};
    }
};

/// The straight way from z0 to z_e of one question: what the classifier says on it, "said" [places][C], and some of its pictures, "frames" as bytes.
Json path_of(const Party& party, const at::Tensor& z, int64_t question, const Watch& watch) {
    const auto of_it = [&](const at::Tensor& all) { return all.slice(0, question, question + 1); };
    const at::Tensor begin = of_it(party.asked.sample.start()), code = begin.slice(1, 0, begin.size(1) - 1), end = of_it(z);
    const Sample alone(party.model, of_it(party.asked.sample.images()), 1, 0, watch, code);
    const at::NoGradGuard no_grad;
    Json json;
    for (int64_t place = 0; place < places; ++place) {
        const double share = static_cast<double>(place) / static_cast<double>(places - 1);
        const at::Tensor picture = to_levels(alone.draw(begin + share * (end - begin)));
        json["said"].push_back(numbers_of(party.model.logits(picture).to(at::kDouble).softmax(1)[0]));
        if (place % ((places - 1) / (frames - 1)) == 0) json["frames"].push_back(to_picture(picture[0]).bytes);
    }
    return json;
}

/// The first question that shows what it is about: a boundary found with guards and without, and without them a third class above both;
/// or else the first of which both were found.
std::optional<int64_t> telling(const Ends& with, const Ends& without) {
    const at::Tensor both = with.found.logical_and(without.found), third = both.logical_and(without.margin.gt(tolerance));
    for (const at::Tensor& those : {third, both})
        if (those.any().item<bool>()) return those.to(at::kLong).argmax().item<int64_t>();
    return std::nullopt;
}

/// A step: both searches of a kind, and the paths of the question that is shown.
Json measure(const Party& party, const Kind& kind, const Watch& watch) {
    const auto part = [&](double begin, double end) { return [=, &watch](double share) { watch(begin + (end - begin) * share); }; };
    const Ends with(party, kind, true, part(0, 0.6)), without(party, kind, false, part(0.6, 0.95));
    const at::Tensor fact = party.asked.sample.fact();
    Json json{{"with", with.to_json(fact, kind.foil)}, {"without", without.to_json(fact, kind.foil)}};
    if (const std::optional<int64_t> question = telling(with, without)) {
        json["shown"] = {{"question", *question}};
        for (const auto& [variant, ends] : {std::pair("without", &without), std::pair("with", &with)}) {
            json["shown"][variant] = path_of(party, ends->z, *question, part(0.95, 1));
            json["shown"][variant]["third"] = ends->third[*question].item<int64_t>();
        }
    }
    return json;
}

/// Mean over those that count, if any does.
std::optional<double> mean_where(const at::Tensor& values, const at::Tensor& counts) {
    const double n = counts.sum().item<double>();
    return n > 0 ? std::optional((values * counts).sum().item<double>() / n) : std::nullopt;
}

ExperimentValue cell(const std::optional<double>& value) { return value ? rounded(*value) : ExperimentValue(); }

/// Two rows of a generator's table, and the figures of the kind.
void tell_figures(const Json& json, const std::string& generator, const Kind& kind, ExperimentTable& table, ExperimentResult& result) {
    const auto of = [&](const char* variant, const char* name) { return tensor_of(json[variant][name]); };
    const at::Tensor both = of("with", "found") * of("without", "found");
    for (const char* variant : {"without", "with"}) {
        const at::Tensor found = of(variant, "found");
        const auto n = found.sum().item<int64_t>();
        const double share = mean_of(found);
        const std::optional<double> third = mean_where(of(variant, "margin").gt(tolerance), found);
        std::string said;
        for (const char* who : {"fact", "foil", "third"})
            if (n > 0) said += (said.empty() ? "" : " / ") + base::fixed(*mean_where(of(variant, who), found), 2);
        table.rows.push_back({kind.name, variant, rounded(share), cell(third), said, cell(mean_where(of(variant, "distance"), both))});
        const std::string name = generator + ", foil " + kind.name + ", " + variant + " guards: ";
        result.figures.push_back({name + "boundary found", share, found.size(0), "share", no_number, ""});
        result.figures.push_back({name + "a third class above both", third, n, "share", no_number, third ? "" : "no boundary was found"});
    }
}

/// Curves and frames of the question that is shown, with and without.
class Drawer {
public:
    Drawer(const std::filesystem::path& out, const Ground& ground, ExperimentResult& result)
        : out_(out), ground_(ground), result_(result) {}

    void draw(const Json& shown, const Party& party, const Kind& kind) {
        const auto question = shown["question"].get<int64_t>();
        const auto fact = party.asked.sample.fact()[question].item<int64_t>(), foil = kind.foil[question].item<int64_t>();
        for (const std::string variant : {"without", "with"}) {
            const Json& path = shown[variant];
            const Three three{fact, foil, path["third"].get<int64_t>()};
            const std::string title = "why " + name(fact) + " and not " + name(foil) + "? " + party.name + ", " + variant + " guards";
            std::string file = party.name + "-" + kind.name + "-" + variant;
            std::replace(file.begin(), file.end(), ' ', '-');
            draw_path(path, three, file + "-curves.png", title);
            draw_frames(path, three, file + "-frames.png", title);
        }
    }

private:
    using Three = std::vector<int64_t>;  // fact, foil, third

    const std::string& name(int64_t label) const { return ground_.classes()[static_cast<size_t>(label)]; }

    void draw_path(const Json& path, const Three& three, const std::string& file, const std::string& title) {
        std::vector<std::pair<double, int64_t>> by_peak;
        const auto at_place = [&](size_t place, int64_t label) { return path["said"][place][static_cast<size_t>(label)].get<double>(); };
        for (int64_t label = 0; label < static_cast<int64_t>(ground_.classes().size()); ++label) {
            double peak = std::count(three.begin(), three.end(), label) ? 2 : 0;
            for (size_t place = 0; place < path["said"].size(); ++place) peak = std::max(peak, at_place(place, label));
            by_peak.emplace_back(-peak, label);
        }
        std::stable_sort(by_peak.begin(), by_peak.end());
        by_peak.resize(std::min(by_peak.size(), most_curves));
        // In the order of the classes, so that a class has the same colour with guards and without.
        std::sort(by_peak.begin(), by_peak.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        std::vector<double> along;
        for (size_t place = 0; place < path["said"].size(); ++place)
            along.push_back(static_cast<double>(place) / static_cast<double>(path["said"].size() - 1));
        std::vector<drawing::Curve> curves;
        for (const auto& [peak, label] : by_peak) {
            drawing::Curve& curve = curves.emplace_back();
            curve.bold = std::count(three.begin(), three.end(), label);
            curve.name = name(label) + (label == three[0]   ? " (fact)"
                                        : label == three[1] ? " (foil)"
                                        : label == three[2] ? " (third)"
                                                            : "");
            for (size_t place = 0; place < along.size(); ++place) curve.values.push_back(at_place(place, label));
        }
        const drawing::Axis x{"share of the way from z0 to the boundary", 0, 1}, y{"probability", 0, 1};
        const std::string sentence = "What the classifier says along the straight way to the boundary.";
        write_file_atomically(out_ / file, drawing::to_png(drawing::draw_curves(title, sentence, x, y, along, curves)));
        result_.pictures.push_back({file, title + ": probabilities along the way"});
    }

    void draw_frames(const Json& path, const Three& three, const std::string& file, const std::string& title) {
        std::vector<drawing::Panel> panels;
        const size_t count = path["frames"].size();
        for (size_t f = 0; f < count; ++f) {
            const ImageShape& shape = ground_.model.networks().shape;
            const Json& said = path["said"][f * (path["said"].size() - 1) / (count - 1)];
            std::vector<std::string> lines{f == 0 ? "the input"
                                           : f + 1 == count
                                               ? "the boundary"
                                               : base::number(static_cast<double>(f) / static_cast<double>(count - 1)) + " of the way"};
            for (size_t who = 0; who < three.size(); ++who)
                lines.push_back(name(three[who]) +
                                (who == 0   ? " (fact) "
                                 : who == 1 ? " (foil) "
                                            : " (third) ") +
                                base::probability(said[static_cast<size_t>(three[who])].get<double>()));
            panels.push_back({Picture{shape.width, shape.height, shape.channels, path["frames"][f].get<std::vector<uint8_t>>()}, lines});
        }
        write_sheet(out_, file, title, "The way from the input to the boundary, and what the classifier says of each picture.", panels,
                    result_);
    }

    const std::filesystem::path& out_;
    const Ground& ground_;
    ExperimentResult& result_;
};

void run_party(const Party& party, const Ground& ground, const ExperimentRequest& request, const training::Steps& steps,
               const Observer& observer, ExperimentResult& result) {
    ExperimentTable table{
        party.name + ", " + std::to_string(party.asked.sample.size()) + " images",
        {"foil", "guards", "boundary found", "a third class above both", "probability of fact / foil / third", "distance"},
        {}};
    Drawer drawer(request.out, ground, result);
    double done = 0;
    for (const char* name : {"runner-up", "random", "least likely"}) {
        const Kind& kind = party.asked.kind(name);
        const Observer part = training::part(observer, done / 3, (done + 1) / 3);
        ++done;
        std::string step = party.name + "-" + kind.name;
        std::transform(step.begin(), step.end(), step.begin(), [](char c) { return c == ' ' ? '-' : static_cast<char>(std::tolower(c)); });
        const Json json =
            steps.run(step, nullptr, [&] { return measure(party, kind, watching(part, party.name + ", foil " + kind.name)); });
        tell_figures(json, party.name, kind, table, result);
        if (json.contains("shown") && kind.name != "least likely") drawer.draw(json["shown"], party, kind);
    }
    result.tables.push_back(std::move(table));
}

std::vector<std::string> notes(const ExperimentRequest& request) {
    std::vector<std::string> notes{
        "Boundary found: fact and foil as likely, and with guards no third class above both. All else is of those that were found, of the "
        "pictures as a file holds them: in [0, 1], 256 levels. A third class counts as above both from .1 nats on: rounding lifts one that "
        "is tied with both a little.",
        "Distance: latent, mean over the questions with a boundary both with guards and without; of two generators it cannot be compared.",
        "What does not repeat: that a third class \"consistently\" gets in the way without guards. With the pack mnist it depends on the "
        "foil: for a runner-up, which the dissertation asks for, most boundaries have none above both without guards too; the less likely "
        "the foil, the more of them are about somebody else.",
        "Curves and frames are of the straight way from z0 to the boundary, not of the solver's own. Third: the likeliest other class at "
        "its end. Of each kind the first question is shown of which a third class is above both without guards, or else the first of all; "
        "it was not chosen by its looks."};
    if (request.quick) notes.push_back("Quick: the GAN is a tiny one that draws no digits; what it cannot draw of an image is added back.");
    return notes;
}

}  // namespace

void run_guards(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Ground ground(request, experiment_pack(request, "mnist"), observer);
    const int64_t n = request.quick ? 16 : 200, n_gan = request.quick ? 8 : 100;
    const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, observer);
    constexpr double first = 0.2, trained = 0.7, inverted = 0.9;
    result.packs = {ground.pack.identity()};
    Json settings = sources_of(ground.corpus, ground.pack);
    settings["images"] = n;
    const std::string name = name_of(ground.model.networks().required_generator());
    const Asked asked(ground.model, ground.images(name == "GAN" ? n_gan : n), request.seed, watching(observer, "reading images"));
    run_party({name, ground.model, asked}, ground, request, steps, training::part(observer, 0, first), result);
    if (name != "GAN") {
        const BesideGan gan = beside_gan(request, ground, training::part(observer, first, trained));
        settings["gan"] = {{"recipe", base::parse_own_json(gan.recipe)}, {"images", n_gan}};
        const at::Tensor images = ground.images(n_gan);
        const Watch watch = watching(training::part(observer, trained, inverted), "inverting images");
        const at::Tensor codes =
            tensor_of(steps.run("gan-codes", gan.recipe, [&] { return numbers_of(starts_of(gan.model, images, request.seed, watch)); }))
                .to(at::kFloat)
                .view({n_gan, -1});
        const Asked of_gan(gan.model, images, request.seed, watch, codes);
        run_party({"GAN", gan.model, of_gan}, ground, request, steps, training::part(observer, inverted, 1), result);
    }
    result.notes = notes(request);
    result.settings = settings.dump();
}

}  // namespace whynot::image
