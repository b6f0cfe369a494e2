#include "whynot/plugin.h"
#include "whynot/version.h"

#include "image_evaluator.h"
#include "image_trainer.h"
#include "model.h"
#include "samples.h"

namespace {

constexpr whynot_artifact artifacts[] = {
    {"weights.safetensors", "tensors", 1, "classifier, generator and the codes of examples, 16-bit floats"}, {}};

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
              whynot::Service<whynot::Trainer, whynot::image::ImageTrainer>,
              whynot::Service<whynot::Evaluator, whynot::image::ImageEvaluator>,
              whynot::Service<whynot::Samples, whynot::image::ImageSamples>);
