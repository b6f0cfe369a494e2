// The plugin `text-training`: makes packs for the plugin `text`, measures them, and runs the experiments on text.
#include "whynot/plugin.h"

#include "text/experiments/experiments.h"
#include "text/measuring/evaluator.h"
#include "text/services/importer.h"
#include "text/services/trainer.h"
#include "whynot/version.h"

namespace {

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = "text-training";
    plugin.name = "Text: training and measuring";
    plugin.version = WHYNOT_VERSION;
    plugin.licence = "Apache-2.0";
    plugin.summary = "Trains, imports and evaluates packs of sentences, and runs experiments on them.";
    plugin.modality = "text";
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Trainer, whynot::text::TextTrainer>,
              whynot::Service<whynot::Evaluator, whynot::text::TextEvaluator>,
              whynot::Service<whynot::Experiments, whynot::text::TextExperiments>,
              whynot::Service<whynot::Importer, whynot::text::TextImporter>);
