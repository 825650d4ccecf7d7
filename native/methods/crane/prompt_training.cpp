#include "methods/crane/prompt_training.h"

namespace crane::methods {

namespace {

// SplitMix64: a bijection of 64 bits whose outputs for successive inputs pass for independent (Steele, Lea,
// Flood: Fast splittable pseudorandom number generators, 2014).
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace

bool is_guided_step(const PromptTraining& options, int64_t step) {
  if (options.guidance == text::Guidance::none) return false;
  const uint64_t drawn =
      mixed(mixed(static_cast<uint64_t>(options.guidance_seed)) + static_cast<uint64_t>(step));
  // 53 bits: below 1
  return static_cast<double>(drawn >> 11) * 0x1.0p-53 < options.guidance_probability;
}

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
  read.number("guidanceProbability", training.guidance_probability);
  check_input(training.guidance_probability >= 0 && training.guidance_probability <= 1, "E_MODEL_CONFIG",
              "guidanceProbability ", training.guidance_probability, " is not from 0 to 1");
  read.integer("guidanceSeed", training.guidance_seed);
  read.word<Upsampling>("upsampling", training.loss.upsampling,
                        {{"nearest", Upsampling::nearest}, {"bilinear", Upsampling::bilinear}});
  read.flag("halfDeepTokens", training.half_deep_tokens);
  read.flag("sharedPrefix", training.shared_prefix);
  read.integer("contextRows", training.context_rows);
  read.integer("deepBlocks", training.deep_blocks);
  read.integer("deepTokens", training.deep_tokens);
  read.finish("crane (training)");
  return training;
}

}  // namespace crane::methods
