// Tensors as they lie in a file: a name, a type, a shape and bytes somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_version.h"

namespace crane::weights {

enum class DType { f16, bf16, f32, f64, u8, i8, i16, i32, i64, boolean };

size_t item_bytes(DType dtype);
const char* dtype_name(DType dtype);  // "f16", "bf16", ... as printed by `weights inspect`
bool is_floating(DType dtype);

// Always contiguous, row-major, little endian. `data` need not be aligned to the type: the containers do not
// promise it, so read through copy_as_f32 and its siblings, which do not care.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;

  int64_t numel() const;
  size_t bytes() const { return static_cast<size_t>(numel()) * item_bytes(dtype); }
};

std::string shape_text(const std::vector<int64_t>& shape);  // "[3, 14, 14]"

// A name from a file as an error message shows it: quoted, control characters escaped, cut when very long.
std::string quote_name(std::string_view name);

// Product of the shape times the item size; nothing when a size is negative, the rank exceeds 16 or any
// partial product leaves 63 bits. Every reader asks this before it believes a shape.
std::optional<size_t> checked_bytes(const std::vector<int64_t>& shape, DType dtype);

// dst: numel floats. Converts f16, bf16, f32, f64; other types: E_WEIGHTS_DTYPE.
// Throws E_WEIGHTS_NONFINITE, naming the tensor and the flat index, on NaN or infinity (also on an f64 value
// beyond the range of f32).
void copy_as_f32(const TensorView& src, float* dst);

// dst: numel integers. Converts u8, i8, i16, i32, i64, boolean; other types, and values that do not fit:
// E_WEIGHTS_DTYPE.
void copy_as_i32(const TensorView& src, int32_t* dst);

// A weight file opened for reading. Views point into the mapping, which lives as long as this object.
class WeightFile {
 public:
  virtual ~WeightFile() = default;
  virtual const std::string& path() const = 0;
  // "safetensors", "torch-zip" (a .pth pickle), "torchscript", or "recipe" (synth_file of synth.h)
  virtual const char* container() const = 0;
  // In file order. For the authors' prompt checkpoints names are "prompt_learner.ctx_pos", ...
  virtual const std::vector<TensorView>& tensors() const = 0;
  virtual const std::map<std::string, std::string>& metadata() const = 0;
  // Reads every byte and compares the checksums that the container itself stores (zip: CRC-32; safetensors
  // has none). Errors: E_WEIGHTS_HASH naming the member.
  virtual void verify_checksums() const = 0;

  // nullptr when absent.
  const TensorView* find(std::string_view name) const;

  // Which file's bytes these are (MappedFile::identity; of several files all of them): equal for two openings
  // of a file that was not changed in between. Empty for what lies in no file.
  const std::string& identity() const noexcept { return identity_; }
  // Said by whoever opened the file, once, before it is handed out.
  void set_identity(std::string identity) { identity_ = std::move(identity); }

  // Errors: E_FILE_CHANGED where a file that views point into was written to since it was opened.
  void check_versions() const {
    for (const FileVersion& version : versions_) version.check();
  }
  const std::vector<FileVersion>& versions() const noexcept { return versions_; }
  // As set_identity().
  void add_version(const FileVersion& version) { versions_.push_back(version); }

 private:
  std::string identity_;
  std::vector<FileVersion> versions_;
};

// Looks at the content, never at the file's name. Nothing in the file is executed.
// Errors: E_WEIGHTS_NOT_FOUND, E_IO_READ, E_WEIGHTS_CONTAINER, E_WEIGHTS_TRUNCATED, E_WEIGHTS_PICKLE,
// E_WEIGHTS_DTYPE, E_WEIGHTS_SHAPE.
std::shared_ptr<const WeightFile> open_weights(const std::string& path);

// The same on bytes in memory, which `owner` keeps alive; `path` is for messages.
std::shared_ptr<const WeightFile> open_weights(std::span<const std::byte> bytes,
                                               std::shared_ptr<const void> owner, const std::string& path);

}  // namespace crane::weights
