// The plugin `text`: explains classifiers of sentences.
#include "whynot/plugin.h"

#include "text/attribution/service.h"
#include "text/model/modality.h"
#include "text/services/held_out.h"
#include "text/services/samples.h"
#include "whynot/version.h"

namespace {

constexpr const char* decodings[] = {"edit", "audit", "soft", "nearest", nullptr};
constexpr whynot_option options[] = {{"decode", "choice", "edit", nullptr, nullptr, decodings,
                                      "how the boundary becomes a sentence: the fewest and most natural edits; an edit where the boundary "
                                      "moved most, to audit a model; the generator's own words; or also the sentence nearest to one half"},
                                     {}};
constexpr whynot_artifact artifacts[] = {
    {"tokenizer.model", "sentencepiece", 1, "the vocabulary, a SentencePiece model"},
    {"weights.safetensors", "tensors", 1, "classifier, autoencoder and masked word model, 16-bit floats"},
    {"ngram.bin", "ngram", 1, "n-gram counts of the masked word model's half of the corpus"},
    {"associations.bin", "associations", 1, "which words share sentences in that half"},
    {"classifier.pt", "torchscript", 0, "a classifier that was brought along, in place of one of ours"},
    {"embedding.safetensors", "tensors", 0, "the embedding of its words"},
    {}};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = "text";
    plugin.name = "Text";
    plugin.version = WHYNOT_VERSION;
    plugin.licence = "Apache-2.0";
    plugin.summary = "Explains classifiers of sentences.";
    plugin.modality = "text";
    plugin.options = options;
    plugin.artifacts = artifacts;
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, whynot::text::TextModality>,
              whynot::Service<whynot::Samples, whynot::text::TextSamples>, whynot::Service<whynot::HeldOut, whynot::text::TextHeldOut>,
              whynot::Service<whynot::Attribution, whynot::text::TextAttribution>);
