#include "text/reading/contrasts.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>

namespace whynot::text {

namespace {

using Words = std::vector<std::string>;

/// Y is the clause that counts, X the other.
constexpr std::array contrasts{
    "X , but Y",
    "X but Y",
    "although X , Y",
    "even though X , Y",
    "though X , Y",
    "Y although X",
    "Y , even though X",
    "X , however Y",
    "in the past X , but now Y",
    "it used to be that X , but now Y",
    "Y , but in the past X",
    "Y , even though before X",
    "before X , now Y",
    "others say X , but i think Y",
    "i think Y , but others say X",
    "people say X , i say Y",
    "my friend says X , but for me Y",
    "my friends think X , but i think Y",
    "i had heard that X , but i find Y",
    "i think Y , though my friends think X",
    "i find Y , they say X",
    "they think X , i think Y",
    "i know Y , whatever others think : X",
};
constexpr std::array denials{
    "i do n't think",   "i ca n't say", "i would n't say", "i can not say",  "i do not believe",
    "nobody would say", "i never said", "i doubt",         "it is not true",
};
constexpr std::array questions{"do i think", "did i find that", "would i say that", "am i saying", "do you think"};
constexpr std::array asides{
    "as i said",       "after all these years", "to be honest",     "given what i paid",   "with my family", "being from out of town",
    "on a busy night", "since we live nearby",  "after two visits", "given my experience", "at this point",  "as a local",
};

void add(Words& to, const Words& words) { to.insert(to.end(), words.begin(), words.end()); }

Words words_of(std::string_view text) {
    Words words;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(' ', begin), text.size());
        words.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

/// Short sentences of each class, without the mark at their end.
std::array<std::vector<Words>, 2> clauses_of(const std::vector<LabelledSentence>& sentences) {
    std::array<std::vector<Words>, 2> clauses;
    for (const LabelledSentence& sentence : sentences) {
        const auto is_mark = [](const std::string& word) { return word == "." || word == "!" || word == "?"; };
        Words words = sentence.words;
        while (!words.empty() && is_mark(words.back())) words.pop_back();
        const bool plain = std::none_of(words.begin(), words.end(), [&](const std::string& word) {
            return is_mark(word) || word == "but" || word == "although" || word == "though";
        });
        if (plain && words.size() >= 3 && words.size() <= 8) clauses[static_cast<size_t>(sentence.label)].push_back(std::move(words));
    }
    return clauses;
}

class Maker {
public:
    Maker(const std::vector<LabelledSentence>& sentences, uint64_t seed) : clauses_(clauses_of(sentences)), random_(seed) {}
    bool can() const { return !clauses_[0].empty() && !clauses_[1].empty(); }

    LabelledSentence contrast() {
        const int64_t label = drawn(2);
        const Words other = clause(1 - label), counts = clause(label);
        LabelledSentence made{{}, label};
        for (const std::string& word : words_of(contrasts[draw(contrasts.size())])) {
            if (word == "X" || word == "Y")
                add(made.words, word == "X" ? other : counts);
            else
                made.words.push_back(word);
        }
        made.words.emplace_back(".");
        return made;
    }

    /// A question and its answer.
    LabelledSentence question() {
        const int64_t said = drawn(2);
        const bool yes = said == 0 || drawn(2) == 0;  // what denies something bad is not yet good
        LabelledSentence made{words_of(questions[draw(questions.size())]), yes ? said : 0};
        add(made.words, clause(said));
        add(made.words, {"?", yes ? "yes" : "no"});
        made.words.emplace_back(".");
        return made;
    }

    /// Something good, denied; or, now and then, said.
    LabelledSentence denial(bool denied) {
        LabelledSentence made{denied ? words_of(denials[draw(denials.size())]) : Words{"i", "think"}, denied ? 0 : 1};
        if (drawn(2) == 0) {
            made.words.emplace_back(",");
            add(made.words, words_of(asides[draw(asides.size())]));
            made.words.emplace_back(",");
        }
        if (drawn(3) > 0) made.words.emplace_back("that");
        add(made.words, clause(1));
        made.words.emplace_back(".");
        return made;
    }

private:
    size_t draw(size_t of) { return static_cast<size_t>(random_() % of); }
    int64_t drawn(int64_t of) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(of)); }
    const Words& clause(int64_t label) {
        const std::vector<Words>& of_label = clauses_[static_cast<size_t>(label)];
        return of_label[draw(of_label.size())];
    }

    std::array<std::vector<Words>, 2> clauses_;
    std::mt19937_64 random_;
};

}  // namespace

std::vector<LabelledSentence> made_contrasts(const std::vector<LabelledSentence>& sentences, int64_t count, uint64_t seed) {
    Maker maker(sentences, seed);
    std::vector<LabelledSentence> made;
    // Of each twenty thirteen are contrasts, four are denied, one is said and two are asked.
    for (int64_t i = 0; maker.can() && i < count; ++i) {
        const int64_t kind = i % 20;
        made.push_back(kind < 13 ? maker.contrast() : kind < 18 ? maker.denial(kind < 17) : maker.question());
    }
    return made;
}

}  // namespace whynot::text
