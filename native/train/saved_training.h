// The file of a training that can go on bit for bit: learned tensors, Adam's moments and steps, what else a
// learner needs, and the caller's own tensors. A safetensors file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "train/adam.h"
#include "train/options.h"
#include "train/tensor_list.h"

namespace crane::train {

// Named learned tensors in the optimiser's order.
using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

// own: the learner's further tensors. Whole or not at all. E_IO_WRITE.
void save_training(const std::string& path, const Parameters& parameters, const Adam& adam,
                   const Parameters& own, const std::vector<ExtraTensor>& extra,
                   const std::map<std::string, std::string>& metadata);

// Such a file opened. Errors: E_TRAIN_RESUME for what is no saved training or lacks something; those of the
// readers.
class SavedTraining {
 public:
  explicit SavedTraining(const std::string& path);

  bool has(const std::string& name) const { return file_->find(name) != nullptr; }
  // A float32 copy; named as in the file: "param.NAME", or a tensor of the learner's own.
  at::Tensor floats(const std::string& name, at::Device device) const;
  std::vector<int32_t> integers(const std::string& name) const;
  // Of the parameter `name` with these sizes.
  Adam::Moments moments(const std::string& name, const at::Tensor& parameter) const;
  int64_t steps() const;
  const std::string& path() const noexcept { return path_; }

 private:
  const weights::TensorView& view(const std::string& name) const;

  std::string path_;
  std::shared_ptr<const weights::WeightFile> file_;
};

}  // namespace crane::train
