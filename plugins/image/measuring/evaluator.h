#pragma once

#include <nlohmann/json_fwd.hpp>

#include "corpora/images.h"
#include "image/model/model.h"
#include "image/networks/training.h"
#include "whynot/train.h"

namespace whynot::image {

/// The service `whynot.evaluate/1` for images.
///
/// The sample: held-out images in the order of their hash, the first `limit` of them; facts are the predicted classes. A question that
/// fails anywhere stays in the denominator.
///
/// What it compares with: the augmented Lagrangian with L-BFGS inside, started from z0; the same questions without guards; the same in the
/// space of pixels, with a second classifier of another seed as judge of both. For a pack with a planted square also whether
/// "why not that class?" finds it, beside the gradient and gradient times input.
class ImageEvaluator : public Evaluator {
public:
    std::string evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) override;
};

/// Bytes as [n, channels, h, w] and their labels.
TrainingImages tensors_of(const corpora::LabelledImages& images);

/// The same for a model that is open: figures and examples (train.h). @param held_out labelled images, without the pack's square
nlohmann::ordered_json evaluate_model(ImageModel& model, const std::string& recipe, const corpora::ImageCorpus& corpus,
                                      const EvaluateRequest& request, const Observer& observer);

}  // namespace whynot::image
