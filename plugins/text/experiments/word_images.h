#pragma once

/// Sentences as pictures of letters (dissertation, section 4.2): each word a row of 36 counts, how often each of a to z and 0 to 9
/// occurs in it. A convolution as wide as the image slides over w words at a time; of each filter the largest answer over the whole
/// sentence is kept, and one linear layer makes logits of those:
///
///     f_j(t) = relu(b_j + sum_{i < w} F_j[i] . x_{t+i})          F: [filters, 36, w], x_t: row t
///     logits = W max_t f(t) + c                                  W: [C, filters]
///
/// t runs over every window with at least one word in it; beyond the sentence rows are blank. So a sentence of any length has its
/// logits whatever batch it stands in.
///
///     WordImages images;
///     const Ids sentence = images.add({"the", "food"});
///     WordImageNetwork network({}, 2, seed);
///     network.logits(images.rows(), {sentence});    // [1, 2]

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/reading/ids.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

/// a to z, 0 to 9.
constexpr int64_t word_image_columns = 36;

/// How often each occurs in a word, in lower case; whatever else stands in the word is not seen.
std::vector<float> letter_counts(const std::string& word);

/// The rows of words, each kept once: words with the same letters (was, saw) are the same row.
class WordImages {
public:
    /// The sentence as indices of rows, [m].
    Ids add(const std::vector<std::string>& words);

    /// [R, 36], float; row 0 is blank and of no word.
    at::Tensor rows() const;

    /// Different rows of words seen, and different words.
    size_t distinct_rows() const { return index_.size(); }
    size_t distinct_words() const { return words_.size(); }
    /// Words seen whose row is another word's too.
    size_t ambiguous_words() const;

private:
    std::unordered_map<std::string, int64_t> words_;                            // to the row
    std::unordered_map<std::string, std::pair<int64_t, size_t>> index_;         // counts as bytes to the row, and how many words share it
    std::vector<float> values_ = std::vector<float>(word_image_columns, 0.0f);  // of the rows, one after another
};

struct WordImageOptions {
    int64_t width = 3;  ///< words under a filter
    int64_t filters = 128;
    double dropout = 0.3;  ///< of the filters' answers, in training
    int64_t epochs = 3;
    int64_t batch = 128;
    double learning_rate = 1e-3;
};

class WordImageNetwork {
public:
    /// Untrained weights, drawn from `seed` alone.
    WordImageNetwork(const WordImageOptions& options, int64_t classes, uint64_t seed);

    /// Logits [B, C]; differentiable where the parameters ask for it. @param rows `WordImages::rows` @param sentences each of at least one word
    at::Tensor logits(const at::Tensor& rows, const Sentences& sentences) const { return logits(rows, sentences, nullptr); }

    /// "filters" [F, 36, w], "filters_bias" [F], "weight" [C, F], "bias" [C]; they share memory with the network.
    const training::NamedTensors& parameters() const { return parameters_; }

    /// Trains with Adam on labelled sentences; a run that was stopped goes on from its checkpoint. Logs each epoch.
    /// Throws Error `invalid_argument` for options out of range and for nothing to train on.
    void train(const at::Tensor& rows, const Sentences& sentences, const std::vector<int64_t>& labels, uint64_t seed,
               const Observer& observer, const training::Checkpoint& checkpoint = {});

private:
    at::Tensor logits(const at::Tensor& rows, const Sentences& sentences, const at::Generator* dropout) const;

    WordImageOptions options_;
    training::NamedTensors parameters_;
};

/// The likeliest class of each sentence, and its probability.
struct WordImagePredictions {
    std::vector<int64_t> classes;
    std::vector<double> probabilities;
};
WordImagePredictions predict(const WordImageNetwork& network, const at::Tensor& rows, const Sentences& sentences);

}  // namespace whynot::text
