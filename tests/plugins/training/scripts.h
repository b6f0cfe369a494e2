#pragma once

// TorchScript files made without Python: a network's weights, and its forward in TorchScript's own language.

#include <torch/script.h>

#include <filesystem>
#include <map>
#include <string>

namespace whynot::test {

/// @param forward the lines below `def forward(self, x: Tensor):`, or whole methods
inline std::filesystem::path write_script(const std::filesystem::path& file, const std::string& methods,
                                          const std::map<std::string, at::Tensor>& weights = {}) {
    torch::jit::Module module("network");
    for (const auto& [name, tensor] : weights) {
        std::string attribute = name;
        for (char& c : attribute)
            if (c == '.') c = '_';
        module.register_parameter(attribute, tensor.clone(), false);
    }
    module.register_attribute("training", c10::BoolType::get(), true);  // as every nn.Module has it before eval()
    module.define(methods);
    module.save(file.string());
    return file;
}

}  // namespace whynot::test
