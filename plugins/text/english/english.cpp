#include "text/english/english.h"

#include <algorithm>
#include <initializer_list>
#include <sstream>
#include <utility>

namespace whynot::text {

namespace {

/// Of turns.txt: two words and how much they count, 1 to 9.
const char* const turns_of_words =
#include "turns.inc"
    ;

constexpr double most_of_a_turn = 9;

bool is_vowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

/// How a regular verb may be written with an ending: like + ed, enjoy + ed, plan + ned, try -> tri + ed.
std::vector<std::string> with_ending(const std::string& base, const std::string& ending) {
    const char last = base.back(), before = base.size() > 1 ? base[base.size() - 2] : ' ';
    if (last == 'e') return {base.substr(0, base.size() - 1) + ending};
    if (last == 'y' && !is_vowel(before) && ending == "ed") return {base.substr(0, base.size() - 1) + "ied"};
    std::vector<std::string> forms{base + ending};
    if (!is_vowel(last) && is_vowel(before)) forms.push_back(base + last + ending);
    return forms;
}

std::string third_person(const std::string& base) {
    const char last = base.back(), before = base.size() > 1 ? base[base.size() - 2] : ' ';
    if (last == 'y' && !is_vowel(before)) return base.substr(0, base.size() - 1) + "ies";
    if (last == 's' || last == 'x' || last == 'z' || (last == 'h' && (before == 's' || before == 'c'))) return base + "es";
    return base + "s";
}

/// Verbs that people say of what they judge, whose past is not regular.
constexpr std::pair<const char*, const char*> irregular[] = {
    {"come", "came"},     {"feel", "felt"},  {"find", "found"}, {"get", "got"},       {"give", "gave"},
    {"go", "went"},       {"keep", "kept"},  {"know", "knew"},  {"leave", "left"},    {"make", "made"},
    {"see", "saw"},       {"take", "took"},  {"tell", "told"},  {"think", "thought"}, {"eat", "ate"},
    {"bring", "brought"}, {"buy", "bought"}, {"say", "said"},   {"have", "had"},      {"understand", "understood"}};

}  // namespace

English::English(const std::vector<std::string>& vocabulary) : takes_not(vocabulary.size(), 0) {
    plural_subject_ = shuts_out_do_ = joins_ = stresses_ = takes_not;
    std::unordered_map<std::string, int64_t> ids;
    for (size_t i = 0; i < vocabulary.size(); ++i) ids.emplace(vocabulary[i], static_cast<int64_t>(i));
    const auto id = [&](const std::string& word) {
        const auto found = ids.find(word);
        return found == ids.end() ? int64_t{-1} : found->second;
    };
    const auto mark = [&](std::vector<char>& marks, std::initializer_list<const char*> words) {
        for (const char* word : words)
            if (id(word) >= 0) marks[static_cast<size_t>(id(word))] = 1;
    };
    if (id("a") >= 0 && id("an") >= 0) a = id("a"), an = id("an");
    not_ = id("n't");
    mark(takes_not,
         {"is", "are", "was", "were", "do", "does", "did", "have", "has", "had", "would", "could", "should", "need", "must", "ca", "wo"});
    mark(joins_, {"and", "or", ",", "&", "/", "nor"});
    mark(stresses_,
         {"very", "so", "really", "super", "extremely", "too", "quite", "also", "always", "just", "even", "all", "incredibly", "truly"});
    mark(plural_subject_, {"i", "we", "you", "they", "people", "who"});
    mark(shuts_out_do_, {"a",    "an",  "the",    "my",   "our",   "their", "your", "his",   "her",    "its",   "this", "that",  "these",
                         "to",   "of",  "in",     "for",  "with",  "by",    "is",   "are",   "was",    "were",  "be",   "been",  "being",
                         "am",   "'s",  "'m",     "'re",  "'ve",   "have",  "has",  "had",   "get",    "got",   "do",   "does",  "did",
                         "n't",  "not", "will",   "'ll",  "would", "'d",    "can",  "could", "should", "must",  "may",  "might", "so",
                         "very", "too", "really", "most", "more",  "less",  "well", "just",  "over",   "under", "never"});
    for (const auto& [stem, whole] : {std::pair("ca", "can"), std::pair("wo", "will"), std::pair("sha", "shall"), std::pair("ai", "is")})
        if (id(stem) >= 0 && id(whole) >= 0) stems[id(stem)] = id(whole);
    std::istringstream lines(turns_of_words);
    std::string one, other;
    for (double counts = 0; lines >> one >> other >> counts;) {
        const int64_t x = id(one), y = id(other);
        if (x < 0 || y < 0) continue;
        turns_[x].emplace_back(y, counts / most_of_a_turn);
        turns_[y].emplace_back(x, counts / most_of_a_turn);
    }
    if (not_ >= 0) add_verbs(vocabulary, ids);
}

/// A word is taken for a verb where the vocabulary has it with -ing too. It has a regular past, or one of the irregular ones.
void English::add_verbs(const std::vector<std::string>& vocabulary, const std::unordered_map<std::string, int64_t>& ids) {
    const auto id = [&](const std::string& word) {
        const auto found = ids.find(word);
        return found == ids.end() ? int64_t{-1} : found->second;
    };
    const int64_t now = id("do"), he = id("does"), past = id("did");
    const auto add = [&](int64_t auxiliary, int64_t base, int64_t form) {
        if (auxiliary < 0 || form < 0 || takes_not[static_cast<size_t>(form)] != 0) return;
        denied_.try_emplace(form, Ids{auxiliary, not_, base});
        affirmed_.try_emplace({auxiliary, base}, form);
    };
    const auto first_of = [&](const std::vector<std::string>& forms) {
        for (const std::string& form : forms)
            if (id(form) >= 0) return id(form);
        return int64_t{-1};
    };
    for (const auto& [base, form] : irregular)
        if (id(base) >= 0) add(past, id(base), id(form));
    for (size_t i = 0; i < vocabulary.size(); ++i) {
        const std::string& base = vocabulary[i];
        const bool letters = base.size() > 1 && std::all_of(base.begin(), base.end(), [](char c) { return c >= 'a' && c <= 'z'; });
        if (!letters || first_of(with_ending(base, "ing")) < 0) continue;
        const auto verb = static_cast<int64_t>(i);
        add(now, verb, verb);
        add(he, verb, id(third_person(base)));
        add(past, verb, first_of(with_ending(base, "ed")));
    }
}

double English::turn(int64_t from, int64_t to) const {
    for (const auto& [word, counts] : turns(from))
        if (word == to) return counts;
    return 0;
}

const std::vector<std::pair<int64_t, double>>& English::turns(int64_t from) const {
    static const std::vector<std::pair<int64_t, double>> none;
    const auto found = turns_.find(from);
    return found == turns_.end() ? none : found->second;
}

std::optional<Ids> English::denied(int64_t verb) const {
    const auto found = denied_.find(verb);
    return found == denied_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int64_t> English::affirmed(int64_t auxiliary, int64_t base) const {
    const auto found = affirmed_.find({auxiliary, base});
    return found == affirmed_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace whynot::text
