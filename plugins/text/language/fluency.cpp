#include "text/language/fluency.h"

#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "whynot/error.h"

namespace whynot::text {

FluencyModel::FluencyModel(MaskedModel network, NGram ngram, double network_weight)
    : network_(std::move(network)), ngram_(std::move(ngram)), network_weight_(network_weight) {
    if (network_->sizes().vocabulary != ngram_.vocabulary())
        throw Error(ErrorCode::invalid_argument, "fluency: expected two models of one vocabulary, found " +
                                                     std::to_string(network_->sizes().vocabulary) + " and " +
                                                     std::to_string(ngram_.vocabulary()) + " entries");
    if (!(network_weight >= 0 && network_weight <= 1))
        throw Error(ErrorCode::invalid_argument,
                    "fluency: expected a weight of the network from 0 to 1, found " + std::to_string(network_weight));
}

std::vector<std::vector<double>> FluencyModel::log_likelihoods(const Sentences& sentences) const {
    std::vector<std::vector<double>> result = network_->next_log_probabilities(sentences);
    for (size_t i = 0; i < sentences.size(); ++i) {
        const auto counted = ngram_.log_probabilities(sentences[i]);
        for (size_t t = 0; t < counted.size(); ++t)
            result[i][t] = std::log(network_weight_ * std::exp(result[i][t]) + (1 - network_weight_) * std::exp(counted[t]));
    }
    return result;
}

std::vector<double> FluencyModel::log_likelihood(const Sentences& sentences) const {
    std::vector<double> result;
    for (const auto& words : log_likelihoods(sentences)) result.push_back(std::accumulate(words.begin(), words.end(), 0.0));
    return result;
}

}  // namespace whynot::text
