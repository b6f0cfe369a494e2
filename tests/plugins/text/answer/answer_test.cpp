#include "text/answer/answer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "plugins/text/answer/language.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

using testing::id;
using testing::read;
using testing::show;

/// What each word of the tiny language adds to "praise minus blame".
std::vector<double> praise() {
    std::vector<double> gaps(static_cast<size_t>(testing::size()), 0);
    for (const auto& [word, gap] : std::vector<std::pair<std::string, double>>{
             {"great", 4}, {"good", 3}, {"awful", -4}, {"bad", -3}, {"really", 0.3}, {"so", -0.2}, {"our", 0.2}, {"!", 0.1}})
        gaps[static_cast<size_t>(id(word))] = gap;
    return gaps;
}

class AnswerTest : public ::testing::Test {
protected:
    static const FluencyModel& fluency() {
        static const FluencyModel model(testing::trained(), NGram(testing::sample(500, 5), testing::size()));
        return model;
    }
    static Lexicon lexicon() { return make_lexicon(testing::vocabulary(), fluency().ngram().counts()); }

    static AnswerProblem additive(const std::string& text, double bias = 0.5, std::vector<double> gaps = praise()) {
        AnswerProblem problem;
        problem.sentence = read(text);
        problem.word_gaps = gaps;
        for (const auto word : problem.sentence) problem.falls.push_back(gaps[static_cast<size_t>(word)]);
        problem.gap = [gaps, bias](const Sentences& sentences) {
            std::vector<double> result;
            for (const auto& sentence : sentences) {
                result.push_back(bias);
                for (const auto word : sentence) result.back() += gaps[static_cast<size_t>(word)];
            }
            return result;
        };
        return problem;
    }

    static Ids applied(Ids ids, const std::vector<Edit>& edits) {
        for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
            const auto at = ids.begin() + edit->position;
            const auto end = at + static_cast<int64_t>(edit->from.size());
            EXPECT_TRUE(std::equal(at, end, edit->from.begin()));
            const auto hole = ids.erase(at, end);
            ids.insert(hole, edit->to.begin(), edit->to.end());
        }
        return ids;
    }

    /// What holds for every answer of every search.
    static void expect_sound(const AnswerProblem& problem, const AnswerResult& result, bool nearest = false) {
        EXPECT_EQ(result.answers.empty(), !result.failure.empty());
        const auto allowed = lexicon();
        for (const auto& answer : result.answers) {
            SCOPED_TRACE(show(problem.sentence) + " -> " + show(answer.ids));
            EXPECT_NE(answer.ids, problem.sentence);
            EXPECT_DOUBLE_EQ(answer.gap, problem.gap({answer.ids})[0]);
            EXPECT_TRUE(nearest || answer.gap < 0) << answer.gap;
            EXPECT_EQ(applied(problem.sentence, answer.edits), answer.ids);
            EXPECT_FALSE(answer.edits.empty());
            for (const auto& edit : answer.edits) {
                for (const auto word : edit.to)
                    EXPECT_TRUE(allowed.word[static_cast<size_t>(word)] || allowed.mark[static_cast<size_t>(word)]) << word;
                for (const auto word : edit.from) EXPECT_NE(word, unk_id);
            }
            EXPECT_TRUE(std::isfinite(answer.cost.total()));
        }
        for (size_t i = 1; i < result.answers.size(); ++i) EXPECT_LE(result.answers[i - 1].cost.total(), result.answers[i].cost.total());
    }
};

TEST_F(AnswerTest, ReplacesTheWordThatMatters) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    for (const auto* text : {"the food was great .", "our staff is really good !", "the service is so great ."}) {
        const auto problem = additive(text);
        const auto result = search.edit(problem);
        expect_sound(problem, result);
        ASSERT_FALSE(result.answers.empty()) << result.failure;
        const auto& best = result.answers.front();
        ASSERT_EQ(best.edits.size(), 1u) << show(best.ids);
        EXPECT_EQ(best.edits[0].kind, EditKind::replace);
        EXPECT_THAT(show(best.edits[0].to), ::testing::AnyOf("awful", "bad")) << show(best.ids);
    }
}

