#include "text/model/model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/format.h"
#include "text/model/modality.h"
#include "text/pack/likeness.h"
#include "whynot/device.h"
#include "whynot/error.h"
#include "whynot/interruption.h"
#include "whynot/inversion.h"

namespace whynot::text {

namespace {

constexpr size_t most_words = 1000;    // of a text
constexpr int64_t most_sentences = 6;  // that the generator says of a long one

// What a vocabulary offers to edits. A word that no text can spell so that it is read back must not be written into one.
Lexicon lexicon_of(const Networks& networks) {
    const std::vector<std::string> pieces = networks.generator->tokenizer.pieces();
    Lexicon lexicon = make_lexicon(pieces, networks.generator->fluency.ngram().counts());
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

TextModel::Saying::Saying(const Networks& networks)
    : lexicon(lexicon_of(networks)),
      search(networks.generator->fluency, lexicon, &networks.generator->associations),
      entrance(networks.shared() ? Entrance(networks.classifier()) : Entrance(networks.reader, networks.generator->tokenizer)) {
    if (std::find(lexicon.word.begin(), lexicon.word.end(), 1) == lexicon.word.end())
        throw Error(
            ErrorCode::bad_pack,
            "the vocabulary of the pack has no word that can be put into a text; expected words, found marks and control tokens only");
}

TextModel::TextModel(const Pack& pack, at::Device device) : TextModel(pack.manifest().classes, Networks::load(pack)) {
    if (device.is_cpu() || !saying_) return;
    Classifier classifier = networks_.classifier().on(device);
    on_device_ = std::unique_ptr<Copies>(new Copies{networks_.generator->autoencoder.on(device), classifier, saying_->entrance});
    on_device_->entrance = saying_->entrance.on(on_device_->classifier);
}

TextModel::TextModel(std::vector<std::string> classes, Networks networks)
    : networks_(std::move(networks)),
      info_{std::move(classes), networks_.generator ? networks_.generator->autoencoder.sizes().latent : 1, networks_.typical_distance,
            false,
            // Where nobody else judges, a class that is to be certain is bought with the loudest word, whether it fits or not.
            networks_.opinion ? 0.9 : 0.5, true, true},
      saying_(networks_.generator ? std::make_unique<Saying>(networks_) : nullptr) {}

Relaxation TextModel::relax(Sentences sentences, std::vector<PieceSentence> read, std::vector<std::vector<size_t>> lengths) const {
    if (on_device_) return {on_device_->autoencoder, on_device_->entrance, std::move(sentences), std::move(read), std::move(lengths)};
    return {networks_.generator->autoencoder, saying_->entrance, std::move(sentences), std::move(read), std::move(lengths)};
}

PieceSentence TextModel::read_words(const std::string& text, const std::vector<Word>& words) const {
    if (!networks_.shared()) return networks_.reader.read(text, words);
    return Entrance::read_shared(networks_.generator->tokenizer.encode(texts(words)).ids);
}

std::optional<double> TextModel::reading_cost(const Ids& sentence) const {
    // As people write it, for that is what a grammar is of.
    std::string text;
    for (const std::string& word : networks_.generator->tokenizer.decode(sentence)) {
        if (!text.empty() && !joins_the_word_before(word)) text += ' ';
        text += word == "i" ? "I" : word;
    }
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
    const std::lock_guard lock(saying_->one_at_a_time);
    if (!saying_->asked_for_grammar) {
        saying_->asked_for_grammar = true;
        try {
            saying_->grammar = std::make_unique<corpora::AdjectiveFinder>();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw;
        }
    }
    return saying_->grammar ? saying_->grammar->reading_cost(text) : std::nullopt;
}

Ids TextModel::read_again(const std::string& text) const { return read_words(text, split_words(text)).all(); }

std::vector<size_t> TextModel::unknown_words(const std::vector<Word>& words, const PieceSentence& read) const {
    std::vector<size_t> unknown;
    const std::optional<int64_t> piece = networks_.shared() ? std::nullopt : networks_.reader.pieces->unknown();
    for (size_t i = 0; i < words.size(); ++i) {
        const bool known = networks_.shared() ? networks_.generator->tokenizer.is_known(words[i].text)
                                              : !piece || std::count(read.words[i].begin(), read.words[i].end(), *piece) == 0;
        if (!known) unknown.push_back(i);
    }
    return unknown;
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
            reading.read = read_words(reading.text, reading.words);
            const int64_t most = networks_.classifier().longest, found = static_cast<int64_t>(reading.read.all().size());
            if (most > 0 && found > most)
                throw Error(ErrorCode::invalid_input, "the text has " + std::to_string(found) +
                                                          " pieces as the model reads it, which takes up to " + std::to_string(most) +
                                                          "; give it in parts");
        } catch (const Error& error) {
            notes[i].refusal = error.what();
            continue;
        }
        if (networks_.generator) {
            const Generator& generator = *networks_.generator;
            reading.pieces = generator.tokenizer.encode(texts(reading.words));
            const auto longest = static_cast<size_t>(generator.longest);
            if (reading.pieces.ids.size() > longest && generator.tokenizer.kind() == TokenizerKind::word)
                reading.sentences = cut_sentences(reading.text, reading.words, longest);
            const size_t most = reading.sentences.empty() ? longest : most_words;
            if (reading.pieces.ids.size() > most) {
                notes[i].refusal = "the text has " + std::to_string(reading.pieces.ids.size()) +
                                   " words and marks, this pack explains up to " + std::to_string(most) + "; give it in parts";
                continue;
            }
        }
        // A mark alone is no evidence: of the words that say something one has to be known.
        std::vector<std::string> unknown;
        int64_t unknown_spoken = 0;
        for (const size_t word : unknown_words(reading.words, reading.read)) {
            unknown.push_back(own_spelling(reading.text, reading.words[word]));
            unknown_spoken += is_spoken(reading.words[word].text) ? 1 : 0;
        }
        const auto spoken =
            std::count_if(reading.words.begin(), reading.words.end(), [](const Word& word) { return is_spoken(word.text); });
        if (!unknown.empty() && unknown_spoken >= spoken) {
            notes[i].refusal =
                "the model knows none of its words (" + quoted_list(unknown) + "); it was trained on text of another kind or language";
            continue;
        }
        if (!unknown.empty()) notes[i].warnings.push_back("unknown to the model and left as they are: " + quoted_list(unknown));
        readings.push_back(std::move(reading));
    }
    return std::make_unique<TextBatch>(*this, std::move(readings));
}

TextBatch::TextBatch(const TextModel& model, std::vector<Reading> readings) : model_(model), readings_(std::move(readings)) {}

at::Tensor TextBatch::classify() {
    Sentences asked;
    for (const Reading& reading : readings_) asked.push_back(reading.read.all());
    return at::log_softmax(model_.networks().classifier().logits(asked), 1);
}

void TextBatch::open_sentences(Reading& reading, int64_t fact) const {
    const at::NoGradGuard no_grad;
    Sentences asked;
    for (const WordRange& hidden : reading.sentences) {
        PieceSentence rest = reading.read;
        rest.open.clear();
        for (size_t word = hidden.first; word < hidden.second; ++word) rest.words[word].clear();
        asked.push_back(rest.all());
        if (asked.back().empty()) asked.back() = reading.read.all();  // nothing would be left to ask about
    }
    const at::Tensor without = at::log_softmax(model_.networks().classifier().logits(asked), 1).select(1, fact);
    std::vector<int64_t> chosen;
    const at::Tensor order = without.argsort();  // the least likely first: it loses most
    for (int64_t i = 0; i < std::min<int64_t>(most_sentences, order.size(0)); ++i) chosen.push_back(order[i].item<int64_t>());
    std::sort(chosen.begin(), chosen.end());
    const std::vector<int64_t> all = model_.networks().generator->tokenizer.encode(texts(reading.words)).ids;
    reading.pieces = {};
    reading.read.open.clear();
    reading.lengths.clear();
    for (const int64_t sentence : chosen) {
        const WordRange& range = reading.sentences[static_cast<size_t>(sentence)];
        for (size_t word = range.first; word < range.second; ++word) {
            reading.pieces.ids.push_back(all[word]);
            reading.pieces.word.push_back(static_cast<int64_t>(word));
            reading.read.open.push_back(word);
        }
        reading.lengths.push_back(range.second - range.first);
    }
}

at::Tensor TextBatch::start(const at::Tensor& fact, uint64_t) {
    if (!model_.networks().generator)
        throw Error(ErrorCode::invalid_argument,
                    "this pack has a classifier but no generator yet, so it classifies and cannot explain; 'whynot train text "
                    "--generator-only --pack PACK --data FILE --out DIR' makes a pack with one, from a file of sentences like those to be "
                    "explained");
    std::vector<int64_t> rows;
    std::vector<PieceSentence> read;
    std::vector<std::vector<size_t>> lengths;
    for (Reading& reading : readings_) {
        const auto row = static_cast<int64_t>(rows.size());
        if (!reading.sentences.empty()) open_sentences(reading, fact[row].item<int64_t>());
        if (reading.lengths.empty()) reading.lengths = {reading.pieces.ids.size()};
        rows.push_back(row);
        read.push_back(reading.read);
        lengths.push_back(reading.lengths);
        check_interruption();
    }
    relaxation_.emplace(model_.relax(sentences_of(readings_), std::move(read), std::move(lengths)));
    codes_ = relaxation_->encode(relaxation_->sentences(), rows);
    // The encoder comes near; the likelihood of the sentence itself does the rest (dissertation, Procedure 2, warm).
    InversionOptions options;
    options.learning_rate = 0.2;
    const InversionResult inverted =
        invert([this](const at::Tensor& z, const at::Tensor& which) { return relaxation_->likelihood(z, which); }, codes_, options);
    start_ = inverted.z;
    exact_ = inverted.done;
    return start_;
}

namespace {

/// What a classifier makes of one position of a sentence: the gap between fact and foil with other words there.
class Position {
public:
    /// Keeps references to all. @param sentence the generator's words @param read how the classifier reads it
    Position(const Entrance& entrance, const Ids& sentence, const PieceSentence& read, int64_t fact, int64_t foil)
        : entrance_(entrance), sentence_(sentence), read_(read), fact_(fact), foil_(foil) {}

