// A tower's packed weights (frozen_linear.h) in a file, so that the next start maps them instead of reading,
// converting and packing the weights again, and several processes share the pages.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tensors/torch_headers.h"
#include "weights/tensor_view.h"

namespace crane::layers {

class PackedWeights {
 public:
  // What `path` holds; nothing where it is missing, cannot be read or was written for another `identity`.
  PackedWeights(std::string path, std::string identity);

  // A layer's packed weights, [count], kept alive by the tensor; undefined when they are not there.
  at::Tensor find(const std::string& name, int64_t count, at::ScalarType type) const;

  // Says that a layer was neither asked for nor made, since another engine of the process has it.
  void share() { is_shared_ = true; }

  // Remembers a layer for save().
  void keep(const std::string& name, const at::Tensor& packed);

  // Whether every layer that was asked for was found.
  bool is_mapped() const noexcept { return kept_.empty() && !found_.empty(); }
  // Whether none was asked for: all are another engine's.
  bool is_shared() const noexcept { return kept_.empty() && found_.empty() && is_shared_; }

  // Writes what was kept and what was found together, whole or not at all. Towers whose layers take less than
  // `least_bytes` are packed faster than found again: nothing is written. Returns whether a file was written.
  // Errors: E_IO_WRITE.
  bool save(int64_t least_bytes) const;

 private:
  std::string path_;
  std::string identity_;
  std::shared_ptr<const weights::WeightFile> file_;
  mutable std::map<std::string, at::Tensor> found_;
  std::map<std::string, at::Tensor> kept_;
  bool is_shared_ = false;
};

}  // namespace crane::layers