/// The least J of the sentences with one word of `problem`'s replaced that the classifier calls the foil; the generator and the topic count nothing.
double cheapest_replacement(const FluencyModel& fluency, const Lexicon& lexicon, const AnswerProblem& problem) {
    const AnswerWeights weights;
    const Ids& x = problem.sentence;
    const auto& unigram = fluency.ngram().unigram();
    const auto surprise = [&](const Ids& sentence) {
        double sum = 0.5 * unigram[eos_id] - fluency.log_likelihood({sentence})[0];
        for (const int64_t word : sentence) sum += 0.5 * unigram[static_cast<size_t>(word)];
        return sum;
    };
    const auto is = [&](const std::vector<char>& kind, int64_t word) { return kind[static_cast<size_t>(word)] != 0; };
    const at::Tensor rows = fluency.network()->output(), directions = rows / rows.norm(2, 1, true);
    const double largest = *std::max_element(problem.falls.begin(), problem.falls.end());
    double best = INFINITY;
    for (size_t t = 0; t < x.size(); ++t)
        for (int64_t word = first_word_id; word < testing::size(); ++word) {
            const bool mark = is(lexicon.punctuation, x[t]);
            const bool beside_itself = (t > 0 && x[t - 1] == word) || (t + 1 < x.size() && x[t + 1] == word);
            if (word == x[t] || beside_itself || !is(mark ? lexicon.mark : lexicon.word, word)) continue;
            Ids y = x;
            y[t] = word;
            const double gap = problem.gap({y})[0];
            if (gap >= 0) continue;
            const double likeness = 1 - at::dot(directions[x[t]], directions[word]).item<double>();
            best =
                std::min(best, weights.fluency * std::max(-weights.fluency_cap, surprise(y) - surprise(x)) + weights.likeness * likeness +
                                   weights.position * std::clamp(1 - problem.falls[t] / largest, 0.0, 2.0) +
                                   (mark ? weights.punctuation : 0) + weights.boundary * std::abs(gap));
        }
    return best;
}

TEST_F(AnswerTest, NoReplacementIsCheaperThanTheAnswer) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    for (const auto* text : {"the food was great .", "our staff is really good !", "the service is so great .", "good food"}) {
        const auto problem = additive(text);
        const auto result = search.edit(problem);
        ASSERT_FALSE(result.answers.empty()) << result.failure;
        EXPECT_LE(result.answers[0].cost.total(), cheapest_replacement(fluency(), lexicon(), problem) + 1e-3) << text;
    }
}

TEST_F(AnswerTest, IsDeterministic) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    const auto problem = additive("our food was great .");
    const auto a = search.edit(problem), b = search.edit(problem);
    ASSERT_EQ(a.answers.size(), b.answers.size());
    for (size_t i = 0; i < a.answers.size(); ++i) {
        EXPECT_EQ(a.answers[i].ids, b.answers[i].ids);
        EXPECT_EQ(a.answers[i].cost.total(), b.answers[i].cost.total());
    }
}

TEST_F(AnswerTest, KeepsUnknownWords) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    for (const auto* text : {"the zzz was great .", "zzz zzz great", "great zzz", "zzz food zzz great zzz ."}) {
        auto problem = additive(text);
        for (size_t t = 0; t < problem.sentence.size(); ++t)
            if (problem.sentence[t] == unk_id) problem.falls[t] = 50;  // even where the fall is largest
        for (const bool nearest : {false, true}) {
            const auto result = nearest ? search.nearest(problem) : search.edit(problem);
            expect_sound(problem, result, nearest);
            EXPECT_FALSE(result.answers.empty()) << text;
            for (const auto& answer : result.answers)
                EXPECT_EQ(std::count(answer.ids.begin(), answer.ids.end(), unk_id),
                          std::count(problem.sentence.begin(), problem.sentence.end(), unk_id))
                    << show(answer.ids);
        }
    }
    const auto unknown = search.edit(additive("zzz zzz"));
    EXPECT_TRUE(unknown.answers.empty());
    EXPECT_NE(unknown.failure.find("unknown"), std::string::npos) << unknown.failure;
}

