#include "methods/vand/options.h"

#include "methods/temperature.h"

namespace crane::methods::vand {

Options parse(const Settings& settings) {
  Options options;
  SettingsReader read(settings);
  read.integers("features", options.features);
  read_temperature(read, options.temperature);
  read.flag("compat.classMinMax", options.compat.class_min_max);
  read.flag("compat.diceRows", options.compat.dice_rows);
  read.finish(k_name);
  return options;
}

TrainingOptions parse_training(const Settings& settings, const Options& options) {
  TrainingOptions training;
  training.temperature = options.temperature;
  training.dice_rows = options.compat.dice_rows;
  SettingsReader read(settings);
  read.number("focalWeight", training.focal_weight);
  read.number("diceWeight", training.dice_weight);
  read.number("learningRate", training.adam.learning_rate);
  read.number("beta1", training.adam.beta1);
  read.number("beta2", training.adam.beta2);
  read.number("eps", training.adam.eps);
  read.finish("vand (training)");
  return training;
}

}  // namespace crane::methods::vand
