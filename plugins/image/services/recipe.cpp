#include "image/services/recipe.h"

#include <algorithm>

#include "base/json.h"
#include "training/recipe.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

void require(bool holds, const std::string& what) {
    if (!holds) throw Error(ErrorCode::invalid_argument, "recipe: " + what);
}

// The kind of network that a recipe asks for, before the rest of it is looked at; empty: it does not say.
std::string asked_kind(const Json& changes, const char* network) {
    const auto part = changes.find(network);
    if (part == changes.end() || !part->is_object()) return "";
    const auto kind = part->find("kind");
    return kind != part->end() && kind->is_string() ? kind->get<std::string>() : "";
}

// What was found to suit images of a shape and networks of a kind.
Recipe suited(const ImageShape& shape, const std::string& classifier_kind, const std::string& generator_kind) {
    const bool small = std::max(shape.height, shape.width) <= 32;
    const bool grey = shape.channels == 1;
    Recipe recipe;
    recipe.framing = shape.framing;
    recipe.light_on_dark = shape.light_on_dark;

    recipe.classifier.kind = !classifier_kind.empty() ? classifier_kind : small && grey ? "lenet" : "vgg";
    if (recipe.classifier.kind != "lenet") {
        recipe.classifier.depth = recipe.classifier.kind == "resnet" ? 101 : small ? 16 : 11;
        recipe.classifier.width = 0.25;
        recipe.classifier_training.learning_rate = 2e-3;
        recipe.classifier_training.weight_decay = 1e-4;
        recipe.classifier_training.epochs = small ? 5 : 14;
        recipe.classifier_training.batch = small ? 64 : 32;
        if (recipe.classifier.kind == "vgg") recipe.classifier.dropout = 0.4;
        recipe.evaluation = {100, 20, 32};
    }
    recipe.classifier_training.flip = !grey;

    recipe.generator.kind = !generator_kind.empty() ? generator_kind : small ? "vae" : "autoencoder";
    recipe.generator_training.flip = !grey;
    if (!grey) recipe.generator_training.loss = "gaussian";
    if (recipe.generator.kind == "dcgan") {
        recipe.generator.latent = 64;
        recipe.generator.hidden = 0;
        recipe.generator.channels = {32, 64};
        recipe.generator_training.learning_rate = 5e-4;
    } else if (!small) {
        recipe.generator.latent = 128;
        recipe.generator.hidden = 0;
        recipe.generator.channels = {24, 48, 96, 128};
        recipe.generator_training.batch = 32;
        recipe.generator_training.epochs = 20;
    }
    return recipe;
}

Brightening brightening_of(const Json& json, const ImageShape& shape) {
    Brightening brightening{json["class"], {}, json["amount"], json["generator_share"]};
    for (const Json& box : json["boxes"]) {
        const auto is_number = [](const Json& value) { return value.is_number_integer(); };
        require(box.is_array() && box.size() == 4 && std::all_of(box.begin(), box.end(), is_number),
                "'brightening.boxes' must be lists of row, column, height and width");
        const Box made{box[0], box[1], box[2], box[3]};
        require(made.row >= 0 && made.column >= 0 && made.height >= 1 && made.width >= 1 && made.height <= shape.height - made.row &&
                    made.width <= shape.width - made.column,
                "'brightening.boxes' must lie within the image");
        brightening.boxes.push_back(made);
    }
    require(brightening.class_name.empty() || !brightening.boxes.empty(), "'brightening.boxes' must name one box at least");
    require(brightening.amount >= 0 && brightening.amount <= 1, "'brightening.amount' must be from 0 to 1");
    require(brightening.generator_share >= 0 && brightening.generator_share <= 1, "'brightening.generator_share' must be from 0 to 1");
    return brightening;
}

}  // namespace

std::string Recipe::to_json() const {
    Json json = base::parse_own_json(training_json());
    json["evaluation"] = {{"images", evaluation.images}, {"oracle_images", evaluation.oracle_images}, {"batch", evaluation.batch}};
    return json.dump();
}