TEST_F(AnswerTest, MakesTwoEditsWhereOneDoesNotDo) {
    // Two words of praise, and no blame strong enough to outweigh the other.
    auto gaps = praise();
    gaps[static_cast<size_t>(id("awful"))] = gaps[static_cast<size_t>(id("bad"))] = -1;
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    const auto problem = additive("great food was great .", 0.5, gaps);
    const auto result = search.edit(problem);
    expect_sound(problem, result);
    ASSERT_FALSE(result.answers.empty()) << result.failure;
    EXPECT_EQ(result.answers.front().edits.size(), 2u) << show(result.answers.front().ids);
}

TEST_F(AnswerTest, AsksAboutSecondEditsOnlyWhereTheyMayBeCheaper) {
    const auto max_edits_asked = [](double price) {
        AnswerOptions options;
        options.weights.edit = price;
        options.answers = 1;
        auto problem = additive("the food was great .");
        size_t most = 0;
        const auto gap = problem.gap;
        problem.gap = [&](const Sentences& sentences) {
            for (const Ids& sentence : sentences) {
                size_t edits = 0;
                for (size_t t = 0; t < problem.sentence.size() && sentence.size() == problem.sentence.size(); ++t)
                    edits += sentence[t] != problem.sentence[t];
                most = std::max(most, edits);
            }
            return gap(sentences);
        };
        const auto result = AnswerSearch(fluency(), lexicon(), nullptr, options).edit(problem);
        EXPECT_FALSE(result.answers.empty());
        return most;
    };
    EXPECT_EQ(max_edits_asked(40), 1u);
    EXPECT_EQ(max_edits_asked(1), 2u);
}

TEST_F(AnswerTest, SaysWhenThereIsNone) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    auto problem = additive("the food was great .", 100);
    const auto additive_result = search.edit(problem);
    problem.word_gaps.clear();
    for (const auto& result : {additive_result, search.edit(problem)}) {
        expect_sound(problem, result);
        EXPECT_TRUE(result.answers.empty());
        EXPECT_NE(result.failure.find("4 edits"), std::string::npos) << result.failure;
    }
    EXPECT_NE(search.edit(additive("the food was bad .")).failure.find("as it is"), std::string::npos);
}

TEST_F(AnswerTest, TheExactClassifierHasTheLastWord) {
    // The table says that "bad" does it; the classifier disagrees about every sentence with "bad" in it.
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    auto problem = additive("the food was great .");
    const auto table = problem.gap;
    problem.gap = [table](const Sentences& sentences) {
        auto gaps = table(sentences);
        for (size_t i = 0; i < gaps.size(); ++i)
            if (std::count(sentences[i].begin(), sentences[i].end(), id("bad")) > 0) gaps[i] = 1;
        return gaps;
    };
    const auto result = search.edit(problem);
    expect_sound(problem, result);
    ASSERT_FALSE(result.answers.empty());
    for (const auto& answer : result.answers) EXPECT_EQ(std::count(answer.ids.begin(), answer.ids.end(), id("bad")), 0) << show(answer.ids);
}

TEST_F(AnswerTest, AClassifierThatDoesNotAddUpIsAsked) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    auto problem = additive("the food was great .");
    const auto expected = search.edit(problem);
    problem.word_gaps.clear();
    const auto found = search.edit(problem);
    expect_sound(problem, found);
    ASSERT_FALSE(found.answers.empty());
    EXPECT_EQ(found.answers.front().ids, expected.answers.front().ids);

    // Praise counts only of food: the subject is as good a place as the quality.
    const auto about_food = [](const Sentences& sentences) {
        std::vector<double> gaps;
        for (const auto& s : sentences)
            gaps.push_back(std::count(s.begin(), s.end(), id("food")) > 0 && std::count(s.begin(), s.end(), id("great")) > 0 ? 2 : -2);
        return gaps;
    };
    problem.gap = about_food;
    problem.falls = {0, 2, 0, 2, 0};
    const auto result = search.edit(problem);
    expect_sound(problem, result);
    ASSERT_FALSE(result.answers.empty());
    EXPECT_EQ(result.answers.front().edits.size(), 1u);
}

