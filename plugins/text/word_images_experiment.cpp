// Section 4.2: how far a classifier comes that sees words as letters only, and what its input looks like.
#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "drawing.h"
#include "experiments.h"
#include "explaining.h"
#include "image_file.h"
#include "networks.h"
#include "random.h"
#include "run.h"
#include "steps.h"
#include "whynot/atomic_file.h"
#include "word_images.h"

namespace whynot::text {

namespace {

using Json = nlohmann::ordered_json;

constexpr double published_least = 0.82, published_most = 0.90;

struct Data {
    Sentences sentences;
    std::vector<int64_t> labels;
};

double share_right(const std::vector<int64_t>& predicted, const std::vector<int64_t>& labels) {
    size_t right = 0;
    for (size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i];
    return static_cast<double>(right) / static_cast<double>(std::max<size_t>(1, labels.size()));
}

/// The first of each class, of a length that fits a page.
std::vector<const LabelledSentence*> sentences_to_show(const Corpus& corpus, const std::vector<const LabelledSentence*>& held_out) {
    constexpr size_t of_each = 2, shortest = 5, longest = 10;
    std::vector<const LabelledSentence*> shown;
    std::vector<size_t> taken(corpus.classes().size(), 0);
    for (const LabelledSentence* sentence : held_out) {
        const size_t words = sentence->words.size();
        if (words < shortest || words > longest || taken[static_cast<size_t>(sentence->label)] == of_each) continue;
        ++taken[static_cast<size_t>(sentence->label)];
        shown.push_back(sentence);
    }
    return shown;
}

/// Figure 4.1: rows are words, columns letters and digits, the darker the more often.
std::string draw(const LabelledSentence& sentence) {
    std::vector<std::string> columns;
    for (const char c : std::string("abcdefghijklmnopqrstuvwxyz0123456789")) columns.emplace_back(1, c);
    std::vector<double> darkness;
    double most = 2;  // so that a single letter is grey in every picture
    for (const std::string& word : sentence.words)
        for (const float count : letter_counts(word)) {
            darkness.push_back(count);
            most = std::max<double>(most, count);
        }
    for (double& value : darkness) value /= most;
    return image::to_png(image::draw_matrix(joined(sentence.words), sentence.words, columns, darkness));
}

Json recipe_of(const WordImageOptions& options) {
    return {{"width", options.width},   {"filters", options.filters}, {"dropout", options.dropout},
            {"epochs", options.epochs}, {"batch", options.batch},     {"learning_rate", options.learning_rate}};
}

}  // namespace

void run_word_images(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Corpus corpus = read_corpus(request.corpora, "yelp");
    const Pack pack = experiment_pack(request, "yelp", corpus);
    const std::vector<const LabelledSentence*> held_out_sentences = in_order_of_hash(corpus.held_out);

    WordImages images;
    std::set<std::string> known;
    Data train, held_out;
    constexpr size_t few = 20000;  // of a quick run
    for (const LabelledSentence* sentence : in_order_of_hash(corpus.train)) {
        if (request.quick && train.sentences.size() == few) break;
        train.sentences.push_back(images.add(sentence->words));
        train.labels.push_back(sentence->label);
        known.insert(sentence->words.begin(), sentence->words.end());
    }
    const size_t words = images.distinct_words(), ambiguous = images.ambiguous_words();
    std::vector<bool> has_new_word;
    for (const LabelledSentence* sentence : held_out_sentences) {
        held_out.sentences.push_back(images.add(sentence->words));
        held_out.labels.push_back(sentence->label);
        has_new_word.push_back(
            std::any_of(sentence->words.begin(), sentence->words.end(), [&](const auto& word) { return !known.count(word); }));
    }
    const at::Tensor rows = images.rows();
    const std::vector<const LabelledSentence*> shown = sentences_to_show(corpus, held_out_sentences);
    const auto n = static_cast<int64_t>(held_out.sentences.size());
    const auto with_new_words = static_cast<int64_t>(std::count(has_new_word.begin(), has_new_word.end(), true));

    /// Both accuracies of a classifier's answers.
    const auto measured = [&](const std::vector<int64_t>& predicted) {
        std::vector<int64_t> those, labels;
        for (size_t i = 0; i < predicted.size(); ++i)
            if (has_new_word[i]) {
                those.push_back(predicted[i]);
                labels.push_back(held_out.labels[i]);
            }
        return Json{{"all", share_right(predicted, held_out.labels)}, {"new_words", share_right(those, labels)}};
    };

    const Steps steps(request.out / "steps",
                      {{"experiment", request.name}, {"seed", request.seed}, {"quick", request.quick}, {"corpus", corpus.sha256}},
                      observer);
    const std::vector<int64_t> widths = request.quick ? std::vector<int64_t>{3} : std::vector<int64_t>{2, 3};
    Json recipes = Json::array();
    ExperimentTable pictures{"The sentences of the pictures", {"picture", "sentence", "class"}, {}};
    for (size_t i = 0; i < shown.size(); ++i)
        pictures.rows.push_back({"sentence-" + std::to_string(i + 1) + ".png", joined(shown[i]->words),
                                 corpus.classes()[static_cast<size_t>(shown[i]->label)]});
    std::vector<std::pair<std::string, Json>> accuracies;
    for (size_t i = 0; i < widths.size(); ++i) {
        WordImageOptions options;
        options.width = widths[i]; if (getenv("WF")) { options.filters = atoi(getenv("WF")); options.epochs = atoi(getenv("WE")); }
        const Json recipe = recipe_of(options);
        recipes.push_back(recipe);
        const double share = 0.9 / static_cast<double>(widths.size());
        const std::string wide = std::to_string(options.width) + " words wide";
        const std::string step = "filters-" + std::to_string(options.width);
        const Json made = steps.run(step, recipe, [&]() -> Json {
            const uint64_t seed = mix_seed(request.seed, static_cast<uint64_t>(options.width));
            WordImageNetwork network(options, static_cast<int64_t>(corpus.classes().size()), seed);
            const auto part_of_all = part(observer, share * static_cast<double>(i), share * static_cast<double>(i + 1));
            network.train(rows, train.sentences, train.labels, seed, part_of_all, steps.checkpoint(step, recipe));
            Json json = measured(predict(network, rows, held_out.sentences).classes);
            Sentences of_pictures;
            for (const LabelledSentence* sentence : shown) of_pictures.push_back(images.add(sentence->words));
            const WordImagePredictions said = predict(network, rows, of_pictures);
            json["said"] = said.classes;
            json["probabilities"] = said.probabilities;
            return json;
        });
        accuracies.emplace_back("filters " + wide, made);
        pictures.columns.insert(pictures.columns.end(), {"filters " + wide + " say", "p"});
        for (size_t j = 0; j < shown.size(); ++j) {
            pictures.rows[j].emplace_back(corpus.classes().at(made["said"][j].get<size_t>()));
            pictures.rows[j].emplace_back(std::round(made["probabilities"][j].get<double>() * 1000) / 1000);
        }
    }
    const Json sums = steps.run("word-embeddings", {{"pack", pack.sha256()}}, [&] {
        const Networks networks = Networks::load(pack);
        Sentences sentences;
        for (const LabelledSentence* sentence : held_out_sentences) sentences.push_back(networks.tokenizer.encode(sentence->words).ids);
        const at::Tensor predicted = networks.classifier.logits(sentences).argmax(1).contiguous();
        return measured({predicted.data_ptr<int64_t>(), predicted.data_ptr<int64_t>() + predicted.numel()});
    });
    const std::string of_words = "sum of word embeddings";

    for (const auto& [name, accuracy] : accuracies)
        result.figures.push_back({"accuracy, " + name, accuracy["all"].get<double>(), n, "share", "0.82 to 0.90", ""});
    result.figures.push_back(
        {"accuracy, " + of_words, sums["all"].get<double>(), n, "share", {}, "the pack's, which sees words and no letters"});
    std::vector<int64_t> of_class(corpus.classes().size(), 0);
    for (const int64_t label : held_out.labels) ++of_class[static_cast<size_t>(label)];
    const auto largest = static_cast<double>(*std::max_element(of_class.begin(), of_class.end()));
    result.figures.push_back(
        {"share of the larger class", largest / static_cast<double>(std::max<int64_t>(1, n)), n, "share", {}, "what guessing gives"});
    const std::string new_words = "accuracy where a word is new, ";
    for (const auto& [name, accuracy] : accuracies)
        result.figures.push_back({new_words + name, accuracy["new_words"].get<double>(), with_new_words, "share", {}, ""});
    result.figures.push_back({new_words + of_words, sums["new_words"].get<double>(), with_new_words, "share", {}, ""});
    result.figures.push_back({"words of the training sentences that have the image of another",
                              static_cast<double>(ambiguous) / static_cast<double>(words),
                              static_cast<int64_t>(words),
                              "share",
                              {},
                              "as was and saw"});

    result.tables.push_back(std::move(pictures));
    for (size_t i = 0; i < shown.size(); ++i) {
        const std::string file = "sentence-" + std::to_string(i + 1) + ".png";
        write_file_atomically(request.out / file, draw(*shown[i]));
        result.pictures.push_back({file, joined(shown[i]->words)});
    }
    result.notes = {
        "Each row of a picture is a word, each column one of a to z and 0 to 9; the darker, the more often it occurs in the word. This is "
        "all the convolution sees.",
        "The published range is that of the dissertation's own data and networks; the corpus here is Yelp, with its own split."};
    double best = 0;
    for (const auto& [name, accuracy] : accuracies) best = std::max(best, accuracy["all"].get<double>());
    char sentence[300];
    std::snprintf(sentence, sizeof sentence,
                  "Letters reach %.1f %% here, %s the published range. Word embeddings, merely added up, reach %.1f %% on the same "
                  "sentences: what is missing is not in the data but in the images, where words with the same letters are one.",
                  100 * best, best > published_most ? "above" : best < published_least ? "below" : "within", 100 * sums["all"].get<double>());
    if (!request.quick) result.notes.emplace_back(sentence);
    result.settings = Json{
        {"corpus", {{"name", corpus.manifest.name}, {"sha256", corpus.sha256}}},
        {"pack", {{"id", pack.manifest().id}, {"version", pack.manifest().version}, {"sha256", pack.sha256()}}},
        {"training_sentences", train.sentences.size()},
        {"networks",
         recipes}}.dump();
}

}  // namespace whynot::text
