// JSON as headers and indexes have it. What was taken is one value, and its numbers can be asked for.
#include "weights/json_scan.h"

#include "target.h"

namespace {

size_t walk(const crane::weights::JsonValue& value) {
  size_t seen = 1 + (value.as_integer() ? 1 : 0) + (value.as_double() ? 1 : 0);
  for (const auto& item : value.items) seen += walk(item);
  for (const auto& [key, member] : value.members) seen += key.size() + walk(member);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace crane;
  const fire::HeapCopy copy(data, size);
  const std::string_view text(reinterpret_cast<const char*>(copy.bytes.get()), size);
  fire::answered([&] {
    if (walk(weights::scan_json(text, "E_WEIGHTS_CONTAINER", "fuzz.json")) == 0) std::abort();
  });
  return 0;
}
