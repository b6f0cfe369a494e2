#include "whynot/device.h"

#include <torch/cuda.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "whynot/error.h"

namespace whynot {

at::Device device_named(const std::string& name) {
    if (name == "cpu") return at::kCPU;
    const bool numbered = name.compare(0, 5, "cuda:") == 0 && name.size() > 5 && name.size() < 8 &&
                          std::all_of(name.begin() + 5, name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (name != "cuda" && !numbered)
        throw Error(ErrorCode::invalid_argument, "expected the device 'cpu', 'cuda' or 'cuda:N', found " + base::in_quotes(name));
    const int index = numbered ? std::stoi(name.substr(5)) : 0, cards = static_cast<int>(torch::cuda::device_count());
    if (index >= cards)
        throw Error(ErrorCode::invalid_argument,
                    "the device '" + name + "' is not there: this LibTorch sees " +
                        (cards == 0 ? "no graphics card; 'cpu' always works" : "cards 0 to " + std::to_string(cards - 1)));
    return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

}  // namespace whynot
