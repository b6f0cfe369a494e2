#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>

#include <string>
#include <vector>

#include "whynot/device.h"
#include "whynot/error.h"
#include "whynot/modality.h"

namespace whynot::test {

/// A pack that is opened on the first graphics card says what it says on the processor. Skipped, with the reason, where there is no card; the
/// refusal of a card that is not there is checked everywhere.
inline void expect_the_same_on_a_graphics_card(Modality& modality, const Pack& pack, const std::vector<Input>& inputs) {
    try {
        modality.open(pack, "cuda:99");
        ADD_FAILURE() << "there are no hundred cards";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_NE(std::string(error.what()).find("cuda:99"), std::string::npos) << error.what();
    }
    if (!torch::cuda::is_available()) GTEST_SKIP() << "this LibTorch sees no graphics card";

    struct Said {
        at::Tensor before, start, values, gradient;
    };
    const auto ask = [&](const std::string& device) {
        const auto model = modality.open(pack, device);
        std::vector<ReadNotes> notes;
        const auto batch = model->read(inputs, notes);
        Said said;
        said.before = batch->classify();
        said.start = batch->start(said.before.argmax(1), 1);
        const at::Tensor z = said.start.detach().clone().requires_grad_();
        said.values = at::log_softmax(batch->log_likelihood(z, at::arange(batch->size(), at::kLong)), 1);
        said.gradient = torch::autograd::grad({said.values.select(1, 0).sum()}, {z})[0];
        for (const at::Tensor& tensor : {said.before, said.start, said.values, said.gradient})
            EXPECT_TRUE(tensor.is_cpu()) << "what comes out of a batch is on the processor";
        return said;
    };
    const Said here = ask("cpu"), there = ask("cuda");
    EXPECT_TRUE(at::allclose(here.before, there.before, 1e-3, 1e-3));
    EXPECT_TRUE(at::allclose(here.start, there.start, 1e-2, 1e-2));
    EXPECT_TRUE(at::allclose(here.values, there.values, 1e-2, 1e-2));
    EXPECT_TRUE(at::allclose(here.gradient, there.gradient, 5e-2, 1e-2));
}

}  // namespace whynot::test
