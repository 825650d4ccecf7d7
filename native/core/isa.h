// Instructions beyond what a compiler takes for granted, as a set of feature bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crane {

// A set, never a rank: code needs all of its bits, whatever else is there.
enum class Isa : uint32_t {
  none = 0,
  avx2 = 1U << 0,        // with FMA
  avx512 = 1U << 1,      // the subsets F, BW, DQ and VL
  avx512bf16 = 1U << 2,  // beside avx512
  neon = 1U << 3,        // of 64-bit ARM, all of which have it
  avx512vnni = 1U << 4,  // beside avx512
  avxvnni = 1U << 5,     // beside avx2
  amxbf16 = 1U << 6,     // tiles, which Linux grants on request: usable_isa() asks
  amxint8 = 1U << 7,
  neonbf16 = 1U << 8,  // beside neon: BFMMLA and BFDOT
  neoni8mm = 1U << 9,  // beside neon: USMMLA
};

constexpr Isa operator|(Isa a, Isa b) {
  return static_cast<Isa>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
constexpr Isa operator&(Isa a, Isa b) {
  return static_cast<Isa>(static_cast<uint32_t>(a) & static_cast<uint32_t>(b));
}
constexpr bool includes(Isa all, Isa wanted) { return (all & wanted) == wanted; }

// What this CPU and its operating system have, asked once, lowered to the named set of CRANE_MAX_ISA.
// Errors: E_USAGE where CRANE_MAX_ISA names no set.
Isa usable_isa();

// `found` lowered to a set by its name ("" leaves it as it is). Errors: as above.
Isa lowered(Isa found, std::string_view ceiling);

// The name of the largest named set within `isa`; "plain" where that is the empty one.
std::string_view isa_name(Isa isa);

// Every bit by name, "avx2, avx512"; "none" for the empty set.
std::string isa_bits(Isa isa);

}  // namespace crane
