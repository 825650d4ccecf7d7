#include "kernels/choice.h"

#include <cstdlib>
#include <map>

#include "core/error.h"
#include "kernels/isa.h"

namespace crane::kernels {
namespace {

struct Kernel {
  std::string_view name;
  std::span<const std::string_view> faces;
};

// "onednn" runs only where it is asked for: the kernels of this room are as fast and fuse more.
constexpr std::string_view k_linear_faces[] = {"avx512", "avx2", "onednn", "ref"};
constexpr std::string_view k_attention_faces[] = {"avx512", "avx2", "fused", "ref"};
constexpr std::string_view k_affinity_faces[] = {"avx512", "avx2", "ref"};
constexpr std::string_view k_bfloat16_faces[] = {"avx512bf16", "ref"};

constexpr Kernel k_float32_kernels[] = {
    {"linear", k_linear_faces},
    {"attention", k_attention_faces},
    {"affinity", k_affinity_faces},
};
// D-Attn's affinity stays float32: it is 0.5 % of the products.
constexpr Kernel k_bfloat16_kernels[] = {
    {"linear", k_bfloat16_faces},
    {"attention", k_bfloat16_faces},
    {"affinity", k_affinity_faces},
};

using Kernels = std::span<const Kernel>;

Kernels kernels_at(Precision precision) {
  if (precision == Precision::bfloat16) return k_bfloat16_kernels;
  return k_float32_kernels;
}

bool has(const Kernel& kernel, std::string_view face) {
  for (const std::string_view each : kernel.faces) {
    if (each == face) return true;
  }
  return false;
}

// The best face whose instructions are there.
std::string_view best_face(const Kernel& kernel) {
  for (const std::string_view face : kernel.faces) {
    if (face != "onednn" && can_run(face)) return face;
  }
  return kernel.faces.back();
}

void check_face(std::string_view entry, std::string_view face) {
  check_input(can_run(face), "E_USAGE", "CRANE_KERNELS asks for ", entry, ", the best that can run here is ",
              isa_name(best_isa()));
}

using Choices = std::map<std::string_view, std::string_view>;

// Whether `entry` names a face of these kernels; if so it is chosen.
bool apply(std::string_view entry, Kernels kernels, Choices& choices) {
  const size_t sign = entry.find('=');
  bool is_known = false;
  for (const Kernel& kernel : kernels) {
    const bool is_meant = sign == std::string_view::npos || entry.substr(0, sign) == kernel.name;
    const std::string_view face = sign == std::string_view::npos ? entry : entry.substr(sign + 1);
    if (!is_meant || !has(kernel, face)) continue;
    check_face(entry, face);
    for (const std::string_view each : kernel.faces) {
      if (each == face) choices[kernel.name] = each;
    }
    is_known = true;
  }
  return is_known;
}

// What the list asks for. An entry may be meant for engines of another precision, but must be known to one.
Choices asked_for(std::string_view list, Precision precision) {
  Choices choices;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view entry = list.substr(0, comma);
    Choices ignored;
    const Precision other = precision == Precision::bfloat16 ? Precision::float32 : Precision::bfloat16;
    const bool is_ours = apply(entry, kernels_at(precision), choices);
    check_input(is_ours || apply(entry, kernels_at(other), ignored), "E_USAGE", "CRANE_KERNELS: \"", entry,
                "\" is no face of a kernel; kernels are linear (avx512, avx2, onednn, ref; in bfloat16 ",
                "avx512bf16, ref), attention (avx512, avx2, fused, ref; in bfloat16 avx512bf16, ref) and ",
                "affinity (avx512, avx2, ref)");
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
  return choices;
}

Choices choose(std::string_view list, Precision precision) {
  Choices choices = asked_for(list, precision);
  for (const Kernel& kernel : kernels_at(precision)) choices.try_emplace(kernel.name, best_face(kernel));
  return choices;
}

std::string text_of(const Choices& choices) {
  std::string text;
  for (const Kernel& kernel : k_float32_kernels) {
    if (!text.empty()) text += ',';
    text.append(kernel.name).append("=").append(choices.at(kernel.name));
  }
  return text;
}

std::string_view wanted_by_user() {
  const char* list = std::getenv("CRANE_KERNELS");
  return list == nullptr ? "" : list;
}

// Where it throws, the next call tries (and throws) again.
const Choices& choices(Precision precision) {
  if (precision == Precision::bfloat16) {
    static const Choices chosen = choose(wanted_by_user(), Precision::bfloat16);
    return chosen;
  }
  static const Choices chosen = choose(wanted_by_user(), Precision::float32);
  return chosen;
}

}  // namespace

std::string_view chosen_face(std::string_view kernel, Precision precision) {
  return choices(precision).at(kernel);
}

std::span<const std::string_view> faces_of(std::string_view kernel, Precision precision) {
  for (const Kernel& each : kernels_at(precision)) {
    if (each.name == kernel) return each.faces;
  }
  return {};
}

bool can_run(std::string_view face) {
  if (face == "avx512bf16") return best_isa() >= Isa::avx512bf16;
  if (face == "avx512") return best_isa() >= Isa::avx512;
  if (face == "avx2") return best_isa() >= Isa::avx2;
  return face != "cuda";
}

bool can_multiply_in(Precision precision) {
  if (precision == Precision::float32) return true;
  if (precision != Precision::bfloat16) return false;
  if (can_run("avx512bf16")) return true;
  const Choices asked = asked_for(wanted_by_user(), precision);
  return asked.contains("linear") && asked.contains("attention");
}

std::string chosen_kernels(Precision precision) { return text_of(choices(precision)); }

std::string kernels_chosen_by(std::string_view list, Precision precision) {
  return text_of(choose(list, precision));
}

}  // namespace crane::kernels
