#include "text/language/fluency.h"

#include <cmath>
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

std::vector<double> FluencyModel::log_likelihood(const Sentences& sentences) const {
    const auto network = network_->next_log_probabilities(sentences);
    std::vector<double> result;
    for (size_t i = 0; i < sentences.size(); ++i) {
        const auto counted = ngram_.log_probabilities(sentences[i]);
        double sum = 0;
        for (size_t t = 0; t < counted.size(); ++t)
            sum += std::log(network_weight_ * std::exp(network[i][t]) + (1 - network_weight_) * std::exp(counted[t]));
        result.push_back(sum);
    }
    return result;
}

}  // namespace whynot::text