TEST_F(AnswerTest, AnAuditEditsThePositionThatFallsMost) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    auto gaps = praise();
    for (auto& gap : gaps) gap *= 0.2;  // any position might flip it
    gaps[static_cast<size_t>(id("the"))] = 0.9;
    gaps[static_cast<size_t>(id("great"))] = 1;
    auto problem = additive("the food was great .", -0.95, gaps);
    problem.falls = {0.9, 0, 0, 1, 0};
    auto result = search.audit(problem);
    expect_sound(problem, result);
    ASSERT_FALSE(result.answers.empty());
    EXPECT_EQ(result.answers.front().edits.front().position, 3) << show(result.answers.front().ids);
    problem.falls = {1, 0, 0, 0.9, 0};
    result = search.audit(problem);
    ASSERT_FALSE(result.answers.empty());
    EXPECT_EQ(result.answers.front().edits.front().position, 0) << show(result.answers.front().ids);
    problem.gap = [](const Sentences& sentences) { return std::vector<double>(sentences.size(), 1.0); };
    EXPECT_TRUE(search.audit(problem).answers.empty());
}

TEST_F(AnswerTest, TheGeneratorsPreferenceCounts) {
    AnswerOptions options;
    options.weights.generator = 3;
    const AnswerSearch search(fluency(), lexicon(), nullptr, options);
    for (const auto* word : {"awful", "bad"}) {
        auto problem = additive("the food was great .");
        problem.preference = at::full({5, testing::size()}, -8.0);
        problem.preference.select(1, id(word)).fill_(-0.1);
        const auto result = search.edit(problem);
        ASSERT_FALSE(result.answers.empty());
        EXPECT_EQ(show(result.answers.front().edits.front().to), word);
        EXPECT_EQ(result.answers.front().cost.generator, 0);
    }
}

TEST_F(AnswerTest, TheTopicCounts) {
    // "awful" is said of food, "bad" of the staff; the rest of the corpus is about neither.
    Sentences sentences(2000, read("our service"));
    sentences.insert(sentences.end(), 40, read("food awful"));
    sentences.insert(sentences.end(), 40, read("staff bad"));
    const WordAssociations associations(sentences, testing::size());
    const AnswerSearch search(fluency(), lexicon(), &associations);
    for (const auto& [text, word] :
         std::vector<std::pair<std::string, std::string>>{{"the food was great .", "awful"}, {"the staff was great .", "bad"}}) {
        const auto problem = additive(text);
        const auto result = search.edit(problem);
        expect_sound(problem, result);
        ASSERT_FALSE(result.answers.empty());
        EXPECT_EQ(show(result.answers.front().edits.front().to), word) << text;
        EXPECT_LT(result.answers.front().cost.topic, 0);
    }
}

TEST_F(AnswerTest, DeletesInsertsAndMergesWhereTheyAreCheap) {
    const auto best = [](EditKind kind, const AnswerWeights& weights, const AnswerProblem& problem) {
        AnswerOptions options;
        options.weights = weights;
        options.answers = 24;
        const auto result = AnswerSearch(fluency(), lexicon(), nullptr, options).edit(problem);
        expect_sound(problem, result);
        return std::any_of(result.answers.begin(), result.answers.end(),
                           [&](const Answer& answer) { return answer.edits.front().kind == kind; });
    };
    AnswerWeights weights;
    EXPECT_TRUE(best(EditKind::remove, weights, additive("the food was really great .", -3.6)));
    weights.insertion = 0;
    weights.edit = 0;
    const auto problem = additive("the food was so great .", 0.5);
    EXPECT_TRUE(best(EditKind::merge, weights, problem));
    EXPECT_TRUE(best(EditKind::insert, weights, additive("the food was great .", -2)));
}

TEST_F(AnswerTest, LeavesAWordInTheSentence) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    for (const auto* text : {"great !", "great"}) {
        const auto problem = additive(text, -3.9);
        const auto result = search.edit(problem);
        expect_sound(problem, result);
        for (const auto& answer : result.answers) EXPECT_NE(show(answer.ids), "!");
    }
}

