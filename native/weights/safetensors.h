// The safetensors container: 8 bytes header length (little endian), a JSON header, then the tensors' bytes
// without gaps. Reading is as strict as the format's own description: nothing overlaps, nothing is left over.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weights/atomic_file.h"
#include "weights/tensor_view.h"

namespace crane::weights {

// Errors: E_WEIGHTS_CONTAINER, E_WEIGHTS_TRUNCATED, E_WEIGHTS_DTYPE, E_WEIGHTS_SHAPE.
std::shared_ptr<const WeightFile> read_safetensors(std::span<const std::byte> bytes,
                                                   std::shared_ptr<const void> owner,
                                                   const std::string& path);

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
};

// Writes a file tensor by tensor, whole or not at all: until finish() returns, `path` is what it was before.
// Tensors lie by falling item size, then in the order of `entries`, so that each is aligned to its type.
class SafetensorsWriter {
 public:
  // The first tensor begins at a multiple of `alignment`, a multiple of 8.
  // Errors: E_IO_WRITE; E_INTERNAL for a name that is empty, reserved, not UTF-8 or given twice.
  SafetensorsWriter(const std::string& path, std::vector<SafetensorsEntry> entries,
                    const std::map<std::string, std::string>& metadata, size_t alignment = 8);

  // The next bytes of tensor number `entry`; tensors may be written in any order and in pieces. E_IO_WRITE.
  void append(size_t entry, std::span<const std::byte> bytes);

  // Makes the file visible once every tensor is complete. E_IO_WRITE.
  void finish();

 private:
  struct Range {
    uint64_t next;
    uint64_t end;
  };
  std::vector<SafetensorsEntry> entries_;
  std::vector<Range> ranges_;
  AtomicFile file_;
};

}  // namespace crane::weights
