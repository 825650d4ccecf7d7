// Sentences of a normal and of an anomalous part, in the words of SyntheticModel's text tower.
#pragma once

#include "methods/material.h"

namespace crane::methods {

inline Material sentences() {
  Material material;
  material.texts["normal"] = {{1, 2, 5, 9, 0, 0, 0, 0, 0}, {1, 3, 5, 9, 0, 0, 0, 0, 0}};
  material.texts["anomalous"] = {{1, 6, 5, 9, 0, 0, 0, 0, 0}, {1, 5, 7, 8, 9, 0, 0, 0, 0}};
  return material;
}

}  // namespace crane::methods
