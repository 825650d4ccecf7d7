#include "core/microarchitecture.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace crane {
namespace {

#if defined(__x86_64__)
Microarchitecture ask() {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  char vendor[12] = {};
  if (__get_cpuid(0, &a, &b, &c, &d) == 0) return Microarchitecture::other;
  std::memcpy(vendor, &b, 4);
  std::memcpy(vendor + 4, &d, 4);
  std::memcpy(vendor + 8, &c, 4);
  CpuId id{.vendor = {vendor, sizeof(vendor)}};
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return Microarchitecture::other;
  id.family = a >> 8 & 0xFU;
  id.model = a >> 4 & 0xFU;
  if (id.family == 6 || id.family == 15) id.model |= (a >> 16 & 0xFU) << 4;
  if (id.family == 15) id.family += a >> 20 & 0xFFU;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    id.has_avx512 = (b >> 16 & 1U) != 0;
    id.has_amx = (d >> 24 & 1U) != 0;
  }
  return microarchitecture_of(id);
}
#endif

}  // namespace

Microarchitecture microarchitecture_of(const CpuId& id) {
  if (!id.has_avx512) return Microarchitecture::other;
  if (id.vendor == "GenuineIntel") {
    return id.has_amx ? Microarchitecture::golden_cove : Microarchitecture::skylake_server;
  }
  if (id.vendor == "AuthenticAMD") {
    // Family 25 is Zen 3 too, which has no AVX-512.
    if (id.family == 25) return Microarchitecture::zen4;
    if (id.family >= 26) return Microarchitecture::zen5;
  }
  return Microarchitecture::other;
}

Microarchitecture this_microarchitecture() {
#if defined(__x86_64__)
  static const Microarchitecture found = ask();
  return found;
#else
  return Microarchitecture::other;
#endif
}

std::string_view microarchitecture_name(Microarchitecture is) {
  switch (is) {
    case Microarchitecture::skylake_server:
      return "skylake_server";
    case Microarchitecture::golden_cove:
      return "golden_cove";
    case Microarchitecture::zen4:
      return "zen4";
    case Microarchitecture::zen5:
      return "zen5";
    case Microarchitecture::other:
      break;
  }
  return "other";
}

}  // namespace crane
