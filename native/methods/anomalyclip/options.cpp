#include "methods/anomalyclip/options.h"

#include "methods/temperature.h"

namespace crane::methods::anomalyclip {

Options parse(const Settings& settings) {
  Options options;
  SettingsReader read(settings);
  read.integer("eAttnLayers", options.e_attn_layers);
  read.integers("features", options.features);
  read_temperature(read, options.temperature);
  read.flag("compat.halfDeepTokens", options.compat.half_deep_tokens);
  read.flag("compat.aliasedFeatures", options.compat.aliased_features);
  read.flag("compat.clsWithoutLnPost", options.compat.cls_without_ln_post);
  read.flag("compat.diceRows", options.compat.dice_rows);
  read.flag("compat.storedTokens", options.compat.stored_tokens);
  read.finish(k_name);
  return options;
}

TrainingOptions parse_training(const Settings& settings, const Options& options) {
  TrainingOptions training;
  training.pixel_temperature = options.temperature;
  training.image_temperature = options.temperature;
  training.half_deep_tokens = options.compat.half_deep_tokens;
  training.dice_rows = options.compat.dice_rows;
  training.stored_tokens = options.compat.stored_tokens;
  SettingsReader read(settings);
  read.number("focalWeight", training.focal_weight);
  read.number("diceWeight", training.dice_weight);
  read.number("imageLossWeight", training.image_weight);
  read.number("learningRate", training.adam.learning_rate);
  read.number("beta1", training.adam.beta1);
  read.number("beta2", training.adam.beta2);
  read.number("eps", training.adam.eps);
  read.integer("contextRows", training.sizes.context_rows);
  read.integer("deepBlocks", training.sizes.deep_blocks);
  read.integer("deepTokens", training.sizes.deep_tokens);
  read.finish("anomalyclip (training)");
  return training;
}

}  // namespace crane::methods::anomalyclip