TEST_F(AnswerTest, NearestIsNearerToOneHalf) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    for (const auto* text : {"the food was great .", "our staff is really good !", "the food was bad ."}) {
        const auto problem = additive(text, 0.1);
        const auto nearest = search.nearest(problem);
        expect_sound(problem, nearest, true);
        ASSERT_FALSE(nearest.answers.empty());
        const double found = std::abs(nearest.answers.front().gap);
        EXPECT_LE(found, std::abs(problem.gap({problem.sentence})[0]));
        const auto edit = search.edit(problem);
        if (!edit.answers.empty()) {
            EXPECT_LE(found, std::abs(edit.answers.front().gap));
        }
    }
}

TEST_F(AnswerTest, RefusesWhatDoesNotFit) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    const auto expect_error = [&](const AnswerProblem& problem, const std::string& said) {
        try {
            search.edit(problem);
            ADD_FAILURE() << "no error about " << said;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
            EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
        }
    };
    const auto good = additive("the food was great .");
    auto problem = good;
    problem.falls.pop_back();
    expect_error(problem, "a fall for each of 5 words, found 4");
    problem = good;
    problem.preference = at::zeros({5, 3});
    expect_error(problem, "preference");
    problem = good;
    problem.word_gaps.resize(3);
    expect_error(problem, "found 3");
    problem = good;
    problem.gap = nullptr;
    expect_error(problem, "gap");
    problem = good;
    problem.sentence[1] = pad_id;
    expect_error(problem, "words of the vocabulary");
    problem = good;
    problem.sentence.clear();
    problem.falls.clear();
    expect_error(problem, "at least one word");

    EXPECT_THROW(AnswerSearch(fluency(), Lexicon{}, nullptr), Error);
    const FluencyModel one_sided(testing::trained(false, 1, 1), NGram(Sentences{}, testing::size()));
    EXPECT_THROW(AnswerSearch(one_sided, lexicon(), nullptr), Error);
    const WordAssociations foreign(Sentences{}, 50);
    EXPECT_THROW(AnswerSearch(fluency(), lexicon(), &foreign), Error);
    for (int64_t AnswerOptions::*number : {&AnswerOptions::beam, &AnswerOptions::considered, &AnswerOptions::judged}) {
        AnswerOptions options;
        options.*number = 0;
        EXPECT_THROW(AnswerSearch(fluency(), lexicon(), nullptr, options), Error);
    }
}

/// A second opinion that has learned the same praise from whole sentences; 0 blame, 1 praise.
const NGramClassifier& opinion() {
    static const NGramClassifier model = [] {
        const Sentences sentences = testing::sample(400, 8);
        std::vector<int64_t> labels;
        for (const Ids& sentence : sentences)
            labels.push_back(
                std::count(sentence.begin(), sentence.end(), id("great")) + std::count(sentence.begin(), sentence.end(), id("good")) > 0);
        return train_ngram_classifier(sentences, labels, 2, testing::vocabulary(), {}, 1);
    }();
    return model;
}

TEST_F(AnswerTest, WithASecondOpinionAllThatSpeaksForTheFactIsTurned) {
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    auto gaps = praise();
    gaps[static_cast<size_t>(id("awful"))] = -9;  // one such word outweighs any praise beside it
    auto problem = additive("the food is good ! our staff is great !", 0.5, gaps);
    const auto alone = search.edit(problem);
    expect_sound(problem, alone);
    ASSERT_FALSE(alone.answers.empty());
    EXPECT_EQ(alone.answers[0].edits.size(), 1u) << show(alone.answers[0].ids);
    problem.opinion = &opinion();
    problem.fact = 1;
    problem.foil = 0;
    const auto advised = search.edit(problem);
    expect_sound(problem, advised);
    ASSERT_FALSE(advised.answers.empty());
    const Ids& answer = advised.answers[0].ids;
    EXPECT_EQ(std::count(answer.begin(), answer.end(), id("good")) + std::count(answer.begin(), answer.end(), id("great")), 0)
        << show(answer);
    const std::vector<double> said = opinion().logits(answer);
    EXPECT_GT(said[0], said[1]) << show(answer);
    // The classifier alone decides whether an answer is one.
    problem.gap = [](const Sentences& sentences) { return std::vector<double>(sentences.size(), 1.0); };
    problem.word_gaps.clear();
    EXPECT_TRUE(search.edit(problem).answers.empty());
    problem.foil = 2;
    EXPECT_THROW(search.edit(problem), Error);
}

