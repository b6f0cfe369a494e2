#include "text/networks/packed_lstm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace whynot::text {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct PackedLstm : torch::autograd::Function<PackedLstm> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& gates, const std::vector<int64_t>& counts, const at::Tensor& h,
                              const at::Tensor& c, const at::Tensor& weight) {
        const int64_t size = h.size(1);
        at::Tensor active = gates.clone();  // the gates after their functions
        at::Tensor out = gates.new_empty({gates.size(0), size}), cells = at::empty_like(out);
        at::Tensor last_h = h, last_c = c;
        int64_t begin = 0;
        for (const int64_t n : counts) {
            at::Tensor now = active.slice(0, begin, begin + n);
            now.addmm_(last_h.slice(0, 0, n), weight.t());
            now.slice(1, 0, 2 * size).sigmoid_();
            now.slice(1, 2 * size, 3 * size).tanh_();
            now.slice(1, 3 * size).sigmoid_();
            const auto part = now.chunk(4, 1);
            at::Tensor cell = cells.slice(0, begin, begin + n), hidden = out.slice(0, begin, begin + n);
            at::mul_out(cell, part[1], last_c.slice(0, 0, n)).addcmul_(part[0], part[2]);
            at::tanh_out(hidden, cell).mul_(part[3]);
            last_h = hidden;
            last_c = cell;
            begin += n;
        }
        context->save_for_backward({active, cells, c, weight});
        context->saved_data["counts"] = counts;
        return out;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &active = saved[0], &cells = saved[1], &weight = saved[3];
        const std::vector<int64_t> counts = context->saved_data["counts"].toIntVector();
        at::Tensor result = at::empty_like(active);
        at::Tensor dh = at::zeros_like(saved[2]), dc = at::zeros_like(saved[2]);  // of the state after the position, by sentence
        int64_t end = cells.size(0);
        for (size_t t = counts.size(); t-- > 0;) {
            const int64_t n = counts[t], begin = end - n;
            const auto part = active.slice(0, begin, end).chunk(4, 1);
            const at::Tensor before = t > 0 ? cells.slice(0, begin - counts[t - 1], begin - counts[t - 1] + n) : saved[2];
            const at::Tensor curved = cells.slice(0, begin, end).tanh();
            at::Tensor dh_now = dh.slice(0, 0, n), dc_now = dc.slice(0, 0, n);
            dh_now.add_(gradients[0].slice(0, begin, end));
            dc_now.add_(at::tanh_backward(dh_now * part[3], curved));
            const auto d = result.slice(0, begin, end).chunk(4, 1);
            d[0].copy_(at::sigmoid_backward(dc_now * part[2], part[0]));
            d[1].copy_(at::sigmoid_backward(dc_now * before, part[1]));
            d[2].copy_(at::tanh_backward(dc_now * part[0], part[2]));
            d[3].copy_(at::sigmoid_backward(dh_now * curved, part[3]));
            dc_now.mul_(part[1]);
            at::mm_out(dh_now, result.slice(0, begin, end), weight);
            end = begin;
        }
        return {result, {}, dh, dc, {}};
    }
};

}  // namespace

at::Tensor packed_lstm(const at::Tensor& gates, const std::vector<int64_t>& counts, const at::Tensor& h, const at::Tensor& c,
                       const at::Tensor& weight) {
    return PackedLstm::apply(gates, counts, h, c, weight);
}

}  // namespace whynot::text
