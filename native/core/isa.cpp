#include "core/isa.h"

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "core/error.h"

namespace crane {
namespace {

struct NamedIsa {
  std::string_view name;
  Isa isa;
};

constexpr NamedIsa k_bits[] = {
    {"avx2", Isa::avx2},         {"avx512", Isa::avx512},         {"avx512bf16", Isa::avx512bf16},
    {"neon", Isa::neon},         {"avx512vnni", Isa::avx512vnni}, {"avxvnni", Isa::avxvnni},
    {"amxbf16", Isa::amxbf16},   {"amxint8", Isa::amxint8},       {"neonbf16", Isa::neonbf16},
    {"neoni8mm", Isa::neoni8mm},
};

// What CRANE_MAX_ISA names; a set stands before those that it includes.
constexpr NamedIsa k_sets[] = {
    {"amxbf16", Isa::avx2 | Isa::avx512 | Isa::avx512bf16 | Isa::amxbf16},
    {"avx512bf16", Isa::avx2 | Isa::avx512 | Isa::avx512bf16},
    {"avx512", Isa::avx2 | Isa::avx512},
    {"avx2", Isa::avx2},
    {"neonbf16", Isa::neon | Isa::neonbf16},
    {"neon", Isa::neon},
    {"none", Isa::none},
};

#if defined(__x86_64__)
// Whether the operating system saves the tiles of AMX at a change of threads.
bool saves_tiles() {
  constexpr uint64_t k_tile_state = (1U << 17) | (1U << 18);
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((static_cast<uint64_t>(high) << 32 | low) & k_tile_state) == k_tile_state;
}

Isa without(Isa all, Isa taken) {
  return static_cast<Isa>(static_cast<uint32_t>(all) & ~static_cast<uint32_t>(taken));
}

// Linux hands the tiles out on request, once for the process.
bool are_tiles_granted() {
#if defined(__linux__)
  constexpr long k_request_permission = 0x1023;
  constexpr long k_tile_data = 18;
  return syscall(SYS_arch_prctl, k_request_permission, k_tile_data) == 0;
#else
  return false;
#endif
}

// What compilers of the oldest kind that is supported do not know by name.
Isa newer_bits() {
  Isa isa = Isa::none;
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return isa;
  const uint32_t subleaves = a;
  const auto has = [](uint32_t word, int bit) { return (word >> bit & 1U) != 0; };
  if (has(c, 11)) isa = isa | Isa::avx512vnni;
  if (has(d, 24) && saves_tiles()) {
    if (has(d, 22)) isa = isa | Isa::amxbf16;
    if (has(d, 25)) isa = isa | Isa::amxint8;
  }
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && has(a, 4)) isa = isa | Isa::avxvnni;
  return isa;
}
#endif

Isa of_this_cpu() {
  Isa isa = Isa::none;
#if defined(__x86_64__)
  const auto add = [&](bool is_there, Isa bit) { isa = is_there ? isa | bit : isa; };
  add(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), Isa::avx2);
  add(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"),
      Isa::avx512);
  add(__builtin_cpu_supports("avx512bf16"), Isa::avx512bf16);
  // Of the wide ones only where the operating system saves their registers, which the builtin asks too.
  const Isa newer = newer_bits();
  add(includes(isa, Isa::avx512), newer & Isa::avx512vnni);
  add(includes(isa, Isa::avx2), newer & Isa::avxvnni);
  isa = isa | (newer & (Isa::amxbf16 | Isa::amxint8));
#elif defined(__aarch64__)
  isa = Isa::neon;
#if defined(__linux__)
  // Bits of Linux's interface; headers of the oldest systems do not name them.
  constexpr unsigned long k_i8mm = 1UL << 13;
  constexpr unsigned long k_bf16 = 1UL << 14;
  const unsigned long found = getauxval(AT_HWCAP2);
  if ((found & k_bf16) != 0) isa = isa | Isa::neonbf16;
  if ((found & k_i8mm) != 0) isa = isa | Isa::neoni8mm;
#endif
#endif
  return isa;
}

std::string listed_sets() {
  std::string text;
  for (const NamedIsa& set : k_sets) text.append(text.empty() ? "" : ", ").append(set.name);
  return text;
}

}  // namespace

Isa lowered(Isa found, std::string_view ceiling) {
  if (ceiling.empty()) return found;
  for (const NamedIsa& set : k_sets) {
    if (set.name == ceiling) return found & set.isa;
  }
  throw Error("E_USAGE", join_text("CRANE_MAX_ISA: \"", ceiling, "\" names no set of instructions"),
              join_text("one of ", listed_sets(), ", or unset"));
}

Isa usable_isa() {
  // Where it throws, the next call tries (and throws) again.
  static const Isa usable = [] {
    const char* ceiling = std::getenv("CRANE_MAX_ISA");
    Isa usable = lowered(of_this_cpu(), ceiling == nullptr ? "" : ceiling);
#if defined(__x86_64__)
    constexpr Isa tiles = Isa::amxbf16 | Isa::amxint8;
    if ((usable & tiles) != Isa::none && !are_tiles_granted()) usable = without(usable, tiles);
#endif
    return usable;
  }();
  return usable;
}

std::string_view isa_name(Isa isa) {
  for (const NamedIsa& set : k_sets) {
    if (set.isa != Isa::none && includes(isa, set.isa)) return set.name;
  }
  return "plain";
}

std::string isa_bits(Isa isa) {
  std::string text;
  for (const NamedIsa& bit : k_bits) {
    if (includes(isa, bit.isa)) text.append(text.empty() ? "" : ", ").append(bit.name);
  }
  return text.empty() ? "none" : text;
}

}  // namespace crane
