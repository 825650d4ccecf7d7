// What every fuzz target does with a call: an error of ours is an answer, everything else is a find.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "core/error.h"
#include "weights/tensor_view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace crane::fire {

template <typename Call>
void answered(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.code() != "E_INTERNAL") return;
    std::fprintf(stderr, "E_INTERNAL: %s\n", error.what());
    std::abort();
  }
}

// Of the planted bugs of the tests, whether this one is asked for (CRANE_FIRE_PLANT): the run must end badly then.
inline bool is_planted(const char* bug) {
  static const char* const asked = std::getenv("CRANE_FIRE_PLANT");
  return asked != nullptr && std::strcmp(asked, bug) == 0;
}

// Of exactly its size on the heap, so that the first byte read beyond it is seen.
struct HeapCopy {
  HeapCopy(const void* data, size_t size) : bytes(new std::byte[size]), size(size) {
    if (size > 0) std::memcpy(bytes.get(), data, size);
  }
  std::span<const std::byte> span() const { return {bytes.get(), size}; }

  std::shared_ptr<std::byte[]> bytes;
  size_t size;
};

// Reads all that a file claims to have, as the engine does once it takes it.
void read_whole(const std::shared_ptr<const weights::WeightFile>& file);

}  // namespace crane::fire
