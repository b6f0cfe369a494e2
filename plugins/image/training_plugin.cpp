// The plugin `image-training`: makes packs for the plugin `image`, and measures them.
#include "whynot/plugin.h"

#include "image/services/evaluator.h"
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
    plugin.summary = "Trains, imports and evaluates packs of images.";
    plugin.modality = "image";
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Trainer, whynot::image::ImageTrainer>,
              whynot::Service<whynot::Evaluator, whynot::image::ImageEvaluator>,
              whynot::Service<whynot::Importer, whynot::image::ImageImporter>);
