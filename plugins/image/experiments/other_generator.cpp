// Figure 3.13: the generator of other data. What still works, and how one sees that it doesn't.
#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "image/comparing/ground.h"
#include "image/comparing/sheets.h"
#include "image/experiments/experiments.h"
#include "image/measuring/judging.h"
#include "image/model/fit.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

/// A classifier with its own generator, or with that of another pack.
struct Pairing {
    std::string key, name;
    const Ground& ground;             ///< whose classifier and images
    const Networks* other = nullptr;  ///< whose generator; null: its own
};

/// The networks of a pairing. A generator of other data gets codes of what this classifier makes of its drawings; what is usual of its residual and
/// codes stays that of its own home, by which a stranger is known.
ImageModel model_of(const Pairing& pairing) {
    Networks networks = pairing.ground.model.networks();
    if (pairing.other == nullptr) return {pairing.ground.classes(), networks};
    const at::NoGradGuard no_grad;
    networks.set_generator(pairing.other->generator);
    networks.codes = pairing.other->codes;
    networks.code_classes = networks.classifier->logits(networks.generator->decode(networks.codes.to(at::kFloat))).argmax(1);
    networks.typical_distance = pairing.other->typical_distance;
    networks.usual_residual_share = pairing.other->usual_residual_share;
    networks.usual_code_distance = pairing.other->usual_code_distance;
    return {pairing.ground.classes(), networks};
}

/// What becomes of the questions of a kind.
Json measure(const ImageModel& model, const Ground& ground, const Classifier& second, int64_t n, uint64_t seed, const Watch& watch) {
    Asked asked(model, ground.images(n), seed, [](double) {});
    const Kind& kind = asked.kind("random");
    const Shown shown = asked.sample.show(kind.foil, 3, 0.9, [&](double share) { watch(0.8 * share); });
    const at::NoGradGuard no_grad;
    const at::Tensor& images = asked.sample.images();
    const at::Tensor size = images.flatten(1).norm(2, 1);
    ImageBatch batch(model, images);
    batch.start(asked.sample.fact(), seed);
    int64_t strange = 0;
    for (const Strangeness& one : batch.strangeness()) strange += one.value.value_or(0) > 1 ? 1 : 0;
    const auto second_of = [&](const at::Tensor& pictures) {
        return mean_of(second.logits(pictures).softmax(1).gather(1, kind.foil.unsqueeze(1)).squeeze(1));
    };
    const at::Tensor near = plausible(shown.answer, kind.foil, ground.train, [&](double share) { watch(0.8 + 0.2 * share); });
    return {{"residual", mean_of(asked.sample.residual().flatten(1).norm(2, 1) / size)},
            {"strange", static_cast<double>(strange) / static_cast<double>(n)},
            {"boundary", mean_of(shown.boundary_there.logical_and(shown.is_edge.logical_not()))},
            {"edge", mean_of(shown.boundary_there)},
            {"answer", mean_of(shown.answer_there)},
            {"second", second_of(shown.answer)},
            {"plausible", mean_of(near.logical_and(shown.answer_there))},
            {"distance", mean_of((shown.answer - images).flatten(1).norm(2, 1))},
            {"inputs", numbers_of(images.slice(0, 0, shown_questions))},
            {"drawn", numbers_of((images - asked.sample.residual()).slice(0, 0, shown_questions))},
            {"answers", numbers_of(shown.answer.slice(0, 0, shown_questions))},
            {"facts", numbers_of(asked.sample.fact().slice(0, 0, shown_questions))},
            {"foils", numbers_of(kind.foil.slice(0, 0, shown_questions))}};
}

/// A sheet a classifier: inputs, what each generator draws of them, and the answers.
void draw(const ExperimentRequest& request, const Ground& ground, const std::string& name,
          const std::vector<std::pair<std::string, Json>>& measured, ExperimentResult& result) {
    const ImageShape& shape = ground.model.networks().shape;
    const auto pictures = [&](const Json& numbers) {
        return tensor_of(numbers).view({-1, shape.channels, shape.height, shape.width}).to(at::kFloat);
    };
    for (int64_t i = 0; i < std::min<int64_t>(2, static_cast<int64_t>(measured.front().second["facts"].size())); ++i) {
        const auto index = static_cast<size_t>(i);
        const auto class_of = [&](const char* what) {
            return ground.classes()[static_cast<size_t>(measured.front().second[what][index].get<double>())];
        };
        std::vector<drawing::Panel> panels{{to_picture(pictures(measured.front().second["inputs"])[i]), {"input"}, 0}};
        for (const auto& [generator, json] : measured) {
            panels.push_back({to_picture(pictures(json["drawn"])[i].clamp(0, 1)), {"drawn by", generator}, 0});
            panels.push_back({to_picture(pictures(json["answers"])[i]), {"answer with", generator}, 0});
        }
        write_sheet(request.out, name + "-" + std::to_string(i + 1) + ".png",
                    "why " + class_of("facts") + " and not " + class_of("foils") + "?",
                    "What each generator draws of the input, and the answer that is found with it.", panels, result);
    }
}

