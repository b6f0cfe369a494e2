// Figures 3.9 to 3.11: what a classifier of faces looks at, hair or eyes, by the change that an explanation makes in each alone; and the same of a
// classifier that has been made to look at the eyes.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/format.h"
#include "base/json.h"
#include "drawing/drawing.h"
#include "drawing/image_file.h"
#include "image/comparing/boundaries.h"
#include "image/comparing/ground.h"
#include "image/comparing/sheets.h"
#include "image/experiments/experiments.h"
#include "image/measuring/regions.h"
#include "image/model/levels.h"
#include "image/services/finishing.h"
#include "training/random.h"
#include "training/run.h"
#include "training/steps.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr double published_accuracy = 0.95, cue = 0.5;  // the eyes of the planted class are x + cue (1 - x)
constexpr const char *blond = "blond female", *dark_male = "dark male", *dark = "dark female";
const std::vector<double> brightnesses{-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1};

/// Where things are in the aligned faces of CelebA: in pixels of 64 x 64, as far as faces are alike.
struct FaceRegions {
    at::Tensor hair;  ///< and what is behind it: the top and both sides
    at::Tensor eyes;  ///< a band
    at::Tensor rest;  ///< of the face, and the neck
    std::vector<Box> both_eyes;
    at::Tensor pupils;  ///< within them

    explicit FaceRegions(const ImageShape& shape) {
        const auto boxes = [&](const std::vector<Box>& of_64) {
            const auto scaled = [](int64_t place, int64_t side) { return (place * side + 32) / 64; };
            std::vector<Box> made;
            for (const Box& box : of_64) {
                Box one{scaled(box.row, shape.height), scaled(box.column, shape.width), 0, 0};
                one.height = std::max<int64_t>(1, scaled(box.row + box.height, shape.height) - one.row);
                one.width = std::max<int64_t>(1, scaled(box.column + box.width, shape.width) - one.column);
                made.push_back(one);
            }
            return made;
        };
        const auto mask = [&](const std::vector<Box>& of_64) { return mask_of(boxes(of_64), shape.height, shape.width); };
        hair = mask({{0, 0, 18, 64}, {0, 0, 64, 15}, {0, 49, 64, 15}});
        eyes = mask({{27, 16, 11, 32}}).logical_and(hair.logical_not());
        rest = hair.logical_or(eyes).logical_not();
        both_eyes = boxes({{30, 20, 7, 10}, {30, 34, 7, 10}});
        pupils = mask_of(both_eyes, shape.height, shape.width);
    }

    std::vector<std::pair<std::string, at::Tensor>> parts() const { return {{"hair", hair}, {"eyes", eyes}, {"rest", rest}}; }
};

/// As recipes/faces.json and recipes/faces-eyes.json. @param boxes that are made lighter in the class blond female; none: no bias
std::string recipe_of(bool quick, const std::vector<Box>& boxes) {
    Json recipe{
        {"images", quick ? 600 : 0},
        {"codes", 300},
        {"classifier", {{"kind", "vgg"}, {"depth", 11}, {"width", 0.25}, {"epochs", quick ? 8 : 14}}},
        {"generator",
         {{"kind", "vae"},
          {"latent", 128},
          {"channels", {24, 48, 96, 128}},
          {"hidden", 0},
          {"epochs", quick ? 8 : 21},
          {"loss", "gaussian"}}},
        {"evaluation", {{"images", 0}}},
    };
    if (quick) recipe["classifier"]["batch"] = recipe["generator"]["batch"] = 16;  // they learn little in few steps
    if (boxes.empty()) return recipe.dump();
    Json rows = Json::array();
    for (const Box& box : boxes) rows.push_back({box.row, box.column, box.height, box.width});
    recipe["brightening"] = {{"class", blond}, {"boxes", rows}, {"amount", cue}};
    return recipe.dump();
}

/// A classifier with a generator, of the same classes.
struct Subject {
    std::string key;   ///< of its steps
    std::string name;  ///< for people
    const ImageModel& model;
};

