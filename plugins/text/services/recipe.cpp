#include "text/services/recipe.h"

#include <algorithm>

#include "base/json.h"
#include "training/recipe.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

void require(bool right, const char* what) {
    if (!right) throw Error(ErrorCode::invalid_argument, std::string("recipe: ") + what);
}

void check(const Recipe& recipe) {
    const AutoencoderSizes& sizes = recipe.sizes;
    if (recipe.classifier.network.kind != "embedding-sum") make_sentence_network(recipe.classifier.network, 1, 2);  // throws
    require(sizes.latent >= 2 && sizes.latent <= 4096 && sizes.latent % 2 == 0, "'autoencoder.latent' must be even, from 2 to 4096");
    require(std::min({sizes.encoder, sizes.decoder, recipe.classifier.dimension, recipe.masked_sizes.embedding, recipe.masked_sizes.hidden,
                      recipe.masked_sizes.head}) >= 1 &&
                sizes.output_extra >= 0,
            "sizes of networks must be positive");
    require(std::max({sizes.encoder, sizes.decoder, sizes.output_extra, recipe.classifier.dimension, recipe.masked_sizes.embedding,
                      recipe.masked_sizes.hidden, recipe.masked_sizes.head}) <= 4096,
            "sizes of networks go up to 4096");
    require(recipe.classifier.epochs >= 0 && recipe.classifier.epochs <= 10'000, "'classifier.epochs' must be from 0 (chosen) to 10000");
    require(std::min({recipe.autoencoder.epochs, recipe.masked.epochs, recipe.classifier.batch, recipe.autoencoder.batch,
                      recipe.masked.batch, recipe.autoencoder.negatives, recipe.masked.negatives}) >= 1,
            "epochs, batches and negatives must be at least 1");
    require(recipe.contrasts >= 0 && recipe.contrasts <= 10'000'000, "'classifier.contrasts' must be from 0 to 10000000");
    require(std::min({recipe.classifier.learning_rate, recipe.autoencoder.learning_rate, recipe.masked.learning_rate}) > 0,
            "learning rates must be positive");
    require(recipe.autoencoder.longest >= 1 && recipe.autoencoder.longest <= 200, "'autoencoder.longest' must be from 1 to 200");
    for (const double share :
         {recipe.autoencoder.hide_encoder, recipe.autoencoder.hide_decoder, recipe.masked.dropout, recipe.classifier.hide})
        require(share >= 0 && share < 1, "shares of hidden words and dropout must be from 0 to less than 1");
}

// The kind of classifier that a recipe asks for, before the rest of it is looked at; empty: it does not say.
std::string asked_kind(const std::string& text) {
    const Json changes = base::parse_json_object(text.empty() ? "{}" : text, ErrorCode::invalid_argument, "recipe");
    const auto classifier = changes.find("classifier");
    if (classifier == changes.end() || !classifier->is_object()) return "";
    const auto kind = classifier->find("kind");
    return kind != classifier->end() && kind->is_string() ? kind->get<std::string>() : "";
}

// What was found to suit a classifier of that kind.
Recipe suited(const std::string& kind) {
    Recipe recipe;
    ClassifierOptions& classifier = recipe.classifier;
    if (!kind.empty()) classifier.network.kind = kind;
    if (classifier.network.kind == "embedding-sum") return recipe;
    classifier.deviation = 0.1;
    if (classifier.network.kind == "attention") classifier.network.layers = 2;
    return recipe;
}

}  // namespace

