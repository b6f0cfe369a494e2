#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace whynot::training {

/// Mixes a seed with what is being drawn for (a stage, a step), so that every draw of a training run depends on these
/// numbers alone: a run that was stopped and goes on draws exactly what the uninterrupted one would have drawn.
/// (The finaliser of SplitMix64, Steele et al. 2014.)
inline uint64_t mix_seed(uint64_t seed, uint64_t stream, uint64_t step = 0) {
    uint64_t x = seed * 0x9E3779B97F4A7C15ull + stream * 0xD1B54A32D192ED03ull + step + 1;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

/// A generator of our own for tensors: the library never draws from the global one.
inline at::Generator make_generator(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

/// Fisher-Yates with a generator whose output is the same everywhere (std::shuffle's is not fixed by the standard).
template <class T>
void shuffle(std::vector<T>& items, std::mt19937_64& random) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random() % i]);
}

}  // namespace whynot::training
