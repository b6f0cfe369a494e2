#include "text/model/model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/format.h"
#include "text/model/modality.h"
#include "whynot/device.h"
#include "whynot/error.h"
#include "whynot/interruption.h"
#include "whynot/inversion.h"

namespace whynot::text {

namespace {

// What a vocabulary offers to edits. A word that no text can spell so that it is read back must not be written into one.
Lexicon lexicon_of(const Networks& networks) {
    std::vector<std::string> pieces;
    for (int64_t id = 0; id < networks.tokenizer.size(); ++id) pieces.push_back(networks.tokenizer.piece(id));
    Lexicon lexicon = make_lexicon(pieces, networks.fluency.ngram().counts());
    for (size_t id = 0; id < pieces.size(); ++id)
        if (!writable(pieces[id])) lexicon.word[id] = lexicon.mark[id] = 0;
    return lexicon;
}

std::string quoted_list(const std::vector<std::string>& words) {
    constexpr size_t max_shown = 5;
    std::vector<std::string> shown;
    for (size_t i = 0; i < std::min(max_shown, words.size()); ++i) shown.push_back("'" + words[i] + "'");
    std::string text = base::joined(shown);
    if (words.size() > max_shown) text += " and " + std::to_string(words.size() - max_shown) + " more";
    return text;
}

// A word as the person wrote it.
std::string own_spelling(const std::string& text, const Word& word) {
    return word.end > word.begin ? text.substr(word.begin, word.end - word.begin) : word.text;
}

Sentences sentences_of(const std::vector<Reading>& readings) {
    Sentences sentences;
    for (const Reading& reading : readings) sentences.push_back(reading.pieces.ids);
    return sentences;
}

/// Shares rows out among the threads, some at a time, so that somebody can end it between them.
void in_groups(int64_t rows, const std::function<void(int64_t begin, int64_t end)>& run) {
    const int64_t group = 8 * at::get_num_threads();
    for (int64_t first = 0; first < rows; first += group) {
        check_interruption();
        at::parallel_for(first, std::min(rows, first + group), 1, run);
    }
}

}  // namespace

std::unique_ptr<Model> TextModality::open(const Pack& pack, const std::string& device) {
    return std::make_unique<TextModel>(pack, device_named(device));
}

TextModel::TextModel(const Pack& pack, at::Device device) : TextModel(pack.manifest().classes, Networks::load(pack)) {
    if (!device.is_cpu()) on_device_ = Copies{networks_.autoencoder.on(device), networks_.classifier.on(device)};
}

TextModel::TextModel(std::vector<std::string> classes, Networks networks)
    : networks_(std::move(networks)),
      info_{std::move(classes), networks_.autoencoder.sizes().latent, networks_.typical_distance, false, 0.5, true},
      lexicon_(lexicon_of(networks_)),
      search_(networks_.fluency, lexicon_, &networks_.associations) {
    if (std::find(lexicon_.word.begin(), lexicon_.word.end(), 1) == lexicon_.word.end())
        throw Error(
            ErrorCode::bad_pack,
            "the vocabulary of the pack has no word that can be put into a text; expected words, found marks and control tokens only");
}

Relaxation TextModel::relax(Sentences sentences) const {
    if (on_device_) return {on_device_->autoencoder, on_device_->classifier, std::move(sentences)};
    return {networks_.autoencoder, networks_.classifier, std::move(sentences)};
}

std::unique_ptr<Batch> TextModel::read(const std::vector<Input>& inputs, std::vector<ReadNotes>& notes) {
    std::vector<Reading> readings;
    notes.assign(inputs.size(), {});
    for (size_t i = 0; i < inputs.size(); ++i) {
        check_interruption();
        Reading reading;
        reading.text = inputs[i].content;
        try {
            reading.words = split_words(reading.text);
        } catch (const Error& error) {
            notes[i].refusal = error.what();
            continue;
        }
        reading.pieces = networks_.tokenizer.encode(texts(reading.words));
        if (static_cast<int64_t>(reading.pieces.ids.size()) > networks_.longest) {
            notes[i].refusal = "the text has " + std::to_string(reading.pieces.ids.size()) + " words and marks, this pack explains up to " +
                               std::to_string(networks_.longest) + "; give it sentence by sentence";
            continue;
        }
        std::vector<std::string> unknown;
        for (const Word& word : reading.words)
            if (!networks_.tokenizer.is_known(word.text)) unknown.push_back(own_spelling(reading.text, word));
        if (unknown.size() == reading.words.size()) {
            notes[i].refusal = "the model knows none of its words (" + quoted_list(unknown) +
                               "); it was trained on English reviews of another kind or language";
            continue;
        }
        if (!unknown.empty()) notes[i].warnings.push_back("unknown to the model and left as they are: " + quoted_list(unknown));
        readings.push_back(std::move(reading));
    }
    return std::make_unique<TextBatch>(*this, std::move(readings));
}

TextBatch::TextBatch(const TextModel& model, std::vector<Reading> readings)
    : model_(model), readings_(std::move(readings)), relaxation_(model.relax(sentences_of(readings_))) {}

at::Tensor TextBatch::classify() { return at::log_softmax(model_.networks().classifier.logits(relaxation_.sentences()), 1); }

at::Tensor TextBatch::start(const at::Tensor&, uint64_t) {
    codes_ = model_.networks().autoencoder.encode(relaxation_.sentences());
    // The encoder comes near; the likelihood of the sentence itself does the rest (dissertation, Procedure 2, warm).
    InversionOptions options;
    options.learning_rate = 0.2;
    const InversionResult inverted =
        invert([this](const at::Tensor& z, const at::Tensor& rows) { return relaxation_.likelihood(z, rows); }, codes_, options);
    start_ = inverted.z;
    exact_ = inverted.done;
    return start_;
}

namespace {

/// What a classifier makes of one position of a sentence: the gap between fact and foil with other words there.
class Position {
public:
    Position(const Classifier& classifier, const Ids& sentence, int64_t fact, int64_t foil)
        : classifier_(classifier), sentence_(sentence), fact_(fact), foil_(foil) {}

