#pragma once

#include <cstdint>
#include <vector>

#include "text/networks/classifier.h"
#include "text/reading/ids.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

struct ClassifierOptions {
    int64_t dimension = 128;
    /// 0: as many as go through half a million sentences, from 4 to 40, and the weights of the one that the development sentences like best.
    int64_t epochs = 0;
    int64_t batch = 64;
    double learning_rate = 2e-3;
    double deviation = 0.3;  ///< of the normal distribution that the embedding starts from
    /// Of kind "embedding-sum", or what the network is made of that sees the order of words.
    SentenceNetworkSizes network{"embedding-sum"};
    /// Networks: the share of words that are hidden in training, behind <unk>, so that not all hangs on single words.
    double hide = 0.05;
};

/// Sentences and the class of each, from 0.
struct LabelledIds {
    Sentences sentences;
    std::vector<int64_t> labels;
};

struct ClassifierData {
    LabelledIds train;
    LabelledIds development;  ///< what the log's accuracy is measured on
    int64_t vocabulary = 0;
    int64_t classes = 0;
};

/// Trains with Adam, row by row where the embedding is concerned. After each epoch `observer.log` gets the loss, and the accuracy on the
/// development sentences. A run that was stopped and goes on from its checkpoint ends with the weights of one that was not.
Classifier train_classifier(const ClassifierData& data, const ClassifierOptions& options, uint64_t seed,
                            const training::Checkpoint& checkpoint, const Observer& observer);

}  // namespace whynot::text