std::string Recipe::training_json() const {
    Json json;
    json["images"] = images;
    json["codes"] = codes;
    json["framing"] = framing;
    json["light_on_dark"] = light_on_dark;
    json["classifier"] = {{"kind", classifier.kind},
                          {"depth", classifier.depth},
                          {"width", classifier.width},
                          {"dropout", classifier.dropout},
                          {"epochs", classifier_training.epochs},
                          {"batch", classifier_training.batch},
                          {"learning_rate", classifier_training.learning_rate},
                          {"schedule", classifier_training.schedule},
                          {"weight_decay", classifier_training.weight_decay},
                          {"shift", classifier_training.shift},
                          {"flip", classifier_training.flip}};
    json["generator"] = {{"kind", generator.kind},
                         {"latent", generator.latent},
                         {"channels", generator.channels},
                         {"hidden", generator.hidden},
                         {"epochs", generator_training.epochs},
                         {"batch", generator_training.batch},
                         {"learning_rate", generator_training.learning_rate},
                         {"flip", generator_training.flip},
                         {"loss", generator_training.loss},
                         {"divergence", generator_training.divergence},
                         {"code_penalty", generator_training.code_penalty},
                         {"critic_steps", generator_training.critic_steps},
                         {"gradient_penalty", generator_training.gradient_penalty}};
    json["square"] = {{"class", square.class_name}, {"size", square.size}, {"value", square.value}};
    Json boxes = Json::array();
    for (const Box& box : brightening.boxes) boxes.push_back({box.row, box.column, box.height, box.width});
    json["brightening"] = {{"class", brightening.class_name},
                           {"boxes", boxes},
                           {"amount", brightening.amount},
                           {"generator_share", brightening.generator_share}};
    return json.dump();
}

Recipe Recipe::from_json(const std::string& text, const ImageShape& shape) {
    const Json changes = base::parse_json_object(text.empty() ? "{}" : text, ErrorCode::invalid_argument, "recipe");
    Recipe recipe = suited(shape, asked_kind(changes, "classifier"), asked_kind(changes, "generator"));
    const Json json = base::parse_own_json(training::merge_recipe(recipe.to_json(), changes.dump()));
    recipe.images = json["images"];
    recipe.codes = json["codes"];
    recipe.framing = json["framing"];
    recipe.light_on_dark = json["light_on_dark"];
    const Json& c = json["classifier"];
    recipe.classifier = {c["kind"], c["depth"], c["width"], c["dropout"]};
    recipe.classifier_training = {c["epochs"], c["batch"], c["learning_rate"], c["schedule"], c["weight_decay"], c["shift"], c["flip"]};
    const Json& g = json["generator"];
    for (const Json& channels : g["channels"]) require(channels.is_number_integer(), "'generator.channels' must be whole numbers");
    recipe.generator = {g["kind"], g["latent"], g["channels"].get<std::vector<int64_t>>(), g["hidden"]};
    recipe.generator_training = {g["epochs"],       g["batch"],        g["learning_rate"],   g["flip"], g["loss"], g["divergence"],
                                 g["code_penalty"], g["critic_steps"], g["gradient_penalty"]};
    recipe.square = {json["square"]["class"], json["square"]["size"], json["square"]["value"]};
    recipe.brightening = brightening_of(json["brightening"], shape);
    const Json& e = json["evaluation"];
    recipe.evaluation = {e["images"], e["oracle_images"], e["batch"]};

    require(recipe.images >= 0, "'images' must be 0 (all) or more");
    require(recipe.codes >= 0 && recipe.codes <= 10000, "'codes' must be from 0 to 10000");
    require(recipe.framing == "plain" || recipe.framing == "digit", "'framing' must be \"plain\" or \"digit\"");
    require(recipe.classifier.dropout >= 0 && recipe.classifier.dropout < 1, "'classifier.dropout' must be from 0 to less than 1");
    const ClassifierTraining& ct = recipe.classifier_training;
    const GeneratorTraining& gt = recipe.generator_training;
    require(ct.epochs >= 1 && gt.epochs >= 1, "epochs must be at least 1");
    require(ct.batch >= 2 && gt.batch >= 2, "batches must have at least 2 images");
    require(ct.learning_rate > 0 && gt.learning_rate > 0, "learning rates must be positive");
    require(ct.schedule == "cosine" || ct.schedule == "constant", "'classifier.schedule' must be \"cosine\" or \"constant\"");
    require(ct.weight_decay >= 0, "'classifier.weight_decay' must not be negative");
    require(ct.shift >= 0 && 2 * ct.shift < std::min(shape.height, shape.width), "'classifier.shift' must be less than half the image");
    require(gt.loss == "bernoulli" || gt.loss == "gaussian", "'generator.loss' must be \"bernoulli\" or \"gaussian\"");
    require(gt.divergence >= 0 && gt.code_penalty >= 0 && gt.gradient_penalty >= 0, "weights of the generator's loss must not be negative");
    require(gt.critic_steps >= 1, "'generator.critic_steps' must be at least 1");
    require(recipe.square.size >= 1 && recipe.square.size <= std::min(shape.height, shape.width), "'square.size' must fit into the image");
    require(recipe.evaluation.images >= 0, "'evaluation.images' must be 0 (accuracy alone) or more");
    require(recipe.evaluation.oracle_images >= 0, "'evaluation.oracle_images' must be 0 (all) or more");
    require(recipe.evaluation.batch >= 1, "'evaluation.batch' must be at least 1");
    require(recipe.square.value >= 0 && recipe.square.value <= 1, "'square.value' must be from 0 to 1");
    return recipe;
}

}  // namespace whynot::image
