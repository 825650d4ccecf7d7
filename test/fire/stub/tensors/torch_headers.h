// What the feed of views needs of a tensor, so that its threads can be watched without libtorch.
#pragma once

#include <memory>
#include <vector>

namespace at {

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(std::vector<float> values)
      : values_(std::make_shared<const std::vector<float>>(std::move(values))) {}
  const std::vector<float>& values() const { return *values_; }

 private:
  std::shared_ptr<const std::vector<float>> values_;
};

}  // namespace at
