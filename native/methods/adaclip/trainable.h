// AdaCLIP's learned part: static prompts of both towers, generators of dynamic ones, heads of patches and
// class, as tensors and as a file with the authors' names (clip_model.*).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/linear.h"
#include "methods/method.h"
#include "train/saved_training.h"
#include "weights/checkpoint.h"

namespace crane::methods::adaclip {

extern const weights::CheckpointKind k_checkpoint;

// What it must fit.
struct Sizes {
  int64_t levels = 0;
  int64_t vision_width = 0;
  int64_t text_width = 0;
  int64_t joint = 0;
  int64_t vision_blocks = 0;
  int64_t text_blocks = 0;
};

// The named tensors by the parts that they play; the same for scoring and, as leaves, for learning.
struct Trainable {
  std::vector<at::Tensor> visual_prompts;         // a prompted block each: [M, vision_width]
  std::vector<at::Tensor> text_prompts;           // likewise [M, text_width]; the first is never used
  std::vector<layers::Linear> visual_generators;  // a prompt row each: joint -> vision_width
  std::vector<layers::Linear> text_generators;    // joint -> text_width
  std::vector<layers::Linear> patch_heads;        // a level each: vision_width -> joint
  layers::Linear class_head;                      // joint -> joint

  explicit Trainable(const train::Parameters& named);
};

// Under the authors' names, in the order of their file. Errors: E_WEIGHTS_* of the readers, also for the file
// of another system; E_PROMPTS where it has other sizes.
train::Parameters load(const std::string& path, const Sizes& sizes, at::Device device);

// Prompts drawn from N(0, 0.02^2), linear layers as new ones of the authors' are, from one generator.
// Errors: E_PROMPTS where a tower has fewer blocks than are to be prompted.
train::Parameters fresh(uint64_t seed, const Sizes& sizes, int64_t prompt_rows, int64_t prompted_blocks,
                        at::Device device);

// Of a saved training, whose prompts say how many blocks and rows they have; its tensors are there and of
// these sizes before anything is made by them. Errors: E_TRAIN_RESUME, E_PROMPTS as fresh.
train::Parameters saved(const train::SavedTraining& file, const Sizes& sizes, at::Device device);

// Whole or not at all. E_IO_WRITE.
void write(const std::string& path, const train::Parameters& named, CheckpointFormat format,
           const std::map<std::string, std::string>& metadata);

}  // namespace crane::methods::adaclip
