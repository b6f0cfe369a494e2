// How a boundary point becomes something to read: which words gave way, and a sentence that the classifier, asked afresh,
// calls the foil.
//
// Decodings:
//   edit     the answer with the fewest and most natural edits (answer.h); the default
//   audit    such an answer at the word that gave up most of the gap: what the decision rests on, however the sentence reads
//   soft     the dissertation's: the generator's own words at the boundary point. They often say the sentence itself, since
//            a mixture may be neutral while each of its likeliest words stays; shown as it is, and said so
//   nearest  beside the answer, the discrete sentence nearest to one half

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/format.h"
#include "base/json.h"
#include "text/model/model.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

std::vector<double> doubles(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

// The cheapest way from one list of words to another (Levenshtein), in edits of single words.
std::vector<WordEdit> difference(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    const size_t m = from.size(), n = to.size();
    std::vector<std::vector<size_t>> cost(m + 1, std::vector<size_t>(n + 1));
    for (size_t i = m + 1; i-- > 0;)
        for (size_t j = n + 1; j-- > 0;) {
            if (i == m || j == n) {
                cost[i][j] = (m - i) + (n - j);
                continue;
            }
            cost[i][j] = std::min({cost[i + 1][j + 1] + (from[i] != to[j]), cost[i + 1][j] + 1, cost[i][j + 1] + 1});
        }
    std::vector<WordEdit> edits;
    for (size_t i = 0, j = 0; i < m || j < n;) {
        if (i < m && j < n && cost[i][j] == cost[i + 1][j + 1] + (from[i] != to[j])) {
            if (from[i] != to[j]) edits.push_back({WordEdit::Kind::replace, i, to[j]});
            ++i, ++j;
        } else if (i < m && cost[i][j] == cost[i + 1][j] + 1) {
            edits.push_back({WordEdit::Kind::remove, i++, ""});
        } else {
            edits.push_back({WordEdit::Kind::insert, i, to[j++]});
        }
    }
    return edits;
}

// Edits of pieces as edits of words.
std::vector<WordEdit> word_edits(const Tokenizer& tokenizer, const std::vector<std::string>& words, const Answer& answer) {
    if (tokenizer.kind() != TokenizerKind::word) {
        std::vector<std::string> said = tokenizer.decode(answer.ids);
        said.erase(std::remove(said.begin(), said.end(), ""), said.end());  // the start of a word whose pieces went
        return difference(words, said);
    }
    std::vector<WordEdit> edits;
    for (const Edit& edit : answer.edits) {
        const auto position = static_cast<size_t>(edit.position);
        if (edit.kind == EditKind::insert) {
            edits.push_back({WordEdit::Kind::insert, position, tokenizer.piece(edit.to[0])});
            continue;
        }
        // A merge puts its word in the place of the first of the two.
        for (size_t i = 0; i < edit.from.size(); ++i) {
            if (i < edit.to.size())
                edits.push_back({WordEdit::Kind::replace, position + i, tokenizer.piece(edit.to[i])});
            else
                edits.push_back({WordEdit::Kind::remove, position + i, ""});
        }
    }
    return edits;
}

Json edits_record(const std::vector<std::string>& words, const std::vector<WordEdit>& edits) {
    Json list = Json::array();
    for (const WordEdit& edit : edits)
        list.push_back({{"position", edit.position},
                        {"from", edit.kind == WordEdit::Kind::insert ? std::string() : words[edit.position]},
                        {"to", edit.kind == WordEdit::Kind::remove ? std::string() : edit.to}});
    return list;
}

// The words that gave up most of the gap, as bars.
std::string contribution_lines(const std::vector<std::string>& words, const std::vector<double>& falls, double gap) {
    std::vector<size_t> order(words.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return falls[a] > falls[b]; });
    size_t shown = 0, widest = 0;
    while (shown < std::min<size_t>(3, order.size()) && falls[order[shown]] >= 0.1 * falls[order[0]] && falls[order[shown]] > 0)
        widest = std::max(widest, words[order[shown++]].size());
    if (shown == 0) return "";
    char number[32];
    std::snprintf(number, sizeof number, "%.1f", gap);
    std::string lines = "\nwhat gave way, of " + std::string(number) + " nats between the two:\n";
    for (size_t i = 0; i < shown; ++i) {
        const std::string& word = words[order[i]];
        const double fall = falls[order[i]];
        std::snprintf(number, sizeof number, "%5.1f  ", fall);
        lines += "  " + word + std::string(widest - word.size(), ' ') + number;
        for (int bar = 0; bar < std::lround(24 * std::min(1.0, fall / std::max(gap, falls[order[0]]))); ++bar) lines += "▇";
        lines += "\n";
    }
    return lines;
}

}  // namespace

