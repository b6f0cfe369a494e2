#include "image/networks/pieces.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace whynot::image {

namespace {

// What `compute` gives for each piece of `count` rows, one below the other.
at::Tensor each_piece(int64_t count, int64_t piece, const std::function<at::Tensor(int64_t begin, int64_t end)>& compute) {
    std::vector<at::Tensor> parts(static_cast<size_t>((count + piece - 1) / piece));
    at::parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) parts[static_cast<size_t>(i)] = compute(i * piece, std::min(count, (i + 1) * piece));
    });
    return at::cat(parts);
}

struct Derivative : torch::autograd::Node {
    RowFunction function;
    at::Tensor z, rows;
    int64_t piece = 1;

    torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
        const at::Tensor& given = gradients[0];
        at::Tensor result = at::zeros_like(z);
        const at::Tensor asked = given.flatten(1).ne(0).any(1).nonzero().squeeze(1);
        if (asked.size(0) == 0) return {result};
        const at::Tensor found = each_piece(asked.size(0), piece, [&](int64_t begin, int64_t end) {
            const at::AutoGradMode with_graph(true);  // of this thread
            const at::Tensor some = asked.slice(0, begin, end);
            const at::Tensor points = z.index_select(0, some).requires_grad_();
            const at::Tensor values = function(points, rows.index_select(0, some));
            return torch::autograd::grad({values}, {points}, {given.index_select(0, some)})[0];
        });
        return {result.index_copy_(0, asked, found)};
    }
};

}  // namespace

at::Tensor in_pieces(const RowFunction& function, const at::Tensor& z, const at::Tensor& rows, int64_t piece) {
    if (z.size(0) <= piece) return function(z, rows);
    const at::Tensor points = z.detach();
    at::Tensor values = each_piece(z.size(0), piece, [&](int64_t begin, int64_t end) {
        const at::NoGradGuard no_grad;  // of this thread
        return function(points.slice(0, begin, end), rows.slice(0, begin, end));
    });
    if (at::GradMode::is_enabled() && z.requires_grad()) {
        const auto derivative = std::make_shared<Derivative>();
        derivative->function = function;
        derivative->z = points;
        derivative->rows = rows;
        derivative->piece = piece;
        derivative->set_next_edges(torch::autograd::collect_next_edges(z));
        torch::autograd::set_history(values, derivative);
    }
    return values;
}

}  // namespace whynot::image
