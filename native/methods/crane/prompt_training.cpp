#include "methods/crane/prompt_training.h"

namespace crane::methods {

PromptTraining parse_prompt_training(const Settings& settings, const CraneOptions& options) {
  PromptTraining training;
  training.loss.pixel_temperature = options.temperature;
  training.half_deep_tokens = options.compat.half_deep_tokens;
  training.stored_tokens = options.compat.stored_tokens;
  SettingsReader read(settings);
  read.number("focalWeight", training.loss.focal_weight);
  read.number("diceWeight", training.loss.dice_weight);
  read.number("imageLossWeight", training.loss.image_weight);
  read.number("pixelTemperature", training.loss.pixel_temperature);
  read.number("imageTemperature", training.loss.image_temperature);
  read.number("learningRate", training.adam.learning_rate);
  read.number("beta1", training.adam.beta1);
  read.number("beta2", training.adam.beta2);
  read.number("eps", training.adam.eps);
  std::string guidance = "pad-suffix";
  read.text("guidance", guidance);
  training.guidance = parse_guidance(guidance);
  read.flag("halfDeepTokens", training.half_deep_tokens);
  read.flag("sharedPrefix", training.shared_prefix);
  read.integer("contextRows", training.context_rows);
  read.integer("deepBlocks", training.deep_blocks);
  read.integer("deepTokens", training.deep_tokens);
  read.finish("crane (training)");
  return training;
}

}  // namespace crane::methods
