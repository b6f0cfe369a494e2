#include "text/model/entrance.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace whynot::text {

namespace {

at::Tensor at_entrance(const Classifier& classifier) { return classifier.additive() ? classifier.word_logits() : classifier.embedding; }

/// The longest common part of two lists, as pairs of places: for each word of `edited` that stayed, where it stood.
std::vector<std::pair<size_t, size_t>> stayed(const Ids& original, const Ids& edited) {
    const size_t m = original.size(), n = edited.size();
    std::vector<std::vector<size_t>> common(m + 1, std::vector<size_t>(n + 1, 0));
    for (size_t i = m; i-- > 0;)
        for (size_t j = n; j-- > 0;)
            common[i][j] = original[i] == edited[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    std::vector<std::pair<size_t, size_t>> pairs;
    for (size_t i = 0, j = 0; i < m && j < n;) {
        if (original[i] == edited[j])
            pairs.emplace_back(i++, j++);
        else
            ++(common[i + 1][j] >= common[i][j + 1] ? i : j);
    }
    return pairs;
}

}  // namespace

Entrance::Entrance(const Classifier& classifier) : classifier_(&classifier), words_(at_entrance(classifier)), own_(words_) {}

Entrance::Entrance(const Reader& reader, const Tokenizer& words) : classifier_(&reader.classifier), own_(at_entrance(reader.classifier)) {
    const at::NoGradGuard no_grad;
    const int64_t count = words.size();
    Ids all, begins;
    for (int64_t id = 0; id < count; ++id) {
        Ids pieces;
        if (id >= first_word_id) pieces = reader.read_word(words.piece(id));
        if (id == unk_id)
            if (const auto unknown = reader.pieces->unknown()) pieces = {*unknown};
        begins.push_back(static_cast<int64_t>(all.size()));
        all.insert(all.end(), pieces.begin(), pieces.end());
        pieces_.push_back(std::move(pieces));
    }
    // A classifier that adds up is given all pieces of a word; any other takes their mean for each.
    const int64_t mode = classifier_->additive() ? 0 : 1;
    words_ = std::get<0>(at::embedding_bag(own_, at::tensor(all, at::kLong), at::tensor(begins, at::kLong), false, mode));
}

PieceSentence Entrance::read_shared(const Ids& words) {
    PieceSentence read;
    for (const int64_t word : words) read.words.push_back({word});
    return read;
}

Ids Entrance::asked(const Ids& original, const PieceSentence& read, const Ids& edited) const {
    if (shared() && read.open.empty()) return edited;
    // Most edits touch one place: what is alike at both ends needs no table.
    const size_t most = std::min(original.size(), edited.size());
    size_t front = 0, back = 0;
    while (front < most && original[front] == edited[front]) ++front;
    while (back < most - front && original[original.size() - 1 - back] == edited[edited.size() - 1 - back]) ++back;
    const auto middle = [&](const Ids& ids) {
        return Ids(ids.begin() + static_cast<std::ptrdiff_t>(front), ids.end() - static_cast<std::ptrdiff_t>(back));
    };
    std::vector<std::pair<size_t, size_t>> same;
    for (size_t i = 0; i < front; ++i) same.emplace_back(i, i);
    for (const auto& [from, to] : stayed(middle(original), middle(edited))) same.emplace_back(front + from, front + to);
    for (size_t i = back; i > 0; --i) same.emplace_back(original.size() - i, edited.size() - i);

    Ids ids = read.before;
    size_t word = 0, position = 0, next = 0;  // of the text, of the original, of the edited sentence
    const auto add = [&](const Ids& pieces) { ids.insert(ids.end(), pieces.begin(), pieces.end()); };
    // The text around what the generator says, up to the word at a position of the original; words that are gone are left out.
    const auto add_until = [&](size_t until) {
        const size_t end = until < original.size() ? read.word_at(until) : read.words.size();
        for (; word < end; ++word) {
            if (position < original.size() && read.word_at(position) == word)
                ++position;
            else
                add(read.words[word]);
        }
    };
    const auto add_new = [&](size_t until) {
        for (; next < until; ++next) {
            // A new word takes the place of the first that is gone.
            while (word < read.words.size() && (position >= original.size() || read.word_at(position) != word)) add(read.words[word++]);
            if (shared())
                ids.push_back(edited[next]);
            else
                add(pieces_[static_cast<size_t>(edited[next])]);
        }
    };
    for (const auto& [from, to] : same) {
        add_new(to);
        add_until(from);
        add(read.words[word++]);
        ++position;
        ++next;
    }
    add_new(edited.size());
    add_until(original.size());
    add(read.after);
    return ids;
}

Entrance Entrance::on(const Classifier& classifier) const {
    Entrance copy = *this;
    copy.classifier_ = &classifier;
    copy.words_ = words_.to(classifier.bias.device());
    copy.own_ = own_.to(classifier.bias.device());
    return copy;
}

}  // namespace whynot::text
