// Figure 3.8: two deep classifiers of Fashion-MNIST, a VGG16 and a ResNet101, explained in the latent space of one generator.
#include <ATen/ATen.h>

#include <algorithm>

#include "base/json.h"
#include "drawing/drawing.h"
#include "drawing/image_file.h"
#include "image/comparing/boundaries.h"
#include "image/comparing/ground.h"
#include "image/experiments/experiments.h"
#include "image/measuring/regions.h"
#include "training/run.h"
#include "training/steps.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr int64_t shown = 3;
constexpr double published_accuracy = 0.92;

/// As recipes/fashion-vgg.json and recipes/fashion-resnet.json, of 30,000 images.
std::string recipe_of(const std::string& kind, int64_t depth, double width, bool quick) {
    const bool deepest = kind == "resnet";
    Json classifier{{"kind", kind}, {"depth", depth}, {"width", width}, {"epochs", deepest ? 8 : 5}};
    if (quick) classifier["epochs"] = deepest ? 6 : 4, classifier["batch"] = 16;  // so many layers learn nothing in fewer steps
    Json generator{{"kind", "vae"}, {"epochs", 10}};
    if (quick) generator["batch"] = 16;
    return Json{{"images", quick ? 1500 : 30000}, {"classifier", classifier}, {"generator", generator}, {"evaluation", {{"images", 0}}}}
        .dump();
}

/// One of the two that are explained, with the residual always kept or not.
struct Rival {
    std::string key;  ///< of its steps
    std::string name;
    const ImageModel& model;
};

std::string name_of(const ImageModel& model) {
    const ClassifierSizes& sizes = model.networks().classifier_sizes;
    const std::string depth = sizes.depth > 0 ? std::to_string(sizes.depth) : "";
    return sizes.kind == "vgg" ? "VGG" + depth : sizes.kind == "resnet" ? "ResNet" + depth : sizes.kind + depth;
}

/// "Why not the foil?" of images of the fact that both networks get right.
struct Question {
    std::string fact, foil;
    int64_t fact_class = 0, foil_class = 0;
    at::Tensor images;

    Question(std::string fact_, std::string foil_, int64_t count, const Ground& ground, const ImageModel& other)
        : fact(std::move(fact_)),
          foil(std::move(foil_)),
          fact_class(ground.class_called(fact)),
          foil_class(ground.class_called(foil)),
          images(ground.images_of(fact_class, 3 * count)) {
        const at::NoGradGuard no_grad;
        const at::Tensor right = other.logits(images).argmax(1).eq(fact_class).nonzero().squeeze(1).slice(0, 0, count);
        images = images.index_select(0, right);
        if (images.size(0) == 0)
            throw Error(ErrorCode::invalid_input, "expected images of the class " + fact + " that both networks get right, found none");
    }

    std::string title() const { return fact + ", why not " + foil + "?"; }
    at::Tensor facts() const { return at::full({images.size(0)}, fact_class, at::kLong); }
    at::Tensor foils() const { return at::full({images.size(0)}, foil_class, at::kLong); }
};

TwoWays explained(const Question& question, const Rival& rival, const training::Steps& steps, const Json& also, uint64_t seed,
                  const Observer& observer) {
    const Json json = steps.run(rival.key + "-" + question.fact + "-" + question.foil, also, [&] {
        const Watch watch = watching(observer, rival.name + ": " + question.title());
        const Sample sample(rival.model, question.images, 32, seed, [&](double) { watch(0); });
        return both_ways(sample, question.foils(), watch).to_json();
    });
    return TwoWays::from_json(json, question.images);
}

/// What one network's boundaries are like, and what the other says of them: a row with guards and one without.
void add_rows(ExperimentTable& table, const Question& question, const Rival& rival, const Rival& other, const TwoWays& ways) {
    for (const bool guards : {true, false}) {
        const Boundaries& found = guards ? ways.guarded : ways.free;
        const at::Tensor closed = gap_closed([&](const at::Tensor& images) { return other.model.logits(images); }, question.images,
                                             found.pictures, question.facts(), question.foils());
        const at::Tensor length = (found.pictures - question.images).flatten(1).norm(2, 1);
        table.rows.push_back({rival.name, guards ? "with" : "without", rounded(found.found()),
                              rounded(mean_of(found.third_wins(question.facts(), question.foils()))),
                              median_where(found.distance, found.there), median_where(length, found.there),
                              median_where(closed, found.there)});
    }
}

