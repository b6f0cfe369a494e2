#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "text/model/model.h"
#include "text/reading/corpus.h"
#include "whynot/train.h"

namespace whynot::text {

/// The service `whynot.evaluate/1` for text.
///
/// The sample: held-out sentences in the order of their hash that the classifier gets right, the first `limit` of them; or the
/// first `limit` lines of a file. A sentence that fails anywhere stays in the denominator.
///
/// The yardstick of naturalness is a language model that the search does not use: an LSTM and a Kneser-Ney trigram mixed word
/// by word, trained on the half of the training sentences that the pack's own models have not read. It takes minutes to train
/// and is kept in the request's cache folder.
class TextEvaluator : public Evaluator {
public:
    std::string evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) override;
};

/// The same for a model that is open: figures and examples (train.h).
/// @param corpus gives the sample, and the sentences that the yardstick reads; null: `sentences` are the sample, whatever their class,
///        and what needs labels or a yardstick is left out
nlohmann::ordered_json evaluate_model(TextModel& model, const Corpus* corpus, std::vector<std::string> sentences,
                                      const EvaluateRequest& request, const Observer& observer);

}  // namespace whynot::text
