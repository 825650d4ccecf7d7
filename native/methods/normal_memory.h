// What methods that compare with sentences keep of normal pictures too: of each picture unit rows, part by
// part (a side of windows, a block). Learned once, joined, written, and made a part of a context ("memory").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "methods/method.h"

namespace crane::methods {

struct NormalMemory final : Context {
  std::string method;          // whose it is
  std::vector<int64_t> parts;  // what the method calls them: sides in patches, 1-based blocks
  std::vector<std::vector<at::Tensor>> pictures;  // [picture][part]: [n, width] unit rows

  // A file that held_memory() reads again. Errors: E_IO_WRITE; E_NORMALS without a picture.
  void write(const std::string& path, const std::map<std::string, std::string>& metadata) const override;
};

// What the method asks of a memory that it compares with.
struct MemoryShape {
  std::string_view method;
  std::vector<int64_t> parts;
  std::vector<std::vector<int64_t>> rows;  // of each part: [n, width] of a picture
};

// The pictures of the file "memory" and of the contexts "memory", in this order; none where neither is given.
// Errors: E_NORMALS for those of other parts, of another method or model, and for damage; E_WEIGHTS_* of the
// reader; E_USAGE for a context that is no memory.
NormalMemory held_memory(const Material& material, const MemoryShape& shape, at::Device device);

}  // namespace crane::methods
