#pragma once

#include <vector>

#include "explainer/open_model.h"
#include "whynot/explainer.h"

namespace whynot::internal {

/// `Explainer::attribute`: one record a question, in order. @param service of the model's own plugin
std::vector<Attributed> attribute(const OpenModel& model, Attribution& service, const std::vector<Ask>& questions,
                                  const AttributionOptions& options);

}  // namespace whynot::internal
