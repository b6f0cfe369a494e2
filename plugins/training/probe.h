#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>

#include "whynot/pack.h"

namespace whynot::training {

/// A network that was brought along, from a batch of inputs to a batch of outputs.
using Forward = std::function<at::Tensor(const at::Tensor&)>;

/// Outputs for samples [n, ...]. Throws Error `invalid_input` with the network's own reason where it fails; where it takes a single input
/// but no batch, that is said.
at::Tensor in_one_batch(const std::string& name, const Forward& network, const at::Tensor& samples);

/// Outputs for samples [n, ...], n > 1, after looking whether they can be relied on: finite, the same when asked again, and for each row what
/// it gets alone. Throws Error `invalid_input` that names what was found and what to do. @param name of the file, for messages
at::Tensor probe_network(const std::string& name, const Forward& network, const at::Tensor& samples);

/// What a classifier is found to emit on samples. Throws `invalid_input`, with the numbers, where that contradicts what is declared (of
/// log-probabilities one may say logits), where no answer depends on the input, and where nobody can tell: numbers all within [0, 1] that
/// do not sum to one.
Emits probe_emits(const std::string& name, const at::Tensor& outputs, std::optional<Emits> declared);

/// Whether log-likelihoods have the derivatives that they seem to have: that of the gap between the two likeliest classes, along its own
/// direction, against central differences. @returns in how many samples they agree. Kinks make a few disagree; throws `invalid_input` where
/// gradients are missing, zero everywhere or not finite, or where more than half disagree.
int64_t probe_gradients(const std::string& name, const Forward& log_likelihood, const at::Tensor& samples);

}  // namespace whynot::training
