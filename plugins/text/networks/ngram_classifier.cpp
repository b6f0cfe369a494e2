#include "text/networks/ngram_classifier.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "whynot/error.h"

namespace whynot::text {

namespace {

constexpr int64_t longest_gram = 3;

uint64_t hash_of(const std::string& word) {  // FNV-1a
    uint64_t hash = 14695981039346656037u;
    for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash;
}

uint64_t mixed(uint64_t hash) {
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    return hash ^ (hash >> 33);
}

}  // namespace

NGramClassifier::NGramClassifier(at::Tensor table, at::Tensor bias, const std::vector<std::string>& vocabulary)
    : table_(std::move(table)), bias_(std::move(bias)), classes_(bias_.numel()) {
    const int64_t rows = table_.dim() == 2 ? table_.size(0) : 0;
    if (rows < 1 || (rows & (rows - 1)) != 0 || table_.size(1) != classes_ || classes_ < 2)
        throw Error(ErrorCode::invalid_argument,
                    "second opinion: expected a table whose rows are a power of two, with a column for each class");
    for (const std::string& word : vocabulary) hashes_.push_back(hash_of(word));
}

template <class Use>
void NGramClassifier::each_gram(const Ids& sentence, Use use) const {
    const auto m = static_cast<int64_t>(sentence.size());
    const auto word = [&](int64_t t) {
        return hashes_[static_cast<size_t>(t < 0 ? go_id : t < m ? sentence[static_cast<size_t>(t)] : eos_id)];
    };
    const auto mask = static_cast<uint64_t>(table_.size(0) - 1);
    for (int64_t first = -1; first < m; ++first) {
        uint64_t hash = 0;
        for (int64_t n = 1; n <= longest_gram && first + n <= m + 1; ++n) {
            hash = mixed(hash + word(first + n - 1));
            if (n == 1 && first < 0) continue;
            use(static_cast<int64_t>(hash & mask), first, n);
        }
    }
}

void NGramClassifier::each_row(const Ids& sentence, std::vector<int64_t>& rows) const {
    each_gram(sentence, [&](int64_t row, int64_t, int64_t) { rows.push_back(row); });
}

std::vector<double> NGramClassifier::logits(const Ids& sentence) const {
    const float *table = table_.data_ptr<float>(), *bias = bias_.data_ptr<float>();
    std::vector<double> sums(bias, bias + classes_);
    each_gram(sentence, [&](int64_t row, int64_t, int64_t) {
        for (int64_t c = 0; c < classes_; ++c) sums[static_cast<size_t>(c)] += static_cast<double>(table[row * classes_ + c]);
    });
    return sums;
}

std::vector<double> NGramClassifier::contributions(const Ids& sentence, int64_t fact, int64_t foil) const {
    const float* table = table_.data_ptr<float>();
    const auto m = static_cast<int64_t>(sentence.size());
    std::vector<double> sums(sentence.size(), 0.0);
    each_gram(sentence, [&](int64_t row, int64_t first, int64_t n) {
        const int64_t begin = std::max<int64_t>(0, first), end = std::min(m, first + n);
        const double gap = static_cast<double>(table[row * classes_ + fact]) - static_cast<double>(table[row * classes_ + foil]);
        for (int64_t t = begin; t < end; ++t) sums[static_cast<size_t>(t)] += gap / static_cast<double>(end - begin);
    });
    return sums;
}

std::vector<double> NGramClassifier::word_gaps(int64_t fact, int64_t foil) const {
    const float* table = table_.data_ptr<float>();
    const auto mask = static_cast<uint64_t>(table_.size(0) - 1);
    std::vector<double> gaps;
    for (const uint64_t word : hashes_) {
        const auto row = static_cast<int64_t>(mixed(word) & mask);
        gaps.push_back(static_cast<double>(table[row * classes_ + fact]) - static_cast<double>(table[row * classes_ + foil]));
    }
    return gaps;
}

NGramClassifier train_ngram_classifier(const Sentences& sentences, const std::vector<int64_t>& labels, int64_t classes,
                                       const std::vector<std::string>& vocabulary, const NGramTraining& options, uint64_t seed) {
    int64_t rows = options.rows;
    while (rows > (int64_t{1} << 13) && rows * classes > 2 * options.rows) rows /= 2;
    at::Tensor table = at::zeros({rows, classes}), bias = at::zeros({classes}), squares = at::full({rows, classes}, 1e-2);
    const NGramClassifier model(table, bias, vocabulary);  // shares the tensors
    float *weights = table.data_ptr<float>(), *offsets = bias.data_ptr<float>(), *sums = squares.data_ptr<float>();
    std::vector<size_t> order(sentences.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::mt19937_64 random(seed);
    std::vector<int64_t> touched;
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
        for (const size_t i : order) {
            std::vector<double> p = model.logits(sentences[i]);
            const double most = *std::max_element(p.begin(), p.end());
            double sum = 0;
            for (double& value : p) sum += value = std::exp(value - most);
            for (double& value : p) value /= sum;
            p[static_cast<size_t>(labels[i])] -= 1;  // the gradient in each logit
            touched.clear();
            model.each_row(sentences[i], touched);
            for (const int64_t row : touched)
                for (int64_t c = 0; c < classes; ++c) {
                    float &weight = weights[row * classes + c], &square = sums[row * classes + c];
                    const auto gradient = static_cast<float>(p[static_cast<size_t>(c)] + options.decay * static_cast<double>(weight));
                    square += gradient * gradient;
                    weight -= static_cast<float>(options.learning_rate) * gradient / std::sqrt(square);
                }
            for (int64_t c = 0; c < classes; ++c) offsets[c] -= static_cast<float>(1e-3 * p[static_cast<size_t>(c)]);
        }
    }
    return {table.to(at::kHalf).to(at::kFloat), bias.to(at::kHalf).to(at::kFloat), vocabulary};
}

}  // namespace whynot::text
