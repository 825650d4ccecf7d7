#include "kernels/table.h"

#include "kernels/faces.h"

namespace crane::kernels {
namespace {

constexpr Precision f32 = Precision::float32;
constexpr Precision bf16 = Precision::bfloat16;
constexpr Precision i8 = Precision::int8;
constexpr Function by_libtorch{};
#if defined(__x86_64__)
constexpr Isa avx512bf16 = Isa::avx512 | Isa::avx512bf16;
constexpr Isa amxbf16 = avx512bf16 | Isa::amxbf16;
constexpr Isa avx512vnni = Isa::avx512 | Isa::avx512vnni;
constexpr Isa amxint8 = avx512vnni | Isa::amxint8;
constexpr Isa avxvnni = Isa::avx2 | Isa::avxvnni;
#elif defined(__aarch64__)
constexpr Isa neonbf16 = Isa::neon | Isa::neonbf16;
constexpr Isa neoni8mm = Isa::neon | Isa::neoni8mm;
#endif

constexpr Row k_table[] = {
#if defined(__x86_64__)
    {"linear", f32, "avx512", Isa::avx512, &k_linear_avx512},
    {"linear", f32, "avx2", Isa::avx2, &k_linear_avx2},
#elif defined(__aarch64__)
    {"linear", f32, "neon", Isa::neon, &k_linear_neon},
#endif
    // oneDNN's is as fast and fuses less
    {"linear", f32, "onednn", Isa::none, by_libtorch, /*only_when_asked=*/true},
#if defined(CRANE_TESTS)
    {"linear", f32, "toy", Isa::none, &k_linear_toy, /*only_when_asked=*/true},
#endif
    {"linear", f32, "ref", Isa::none},

#if defined(__x86_64__)
    {"attention", f32, "avx512", Isa::avx512, &k_attention_avx512},
    {"attention", f32, "avx2", Isa::avx2, &k_attention_avx2},
#elif defined(__aarch64__)
    {"attention", f32, "neon", Isa::neon, &k_attention_neon},
#endif
    {"attention", f32, "fused", Isa::none},
    {"attention", f32, "ref", Isa::none},

// D-Attn's affinity is float32 in every precision: it is 0.5 % of the products
#if defined(__x86_64__)
    {"affinity", f32, "avx512", Isa::avx512, &k_affinity_avx512},
    {"affinity", f32, "avx2", Isa::avx2, &k_affinity_avx2},
#elif defined(__aarch64__)
    {"affinity", f32, "neon", Isa::neon, &k_affinity_neon},
#endif
    {"affinity", f32, "ref", Isa::none},

// the search of a bank of normal pictures, float32 in every precision
#if defined(__x86_64__)
    {"nearest", f32, "avx512", Isa::avx512, &k_nearest_avx512},
    {"nearest", f32, "avx2", Isa::avx2, &k_nearest_avx2},
#elif defined(__aarch64__)
    {"nearest", f32, "neon", Isa::neon, &k_nearest_neon},
#endif
    {"nearest", f32, "ref", Isa::none},

#if defined(__x86_64__)
#if defined(__linux__)
    {"linear", bf16, "amxbf16", amxbf16, &k_linear_amxbf16},
#endif
    {"linear", bf16, "avx512bf16", avx512bf16, &k_linear_avx512bf16},
#elif defined(__aarch64__)
    {"linear", bf16, "neonbf16", neonbf16, &k_linear_neonbf16},
#endif
    {"linear", bf16, "ref", Isa::none},

#if defined(__x86_64__)
#if defined(__linux__)
    {"attention", bf16, "amxbf16", amxbf16, &k_attention_amxbf16},
#endif
    {"attention", bf16, "avx512bf16", avx512bf16, &k_attention_avx512bf16},
#elif defined(__aarch64__)
    {"attention", bf16, "neonbf16", neonbf16, &k_attention_neonbf16},
#endif
    {"attention", bf16, "ref", Isa::none},

#if defined(__x86_64__)
#if defined(__linux__)
    {"linear", i8, "amxint8", amxint8, &k_linear_amxint8},
#endif
    {"linear", i8, "avx512vnni", avx512vnni, &k_linear_avx512vnni},
    {"linear", i8, "avxvnni", avxvnni, &k_linear_avxvnni},
#elif defined(__aarch64__)
    {"linear", i8, "neoni8mm", neoni8mm, &k_linear_neoni8mm},
#endif
    {"linear", i8, "ref", Isa::none},

// beside linears in int8: bfloat16 where the CPU has it, else float32, which is more exact
#if defined(__x86_64__)
#if defined(__linux__)
    {"attention", i8, "amxbf16", amxbf16, &k_attention_amxbf16},
#endif
    {"attention", i8, "avx512bf16", avx512bf16, &k_attention_avx512bf16},
    {"attention", i8, "avx512", Isa::avx512, &k_attention_avx512},
    {"attention", i8, "avx2", Isa::avx2, &k_attention_avx2},
#elif defined(__aarch64__)
    {"attention", i8, "neonbf16", neonbf16, &k_attention_neonbf16},
    {"attention", i8, "neon", Isa::neon, &k_attention_neon},
#endif
    {"attention", i8, "ref", Isa::none},
};

constexpr PeakRow k_peaks[] = {
#if defined(__x86_64__)
    {PeakFormat::float32, "avx512", "VFMADD, 512 bits", Isa::avx512, &k_peak_avx512},
    {PeakFormat::float32, "avx2", "VFMADD, 256 bits", Isa::avx2, &k_peak_avx2},
#elif defined(__aarch64__)
    {PeakFormat::float32, "neon", "FMLA, 128 bits", Isa::neon, &k_peak_neon},
#endif
    {PeakFormat::float32, "ref", "multiply and add, 128 bits", Isa::none, &k_peak_plain},
#if defined(__x86_64__)
#if defined(__linux__)
    {PeakFormat::bfloat16, "amx", "TDPBF16PS", Isa::amxbf16, &k_peak_amx_bf16},
#endif
    {PeakFormat::bfloat16, "avx512bf16", "VDPBF16PS, 512 bits", avx512bf16, &k_peak_avx512bf16},
#if defined(__linux__)
    {PeakFormat::int8, "amx", "TDPBUSD", Isa::amxint8, &k_peak_amx_int8},
#endif
    {PeakFormat::int8, "avx512vnni", "VPDPBUSD, 512 bits", avx512vnni, &k_peak_avx512vnni},
    {PeakFormat::int8, "avxvnni", "VPDPBUSD, 256 bits", avxvnni, &k_peak_avxvnni},
#elif defined(__aarch64__)
    {PeakFormat::bfloat16, "neonbf16", "BFMMLA, 128 bits", neonbf16, &k_peak_neonbf16},
    {PeakFormat::int8, "neoni8mm", "USMMLA, 128 bits", neoni8mm, &k_peak_neoni8mm},
#endif
};

constexpr bool is_one_group(const Row& a, const Row& b) {
  return a.kernel == b.kernel && a.precision == b.precision;
}

// Groups stand together and end with "ref", which runs anywhere.
constexpr bool is_in_order() {
  for (const Row& row : k_table) {
    const Row* const next = &row + 1;
    const bool is_last = next == std::end(k_table) || !is_one_group(row, *next);
    if (is_last != (row.face == "ref") || (is_last && row.needs != Isa::none)) return false;
    for (const Row* later = next; is_last && later < std::end(k_table); ++later) {
      if (is_one_group(row, *later)) return false;
    }
  }
  return true;
}
static_assert(is_in_order());

std::span<const Row> group(std::string_view kernel, Precision precision) {
  const Row* first = std::begin(k_table);
  const auto is_ours = [&](const Row& row) { return row.kernel == kernel && row.precision == precision; };
  while (first < std::end(k_table) && !is_ours(*first)) ++first;
  const Row* last = first;
  while (last < std::end(k_table) && is_ours(*last)) ++last;
  return {first, last};
}

}  // namespace

std::span<const Row> table() { return k_table; }

std::span<const PeakRow> peaks() { return k_peaks; }

std::span<const Row> rows_of(std::string_view kernel, Precision precision) {
  const auto own = group(kernel, precision);
  return own.empty() ? group(kernel, Precision::float32) : own;
}

}  // namespace crane::kernels