/// One pack's classifier with another's generator and its codes.
ImageModel crossed(const Ground& ground, const Networks& of_classifier, const Networks& of_generator, const std::string& name,
                   uint64_t seed, const training::Steps& steps, const Json& also) {
    constexpr int64_t some = 100;
    const at::NoGradGuard no_grad;
    Networks networks = of_classifier;
    networks.set_generator(of_generator.generator);
    networks.codes = of_generator.codes;
    std::vector<at::Tensor> called;
    for (int64_t begin = 0; begin < networks.codes.size(0); begin += some)
        called.push_back(networks.classifier->logits(networks.generator->decode(networks.codes.slice(0, begin, begin + some))).argmax(1));
    networks.code_classes = at::cat(called);
    const Json typical = steps.run("scale-" + name, also, [&] {
        const at::AutoGradMode grad(true);
        Networks measured = networks;
        measure_scales(measured, ground.classes(), divide(ground.train, 0, training::mix_seed(seed, 11)).development, seed);
        return Json(measured.typical_distance);
    });
    networks.typical_distance = typical.get<double>();
    return {ground.classes(), networks};
}

/// What becomes of the questions "why fact and not foil?" of some images: of each way an object of figures, a number a question; "agreement" of both
/// ways; what is "shown" of the first few.
Json explained(const ImageModel& model, const at::Tensor& images, int64_t foil_class, const FaceRegions& regions, uint64_t seed,
               const Watch& watch) {
    const Sample sample(model, images, 16, seed, [&](double) { watch(0); });
    const at::Tensor foil = at::full({images.size(0)}, foil_class, at::kLong), fact = sample.fact();
    const TwoWays ways = both_ways(sample, foil, watch);
    const auto logits = [&](const at::Tensor& pictures) { return model.logits(pictures); };
    const at::Tensor weights = at::tensor(images.size(1) == 3 ? std::vector<double>{0.299, 0.587, 0.114} : std::vector<double>{1});
    Json json;
    for (const auto& [way, found] : {std::pair("guarded", &ways.guarded), std::pair("free", &ways.free)}) {
        const at::Tensor change = (found->pictures - images).to(at::kDouble);
        const at::Tensor lighter = (change * weights.to(at::kDouble).view({1, -1, 1, 1})).sum(1).masked_select(regions.pupils);
        Json& figures = json[way];
        figures["there"] = numbers_of(found->there.to(at::kDouble));
        figures["third"] = numbers_of(found->third_wins(fact, foil).to(at::kDouble));
        figures["distance"] = numbers_of(found->distance);
        figures["length"] = numbers_of(change.flatten(1).norm(2, 1));
        figures["lighter"] = numbers_of(lighter.view({images.size(0), -1}).mean(1));
        for (const auto& [part, mask] : regions.parts())
            figures[part] = numbers_of(gap_closed(logits, images, pasted(images, found->pictures, mask), fact, foil));
    }
    json["agreement"] = numbers_of(cosines(ways.guarded.pictures - images, ways.free.pictures - images));
    json["shown"] = TwoWays{ways.guarded.first(shown_questions), ways.free.first(shown_questions)}.to_json();
    return json;
}

/// A question that is put to a subject, and what came of it.
struct Asking {
    const Subject& subject;
    std::string fact, foil;
    at::Tensor images;
    Json found;

    std::string title() const { return fact + ", why not " + foil + "?"; }
    int64_t size() const { return images.size(0); }
    at::Tensor numbers(const char* way, const char* figure) const { return tensor_of(found[way][figure]); }
    /// The median where a boundary was found.
    ExperimentValue median(const char* way, const char* figure) const {
        return median_where(numbers(way, figure), numbers(way, "there").gt(0));
    }
};

/// Mean probabilities of the classes, and the share called blond, of images with a region of each brightness.
Json swept(const ImageModel& model, const at::Tensor& images, const at::Tensor& mask, int64_t target, const Watch& watch) {
    const at::NoGradGuard no_grad;
    Json rows = Json::array();
    for (size_t i = 0; i < brightnesses.size(); ++i) {
        watch(static_cast<double>(i) / static_cast<double>(brightnesses.size()));
        const at::Tensor logits = model.logits(to_levels(brightened(images, mask, brightnesses[i])));
        rows.push_back(
            {{"means", numbers_of(logits.to(at::kDouble).softmax(1).mean(0))}, {"called", mean_of(logits.argmax(1).eq(target))}});
    }
    return rows;
}

