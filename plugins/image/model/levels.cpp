#include "image/model/levels.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace whynot::image {

namespace {

constexpr double levels = 255;
constexpr int attempts = 8;         // what the classifier says is linear only nearly
constexpr double tie = 0.1;         // nats: a third class that is above both by more than that on the boundary is no business of rounding
constexpr int64_t most_thirds = 2;  // that are tied with both and looked after

/// What may not change by rounding, of each image: the gap, and by how much the likeliest third classes are above both.
struct Looked {
    at::Tensor values;               // [1 + thirds, b], double
    std::vector<at::Tensor> slopes;  // of each, [b, n]; of thirds only where one is near
};

Looked look(const at::Tensor& images, const at::Tensor& one_class, const at::Tensor& other_class,
            const std::function<at::Tensor(const at::Tensor&)>& logits) {
    const at::AutoGradMode with_graph(true);
    const at::Tensor leaf = images.clone().requires_grad_(true);
    const at::Tensor said = logits(leaf);
    const auto of = [&](const at::Tensor& y) { return said.gather(1, y.unsqueeze(1)).squeeze(1); };
    std::vector<at::Tensor> values{of(one_class) - of(other_class)};
    const at::Tensor thirds = said.detach().scatter(1, one_class.unsqueeze(1), -INFINITY).scatter(1, other_class.unsqueeze(1), -INFINITY);
    const at::Tensor order = thirds.argsort(1, true);
    for (int64_t t = 0; t < std::min(most_thirds, said.size(1) - 2); ++t)
        values.push_back(of(order.select(1, t)) - (of(one_class) + of(other_class)) / 2);
    Looked looked;
    looked.values = at::stack(values).detach().to(at::kDouble);
    for (size_t v = 0; v < values.size(); ++v) {
        if (v > 0 && !looked.values[static_cast<int64_t>(v)].gt(-tie).any().item<bool>()) break;
        looked.slopes.push_back(torch::autograd::grad({values[v].sum()}, {leaf}, {}, true)[0].flatten(1).contiguous());
    }
    return looked;
}

/// How far it is from what is wanted: no gap, and no third class above.
double missed(const std::vector<double>& values) {
    double sum = std::abs(values[0]);
    for (size_t v = 1; v < values.size(); ++v) sum += std::max(0.0, values[v]);
    return sum;
}

/// Moves single values of one image to the next nearest level, as long as that helps.
/// @param exact, shown [n] the values, and what is shown of them @param values, slopes what `missed` is made of, and their derivatives, [n] each
void move_levels(const float* exact, float* shown, int64_t n, std::vector<double> values, const std::vector<const float*>& slopes) {
    struct Move {
        int64_t pixel;
        double by, price;
    };
    std::vector<Move> moves;
    for (int64_t i = 0; i < n; ++i) {
        double effect = 0;
        for (const float* slope : slopes) effect += std::abs(slope[i]);
        if (effect == 0) continue;
        // The level on the other side of the exact value; where rounding was exact, either.
        const double error = static_cast<double>(exact[i]) - shown[i];
        for (const double side : {-1.0, 1.0}) {
            const double to = shown[i] + side / levels;
            if (side * error < 0 || to < -1e-6 || to > 1 + 1e-6) continue;
            moves.push_back({i, side / levels, (std::abs(to - exact[i]) - std::abs(error)) / effect});
        }
    }
    std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.price < b.price; });
    double miss = missed(values);
    std::vector<double> next(values.size());
    for (const Move& move : moves) {
        for (size_t v = 0; v < values.size(); ++v) next[v] = values[v] + move.by * slopes[v][move.pixel];
        if (missed(next) >= miss) continue;
        shown[move.pixel] = static_cast<float>(std::round((shown[move.pixel] + move.by) * levels) / levels);
        values = next;
        miss = missed(values);
        if (miss < 1e-4) return;
    }
}

}  // namespace

at::Tensor to_levels(const at::Tensor& images) { return (images.clamp(0, 1) * levels).round() / levels; }

at::Tensor to_levels_on_boundary(const at::Tensor& images, const at::Tensor& one_class, const at::Tensor& other_class,
                                 const std::function<at::Tensor(const at::Tensor&)>& logits, double tolerance) {
    const at::Tensor exact = images.detach().to(at::kCPU, at::kFloat).contiguous();
    at::Tensor shown = to_levels(exact).contiguous();
    const int64_t count = exact.size(0), pixels = exact[0].numel();
    at::Tensor best = shown.clone();
    std::vector<double> least(static_cast<size_t>(count), INFINITY);
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const Looked looked = look(shown, one_class, other_class, logits);
        bool done = true;
        for (int64_t b = 0; b < count; ++b) {
            std::vector<double> values;
            std::vector<const float*> slopes;
            for (size_t v = 0; v < looked.slopes.size(); ++v) {
                const double value = looked.values[static_cast<int64_t>(v)][b].item<double>();
                if (v > 0 && value > 2 * tie) break;  // it was above before
                values.push_back(value);
                slopes.push_back(looked.slopes[v][b].data_ptr<float>());
            }
            const double miss = missed(values);
            if (miss < least[static_cast<size_t>(b)]) {
                least[static_cast<size_t>(b)] = miss;
                best[b].copy_(shown[b]);
            }
            if (miss <= tolerance) continue;
            done = false;
            move_levels(exact[b].data_ptr<float>(), shown[b].data_ptr<float>(), pixels, values, slopes);
        }
        if (done) break;
    }
    return best;
}

}  // namespace whynot::image