void add_figures(const Question& question, const Rival& rival, const TwoWays& ways, ExperimentResult& result) {
    const auto add = [&](const std::string& name, double value) {
        result.figures.push_back({rival.name + ", " + question.title() + " " + name, value, question.images.size(0), "share", {}, ""});
    };
    add("boundary found", ways.guarded.found());
    add("a third class above both, with guards", mean_of(ways.guarded.third_wins(question.facts(), question.foils())));
    add("a third class above both, without guards", mean_of(ways.free.third_wins(question.facts(), question.foils())));
}

/// How far two networks' changes of the same images point the same way; of different images, each beside the next one; and with guards and without.
std::vector<ExperimentValue> agreement_row(const std::string& title, const at::Tensor& images, const TwoWays& first,
                                           const TwoWays& second) {
    const auto row = [&](const Boundaries& one, const Boundaries& other, int64_t next) {
        const auto change = [&](const Boundaries& of) { return of.pictures - images; };
        return median_where(cosines(change(one), change(other).roll(next, 0)), one.there.logical_and(other.there.roll(next, 0)));
    };
    return {title,
            row(first.guarded, second.guarded, 0),
            row(first.free, second.free, 0),
            row(first.guarded, second.guarded, 1),
            row(first.guarded, first.free, 0),
            row(second.guarded, second.free, 0),
            first.guarded.there.logical_and(second.guarded.there).sum().item<int64_t>()};
}

/// The first images that both networks are explained on, with guards and without: a row of panels for each.
void draw(const std::filesystem::path& out, const Question& question, const std::vector<Rival>& rivals, const std::vector<TwoWays>& ways,
          const std::vector<std::string>& classes, ExperimentResult& result) {
    at::Tensor there = at::ones({question.images.size(0)}, at::kBool);
    for (const TwoWays& way : ways) there = there.logical_and(way.guarded.there).logical_and(way.free.there);
    const at::Tensor rows = there.nonzero().squeeze(1);
    for (int64_t i = 0; i < std::min(shown, rows.size(0)); ++i) {
        const int64_t row = rows[i].item<int64_t>();
        std::vector<Picture> sheets;
        for (size_t r = 0; r < rivals.size(); ++r)
            sheets.push_back(draw_ways(rivals[r].name + ": " + question.title(), ways[r], row, question.images[row], classes,
                                       question.fact_class, question.foil_class));
        const std::string file = question.fact + "-" + question.foil + "-" + std::to_string(i + 1) + ".png";
        write_file_atomically(out / file, drawing::to_png(drawing::stacked(sheets)));
        result.pictures.push_back({file, question.title()});
    }
}

std::vector<std::string> notes() {
    return {
        "Both networks have all their layers and a quarter of the published channels, and see 30,000 of the 60,000 training images, the "
        "VGG16 five "
        "times, the ResNet101 eight times: at full width an epoch takes an hour of one core. --pack takes another network in the place of "
        "the first, and the "
        "ResNet101 is as wide as that one.",
        "The images: held-out ones of the class that both networks get right, in the order of their hash. The generator is the same, so "
        "that only the classifiers differ.",
        "The residual, what the generator cannot draw of the input, is always kept, as in the dissertation. Fading: as whynot explain has "
        "it, it may be given up at a price. Then much of a change is the residual going, which is the same for both networks: they agree "
        "more than what they look at does.",
        "Boundary: the picture that is shown, read again. Third above: a third class above both there by more than 0.03 nats. Distance and "
        "L2: medians. The other network: the share of its own gap between both classes that the picture closes for it, median.",
        "Agreement: the cosine of the changes of pixels, median. Of different images, each beside the next: what two explanations of such "
        "a question have in common whatever the image is.",
        "The dissertation shows figure 3.8 as pictures only: no figure beside the accuracy was published."};
}

}  // namespace

