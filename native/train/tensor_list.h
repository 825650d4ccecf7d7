// Named tensors on their way into a file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tensors/torch_headers.h"
#include "weights/tensor_view.h"

namespace crane::train {

// In the order of the file, on the CPU and contiguous, with views of their bytes.
class TensorList {
 public:
  void add(const std::string& name, const at::Tensor& tensor);
  const std::vector<weights::TensorView>& views() const { return views_; }
  // Whole or not at all. E_IO_WRITE.
  void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata) const;

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<weights::TensorView> views_;
};

}  // namespace crane::train