/// Of the other classifier and generator, which the experiment trains for itself.
std::string recipe_of(bool quick) {
    Json recipe{{"images", quick ? 6000 : 20000}, {"evaluation", {{"images", 1}}}};
    if (quick) recipe["generator"] = {{"epochs", 6}};
    return recipe.dump();
}

std::vector<std::string> notes() {
    return {
        "Each classifier is explained with the generator of its own data and with that of the other; the foil is drawn at random, P = .9. "
        "The residual, what the "
        "generator cannot draw, is added back, so that the input itself is given back exactly by any generator.",
        "Residual: |I - G(z0)| / |I|. Unlike: the share of the inputs that 'whynot explain' warns of, by what is usual of the generator's "
        "own data. That is how one "
        "sees that a generator is of other data.",
        "Second: another classifier's mean probability of the foil in the answer. Plausible: three of the five nearest training images are "
        "of the foil."};
}

}  // namespace

void run_other_generator(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    constexpr double learned = 0.6;
    const Ground digits(request, experiment_pack(request, "mnist"), observer);
    const Ground kannada(
        request, trained_pack(request, "kannada", "kannada-mnist", recipe_of(request.quick), "", training::part(observer, 0, learned)),
        observer);
    if (!(digits.model.networks().shape == kannada.model.networks().shape))
        throw Error(ErrorCode::invalid_argument,
                    "expected a pack that looks at the same shape of images as kannada does, found '" + digits.pack.manifest().id + "'");
    const int64_t n = request.quick ? 12 : 200;
    const std::vector<Pairing> pairings{{"digits-own", "its own", digits, nullptr},
                                        {"digits-other", "of " + kannada.pack.manifest().id, digits, &kannada.model.networks()},
                                        {"kannada-own", "its own", kannada, nullptr},
                                        {"kannada-other", "of " + digits.pack.manifest().id, kannada, &digits.model.networks()}};
    ExperimentTable table{"Foil at random",
                          {"classifier", "generator", "residual", "unlike", "boundary", "or edge", "answer", "second", "plausible", "L2"},
                          {}};
    std::vector<std::pair<std::string, Json>> measured;
    for (size_t i = 0; i < pairings.size(); ++i) {
        const Pairing& pairing = pairings[i];
        const Ground& ground = pairing.ground;
        const Observer part = training::part(observer, learned + (1 - learned) * static_cast<double>(i) / 4,
                                             learned + (1 - learned) * static_cast<double>(i + 1) / 4);
        const training::Steps steps = experiment_steps(request, ground.corpus, ground.pack, part);
        const std::string other = (pairing.other == &kannada.model.networks() ? kannada : digits).pack.sha256();
        const Json json = steps.run(pairing.key, {{"generator", other}}, [&] {
            const auto second = second_classifier(request, ground, training::part(part, 0, 0.5));
            return measure(model_of(pairing), ground, *second, n, request.seed,
                           watching(training::part(part, 0.5, 1), ground.pack.manifest().id + ", generator " + pairing.name));
        });
        std::vector<ExperimentValue> row{ground.pack.manifest().id, pairing.name};
        for (const char* figure : {"residual", "strange", "boundary", "edge", "answer", "second", "plausible", "distance"})
            row.push_back(rounded(json[figure].get<double>()));
        table.rows.push_back(std::move(row));
        measured.emplace_back(pairing.name, json);
        const std::string of = ground.pack.manifest().id + ", generator " + pairing.name + ": ";
        result.figures.push_back({of + "warned of as unlike", json["strange"].get<double>(), n, "share", {}, ""});
        result.figures.push_back({of + "second classifier in the answer", json["second"].get<double>(), n, "probability", {}, ""});
        if (i % 2 == 1) {
            draw(request, ground, ground.pack.manifest().id, measured, result);
            measured.clear();
        }
    }
    result.tables.push_back(std::move(table));
    result.notes = notes();
    result.packs = {digits.pack.identity(), kannada.pack.identity()};
    Json settings = sources_of(digits.corpus, digits.pack);
    settings["kannada"] = sources_of(kannada.corpus, kannada.pack);
    settings["images"] = n;
    result.settings = settings.dump();
}

}  // namespace whynot::image
