// What is made of the maps of a pass for its pictures' own pixels: regions, the map in the picture's size,
// the heat map. In the pass that made the map, since the picture's samples are still there. Needs no tensor
// library: it runs while the compute thread is at the next pass.
#pragma once

#include <utility>

#include "engine/engine.h"

namespace crane {

// Memory of the caller's that a result is written into; what is null is not wanted.
struct MapTargets {
  float* map = nullptr;     // [map_size()]
  uint8_t* heat = nullptr;  // [picture.height, picture.width, 3]
};

// Width and height of the map that is handed out for a scored item.
std::pair<int64_t, int64_t> map_size(const ScoreItem& item, const ScoreOutcome& outcome);

// Writes what the item asks for, finds its regions on the map at the picture's own size, so that boxes and
// areas are exact there, and gives back the outcome's own map. Holds one map in the picture's size beside the
// targets at most. Thread-safe. Errors: E_USAGE for a range of colours that is none; E_IMAGE_TOO_LARGE,
// E_MEMORY.
void finish_map(const ScoreItem& item, ScoreOutcome& outcome, const MapTargets& targets);

}  // namespace crane
