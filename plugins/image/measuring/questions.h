#pragma once

/// Questions about a sample of images, for measuring: asked in every way that the evaluator compares.

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "image/measuring/report.h"
#include "image/model/model.h"
#include "whynot/solver.h"

namespace whynot::image {

/// What was found, and what it cost.
struct Answers {
    std::vector<Solution> solutions;
    int64_t forward = 0, backward = 0;

    void add(Summary summary);
    int64_t size() const { return static_cast<int64_t>(solutions.size()); }
    at::Tensor z() const;  ///< [n, k]
    double share(const std::function<bool(const Solution&)>& holds) const;
    /// Of one question, on average. A forward costs 1, its derivative 2 more.
    double work() const;
};

/// Options for a model: from z0 and `starts` - 1 extra starts.
SolverOptions options_of(const ImageModel& model, int64_t starts, bool guards = true);

/// Solves, and has it watched.
void solve_into(Answers& answers, const Problem& problem, SolverOptions options, const Watch& watch);

/// What is shown, written and read again. Of a question without one, the input stands in its place, and it counts as none.
struct Shown {
    at::Tensor boundary_there, answer_there;  ///< [n], bool
    at::Tensor boundary, answer;              ///< [n, channels, h, w]
    at::Tensor at_boundary, at_answer;        ///< log-probabilities, [n, C], double
    at::Tensor is_edge;                       ///< [n], bool: no boundary with its guards, but the edge
    at::Tensor distance;                      ///< of the boundary or the edge, latent, [n]; 0 where there is none
    int64_t forward = 0, backward = 0;

    double work() const;  ///< as `Answers::work`
};

/// By how much the likeliest third class is above both, nats. @param said log-probabilities [n, C] @param one, other classes [n]
at::Tensor third_above(const at::Tensor& said, const at::Tensor& one, const at::Tensor& other);

/// The images that are asked about, a few of them at a time: the memory of a solve grows with its batch.
class Sample {
public:
    /// @param images [n, channels, h, w] @param batch how many at a time
    /// @param codes where searches begin, [n, k of the generator]; undefined: where the model would begin
    Sample(const ImageModel& model, const at::Tensor& images, int64_t batch, uint64_t seed, const Watch& watch,
           const at::Tensor& codes = {});

    int64_t size() const { return images_.size(0); }
    const at::Tensor& images() const { return images_; }
    const at::Tensor& residual() const { return residual_; }
    /// Classes, the likeliest first, [n, C].
    const at::Tensor& order() const { return order_; }
    at::Tensor fact() const { return order_.select(1, 0).contiguous(); }
    /// z0, [n, k].
    at::Tensor start() const;

    /// @param foil of each image, [n]
    Answers answer(const at::Tensor& foil, int64_t starts, bool guards, const Watch& watch) const;
    /// Changes of pixels instead of codes. @param clipped ask of what a picture can hold, in [0, 1]
    Answers answer_in_pixels(const at::Tensor& foil, const Watch& watch, bool clipped = false) const;
    /// The first `count` questions, by the augmented Lagrangian with L-BFGS (whynot/lbfgs.h).
    Answers ask_oracle(const at::Tensor& foil, int64_t count, const Watch& watch) const;
    /// Boundary and answer of each question as a person is shown them; 0 as confidence: no answer.
    Shown show(const at::Tensor& foil, int64_t starts, double confidence, const Watch& watch, bool guards = true) const;
    /// I(z), one of each image.
    at::Tensor draw(const at::Tensor& z) const;

private:
    struct Part {
        int64_t begin = 0, end = 0;
        std::unique_ptr<ImageBatch> images;
        at::Tensor start;
    };

    Problem problem(const Part& part, const at::Tensor& foil, int64_t further_starts) const;
    Answers in_parts(const Watch& watch, const std::function<void(const Part&, const Watch&, Answers&)>& answer_part) const;

    const ImageModel& model_;
    at::Tensor images_, order_, residual_;
    uint64_t seed_;
    std::vector<Part> parts_;
};

}  // namespace whynot::image
