// The plugin `image`: explains classifiers of images.
#include "whynot/plugin.h"

#include "image/model/model.h"
#include "image/services/attributing.h"
#include "image/services/held_out.h"
#include "image/services/samples.h"
#include "whynot/version.h"

namespace {

constexpr whynot_artifact artifacts[] = {
    {"weights.safetensors", "tensors", 0, "classifier, generator and the codes of examples, 16-bit floats"},
    {"classifier.pt", "torchscript", 0, "a classifier that was brought along, in place of one of ours"},
    {"encoder.pt", "torchscript", 0, "an encoder that was brought along, from images to codes"},
    {"decoder.pt", "torchscript", 0, "a decoder that was brought along, from codes to images"},
    {}};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = "image";
    plugin.name = "Image";
    plugin.version = WHYNOT_VERSION;
    plugin.licence = "Apache-2.0";
    plugin.summary = "Explains classifiers of images.";
    plugin.modality = "image";
    plugin.artifacts = artifacts;
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, whynot::image::ImageModality>,
              whynot::Service<whynot::Samples, whynot::image::ImageSamples>, whynot::Service<whynot::HeldOut, whynot::image::ImageHeldOut>,
              whynot::Service<whynot::Attribution, whynot::image::ImageAttribution>);