void run_fashion(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    constexpr double first_trained = 0.35, both_trained = 0.8;  // shares of the whole that are done then
    const bool own = request.pack.empty();
    const Pack first = own ? trained_pack(request, "vgg16", "fashion-mnist", recipe_of("vgg", 16, 0.25, request.quick), "",
                                          training::part(observer, 0, first_trained))
                           : experiment_pack(request, "");
    const Ground ground(request, first, observer);
    const std::vector<std::pair<std::string, std::string>> asked{{"t-shirt", "shirt"}, {"trouser", "coat"}};
    for (const auto& [fact, foil] : asked) ground.class_called(fact), ground.class_called(foil);  // throws before anything else is trained
    const ClassifierSizes& sizes = ground.model.networks().classifier_sizes;
    const Pack second = trained_pack(request, "resnet101", ground.corpus.manifest.name,
                                     recipe_of("resnet", 101, sizes.kind == "lenet" ? 0.25 : sizes.width, request.quick),
                                     own ? (request.out / "packs" / "vgg16").string() : request.pack,
                                     training::part(observer, first_trained, both_trained));
    const ImageModel other(second);
    const ImageModel kept_first = keeping_residual(ground.model), kept_second = keeping_residual(other);
    const std::string name = name_of(ground.model), other_name = name_of(other);
    const std::vector<Rival> rivals{{"first", name, kept_first},
                                    {"second", other_name, kept_second},
                                    {"first-fading", name + ", fading", ground.model},
                                    {"second-fading", other_name + ", fading", other}};
    const training::Steps steps = experiment_steps(request, ground.corpus, first, observer);
    const Json also{{"second", second.sha256()}};

    for (size_t r = 0; r < 2; ++r) {
        const Json right = steps.run("accuracy-" + rivals[r].key, also, [&] {
            return Json(accuracy(*rivals[r].model.networks().classifier, ground.held_out, watching(observer, "classifying")));
        });
        result.figures.push_back({rivals[r].name + ": accuracy on held-out images", right.get<double>(), ground.held_out.size(), "share",
                                  published_accuracy, ""});
    }
    ExperimentTable agreement{
        "How far both networks' explanations agree: cosine of the changes of pixels, median",
        {"question", "with guards", "without guards", "different images", "guards or none: " + name, "the same: " + other_name, "n"},
        {}};
    double done = both_trained;
    for (const auto& [fact, foil] : asked) {
        const Question question(fact, foil, request.quick ? 12 : 100, ground, other);
        std::vector<TwoWays> ways;
        for (const Rival& rival : rivals) {
            const double end = done + (1 - both_trained) / static_cast<double>(asked.size() * rivals.size());
            ways.push_back(explained(question, rival, steps, also, request.seed, training::part(observer, done, end)));
            done = end;
        }
        ExperimentTable table{question.title() + " " + std::to_string(question.images.size(0)) + " images",
                              {"network", "guards", "boundary", "third above", "distance", "L2", "closed for the other network"},
                              {}};
        for (size_t r = 0; r < rivals.size(); ++r) add_rows(table, question, rivals[r], rivals[r ^ 1], ways[r]);
        for (size_t r = 0; r < 2; ++r) add_figures(question, rivals[r], ways[r], result);
        result.tables.push_back(std::move(table));
        for (size_t r = 0; r < rivals.size(); r += 2)
            agreement.rows.push_back(agreement_row(question.title() + (r > 0 ? " fading" : ""), question.images, ways[r], ways[r + 1]));
        draw(request.out, question, rivals, ways, ground.classes(), result);
    }
    result.tables.push_back(std::move(agreement));
    result.notes = notes();
    result.packs = {first.identity(), second.identity()};
    Json settings = sources_of(ground.corpus, first);
    settings["second"] = {{"sha256", second.sha256()}, {"recipe", base::parse_own_json(second.manifest().recipe)}};
    settings["recipe"] = base::parse_own_json(first.manifest().recipe.empty() ? "{}" : first.manifest().recipe);
    result.settings = settings.dump();
}

}  // namespace whynot::image
