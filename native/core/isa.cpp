#include "core/isa.h"

#include <cstdlib>

#include "core/error.h"

namespace crane {
namespace {

struct NamedIsa {
  std::string_view name;
  Isa isa;
};

constexpr NamedIsa k_bits[] = {
    {"avx2", Isa::avx2},
    {"avx512", Isa::avx512},
    {"avx512bf16", Isa::avx512bf16},
    {"neon", Isa::neon},
};

// What CRANE_MAX_ISA names; a set stands before those that it includes.
constexpr NamedIsa k_sets[] = {
    {"avx512bf16", Isa::avx2 | Isa::avx512 | Isa::avx512bf16},
    {"avx512", Isa::avx2 | Isa::avx512},
    {"avx2", Isa::avx2},
    {"neon", Isa::neon},
    {"none", Isa::none},
};

Isa of_this_cpu() {
  Isa isa = Isa::none;
#if defined(__x86_64__)
  const auto add = [&](bool is_there, Isa bit) { isa = is_there ? isa | bit : isa; };
  add(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), Isa::avx2);
  add(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"),
      Isa::avx512);
  add(__builtin_cpu_supports("avx512bf16"), Isa::avx512bf16);
#elif defined(__aarch64__)
  isa = Isa::neon;
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
    return lowered(of_this_cpu(), ceiling == nullptr ? "" : ceiling);
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
