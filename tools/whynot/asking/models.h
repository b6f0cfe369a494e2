#pragma once

/// The opened packs that a command asks.

#include <memory>
#include <string>
#include <vector>

#include "commands/common.h"
#include "stream/inputs.h"
#include "whynot/explainer.h"
#include "whynot/host.h"
#include "whynot/pack.h"

namespace whynot::cli {

PluginSearch plugin_search(const CommonOptions& options);

/// Tells LibTorch how many threads to use, as asked, else the physical cores up to `max`; and the BLAS under it to use none of its own.
void set_threads(int asked, int max);

/// How many threads are worth starting for these inputs: a few are answered no faster by several, and on a busy machine slower.
int threads_for(const std::vector<Argument>& inputs);

/// How many explainers, of one thread each, a stream is shared out among.
int workers_for(int asked);

/// Finds the packs for the inputs of a command and opens them: the one that was named, or the default for each kind of input.
class Models {
public:
    /// Throws `invalid_argument` when the pack that was named is of another modality than an input.
    Models(const CommonOptions& options, const std::string& pack, const std::vector<Argument>& inputs);
    /// For a stream, of which nobody knows yet what it holds: the pack that was named, or those of the two defaults that are found.
    Models(const CommonOptions& options, const std::string& pack);

    /// Packs that are going to be used, before the networks are opened: for checks that need not wait for them.
    const std::vector<Pack>& packs() const { return packs_; }
    const Host& host() const { return host_; }

    Explainer& sentences() { return opened(0); }
    Explainer& images() { return opened(packs_.size() - 1); }
    Explainer& of(const Input& input) { return is_image(input) ? images() : sentences(); }
    /// Of a stream: why there is no pack for images, or for sentences, a sentence; empty: there is one.
    std::string why_not(bool image) const;
    /// Of a stream: the pack that answers for images, or for sentences, if only by refusing them.
    const Pack& pack(bool image) const { return image ? packs_.back() : packs_.front(); }

private:
    Explainer& opened(size_t index);

    Host host_;
    const std::string device_;
    std::string missing_;      // why one of the two defaults is not among the packs of a stream
    std::vector<Pack> packs_;  // for sentences, for images; one where it serves both or only one is needed
    std::vector<std::unique_ptr<Explainer>> explainers_;
};

}  // namespace whynot::cli
