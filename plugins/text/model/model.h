#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "corpora/bias/adjectives.h"
#include "text/answer/answer.h"
#include "text/model/entrance.h"
#include "text/model/relaxation.h"
#include "text/pack/networks.h"
#include "text/reading/sentences.h"
#include "text/reading/words.h"
#include "whynot/modality.h"

namespace whynot::text {

/// A text pack opened.
class TextModel : public Model {
public:
    /// The solver's part computes on the device; reading and the search for an answer stay on the processor.
    explicit TextModel(const Pack& pack, at::Device device = at::kCPU);
    /// Networks that are not in a pack yet.
    TextModel(std::vector<std::string> classes, Networks networks);

    const ModelInfo& info() const override { return info_; }
    std::unique_ptr<Batch> read(const std::vector<Input>& inputs, std::vector<ReadNotes>& notes) override;

    const Networks& networks() const { return networks_; }
    Networks& networks() { return networks_; }
    /// A text as the classifier takes it.
    Ids read_again(const std::string& text) const;
    /// Which words the classifier does not know, in their order.
    std::vector<size_t> unknown_words(const std::vector<Word>& words, const PieceSentence& read) const;

    // Of a model that has a generator:

    /// Sentences made soft, on the device.
    Relaxation relax(Sentences sentences, std::vector<PieceSentence> read = {}, std::vector<std::vector<size_t>> lengths = {}) const;
    const Entrance& entrance() const { return saying_->entrance; }
    const Lexicon& lexicon() const { return saying_->lexicon; }
    const AnswerSearch& search() const { return saying_->search; }
    /// What it costs to read the generator's words by the rules of English; nothing where they cannot be, or the dictionary that this needs is not
    /// installed. Of all threads one at a time.
    std::optional<double> reading_cost(const Ids& sentence) const;

private:
    PieceSentence read_words(const std::string& text, const std::vector<Word>& words) const;

    Networks networks_;
    ModelInfo info_;
    struct Saying {
        explicit Saying(const Networks& networks);
        Lexicon lexicon;
        AnswerSearch search;
        Entrance entrance;
        std::mutex one_at_a_time;  // of what follows
        bool asked_for_grammar = false;
        std::unique_ptr<corpora::AdjectiveFinder> grammar;  // read when it is first asked; null: there is none
    };
    std::unique_ptr<Saying> saying_;

    struct Copies {
        Autoencoder autoencoder;
        Classifier classifier;
        Entrance entrance;
    };
    std::unique_ptr<Copies> on_device_;  // where the device is not the processor
};

/// One text as read: the person's own, its words, what the generator would say for them, and what the classifier sees. Of a text that is longer than
/// what the generator says it says the sentences that weigh most between the classes; then `pieces` are theirs, from `TextBatch::start` on.
struct Reading {
    std::string text;
    std::vector<Word> words;
    Pieces pieces;
    PieceSentence read;
    std::vector<WordRange> sentences;  ///< of a long text; empty: it is short, and said as a whole
    std::vector<size_t> lengths;       ///< of what is said, the words of each sentence
};

/// Sentences on their way through a model. The relaxation stands for the generator and the classifier together.
class TextBatch : public Batch {
public:
    TextBatch(const TextModel& model, std::vector<Reading> readings);

    int64_t size() const override { return static_cast<int64_t>(readings_.size()); }
    at::Tensor classify() override;
    at::Tensor start(const at::Tensor& fact, uint64_t seed) override;
    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& rows) override;
    /// One: the code of the sentence with the word that speaks loudest for the fact replaced by the likeliest one that silences it. From z0
    /// alone the search may slide off at a place that is merely easy to move, such as a sentence's first word.
    at::Tensor extra_starts(const at::Tensor& rows, const at::Tensor& fact, const at::Tensor& foil, int64_t count, uint64_t seed) override;
    std::vector<Rendering> render(const std::vector<RenderRequest>& requests, uint64_t seed) override;
    std::vector<Strangeness> strangeness() const override;
    std::vector<std::string> warnings(int64_t row) const override;

    const Reading& reading(int64_t row) const { return readings_.at(static_cast<size_t>(row)); }
    const Relaxation& relaxation() const { return *relaxation_; }  ///< of a model that has a generator; after `start`
    const at::Tensor& codes() const { return codes_; }             ///< what the encoder alone gave, [B, k]; after `start`
    const at::Tensor& refined() const { return start_; }
    const at::Tensor& exact() const { return exact_; }  ///< whether the generator says the sentence at z0, [B]; after `start`

private:
    /// Chooses what the generator says of a long text: the sentences without which the fact loses most.
    void open_sentences(Reading& reading, int64_t fact) const;
    /// A row's sentence with its loudest word silenced.
    Ids silenced(int64_t row, int64_t fact, int64_t foil) const;
    Rendering render_one(const RenderRequest& request) const;

    const TextModel& model_;
    std::vector<Reading> readings_;
    std::optional<Relaxation> relaxation_;
    at::Tensor codes_, start_, exact_;
};

}  // namespace whynot::text
