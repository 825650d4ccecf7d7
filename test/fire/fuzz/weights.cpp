// A weight file of any kind as a user gives it: the zip container with all behind it first of all.
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace crane;
  const fire::HeapCopy copy(data, size);
  fire::answered([&] { fire::read_whole(weights::open_weights(copy.span(), copy.bytes, "/none/fuzz.bin")); });
  return 0;
}