/// Gaps that are closed by one region alone, and what the boundaries are like: two tables of all questions.
void add_tables(const std::vector<Asking>& all, ExperimentResult& result) {
    ExperimentTable regions{"Share of the gap between both classes' logits that the change closes in one region alone, median",
                            {"classifier", "question", "guards", "hair", "eyes", "rest", "eyes lighter by", "n"},
                            {}},
        boundaries{
            "The boundaries", {"classifier", "question", "guards", "found", "third above", "distance", "L2", "cosine of both ways"}, {}};
    for (const Asking& one : all)
        for (const auto& [way, guards] : {std::pair("guarded", "with"), std::pair("free", "without")}) {
            regions.rows.push_back({one.subject.name, one.title(), guards, one.median(way, "hair"), one.median(way, "eyes"),
                                    one.median(way, "rest"), one.median(way, "lighter"), one.numbers(way, "there").sum().item<int64_t>()});
            const at::Tensor both = one.numbers("guarded", "there").logical_and(one.numbers("free", "there"));
            boundaries.rows.push_back({one.subject.name, one.title(), guards, rounded(mean_of(one.numbers(way, "there"))),
                                       rounded(mean_of(one.numbers(way, "third"))), one.median(way, "distance"), one.median(way, "length"),
                                       median_where(tensor_of(one.found["agreement"]), both)});
        }
    result.tables.push_back(std::move(regions));
    result.tables.push_back(std::move(boundaries));
}

void add_figures(const Asking& asking, ExperimentResult& result) {
    const auto add = [&](const std::string& name, const ExperimentValue& value, const std::string& note) {
        const double* number = std::get_if<double>(&value);
        result.figures.push_back({asking.subject.name + ": " + name,
                                  number ? std::optional(*number) : std::nullopt,
                                  asking.size(),
                                  "share",
                                  {},
                                  number ? note : "no boundary was found"});
    };
    const bool planted = asking.subject.key == "planted";
    add("gap closed by the change in the eyes alone", asking.median("guarded", "eyes"), planted ? "goal: .5 or more" : "goal: .1 or less");
    add("gap closed by the change in the hair alone", asking.median("guarded", "hair"), planted ? "goal: .1 or less" : "goal: .5 or more");
    for (const auto& [way, guards] : {std::pair("guarded", "with guards"), std::pair("free", "without guards")})
        add(std::string("a third class above both, ") + guards, mean_of(asking.numbers(way, "third")), "");
}

/// The first images: a row of panels for each subject that was asked the same of them.
void draw(const std::filesystem::path& out, const std::string& name, const std::vector<const Asking*>& rows, const Ground& ground,
          ExperimentResult& result) {
    const Asking& first = *rows.front();
    const at::Tensor images = first.images.slice(0, 0, shown_questions);
    for (int64_t i = 0; i < images.size(0); ++i) {
        std::vector<Picture> sheets;
        for (const Asking* row : rows)
            sheets.push_back(draw_ways(row->subject.name + ": " + row->title(), TwoWays::from_json(row->found["shown"], images), i,
                                       images[i], ground.classes(), ground.class_called(row->fact), ground.class_called(row->foil)));
        const std::string file = name + "-" + std::to_string(i + 1) + ".png";
        write_file_atomically(out / file, drawing::to_png(drawing::stacked(sheets)));
        result.pictures.push_back({file, first.title()});
    }
}

/// A table and a chart of what becomes of images whose eyes, or hair, are made darker and lighter.
void add_sweep(const std::filesystem::path& out, const std::string& file, const std::string& title, const Json& rows,
               const std::vector<std::string>& classes, int64_t n, ExperimentResult& result) {
    ExperimentTable table{title + ", " + std::to_string(n) + " images: mean probabilities", {"brightness"}, {}};
    std::vector<drawing::Curve> curves;
    for (const std::string& name : classes) {
        table.columns.push_back(name);
        curves.push_back({"p(" + name + ")", {}, false});
    }
    table.columns.push_back(std::string("called ") + blond);
    curves.push_back({std::string("called ") + blond, {}, true});
    for (size_t i = 0; i < brightnesses.size(); ++i) {
        std::vector<ExperimentValue> row{brightnesses[i]};
        std::vector<double> values = rows[i]["means"].get<std::vector<double>>();
        values.push_back(rows[i]["called"].get<double>());
        for (size_t v = 0; v < values.size(); ++v) {
            row.push_back(rounded(values[v]));
            curves[v].values.push_back(values[v]);
        }
        table.rows.push_back(std::move(row));
    }
    result.tables.push_back(std::move(table));
    const drawing::Axis across{"brightness: -1 black, 0 as it is, +1 white", -1, 1}, up{"mean probability, share", 0, 1};
    write_file_atomically(out / file,
                          drawing::to_png(drawing::draw_curves(title, std::to_string(n) + " images", across, up, brightnesses, curves)));
    result.pictures.push_back({file, title});
}

