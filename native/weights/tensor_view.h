// Tensors as they lie in a file: a name, a type, a shape and bytes somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace crane::weights {

enum class DType { f16, bf16, f32, f64, u8, i8, i16, i32, i64, boolean };

size_t item_bytes(DType dtype);
const char* dtype_name(DType dtype);  // "f16", "bf16", ... as printed by `weights inspect`

// Always contiguous, row-major, little endian; readers refuse anything else by name.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;

  int64_t numel() const;
  size_t bytes() const { return static_cast<size_t>(numel()) * item_bytes(dtype); }
};

std::string shape_text(const std::vector<int64_t>& shape);  // "[3, 14, 14]"

// dst: numel floats. Converts f16, bf16, f32, f64; other types: E_WEIGHTS_DTYPE.
// Throws E_WEIGHTS_NONFINITE, naming the tensor and the flat index, on NaN or infinity.
void copy_as_f32(const TensorView& src, float* dst);

// A weight file opened for reading. Views point into the mapping, which lives as long as this object.
class WeightFile {
 public:
  virtual ~WeightFile() = default;
  virtual const std::string& path() const = 0;
  // "safetensors", "torch-zip" (a .pth pickle) or "torchscript"
  virtual const char* container() const = 0;
  // In file order. For the authors' prompt checkpoints names are "prompt_learner.ctx_pos", ...
  virtual const std::vector<TensorView>& tensors() const = 0;
  virtual const std::map<std::string, std::string>& metadata() const = 0;

  // nullptr when absent.
  const TensorView* find(std::string_view name) const;
};

// Looks at the content, never at the file's name. Nothing in the file is executed.
// Errors: E_IO_READ, E_WEIGHTS_CONTAINER, E_WEIGHTS_TRUNCATED, E_WEIGHTS_PICKLE, E_WEIGHTS_DTYPE, E_WEIGHTS_SHAPE.
std::shared_ptr<const WeightFile> open_weights(const std::string& path);

}  // namespace crane::weights
