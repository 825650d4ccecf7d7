#include "methods/anovl/options.h"

#include "methods/temperature.h"

namespace crane::methods::anovl {

Options parse(const Settings& settings) {
  Options options;
  SettingsReader read(settings);
  read.flag("augment", options.augment);
  read.word<Adapter>("adapter", options.adapter,
                     {{"none", Adapter::none}, {"text", Adapter::text}, {"linear", Adapter::linear}});
  read.integer("adapterSteps", options.adapter_steps, 0, 10000);
  read.integer("adapterSeed", options.adapter_seed, 0);
  read_temperature(read, options.temperature);
  Compat& compat = options.compat;
  read.flag("compat.rawTextMean", compat.raw_text_mean);
  read.flag("compat.carriedState", compat.carried_state);
  read.flag("compat.noise", compat.noise);
  read.finish("anovl");
  return options;
}

}  // namespace crane::methods::anovl
