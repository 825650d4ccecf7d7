// Which family of processors this is, as far as kernels are shaped by it. Virtual machines lie about their
// model number, so features count where they tell more.
#pragma once

#include <cstdint>
#include <string_view>

namespace crane {

enum class Microarchitecture {
  other,
  skylake_server,  // Intel with AVX-512 before Golden Cove: Skylake-SP, Cascade Lake, Cooper Lake, Ice Lake
  golden_cove,     // Intel with AMX: Sapphire Rapids, Emerald Rapids, Granite Rapids
  zen4,            // AMD, 512 bits in two halves
  zen5,            // AMD, 512 bits whole
};

// What CPUID says of a processor.
struct CpuId {
  std::string_view vendor;  // "GenuineIntel", "AuthenticAMD"
  uint32_t family = 0;      // with its extension
  uint32_t model = 0;       // with its extension
  bool has_avx512 = false;
  bool has_amx = false;
};

Microarchitecture microarchitecture_of(const CpuId& id);

// Of this machine, asked once.
Microarchitecture this_microarchitecture();

// "golden_cove"
std::string_view microarchitecture_name(Microarchitecture is);

}  // namespace crane
