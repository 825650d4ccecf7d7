#include "methods/adaclip/options.h"

#include "methods/temperature.h"

namespace crane::methods::adaclip {
namespace {

constexpr int64_t k_most_clusters = 1024;

}  // namespace

Options parse(const Settings& settings) {
  Options options;
  SettingsReader read(settings);
  read.integers("features", options.features);
  read_temperature(read, options.temperature);
  read.flag("fusion", options.fusion);
  read.integer("clusters", options.clusters, 1, k_most_clusters);
  read.integer("clusterPatches", options.cluster_patches, 1, k_most_clusters);
  read.integer("clusterSeed", options.cluster_seed, 0);
  read.flag("compat.halfDeepTokens", options.compat.half_deep_tokens);
  read.flag("compat.unseededKMeans", options.compat.unseeded_k_means);
  read.flag("compat.diceRows", options.compat.dice_rows);
  read.integers("compat.clusterLabels", options.compat.cluster_labels);
  read.finish(k_name);
  return options;
}

TrainingOptions parse_training(const Settings& settings) {
  TrainingOptions training;
  SettingsReader read(settings);
  read.number("focalWeight", training.focal_weight);
  read.number("diceWeight", training.dice_weight);
  read.number("imageLossWeight", training.image_weight);
  read.number("learningRate", training.adam.learning_rate);
  read.number("beta1", training.adam.beta1);
  read.number("beta2", training.adam.beta2);
  read.number("eps", training.adam.eps);
  read.number("weightDecay", training.adam.weight_decay);
  read.integer("deepTokens", training.prompt_rows, 1);
  read.integer("deepBlocks", training.prompted_blocks, 1);
  read.finish("adaclip (training)");
  return training;
}

}  // namespace crane::methods::adaclip
