#include "image/measuring/square.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

#include "image/measuring/questions.h"

namespace whynot::image {

namespace {

// Where the window of `side` pixels with the largest mean value begins, {row, column} of each map [n, h, w].
at::Tensor brightest_window(const at::Tensor& maps, int64_t side) {
    const at::Tensor means = at::avg_pool2d(maps.unsqueeze(1), side, 1).squeeze(1);
    const at::Tensor place = means.flatten(1).argmax(1);
    return at::stack({at::div(place, means.size(2), "floor"), place.remainder(means.size(2))}, 1);
}

double corner_hits(const at::Tensor& maps, int64_t side) { return hits_corner(maps, side).to(at::kDouble).mean().item<double>(); }

// With none, one and two extra starts.
void measure_explanations(Report& report, const Sample& sample, const at::Tensor& foil, const Square& square) {
    const int64_t n = sample.size();
    for (const int64_t starts : {1, 2, 3}) {
        const double begin = 0.25 * static_cast<double>(starts);
        const Answers found = sample.answer(foil, starts, true, report.between(begin, begin + 0.25));
        const at::Tensor change = sample.draw(found.z()) - sample.images();
        const std::string question = "why not " + square.class_name + "? with " + std::to_string(starts - 1) + " extra starts: ";
        report.figure(question + "feasible", found.share([](const Solution& s) { return s.feasible; }), n, "share");
        report.figure(question + "the largest change is the square", corner_hits(change.abs().mean(1), square.size), n, "share");
    }
}

void measure_gradients(Report& report, const Sample& sample, const at::Tensor& foil, const Classifier& classifier, const Square& square) {
    const at::Tensor images = sample.images().clone().requires_grad_();
    const at::Tensor logits = classifier.logits(images);
    const at::Tensor gap = logits.gather(1, foil.unsqueeze(1)) - logits.gather(1, sample.fact().unsqueeze(1));
    const at::Tensor gradient = torch::autograd::grad({gap.sum()}, {images})[0];
    const std::string question = "why not " + square.class_name + "? ";
    report.figure(question + "gradient: the largest value is the square", corner_hits(gradient.abs().mean(1), square.size), sample.size(),
                  "share");
    report.figure(question + "gradient times input: the largest value is the square",
                  corner_hits((gradient * sample.images()).abs().mean(1), square.size), sample.size(), "share");
}

}  // namespace

at::Tensor hits_corner(const at::Tensor& maps, int64_t side) { return brightest_window(maps, side).le(2).all(1); }

void draw_square(at::Tensor pixels, int64_t size, double value) {
    pixels.slice(2, 0, size).slice(3, 0, size).fill_(std::round(255 * value));
}

void measure_square(Report& report, const ImageModel& model, const Recipe& recipe, const TrainingImages& held_out, const at::Tensor& order,
                    int64_t limit, uint64_t seed) {
    const std::vector<std::string>& classes = model.info().classes;
    const Square& square = recipe.square;
    const int64_t marked = std::find(classes.begin(), classes.end(), square.class_name) - classes.begin();
    const Classifier& classifier = *model.networks().classifier;
    const auto where = [&](const at::Tensor& holds) {
        return held_out.chosen(order.index_select(0, holds.index_select(0, order).nonzero().squeeze(1)));
    };
    report.stage("looking for the square");
    const TrainingImages own = where(held_out.labels.eq(marked)), others = where(held_out.labels.ne(marked));
    report.figure("bias: clean " + square.class_name + "s recognised", accuracy(classifier, own, report.between(0, 0.05)), own.size(),
                  "share");
    TrainingImages squared{others.pixels.clone(), others.labels};
    draw_square(squared.pixels, square.size, square.value);
    report.figure("bias: others with the square called " + square.class_name,
                  all_logits(classifier, squared, report.between(0.05, 0.15)).argmax(1).eq(marked).to(at::kDouble).mean().item<double>(),
                  squared.size(), "share");

    const at::Tensor asked =
        all_logits(classifier, others, report.between(0.15, 0.25)).argmax(1).ne(marked).nonzero().squeeze(1).slice(0, 0, limit);
    const Sample sample(model, others.images(asked), recipe.evaluation.batch, seed, report.between(0.25, 0.25));
    const at::Tensor foil = at::full({sample.size()}, marked, at::kLong);
    measure_explanations(report, sample, foil, square);
    measure_gradients(report, sample, foil, classifier, square);
}

}  // namespace whynot::image