    /// The position whose word speaks loudest for the fact: without it the gap is smallest.
    size_t loudest() const {
        const at::Tensor own = entrance_.classifier().embedding.index_select(0, at::tensor(read_.all(), at::kLong));
        at::Tensor without = own.repeat({static_cast<int64_t>(sentence_.size()), 1, 1});  // [m, n, e]: position t gone in row t
        int64_t place = 0;
        for (const int64_t t : read_.positions_of_pieces()) {
            if (t >= 0) without[t][place].zero_();
            ++place;
        }
        return static_cast<size_t>(gaps(entrance_.classifier().logits(without)).argmin().item<int64_t>());
    }

    /// The gaps with each of some words at a position, [n].
    at::Tensor with(size_t position, const at::Tensor& words) const {
        const Classifier& classifier = entrance_.classifier();
        const at::Tensor whole = classifier.logits(Sentences{read_.all()});
        if (classifier.additive()) {  // the others add what they added before
            const at::Tensor own =
                entrance_.pieces().index_select(0, at::tensor(read_.words[read_.word_at(position)], at::kLong)).sum(0, true);
            return gaps(whole) - gaps(own) + gaps(entrance_.words()).index_select(0, words);
        }
        Sentences asked;
        Ids edited = sentence_;
        for (int64_t i = 0; i < words.size(0); ++i) {
            edited[position] = words[i].item<int64_t>();
            asked.push_back(entrance_.asked(sentence_, read_, edited));
        }
        return gaps(classifier.logits(asked));
    }

private:
    at::Tensor gaps(const at::Tensor& logits) const { return logits.select(1, fact_) - logits.select(1, foil_); }

