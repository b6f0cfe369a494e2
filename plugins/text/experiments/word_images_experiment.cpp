// Section 4.2: how far a classifier comes that sees words as letters only, and what its input looks like.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/format.h"
#include "base/json.h"
#include "drawing/drawing.h"
#include "drawing/image_file.h"
#include "text/experiments/experiments.h"
#include "text/experiments/word_images.h"
#include "text/pack/networks.h"
#include "text/services/explaining.h"
#include "training/random.h"
#include "training/run.h"
#include "training/steps.h"
#include "whynot/atomic_file.h"

namespace whynot::text {

namespace {

using base::Json;
using Labelled = std::vector<const LabelledSentence*>;

constexpr double published_min = 0.82, published_max = 0.90;
constexpr size_t quick_training = 20000;  ///< sentences

/// What the convolutions are trained and measured on.
struct Data {
    WordImages images;
    at::Tensor rows;  ///< of all words
    Sentences train, held_out;
    std::vector<int64_t> train_labels, held_out_labels;
    std::vector<bool> has_new_word;          ///< of the held-out sentences: one that no training sentence has
    size_t train_words = 0;                  ///< different words of the training sentences
    size_t train_words_that_look_alike = 0;  ///< of those, the ones whose image is another's too

    Data(const Labelled& training, const Labelled& measuring) {
        std::unordered_set<std::string> known;
        for (const LabelledSentence* sentence : training) {
            train.push_back(images.add(sentence->words));
            train_labels.push_back(sentence->label);
            known.insert(sentence->words.begin(), sentence->words.end());
        }
        train_words = known.size();
        train_words_that_look_alike = images.ambiguous_words();
        for (const LabelledSentence* sentence : measuring) {
            held_out.push_back(images.add(sentence->words));
            held_out_labels.push_back(sentence->label);
            const auto is_new = [&](const std::string& word) { return known.count(word) == 0; };
            has_new_word.push_back(std::any_of(sentence->words.begin(), sentence->words.end(), is_new));
        }
        rows = images.rows();
    }

    int64_t count() const { return static_cast<int64_t>(held_out.size()); }
    int64_t count_with_new_word() const { return std::count(has_new_word.begin(), has_new_word.end(), true); }

    /// What guessing gives.
    double share_of_largest_class() const {
        std::vector<int64_t> of_class;
        for (const int64_t label : held_out_labels) {
            of_class.resize(std::max(of_class.size(), static_cast<size_t>(label) + 1));
            ++of_class[static_cast<size_t>(label)];
        }
        return static_cast<double>(*std::max_element(of_class.begin(), of_class.end())) / static_cast<double>(count());
    }