TEST_F(AnswerTest, AnEditTouchesNeitherMarksNorNumbersAndAnAuditMay) {
    auto gaps = praise();
    gaps[static_cast<size_t>(id("!"))] = 5;
    gaps[static_cast<size_t>(id("_num_"))] = 6;
    const AnswerSearch search(fluency(), lexicon(), nullptr);
    const auto problem = additive("our food _num_ is bad !", 0, gaps);
    for (const auto& answer : search.edit(problem).answers)
        for (const auto& edit : answer.edits)
            for (const auto word : edit.from) EXPECT_TRUE(word != id("!") && word != id("_num_")) << show(answer.ids);
    const auto audited = search.audit(problem);
    ASSERT_FALSE(audited.answers.empty()) << audited.failure;
    EXPECT_EQ(audited.answers[0].edits[0].position, 2) << show(audited.answers[0].ids);
    const auto marks = search.edit(additive("! !", 0, gaps));
    EXPECT_NE(marks.failure.find("only marks and numbers"), std::string::npos) << marks.failure;
}

/// A language of its own: "i wo n't come back .", "it is a gem .", "it is an error .".
class EnglishTest : public ::testing::Test {
protected:
    EnglishTest() {
        for (const auto* text : {"i wo n't come back .", "i will come back .", "i ca n't come back .", "i can come back .", "it is a gem .",
                                 "it is an error .", "it is a gem !", "it is an error !", "i do n't come back .", "i come back ."})
            for (int i = 0; i < 60; ++i) sentences.push_back(ids(text));
        MaskedModel model(MaskedModelSizes{static_cast<int64_t>(words.size()), 12, 16, 12, true}, 1);
        MaskedTraining training;
        training.epochs = 10;
        training.learning_rate = 3e-2;
        training.batch = 16;
        training.dropout = 0;
        training.negatives = 10;
        train_masked_model(model, sentences, training, 1, {});
        fluency.emplace(std::move(model), NGram(sentences, static_cast<int64_t>(words.size())));
    }
    Ids ids(const std::string& text) const {
        std::istringstream stream(text);
        Ids result;
        for (std::string word; stream >> word;) result.push_back(std::find(words.begin(), words.end(), word) - words.begin());
        return result;
    }
    std::string say(const Ids& sentence) const {
        std::string text;
        for (const auto word : sentence) text += (text.empty() ? "" : " ") + words.at(static_cast<size_t>(word));
        return text;
    }
    /// The best answer to a sentence that is the fact as long as it holds `word`.
    std::string answer(const std::string& text, const std::string& word) const {
        AnswerProblem problem;
        problem.sentence = ids(text);
        const int64_t loud = ids(word).front();
        for (const auto each : problem.sentence) problem.falls.push_back(each == loud ? 4 : 0.1);
        problem.gap = [loud](const Sentences& asked) {
            std::vector<double> gaps;
            for (const Ids& each : asked) gaps.push_back(std::count(each.begin(), each.end(), loud) > 0 ? 2 : -2);
            return gaps;
        };
        const AnswerSearch search(*fluency, make_lexicon(words, fluency->ngram().counts()), nullptr);
        const auto result = search.edit(problem);
        return result.answers.empty() ? result.failure : say(result.answers.front().ids);
    }

    const std::vector<std::string> words{"<pad>", "<go>", "<eos>", "<unk>", "i", "wo", "n't", "come",  "back", ".",  "will",
                                         "ca",    "can",  "it",    "is",    "a", "an", "gem", "error", "!",    "do", "coming"};
    Sentences sentences;
    std::optional<FluencyModel> fluency;
};

TEST_F(EnglishTest, WhatStandsBeforeNotAloneIsWrittenOutWithoutIt) {
    EXPECT_EQ(answer("i wo n't come back .", "n't"), "i will come back .");
    EXPECT_EQ(answer("i ca n't come back .", "n't"), "i can come back .");
}