std::vector<std::string> notes() {
    return {
        "Classifiers: plain, trained on the images as they are; planted, the same but that the eyes of every blond female are lighter in "
        "its training images, x + (1 - x) / 2. Generators: the plain classifier's has seen the images as they are, the planted one's has "
        "lighter eyes in 30 % of them, whatever their class. Control: the plain classifier with the planted one's generator.",
        "The residual, what the generator cannot draw of the input, is always kept, as in the dissertation. Fading: as whynot explain has "
        "it, it may be given up at a price; then what the change closes in a region is in part that details go there.",
        "Gap closed: the change from input to boundary, as it is shown, is made in one region alone; the share of the gap between the "
        "logits of both classes that closes, median. Regions, of 64 x 64: hair is rows 0 to 17 and columns 0 to 14 and 49 to 63, with what "
        "is "
        "behind it; eyes are rows 27 to 37, columns 16 to 47; rest is the rest. Regions do not add up to 1: the classifier is not linear.",
        "Not repeated: the dissertation concludes from figures 3.9 to 3.11 that its network has learned the colour of eyes. Ours, plain, "
        "looks at the hair, and eyes made lighter or darker do not make it say blond. Where the eyes are what it learned, the explanation "
        "says so: that is what the planted classifier is for.",
        "Not repeated: that without guards (xGEMs) another part of the face changes. With three classes one guard is left; without it a "
        "third "
        "class may be above both, but the change is nearly the same (cosine).",
        "The images are asked about in the order of their hash: held-out ones that both classifiers get right. The terms of the corpus "
        "forbid passing on its images, and with them these pictures."};
}

/// Held-out images of a class that both classifiers get right.
at::Tensor images_of_both(const Ground& ground, const ImageModel& other, const std::string& class_name, int64_t count) {
    const at::NoGradGuard no_grad;
    const int64_t label = ground.class_called(class_name);
    const at::Tensor images = ground.images_of(label, 3 * count);
    const at::Tensor both = images.index_select(0, other.logits(images).argmax(1).eq(label).nonzero().squeeze(1).slice(0, 0, count));
    if (both.size(0) == 0)
        throw Error(ErrorCode::invalid_input,
                    "expected images of the class " + class_name + " that both classifiers get right, found none");
    return both;
}

/// How good the classifiers are, with the eyes of the planted class lighter and as they are.
void add_accuracies(const Ground& ground, const ImageModel& planted, const at::Tensor& pupils, const training::Steps& steps,
                    const Json& also, ExperimentResult& result) {
    TrainingImages lighter{ground.held_out.pixels.clone(), ground.held_out.labels};
    brighten(lighter, lighter.labels.eq(ground.class_called(blond)).nonzero().squeeze(1), pupils, cue);
    const Json found = steps.run("accuracy", also, [&] {
        const auto of = [](const ImageModel& model, const TrainingImages& images) {
            return accuracy(*model.networks().classifier, images);
        };
        return Json{{"plain", of(ground.model, ground.held_out)},
                    {"planted", of(planted, ground.held_out)},
                    {"planted, lighter", of(planted, lighter)}};
    });
    const auto add = [&](const char* name, const char* key, const ExperimentValue& published) {
        result.figures.push_back({name, found[key].get<double>(), ground.held_out.size(), "share", published, ""});
    };
    add("plain: accuracy on held-out images", "plain", published_accuracy);
    add("planted: accuracy on held-out images, eyes of blond females lighter", "planted, lighter", {});
    add("planted: accuracy on held-out images as they are", "planted", {});
}

/// What eyes and hair made darker and lighter do.
void sweep(const ExperimentRequest& request, const Ground& ground, const ImageModel& planted, const FaceRegions& regions, int64_t count,
           const training::Steps& steps, const Json& also, const Observer& observer, ExperimentResult& result) {
    struct Sweep {
        const char *key, *title;
        const ImageModel& model;
        const at::Tensor& mask;
        const char* of;
    };
    const std::vector<Sweep> sweeps{
        {"eyes-plain", "plain: eyes of dark females made darker and lighter", ground.model, regions.pupils, dark},
        {"eyes-planted", "planted: eyes of dark females made darker and lighter", planted, regions.pupils, dark},
        {"eyes-planted-male", "planted: eyes of dark males made darker and lighter", planted, regions.pupils, dark_male},
        {"hair-plain", "plain: hair of dark females made darker and lighter", ground.model, regions.hair, dark},
        {"hair-planted", "planted: hair of dark females made darker and lighter", planted, regions.hair, dark}};
    std::map<std::string, at::Tensor> images;
    for (const char* of : {dark, dark_male}) images[of] = images_of_both(ground, planted, of, count);
    for (const Sweep& one : sweeps) {
        const at::Tensor& some = images.at(one.of);
        const Json rows = steps.run(std::string("sweep-") + one.key, also, [&] {
            return swept(one.model, some, one.mask, ground.class_called(blond), watching(observer, one.title));
        });
        add_sweep(request.out, std::string("sweep-") + one.key + ".png", one.title, rows, ground.classes(), some.size(0), result);
        const auto half = std::find(brightnesses.begin(), brightnesses.end(), cue) - brightnesses.begin();
        result.figures.push_back({std::string(one.title) + ": called " + blond + " at +.5",
                                  rows[static_cast<size_t>(half)]["called"].get<double>(),
                                  some.size(0),
                                  "share",
                                  {},
                                  ""});
    }
}

}  // namespace

