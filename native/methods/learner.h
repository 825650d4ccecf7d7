// What a method learns, and how: the half of the contract that training sees. The pieces (focal and Dice
// loss, Adam, the feature file, the file of a saved training) are in native/train; which of them make a
// learner is the method's business.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "methods/named_tensor.h"
#include "tensors/torch_headers.h"
#include "tensors/trace.h"
#include "train/losses.h"
#include "train/options.h"

namespace crane::methods {

// The labelled pictures of one step, on the learner's device.
struct LearnBatch {
  // Of each picture what Method::features() gave of it, from the feature cache or made now; empty where the
  // method has no features.
  std::vector<NamedTensors> features;
  // [B, 3, H, W] as Method::score() gets them; undefined for pictures of the feature cache.
  at::Tensor images;
  // Of the pictures whose mask is known: how many pixels of each cell of FeatureShape::grid are anomalous;
  // undefined tensors where the method has no features. `cells.known` holds for `masks` too.
  train::CellCounts cells;
  // [K, H, W] u8 of 0 and 1, of the input's size; undefined unless wants_masks().
  at::Tensor masks;
  at::Tensor labels;  // [B] int64, 1: anomalous
  // [B] keys of LearnerStart::classes; empty where the method's texts name no class.
  std::vector<std::string> classes;
};

enum class CheckpointFormat { pth, safetensors };

// Runs outside inference mode with gradients on.
class Learner {
 public:
  virtual ~Learner() = default;

  // Masks of the input's size, not only counts per cell.
  virtual bool wants_masks() const { return false; }

  // One step of the optimiser. Errors: E_TRAIN_DIVERGED when loss or gradient is not finite; nothing is
  // changed then.
  virtual train::StepLosses step(const LearnBatch& batch, Trace* trace) = 0;

  // Learned tensors under the checkpoint's names, in its order; gradients are those of the last step,
  // undefined where there was none.
  virtual NamedTensors parameters() const = 0;
  virtual NamedTensors gradients() const = 0;

  // Everything that the next step depends on, and the caller's own tensors. Whole or not at all. E_IO_WRITE.
  virtual void save(const std::string& path, const std::vector<train::ExtraTensor>& extra,
                    const std::map<std::string, std::string>& metadata) const = 0;
  // What Method::prepare() takes: the form of the authors' own checkpoints, or safetensors with metadata.
  // Whole or not at all. E_IO_WRITE.
  virtual void write_checkpoint(const std::string& path, CheckpointFormat format,
                                const std::map<std::string, std::string>& metadata) const = 0;
};

}  // namespace crane::methods
