// The plugin `image-training`: makes packs for the plugin `image`, measures them, and runs the experiments on images.
#include "whynot/plugin.h"

#include "image/experiments/experiments.h"
#include "image/measuring/evaluator.h"
#include "image/services/importer.h"
#include "image/services/trainer.h"
#include "whynot/version.h"

namespace {

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = "image-training";
    plugin.name = "Image: training and measuring";
    plugin.version = WHYNOT_VERSION;
    plugin.licence = "Apache-2.0";
    plugin.summary = "Trains, imports and evaluates packs of images, and runs experiments on them.";
    plugin.modality = "image";
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Trainer, whynot::image::ImageTrainer>,
              whynot::Service<whynot::Evaluator, whynot::image::ImageEvaluator>,
              whynot::Service<whynot::Experiments, whynot::image::ImageExperiments>,
              whynot::Service<whynot::Importer, whynot::image::ImageImporter>);
