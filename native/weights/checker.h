// Looks tensors up by their canonical names and compares their shapes: what every structure check is made of.
// Faults name the tensor as the user's file spells it, with what was found and what was expected.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "weights/name_map.h"

namespace crane::weights {

using Shape = std::vector<int64_t>;

// Counts the parameters it has seen. `weights` outlives it.
class Checker {
 public:
  explicit Checker(const CanonicalWeights& weights) : weights_(weights) {}

  int64_t parameters() const { return parameters_; }
  bool has(const std::string& name) const { return weights_.find(name) != nullptr; }

  const CanonicalTensor& floating(const std::string& name) {
    const CanonicalTensor& tensor = weights_.at(name);
    for (const TensorView* part : tensor.parts) {
      check_input(is_floating(part->dtype), "E_WEIGHTS_DTYPE", tensor.where(), " is ",
                  dtype_name(part->dtype), ", expected f16, bf16, f32 or f64");
    }
    parameters_ += tensor.numel();
    return tensor;
  }

  const CanonicalTensor& integer(const std::string& name) {
    const CanonicalTensor& tensor = weights_.at(name);
    for (const TensorView* part : tensor.parts) {
      check_input(!is_floating(part->dtype), "E_WEIGHTS_DTYPE", tensor.where(), " is ",
                  dtype_name(part->dtype), ", expected whole numbers");
    }
    return tensor;
  }

  void expect(const CanonicalTensor& tensor, const Shape& expected, const std::string& because = {}) const {
    // Compared in the user's orientation, so that the figures are those the user sees in the file.
    if (tensor.shape == expected) return;
    Shape got = tensor.shape;
    Shape wanted = expected;
    if (tensor.transposed && got.size() == 2 && wanted.size() == 2) {
      std::swap(got[0], got[1]);
      std::swap(wanted[0], wanted[1]);
    }
    fail(tensor, shape_text(got), shape_text(wanted), because);
  }

  void floating(const std::string& name, const Shape& expected, const std::string& because = {}) {
    expect(floating(name), expected, because);
  }

  [[noreturn]] void fail(const CanonicalTensor& tensor, const std::string& got, const std::string& expected,
                         const std::string& because = {}) const {
    throw Error(
        "E_WEIGHTS_SHAPE",
        join_text(tensor.where(), " is ", got, ", expected ", expected, because.empty() ? "" : " ", because),
        "compare the file with: npx crane-native weights inspect FILE");
  }

 private:
  const CanonicalWeights& weights_;
  int64_t parameters_ = 0;
};

// How many different numbers follow the prefix. Whoever then asks for each from 0 on notices a gap as a
// tensor that is missing.
int64_t count_numbered(const CanonicalWeights& weights, const std::string& prefix);

// "(NAME is SHAPE)": why another tensor must have some shape.
std::string as_in(const CanonicalTensor& tensor);

bool has_any(const CanonicalWeights& weights, const std::string& prefix);

}  // namespace crane::weights