TEST_F(EnglishTest, TheArticleFollowsTheNewWord) {
    EXPECT_EQ(answer("it is a gem .", "gem"), "it is an error .");
    EXPECT_EQ(answer("it is an error !", "error"), "it is a gem !");
}

TEST_F(EnglishTest, WithASecondOpinionVerbsAreDenied) {
    // The second classifier hears the same word; the classifier wants "n't" in its place.
    at::Tensor table = at::zeros({64, 2});
    const NGramClassifier opinion(table, at::zeros({2}), words);
    AnswerProblem problem;
    problem.sentence = ids("i come back .");
    problem.falls = {0.1, 4, 0.1, 0.1};
    const int64_t denial = ids("n't").front();
    problem.gap = [denial](const Sentences& asked) {
        std::vector<double> gaps;
        for (const Ids& each : asked) gaps.push_back(std::count(each.begin(), each.end(), denial) == 0 ? 2 : -2);
        return gaps;
    };
    problem.opinion = &opinion;
    const AnswerSearch search(*fluency, make_lexicon(words, fluency->ngram().counts()), nullptr);
    const auto result = search.edit(problem);
    ASSERT_FALSE(result.answers.empty()) << result.failure;
    const Answer& best = result.answers.front();
    EXPECT_EQ(say(best.ids), "i do n't come back .");
    ASSERT_EQ(best.edits.size(), 1u);
    EXPECT_EQ(best.edits[0].kind, EditKind::insert);
    EXPECT_EQ(best.edits[0].position, 1);
    EXPECT_EQ(say(best.edits[0].to), "do n't");
}

TEST_F(EnglishTest, NotComesAfterAVerbThatTakesItOnly) {
    const Lexicon lexicon = make_lexicon(words, fluency->ngram().counts());
    EXPECT_EQ(lexicon.english.not_, ids("n't").front());
    EXPECT_EQ(lexicon.english.stems, (std::map<int64_t, int64_t>{{5, 10}, {11, 12}}));
    for (const auto* word : {"is", "ca", "wo"}) EXPECT_TRUE(lexicon.english.takes_not[static_cast<size_t>(ids(word).front())]) << word;
    for (const auto* word : {"i", "come", "will", "gem"})
        EXPECT_FALSE(lexicon.english.takes_not[static_cast<size_t>(ids(word).front())]) << word;
    EXPECT_EQ(lexicon.english.a, ids("a").front());
    const Lexicon foreign = make_lexicon({"<pad>", "<go>", "<eos>", "<unk>", "a", "das"}, std::vector<int64_t>(6, 50));
    EXPECT_EQ(foreign.english.a, -1) << "an article of another language";
    EXPECT_TRUE(foreign.english.stems.empty());
    EXPECT_FALSE(foreign.english.denied(5));
}

TEST(Lexicon, KnowsWordsMarksAndPunctuation) {
    const std::vector<std::string> entries{"<pad>", "<go>",  "<eos>", "<unk>", "food", "n't", "drive-in", "caf\xc3\xa9",
                                           "7",     "good.", "_num_", "--",    "!",    ";",   "rare",     "'"};
    std::vector<int64_t> counts(entries.size(), 50);
    counts[14] = 9;
    const auto lexicon = make_lexicon(entries, counts, 10);
    const auto names = [&](const std::vector<char>& kind) {
        std::vector<std::string> result;
        for (size_t i = 0; i < entries.size(); ++i)
            if (kind[i] != 0) result.push_back(entries[i]);
        return result;
    };
    EXPECT_THAT(names(lexicon.word), ::testing::ElementsAre("food", "n't", "drive-in", "caf\xc3\xa9", "7"));
    EXPECT_THAT(names(lexicon.mark), ::testing::ElementsAre("!"));
    EXPECT_THAT(names(lexicon.punctuation), ::testing::ElementsAre("--", "!", ";", "'"));
    EXPECT_THROW(make_lexicon(entries, {1, 2}), Error);
}

}  // namespace
}  // namespace whynot::text
