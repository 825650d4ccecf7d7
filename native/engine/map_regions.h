// What is read off the maps of a pass for its pictures' own pixels. Needs no tensor library: it runs while
// the compute thread is at the next pass.
#pragma once

#include <span>
#include <vector>

#include "engine/engine.h"

namespace crane {

// Finds the regions of every item that asks for them, on the map at the picture's own size, so that boxes and
// areas are exact there; gives back maps that were wanted for that alone. One picture's map at a time is held
// in that size. Errors: E_IMAGE_TOO_LARGE, E_MEMORY.
void add_regions(std::span<const ScoreItem> items, std::vector<ScoreOutcome>& outcomes);

}  // namespace crane
