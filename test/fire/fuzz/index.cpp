// The index of a model in several files. None of the files it names is there, so none may be read.
#include "target.h"
#include "weights/shards.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace crane;
  const fire::HeapCopy copy(data, size);
  fire::answered([&] {
    weights::open_index(copy.span(), "/none/model.safetensors.index.json");
    std::abort();
  });
  return 0;
}
