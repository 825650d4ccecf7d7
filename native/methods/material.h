// What a method prepares a context from, as the caller has it. Free of tensor headers: bindings fill it and
// know no method.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "image/picture.h"

namespace crane::methods {

class Context;  // method.h

// Sentences by the name of their group ("normal", "anomalous"), each as token ids from start to padding.
using Texts = std::map<std::string, std::vector<std::vector<int64_t>>>;

struct Material {
  Texts texts;
  // Paths by the part they play: "prompts", "heads", "bank".
  std::map<std::string, std::string> files;
  // Normal pictures to compare with; the engine stretches them to the model's input. Their pixels outlive the
  // call.
  std::vector<image::PictureView> normals;
  // Contexts of this engine that it is made of, by the part they play ("bank", "memory"), in their order:
  // their handles, and what the engine finds behind them on the device.
  std::map<std::string, std::vector<int64_t>> handles;
  std::map<std::string, std::vector<std::shared_ptr<const Context>>> contexts;
  // A file that has, or gets, what takes long to make of all this; may be empty.
  std::string kept;
};

// How a training begins.
struct LearnerStart {
  enum class Kind { checkpoint, fresh, saved };
  Kind kind = Kind::checkpoint;
  // checkpoint: what is learned on from; fresh: the texts, where the method has any.
  Material material;
  uint64_t seed = 0;       // fresh: of what is drawn
  std::string saved_path;  // saved: a file written by Learner::save
  // By the name of a class, for methods whose texts name what a picture shows: of every class that is learned
  // from. A saved training gets them anew.
  std::map<std::string, Texts> classes;
};

}  // namespace crane::methods