    /// The position whose word speaks loudest for the fact: without it the gap is smallest.
    size_t loudest() const {
        const at::Tensor own = classifier_.embedding.index_select(0, at::tensor(sentence_, at::kLong));
        const at::Tensor here = at::eye(own.size(0), at::kFloat).unsqueeze(2);
        return static_cast<size_t>(
            gaps(classifier_.logits(own * (1 - here))).argmin().item<int64_t>());  // [m, m, d]: position t gone in row t
    }

    /// The gaps with each of some words at a position, [n].
    at::Tensor with(size_t position, const at::Tensor& words) const {
        if (classifier_.additive()) {  // the others add what they added before
            const at::Tensor says = gaps(classifier_.word_logits());
            return gaps(classifier_.logits(Sentences{sentence_})) - says[sentence_[position]] + says.index_select(0, words);
        }
        at::Tensor all = at::tensor(sentence_, at::kLong).repeat({words.size(0), 1});
        all.select(1, static_cast<int64_t>(position)).copy_(words);
        const at::Tensor embedded = classifier_.embedding.index_select(0, all.flatten());
        return gaps(classifier_.logits(embedded.view({all.size(0), all.size(1), classifier_.dimension()})));
    }

private:
    at::Tensor gaps(const at::Tensor& logits) const { return logits.select(1, fact_) - logits.select(1, foil_); }

    const Classifier& classifier_;
    const Ids& sentence_;
    int64_t fact_, foil_;
};

}  // namespace

Ids TextBatch::silenced(int64_t row, int64_t fact, int64_t foil) const {
    constexpr int64_t asked = 100;  // words; a classifier that adds up is asked about all of them
    const at::NoGradGuard no_grad;
    const Networks& networks = model_.networks();
    Ids sentence = relaxation_.sentences()[static_cast<size_t>(row)];
    const Position position(networks.classifier, sentence, fact, foil);
    const size_t loudest = position.loudest();
    const auto t = static_cast<int64_t>(loudest);
    const MaskedModel& masked = networks.fluency.network();
    const auto contexts = masked->contexts(at::tensor(sentence, at::kLong).unsqueeze(0));
    const at::Tensor words = at::tensor(std::vector<int64_t>(model_.lexicon().word.begin(), model_.lexicon().word.end())).to(at::kBool);
    const at::Tensor fits = masked->between(contexts.left[0].slice(0, t, t + 1), contexts.right[0].slice(0, t + 1, t + 2))[0].masked_fill(
        words.logical_not(), -INFINITY);
    // The likeliest words first.
    const int64_t count = networks.classifier.additive() ? words.sum().item<int64_t>() : std::min(asked, words.sum().item<int64_t>());
    const at::Tensor likeliest = std::get<1>(fits.topk(count)), gaps = position.with(loudest, likeliest);
    const at::Tensor silencing = gaps.lt(0).nonzero().squeeze(1);
    sentence[loudest] = likeliest[silencing.size(0) > 0 ? silencing[0].item<int64_t>() : gaps.argmin().item<int64_t>()].item<int64_t>();
    return sentence;
}

at::Tensor TextBatch::extra_starts(const at::Tensor& rows, const at::Tensor& fact, const at::Tensor& foil, int64_t, uint64_t) {
    Sentences changed(static_cast<size_t>(rows.size(0)));
    in_groups(rows.size(0), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            changed[static_cast<size_t>(i)] = silenced(rows[i].item<int64_t>(), fact[i].item<int64_t>(), foil[i].item<int64_t>());
    });
    return model_.networks().autoencoder.encode(changed).unsqueeze(1);
}

at::Tensor TextBatch::log_likelihood(const at::Tensor& z, const at::Tensor& rows) { return relaxation_.logits(z, rows); }

std::vector<Strangeness> TextBatch::strangeness() const {
    std::vector<Strangeness> all;
    for (const Reading& reading : readings_) all.push_back(strangeness_of(model_.networks(), reading.pieces.ids));
    return all;
}

std::vector<std::string> TextBatch::warnings(int64_t row) const {
    if (!exact_.defined() || exact_[row].item<bool>()) return {};
    return {"the generator does not give this sentence back exactly; its boundary is that of a sentence near it"};
}

std::vector<Rendering> TextBatch::render(const std::vector<RenderRequest>& requests, uint64_t) {
    std::vector<Rendering> renderings(requests.size());
    // Sentences are independent of one another from here on.
    at::parallel_for(0, static_cast<int64_t>(requests.size()), 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) renderings[i] = render_one(requests[i]);
    });
    return renderings;
}

}  // namespace whynot::text
