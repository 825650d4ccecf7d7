// The pickle of a TorchScript archive, with a sound zip around it and its storages beside it.
#include "forged_files.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace crane;
  weights::ForgedZip zip = weights::forge_small_torchscript();
  zip.members[0].data.assign(reinterpret_cast<const char*>(data), size);
  fire::answered([&] { fire::read_whole(weights::open_bytes(zip.bytes())); });
  return 0;
}
