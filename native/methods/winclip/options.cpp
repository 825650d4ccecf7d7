#include "methods/winclip/options.h"

#include <set>

#include "methods/temperature.h"

namespace crane::methods::winclip {
namespace {

constexpr int64_t k_widest_map = 4096;

}  // namespace

Options parse(const Settings& settings) {
  Options options;
  SettingsReader read(settings);
  read.integers("windowSides", options.window_sides);
  read.integer("mapSide", options.map_side, 0, k_widest_map);
  read_temperature(read, options.temperature);
  Compat& compat = options.compat;
  read.flag("compat.bgr", compat.bgr);
  read.flag("compat.rawTextMean", compat.raw_text_mean);
  read.flag("compat.halvedMap", compat.halved_map);
  read.flag("compat.galleryLag", compat.gallery_lag);
  read.integer("compat.galleryBatch", compat.gallery_batch, 0);
  read.finish("winclip");

  std::set<int64_t> distinct;
  for (const int64_t side : options.window_sides) {
    check_input(side >= 1 && distinct.insert(side).second, "E_MODEL_CONFIG",
                "windowSides lists different sides from 1 on, in patches; it has ", side,
                side >= 1 ? " twice" : "");
  }
  check_input(!distinct.empty(), "E_MODEL_CONFIG", "windowSides is empty: there is no window to look at");
  return options;
}

}  // namespace crane::methods::winclip
