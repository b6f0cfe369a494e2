#include "text/model/decode.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "text/model/word_edits.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

Json edits_record(const std::vector<std::string>& words, const std::vector<WordEdit>& edits) {
    Json list = Json::array();
    for (const WordEdit& edit : edits)
        list.push_back({{"position", edit.position},
                        {"from", edit.kind == WordEdit::Kind::insert ? std::string() : words[edit.position]},
                        {"to", edit.kind == WordEdit::Kind::remove ? std::string() : edit.to}});
    return list;
}

}  // namespace

std::vector<double> Decoding::classify(const Ids& asked) const {
    return doubles(at::softmax(model.networks().classifier().logits(Sentences{asked})[0].to(at::kDouble), 0));
}

std::vector<double> Decoding::gaps(const Sentences& asked, double confidence) const {
    // At one half it is enough that the foil is the likeliest class; beyond it, all others together have the rest.
    at::Tensor logits = model.networks().classifier().logits(asked).to(at::kDouble);
    const at::Tensor of_foil = logits.select(1, request.foil).clone();
    logits.select(1, request.foil).fill_(-INFINITY);
    const at::Tensor others = confidence > 0.5 ? logits.logsumexp(1) : std::get<0>(logits.max(1));
    return doubles(others - of_foil + std::log(confidence / (1 - confidence)));
}

AnswerProblem Decoding::problem(double confidence, const std::vector<double>& weighs) const {
    const Classifier& classifier = model.networks().classifier();
    AnswerProblem problem;
    problem.sentence = reading.pieces.ids;
    problem.falls = weighs;
    problem.preference = preference;
    problem.wanted = request.answers;
    problem.fact = request.fact;
    problem.foil = request.foil;
    if (const auto& opinion = model.networks().opinion) {
        problem.opinion = &*opinion;
        problem.reading_cost = [this](const Ids& sentence) { return model.reading_cost(sentence); };
    }
    if (!request.keep.empty()) problem.kept = kept_pieces();
    problem.gap = [this, confidence](const Sentences& sentences) {
        if (model.networks().shared() && reading.sentences.empty()) return gaps(sentences, confidence);
        Sentences asked;
        for (const Ids& sentence : sentences) asked.push_back(as_written(sentence));
        return gaps(asked, confidence);
    };
    if (classifier.additive() && classifier.classes() == 2) problem.word_gaps = doubles(contributions.word_gaps);
    return problem;
}

Ids Decoding::as_written(const Ids& sentence) const {
    const Tokenizer& tokenizer = model.networks().generator->tokenizer;
    const std::vector<WordEdit> edits = in_text(difference(tokenizer.decode(reading.pieces.ids), tokenizer.decode(sentence)));
    try {
        return model.read_again(rewrite(reading.text, reading.words, edits));
    } catch (const Error&) {  // no text says it; how it would be read all the same
        return model.entrance().asked(reading.pieces.ids, reading.read, sentence);
    }
}

std::vector<WordEdit> Decoding::in_text(std::vector<WordEdit> edits) const {
    if (reading.sentences.empty()) return edits;
    for (WordEdit& edit : edits) {
        const std::vector<int64_t>& word = reading.pieces.word;
        edit.position = static_cast<size_t>(edit.position < word.size() ? word[edit.position] : word.back() + 1);
    }
    return edits;
}

std::vector<char> Decoding::kept_pieces() const {
    std::vector<char> kept_words(words.size(), 0);
    for (const std::string& wanted : request.keep) {
        std::vector<std::string> phrase;
        try {
            phrase = texts(split_words(wanted));
        } catch (const Error& error) {
            throw Error(ErrorCode::invalid_argument, "expected words to keep, found '" + wanted + "': " + error.what());
        }
        for (auto at = words.begin(); (at = std::search(at, words.end(), phrase.begin(), phrase.end())) != words.end(); ++at)
            std::fill_n(kept_words.begin() + (at - words.begin()), phrase.size(), 1);
    }
    std::vector<char> kept;
    for (const int64_t word : reading.pieces.word) kept.push_back(kept_words[static_cast<size_t>(word)]);
    return kept;
}

std::optional<Edited> Decoding::write(const Answer& answer) const {
    Edited edited;
    edited.edits = in_text(word_edits(model.networks().generator->tokenizer, words, answer));
    // Pieces may spell what no text can say, or nothing at all.
    const auto removes = [](const WordEdit& edit) { return edit.kind == WordEdit::Kind::remove; };
    const bool nothing_left = static_cast<size_t>(std::count_if(edited.edits.begin(), edited.edits.end(), removes)) == words.size();
    const bool sayable =
        std::all_of(edited.edits.begin(), edited.edits.end(), [&](const WordEdit& edit) { return removes(edit) || writable(edit.to); });
    if (edited.edits.empty() || nothing_left || !sayable) return std::nullopt;
    edited.text = rewrite(reading.text, reading.words, edited.edits);
    edited.asked = model.read_again(edited.text);
    return edited;
}

void Decoding::show(const Edited& edited) {
    record["answer"] = edited.text;
    record["edits"] = edits_record(words, edited.edits);
    rendering.answer = classify(edited.asked);
    rendering.answer_again = edited.text;
    const size_t count = edited.edits.size();
    rendering.distance = Json{{"edits", count}, {"edit_ratio", static_cast<double>(count) / static_cast<double>(words.size())}}.dump();
}

void Decoding::show_further(const std::vector<Edited>& further) {
    if (further.empty()) return;
    Json list = Json::array();
    rendering.terminal += "or\n";
    for (const Edited& edited : further) {
        const double foil = classify(edited.asked)[static_cast<size_t>(request.foil)];
        list.push_back({{"answer", edited.text}, {"edits", edits_record(words, edited.edits)}, {"probability", foil}});
        rendering.terminal += marked(reading.text, reading.words, edited.edits) + "   (" + base::probability(foil) + ")\n";
    }
    record["further"] = std::move(list);
}

}  // namespace whynot::text