    /// The accuracy of predicted classes on all held-out sentences, and on those with a new word (null where there are none).
    Json accuracies(const std::vector<int64_t>& predicted) const {
        int64_t right = 0, right_with_new_word = 0;
        for (size_t i = 0; i < predicted.size(); ++i) {
            const bool is_right = predicted[i] == held_out_labels[i];
            right += is_right;
            right_with_new_word += is_right && has_new_word[i];
        }
        const auto share = [](int64_t part, int64_t n) {
            return n > 0 ? Json(static_cast<double>(part) / static_cast<double>(n)) : Json();
        };
        return {{"all", share(right, count())}, {"new_word", share(right_with_new_word, count_with_new_word())}};
    }
};

/// The first sentences of each class, of a length that fits a page; as indices.
std::vector<size_t> sentences_to_show(const Labelled& sentences, size_t classes) {
    constexpr size_t of_each = 2, shortest = 5, longest = 10;
    std::vector<size_t> shown, taken(classes, 0);
    for (size_t i = 0; i < sentences.size(); ++i) {
        const size_t words = sentences[i]->words.size();
        size_t& of_class = taken[static_cast<size_t>(sentences[i]->label)];
        if (words < shortest || words > longest || of_class == of_each) continue;
        ++of_class;
        shown.push_back(i);
    }
    return shown;
}

std::string picture_file(size_t i) { return "sentence-" + std::to_string(i + 1) + ".png"; }

/// Figure 4.1: rows are words, columns letters and digits, the darker the more often.
std::string draw(const LabelledSentence& sentence) {
    std::vector<std::string> columns;
    for (const char c : std::string("abcdefghijklmnopqrstuvwxyz0123456789")) columns.emplace_back(1, c);
    std::vector<double> darkness;
    double max = 2;  // so that a single letter is grey in every picture
    for (const std::string& word : sentence.words)
        for (const float count : letter_counts(word)) {
            darkness.push_back(count);
            max = std::max<double>(max, count);
        }
    for (double& value : darkness) value /= max;
    return drawing::to_png(drawing::draw_matrix(base::joined(sentence.words, " "), sentence.words, columns, darkness));
}

Json recipe_of(const WordImageOptions& options) {
    return {{"width", options.width},   {"filters", options.filters}, {"dropout", options.dropout},
            {"epochs", options.epochs}, {"batch", options.batch},     {"learning_rate", options.learning_rate}};
}

/// One classifier as measured.
struct Measured {
    std::string name;
    Json figures;  ///< "all" and "new_word": accuracies; of a convolution also what it "said" of the sentences shown, and "probabilities"
};

Json measure_convolution(const WordImageOptions& options, const Data& data, size_t classes, const std::vector<size_t>& shown, uint64_t seed,
                         const Observer& observer, const training::Checkpoint& checkpoint) {
    WordImageNetwork network(options, static_cast<int64_t>(classes), seed);
    network.train(data.rows, data.train, data.train_labels, seed, observer, checkpoint);
    const WordImagePredictions predicted = predict(network, data.rows, data.held_out);
    Json figures = data.accuracies(predicted.classes);
    for (const size_t i : shown) {
        figures["said"].push_back(predicted.classes[i]);
        figures["probabilities"].push_back(predicted.probabilities[i]);
    }
    return figures;
}

Json measure_embeddings(const Pack& pack, const Data& data, const Labelled& held_out) {
    const Networks networks = Networks::load(pack);
    Sentences sentences;
    for (const LabelledSentence* sentence : held_out) sentences.push_back(networks.read(sentence->words));
    const at::Tensor predicted = networks.classifier().logits(sentences).argmax(1).contiguous();
    return data.accuracies({predicted.data_ptr<int64_t>(), predicted.data_ptr<int64_t>() + predicted.numel()});
}

void add_figures(ExperimentResult& result, const std::vector<Measured>& convolutions, const Measured& embeddings, const Data& data) {
    const auto add = [&](const std::string& name, const Json& share, int64_t n, const ExperimentValue& published, const std::string& note) {
        const auto value = share.is_null() ? std::nullopt : std::optional(share.get<double>());
        result.figures.push_back({name, value, n, "share", published, note});
    };
    const int64_t n = data.count(), with_new_word = data.count_with_new_word();
    for (const Measured& one : convolutions) add("accuracy, " + one.name, one.figures["all"], n, "0.82 to 0.90", "");
    add("accuracy, " + embeddings.name, embeddings.figures["all"], n, {}, "the pack's classifier, which sees words and no letters");
    add("share of the largest class", data.share_of_largest_class(), n, {}, "what guessing gives");
    const std::string no_new_word = with_new_word > 0 ? "" : "no held-out sentence has a new word";
    for (const Measured& one : convolutions)
        add("accuracy where a word is new, " + one.name, one.figures["new_word"], with_new_word, {}, no_new_word);
    add("accuracy where a word is new, " + embeddings.name, embeddings.figures["new_word"], with_new_word, {}, no_new_word);
    add("words of the training sentences that have the image of another",
        static_cast<double>(data.train_words_that_look_alike) / static_cast<double>(data.train_words),
        static_cast<int64_t>(data.train_words), {}, "as was and saw, or full stop and comma");
}

/// The pictures, and the table of what each convolution says of them.
void add_pictures(ExperimentResult& result, const std::filesystem::path& folder, const Labelled& shown,
                  const std::vector<Measured>& convolutions, const std::vector<std::string>& classes) {
    ExperimentTable table{"The sentences of the pictures", {"picture", "sentence", "class"}, {}};
    for (const Measured& one : convolutions) table.columns.insert(table.columns.end(), {one.name + " say", "p"});
    for (size_t i = 0; i < shown.size(); ++i) {
        const std::string file = picture_file(i), sentence = base::joined(shown[i]->words, " ");
        write_file_atomically(folder / file, draw(*shown[i]));
        result.pictures.push_back({file, sentence});
        std::vector<ExperimentValue>& row = table.rows.emplace_back();
        row = {file, sentence, classes.at(static_cast<size_t>(shown[i]->label))};
        for (const Measured& one : convolutions) {
            row.emplace_back(classes.at(one.figures["said"][i].get<size_t>()));
            row.emplace_back(std::round(one.figures["probabilities"][i].get<double>() * 1000) / 1000);
        }
    }
    result.tables.push_back(std::move(table));
}

}  // namespace

void run_word_images(const ExperimentRequest& request, const Observer& observer, ExperimentResult& result) {
    const Corpus corpus = read_corpus(request.corpora, "yelp");
    const Pack pack = experiment_pack(request, "yelp-sum", corpus);
    const Labelled held_out = in_order_of_hash(corpus.held_out);
    Labelled train = in_order_of_hash(corpus.train);
    if (request.quick) train.resize(std::min(train.size(), quick_training));
    if (train.empty() || held_out.empty())
        throw Error(ErrorCode::invalid_input,
                    "the corpus '" + corpus.manifest.name + "': expected sentences to train on and held-out ones");
    const Data data(train, held_out);
    const std::vector<size_t> shown = sentences_to_show(held_out, corpus.classes().size());

    const training::Steps steps = experiment_steps(request, corpus, observer);
    const std::vector<int64_t> widths = request.quick ? std::vector<int64_t>{3} : std::vector<int64_t>{2, 3};
    std::vector<Measured> convolutions;
    Json recipes;
    for (size_t i = 0; i < widths.size(); ++i) {
        WordImageOptions options;
        options.width = widths[i];
        const std::string step = "filters-" + std::to_string(options.width);
        const Json recipe = recipes.emplace_back(recipe_of(options));
        const auto share = [&](size_t done) { return static_cast<double>(done) / static_cast<double>(widths.size()); };
        const Json figures = steps.run(step, recipe, [&] {
            const uint64_t seed = training::mix_seed(request.seed, static_cast<uint64_t>(options.width));
            return measure_convolution(options, data, corpus.classes().size(), shown, seed,
                                       training::part(observer, share(i), share(i + 1)), steps.checkpoint(step, recipe));
        });
        convolutions.push_back({"filters " + std::to_string(options.width) + " words wide", figures});
    }
    const Measured embeddings{"sum of word embeddings", steps.run("word-embeddings", {{"pack", pack.sha256()}},
                                                                  [&] { return measure_embeddings(pack, data, held_out); })};

    add_figures(result, convolutions, embeddings, data);
    Labelled pictured;
    for (const size_t i : shown) pictured.push_back(held_out[i]);
    add_pictures(result, request.out, pictured, convolutions, corpus.classes());
    result.notes = {
        "Each row of a picture is a word, each column one of a to z and 0 to 9; the darker, the more often it occurs in the word. This is "
        "all the convolution sees.",
        "The published range is that of the dissertation's own data and networks; the corpus here is Yelp, with its own split.",
        "A word is new where no sentence that the filters were trained on has it; p is the probability that the filters give to what they "
        "say."};
    if (!request.quick) {
        double best = 0;
        for (const Measured& one : convolutions) best = std::max(best, one.figures["all"].get<double>());
        const std::string place = best > published_max ? "above" : best < published_min ? "below" : "within";
        result.notes.push_back("Letters reach " + base::percent(best) + " here, " + place +
                               " the published range. Word embeddings, merely added up, reach " +
                               base::percent(embeddings.figures["all"].get<double>()) +
                               " on the same sentences: letters tell this network less than words do.");
    }
    result.packs = {pack.identity()};
    Json settings = sources_of(corpus, pack);
    settings["training_sentences"] = data.train.size();
    settings["networks"] = recipes;
    result.settings = settings.dump();
}

}  // namespace whynot::text