Rendering TextBatch::render_one(const RenderRequest& request) const {
    if (!request.decode.empty() && request.decode != "edit" && request.decode != "audit" && request.decode != "soft" &&
        request.decode != "nearest")
        throw Error(ErrorCode::invalid_argument,
                    "expected one of the decodings edit, audit, soft, nearest, found '" + request.decode + "'");
    const Networks& networks = model_.networks();
    const Reading& reading = readings_[request.row];
    const Ids& ids = reading.pieces.ids;
    const std::vector<std::string> words = texts(reading.words);
    const auto positions = static_cast<int64_t>(ids.size());

    // What each position adds to the gap: its word, and the mixture at the boundary.
    const Classifier& classifier = networks.classifier;
    const auto gap_of = [&](const at::Tensor& logits) { return logits.select(1, request.fact) - logits.select(1, request.foil); };
    const at::Tensor word_gap = classifier.additive() ? gap_of(classifier.word_logits()).contiguous() : at::Tensor();
    const at::Tensor z0 = start_[request.row];
    const at::Tensor direction = request.boundary - z0;
    // The generator's words on the line from z0 through the boundary, the boundary itself first.
    const at::Tensor reach = at::tensor({1.0, 0.5, 1.5, 2.0}, at::kFloat).unsqueeze(1);
    const at::Tensor on_line = relaxation_.log_distributions(z0 + reach * direction, request.row);
    const at::Tensor at_boundary = on_line[0];
    std::vector<double> before, after;
    double gap_before = 0;
    if (classifier.additive()) {
        before = doubles(word_gap.index_select(0, at::tensor(ids, at::kLong)));
        after = doubles(at::mv(at_boundary.exp(), word_gap));
        gap_before =
            std::accumulate(before.begin(), before.end(), (classifier.bias[request.fact] - classifier.bias[request.foil]).item<double>());
    } else {
        // In the sentence as it stands, what the word at a position changes against nothing there (a row of zeros), and what the mixture does.
        const at::NoGradGuard no_grad;
        const at::Tensor own = classifier.embedding.index_select(0, at::tensor(ids, at::kLong));
        const at::Tensor soft = at::mm(at_boundary.exp(), classifier.embedding);
        const at::Tensor here = at::eye(positions, at::kFloat).unsqueeze(2);
        const at::Tensor without = own * (1 - here);  // [m, m, d]: position t gone in row t
        const at::Tensor gaps = gap_of(classifier.logits(at::cat({own.unsqueeze(0), without, without + soft * here})));
        const at::Tensor gone = gaps.slice(0, 1, positions + 1);
        before = doubles(gaps[0] - gone);
        after = doubles(gaps.slice(0, positions + 1) - gone);
        gap_before = gaps[0].item<double>();
    }
    std::vector<double> falls(before);
    for (size_t t = 0; t < falls.size(); ++t) falls[t] -= after[t];

    Rendering rendering;
    Json record{{"before", reading.text}};
    const auto classify = [&](const Ids& sentence) { return doubles(at::softmax(classifier.logits({sentence})[0].to(at::kDouble), 0)); };
    const auto show = [&](const std::vector<WordEdit>& edits, const std::string& text, const Ids& asked) {
        record["answer"] = text;
        record["edits"] = edits_record(words, edits);
        rendering.answer = classify(asked);
        rendering.distance =
            Json{{"edits", edits.size()}, {"edit_ratio", static_cast<double>(edits.size()) / static_cast<double>(words.size())}}.dump();
    };

    if (request.decode == "soft") {
        const Ids decoded = networks.autoencoder.greedy(request.boundary.unsqueeze(0), positions + 3)[0];
        // A word that the vocabulary lacks is <unk> to the generator: where it stays that, the sentence's own word stands.
        const bool by_word = networks.tokenizer.kind() == TokenizerKind::word;
        const std::vector<WordEdit> edits =
            difference(by_word ? networks.tokenizer.decode(ids) : words, networks.tokenizer.decode(decoded));
        const std::string text = base::joined(apply_edits(words, edits), " ");
        show(edits, text, decoded);
        rendering.terminal = text + "\n";
        if (edits.empty())
            rendering.warnings.push_back(
                "decoded greedily, the boundary point says the sentence itself: its mixtures are neutral, their likeliest words are not");
        else if (std::max_element(rendering.answer.begin(), rendering.answer.end()) - rendering.answer.begin() != request.foil)
            rendering.warnings.push_back("the classifier does not call the decoded sentence the foil");
    } else {
        AnswerProblem problem;
        problem.sentence = ids;
        problem.falls = falls;
        problem.preference = std::get<0>(on_line.max(0));
        const int64_t foil = request.foil;
        problem.gap = [&, foil](const Sentences& sentences) {
            at::Tensor logits = classifier.logits(sentences).to(at::kDouble);
            const at::Tensor of_foil = logits.select(1, foil).clone();
            logits.select(1, foil).fill_(-INFINITY);
            return doubles(std::get<0>(logits.max(1)) - of_foil);
        };
        if (classifier.additive() && classifier.classes() == 2) problem.word_gaps = doubles(word_gap);

        // The sentence is written out, read again and put to the classifier again: what a person would do with it.
        const auto write = [&](const Answer& answer, bool must_be_foil, std::vector<WordEdit>& edits, std::string& text, Ids& again) {
            edits = word_edits(networks.tokenizer, words, answer);
            // Pieces may spell what no text can say, or nothing at all.
            const auto removes = [](const WordEdit& edit) { return edit.kind == WordEdit::Kind::remove; };
            const bool nothing_left = static_cast<size_t>(std::count_if(edits.begin(), edits.end(), removes)) == words.size();
            const bool sayable =
                std::all_of(edits.begin(), edits.end(), [&](const WordEdit& edit) { return removes(edit) || writable(edit.to); });
            if (edits.empty() || nothing_left || !sayable) return false;
            text = rewrite(reading.text, reading.words, edits);
            again = networks.tokenizer.encode(texts(split_words(text))).ids;
            return !must_be_foil || problem.gap({again})[0] < 0;
        };
        std::vector<WordEdit> edits;
        std::string text;
        Ids again;
        const AnswerResult result = request.decode == "audit" ? model_.search().audit(problem) : model_.search().edit(problem);
        const bool answered = std::any_of(result.answers.begin(), result.answers.end(),
                                          [&](const Answer& answer) { return write(answer, true, edits, text, again); });
        if (answered) {
            show(edits, text, again);
            rendering.terminal = marked(reading.text, reading.words, edits) + "\n";
        } else {
            rendering.failure =
                result.failure.empty() ? "no edited sentence was called the foil when the classifier was asked afresh" : result.failure;
            rendering.terminal = reading.text + "\n";
        }
        if (request.decode == "nearest") {
            const AnswerResult nearest = model_.search().nearest(problem);
            if (!nearest.answers.empty() && write(nearest.answers[0], false, edits, text, again)) {
                record["nearest"] = text;
                char half[64];
                std::snprintf(half, sizeof half, "   (%.3f)", classify(again)[foil]);
                rendering.terminal += "\nnearest to one half: " + marked(reading.text, reading.words, edits) + half + "\n";
            } else {
                rendering.warnings.push_back("no sentence nearest to one half was found: " + nearest.failure);
            }
        }
    }

    Json contributions = Json::array();
    for (size_t t = 0; t < falls.size(); ++t)
        contributions.push_back({{"position", t},
                                 {"word", networks.tokenizer.kind() == TokenizerKind::word ? words[t] : networks.tokenizer.piece(ids[t])},
                                 {"before", before[t]},
                                 {"boundary", after[t]}});
    if (!record.contains("edits")) record["edits"] = Json::array();
    std::vector<std::string> labels;
    for (const Json& contribution : contributions) labels.push_back(contribution["word"]);
    record["contributions"] = std::move(contributions);
    rendering.terminal += contribution_lines(labels, falls, gap_before);
    rendering.record = record.dump();
    return rendering;
}

}  // namespace whynot::text
