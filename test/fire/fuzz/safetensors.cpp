// The safetensors container, its JSON header, names and structure.
#include "weights/safetensors.h"

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace crane;
  const fire::HeapCopy copy(data, size);
  fire::answered(
      [&] { fire::read_whole(weights::read_safetensors(copy.span(), copy.bytes, "fuzz.safetensors")); });
  return 0;
}