std::string Recipe::to_json() const {
    Json json;
    json["tokenizer"] = {{"kind", to_string(tokenizer.kind)}, {"min_count", tokenizer.min_count}, {"vocabulary", tokenizer.vocabulary}};
    json["classifier"] = {{"kind", classifier.network.kind},
                          {"hidden", classifier.network.hidden},
                          {"layers", classifier.network.layers},
                          {"heads", classifier.network.heads},
                          {"dropout", classifier.network.dropout},
                          {"hide", classifier.hide},
                          {"contrasts", contrasts},
                          {"dimension", classifier.dimension},
                          {"epochs", classifier.epochs},
                          {"batch", classifier.batch},
                          {"learning_rate", classifier.learning_rate},
                          {"deviation", classifier.deviation}};
    json["autoencoder"] = {{"latent", sizes.latent},
                           {"encoder", sizes.encoder},
                           {"decoder", sizes.decoder},
                           {"output_extra", sizes.output_extra},
                           {"epochs", autoencoder.epochs},
                           {"batch", autoencoder.batch},
                           {"negatives", autoencoder.negatives},
                           {"learning_rate", autoencoder.learning_rate},
                           {"linear_rate", autoencoder.linear_rate},
                           {"clip", autoencoder.clip},
                           {"noise", autoencoder.noise},
                           {"code_weight", autoencoder.code_weight},
                           {"hide_encoder", autoencoder.hide_encoder},
                           {"hide_decoder", autoencoder.hide_decoder},
                           {"joined", autoencoder.joined},
                           {"longest", autoencoder.longest}};
    json["masked_model"] = {{"embedding", masked_sizes.embedding},
                            {"hidden", masked_sizes.hidden},
                            {"head", masked_sizes.head},
                            {"epochs", masked.epochs},
                            {"batch", masked.batch},
                            {"negatives", masked.negatives},
                            {"learning_rate", masked.learning_rate},
                            {"dropout", masked.dropout},
                            {"clip", masked.clip}};
    json["ngram"] = {{"order", ngram_order}};
    return json.dump();
}

Recipe Recipe::from_json(const std::string& text) {
    Recipe recipe = suited(asked_kind(text));
    Json json = base::parse_own_json(training::merge_recipe(recipe.to_json(), text));
    const auto take = [&](const char* group, const char* key, auto& to) { json[group][key].get_to(to); };
    recipe.tokenizer.kind = tokenizer_kind(json["tokenizer"]["kind"].get<std::string>());
    take("tokenizer", "min_count", recipe.tokenizer.min_count);
    take("tokenizer", "vocabulary", recipe.tokenizer.vocabulary);
    take("classifier", "kind", recipe.classifier.network.kind);
    take("classifier", "hidden", recipe.classifier.network.hidden);
    take("classifier", "layers", recipe.classifier.network.layers);
    take("classifier", "heads", recipe.classifier.network.heads);
    take("classifier", "dropout", recipe.classifier.network.dropout);
    take("classifier", "hide", recipe.classifier.hide);
    take("classifier", "contrasts", recipe.contrasts);
    take("classifier", "dimension", recipe.classifier.dimension);
    take("classifier", "epochs", recipe.classifier.epochs);
    take("classifier", "batch", recipe.classifier.batch);
    take("classifier", "learning_rate", recipe.classifier.learning_rate);
    take("classifier", "deviation", recipe.classifier.deviation);
    take("autoencoder", "latent", recipe.sizes.latent);
    take("autoencoder", "encoder", recipe.sizes.encoder);
    take("autoencoder", "decoder", recipe.sizes.decoder);
    take("autoencoder", "output_extra", recipe.sizes.output_extra);
    take("autoencoder", "epochs", recipe.autoencoder.epochs);
    take("autoencoder", "batch", recipe.autoencoder.batch);
    take("autoencoder", "negatives", recipe.autoencoder.negatives);
    take("autoencoder", "learning_rate", recipe.autoencoder.learning_rate);
    take("autoencoder", "linear_rate", recipe.autoencoder.linear_rate);
    take("autoencoder", "clip", recipe.autoencoder.clip);
    take("autoencoder", "noise", recipe.autoencoder.noise);
    take("autoencoder", "code_weight", recipe.autoencoder.code_weight);
    take("autoencoder", "hide_encoder", recipe.autoencoder.hide_encoder);
    take("autoencoder", "hide_decoder", recipe.autoencoder.hide_decoder);
    take("autoencoder", "joined", recipe.autoencoder.joined);
    take("autoencoder", "longest", recipe.autoencoder.longest);
    take("masked_model", "embedding", recipe.masked_sizes.embedding);
    take("masked_model", "hidden", recipe.masked_sizes.hidden);
    take("masked_model", "head", recipe.masked_sizes.head);
    take("masked_model", "epochs", recipe.masked.epochs);
    take("masked_model", "batch", recipe.masked.batch);
    take("masked_model", "negatives", recipe.masked.negatives);
    take("masked_model", "learning_rate", recipe.masked.learning_rate);
    take("masked_model", "dropout", recipe.masked.dropout);
    take("masked_model", "clip", recipe.masked.clip);
    take("ngram", "order", recipe.ngram_order);
    check(recipe);
    return recipe;
}

}  // namespace whynot::text
