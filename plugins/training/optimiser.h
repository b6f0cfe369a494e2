#pragma once

/// Adam (Kingma & Ba, 2015) in the two forms that training on a vocabulary needs:
///
/// - `RowAdam` for a table with a row a word. A batch touches a few hundred of its thousands of rows; only those and their
///   moments are read and written, so that a step costs O(r d) and not O(V d). Rows that are not touched keep their moments
///   ("lazy" Adam); the bias correction counts the table's steps.
/// - `DenseAdam` for all other parameters, with the gradient's norm over all of them clipped.
///
/// A table is trained through a copy of the rows that a batch needs:
///
///     auto rows = std::get<0>(at::_unique(ids, true));                             // [r]
///     auto copy = table.index_select(0, rows).detach().requires_grad_();
///     loss(copy, ids as indices into rows).backward();
///     row_adam.step(rows, copy.grad(), rate);
///     dense_adam.step(rate);                                                       // reads and clears the parameters' gradients

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace whynot::training {

/// What an optimiser needs to go on from a checkpoint: tensors by name.
using OptimiserState = std::map<std::string, at::Tensor>;

/// The constants of Adam.
struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    /// L2: this many times the parameter is added to its gradient, after clipping, as in Torch's Adam. `DenseAdam` only; a table
    /// whose rows are touched now and then would forget the rare ones least.
    double weight_decay = 0;
};

class RowAdam {
public:
    /// @param table [V, d], or [V] for a number a word; changed in place by `step`, must not require a gradient. Moments live on its device.
    /// Throws Error `invalid_argument` for a weight decay.
    explicit RowAdam(at::Tensor table, AdamOptions options = {});

    /// One step on some rows. @param rows [r], int64, each at most once @param gradient [r, d] or [r] @param rate the learning rate.
    void step(const at::Tensor& rows, const at::Tensor& gradient, double rate);

    /// "first" and "second", the moments [V, d], and "steps", an int64 scalar. They share memory with the optimiser.
    OptimiserState state() const;
    /// Takes over a copy of a state of the same shapes; throws Error `invalid_argument` for others.
    void load_state(const OptimiserState& state);

private:
    at::Tensor table_;
    at::Tensor first_;
    at::Tensor second_;
    AdamOptions options_;
    int64_t steps_ = 0;
};

class DenseAdam {
public:
    /// @param parameters leaves that require a gradient; changed in place by `step`
    /// @param clip the largest norm of the gradient of all parameters together; longer ones are scaled down to it. 0: as it is.
    explicit DenseAdam(std::vector<at::Tensor> parameters, double clip = 5.0, AdamOptions options = {});

    /// One step with the gradients that a backward pass left in the parameters; clears them. Parameters without one stay.
    void step(double rate);

    /// "first.<i>" and "second.<i>" for parameter i, and "steps".
    OptimiserState state() const;
    void load_state(const OptimiserState& state);

private:
    std::vector<at::Tensor> parameters_;
    std::vector<at::Tensor> first_;
    std::vector<at::Tensor> second_;
    double clip_;
    AdamOptions options_;
    int64_t steps_ = 0;
};

/// The learning rate at a fraction of the run: linear over the first `warm_up` steps, then a cosine down to 2 % of `peak`.
/// @param step counts from 0 @param steps of the whole run
double cosine_rate(double peak, int64_t step, int64_t steps, int64_t warm_up = 200);

}  // namespace whynot::training