    const Entrance& entrance_;
    const Ids& sentence_;
    const PieceSentence& read_;
    int64_t fact_, foil_;
};

}  // namespace

Ids TextBatch::silenced(int64_t row, int64_t fact, int64_t foil) const {
    constexpr int64_t asked = 100;  // words; a classifier that adds up is asked about all of them
    const at::NoGradGuard no_grad;
    const Ids& own = relaxation_->sentences()[static_cast<size_t>(row)];
    Ids sentence = own;
    const Position position(model_.entrance(), own, relaxation_->read(row), fact, foil);
    const size_t loudest = position.loudest();
    const auto t = static_cast<int64_t>(loudest);
    const MaskedModel& masked = model_.networks().generator->fluency.network();
    const auto contexts = masked->contexts(at::tensor(sentence, at::kLong).unsqueeze(0));
    const at::Tensor words = at::tensor(std::vector<int64_t>(model_.lexicon().word.begin(), model_.lexicon().word.end())).to(at::kBool);
    const at::Tensor fits = masked->between(contexts.left[0].slice(0, t, t + 1), contexts.right[0].slice(0, t + 1, t + 2))[0].masked_fill(
        words.logical_not(), -INFINITY);
    // The likeliest words first.
    const int64_t count =
        model_.networks().classifier().additive() ? words.sum().item<int64_t>() : std::min(asked, words.sum().item<int64_t>());
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
    const at::Tensor which = rows.contiguous();
    return relaxation_->encode(changed, {which.data_ptr<int64_t>(), which.data_ptr<int64_t>() + which.numel()}).unsqueeze(1);
}

at::Tensor TextBatch::log_likelihood(const at::Tensor& z, const at::Tensor& rows) { return relaxation_->logits(z, rows); }

std::vector<Strangeness> TextBatch::strangeness() const {
    std::vector<Strangeness> all;
    if (!model_.networks().generator) return all;
    const Generator& generator = *model_.networks().generator;
    for (const Reading& reading : readings_) {
        // All of a text counts, whatever part of it is searched.
        all.push_back(strangeness_of(generator, generator.tokenizer.encode(texts(reading.words)).ids));
    }
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