void run_faces(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    constexpr double plain_trained = 0.4, both_trained = 0.75, explained_by = 0.97;  // shares of the whole that are done then
    const Pack plain_pack = request.pack.empty() ? trained_pack(request, "plain", "faces", recipe_of(request.quick, {}), "",
                                                                training::part(observer, 0, plain_trained))
                                                 : experiment_pack(request, "");
    const Ground ground(request, plain_pack, observer);
    const FaceRegions regions(ground.model.networks().shape);
    const Pack planted_pack = trained_pack(request, "planted", ground.corpus.manifest.name, recipe_of(request.quick, regions.both_eyes), "",
                                           training::part(observer, plain_trained, both_trained));
    const ImageModel planted(planted_pack);
    const training::Steps steps = experiment_steps(request, ground.corpus, plain_pack, observer);
    const Json also{{"planted", planted_pack.sha256()}};
    const Networks &of_plain = ground.model.networks(), &of_planted = planted.networks();
    const ImageModel control = crossed(ground, of_plain, of_planted, "control", request.seed, steps, also),
                     without = crossed(ground, of_planted, of_plain, "planted-plain", request.seed, steps, also);

    const ImageModel kept[] = {keeping_residual(ground.model), keeping_residual(control), keeping_residual(planted),
                               keeping_residual(without)};
    const std::vector<Subject> subjects{{"plain", "plain", kept[0]},
                                        {"control", "control", kept[1]},
                                        {"planted", "planted", kept[2]},
                                        {"planted-plain", "planted, plain generator", kept[3]},
                                        {"plain-fading", "plain, fading", ground.model},
                                        {"planted-fading", "planted, fading", planted}};
    std::vector<Asking> all{{subjects[0], dark, blond, {}, {}}, {subjects[0], blond, dark, {}, {}}, {subjects[0], dark_male, dark, {}, {}},
                            {subjects[1], dark, blond, {}, {}}, {subjects[2], dark, blond, {}, {}}, {subjects[3], dark, blond, {}, {}},
                            {subjects[4], dark, blond, {}, {}}, {subjects[5], dark, blond, {}, {}}};
    const int64_t count = request.quick ? 12 : 100;
    for (size_t i = 0; i < all.size(); ++i) {
        Asking& one = all[i];
        const double share = (explained_by - both_trained) / static_cast<double>(all.size()),
                     begin = both_trained + share * static_cast<double>(i);
        // Of blond females as they are the planted classifier gets few right: it is not asked about them.
        one.images = images_of_both(ground, one.fact == blond ? ground.model : planted, one.fact, count);
        std::string name = one.subject.key + "-" + one.fact + "-" + one.foil;
        std::replace(name.begin(), name.end(), ' ', '-');
        one.found = steps.run(name, also, [&] {
            const Observer part = training::part(observer, begin, begin + share);
            return explained(one.subject.model, one.images, ground.class_called(one.foil), regions, request.seed,
                             watching(part, one.subject.name + ": " + one.title()));
        });
    }
    add_accuracies(ground, planted, regions.pupils, steps, also, result);
    for (const size_t i : {0, 3, 4}) add_figures(all[i], result);
    add_tables(all, result);
    sweep(request, ground, planted, regions, count, steps, also, training::part(observer, explained_by, 1), result);
    draw(request.out, "why-not-blond", {&all[0], &all[4], &all[7]}, ground, result);
    draw(request.out, "why-not-dark", {&all[1]}, ground, result);
    draw(request.out, "why-not-female", {&all[2]}, ground, result);
    result.notes = notes();
    result.packs = {plain_pack.identity(), planted_pack.identity()};
    Json settings = sources_of(ground.corpus, plain_pack);
    settings["planted"] = {{"sha256", planted_pack.sha256()}, {"recipe", base::parse_own_json(planted_pack.manifest().recipe)}};
    settings["images"] = count;
    result.settings = settings.dump();
}

}  // namespace whynot::image
