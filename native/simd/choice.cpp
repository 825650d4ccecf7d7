#include "simd/choice.h"

#include <cstdlib>
#include <map>

#include "core/error.h"
#include "simd/isa.h"

namespace crane::simd {
namespace {

struct Kernel {
  std::string_view name;
  std::span<const std::string_view> faces;
};

// "onednn" runs only where it is asked for: the kernels of this room are as fast and fuse more.
constexpr std::string_view k_linear_faces[] = {"avx512", "avx2", "onednn", "ref"};
constexpr std::string_view k_attention_faces[] = {"avx512", "avx2", "fused", "ref"};
constexpr std::string_view k_affinity_faces[] = {"avx512", "avx2", "ref"};

constexpr Kernel k_kernels[] = {
    {"linear", k_linear_faces},
    {"attention", k_attention_faces},
    {"affinity", k_affinity_faces},
};

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

void apply(std::string_view entry, Choices& choices) {
  const size_t sign = entry.find('=');
  bool is_known = false;
  for (const Kernel& kernel : k_kernels) {
    const bool is_meant = sign == std::string_view::npos || entry.substr(0, sign) == kernel.name;
    const std::string_view face = sign == std::string_view::npos ? entry : entry.substr(sign + 1);
    if (!is_meant || !has(kernel, face)) continue;
    check_face(entry, face);
    for (const std::string_view each : kernel.faces) {
      if (each == face) choices[kernel.name] = each;
    }
    is_known = true;
  }
  check_input(is_known, "E_USAGE", "CRANE_KERNELS: \"", entry, "\" is no face of a kernel; kernels are ",
              "linear (avx512, avx2, onednn, ref), attention (avx512, avx2, fused, ref) and ",
              "affinity (avx512, avx2, ref)");
}

Choices choose(std::string_view list) {
  Choices choices;
  for (const Kernel& kernel : k_kernels) choices[kernel.name] = best_face(kernel);
  while (!list.empty()) {
    const size_t comma = list.find(',');
    apply(list.substr(0, comma), choices);
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
  return choices;
}

std::string text_of(const Choices& choices) {
  std::string text;
  for (const Kernel& kernel : k_kernels) {
    if (!text.empty()) text += ',';
    text.append(kernel.name).append("=").append(choices.at(kernel.name));
  }
  return text;
}

// Where it throws, the next call tries (and throws) again.
const Choices& choices() {
  static const Choices chosen = [] {
    const char* list = std::getenv("CRANE_KERNELS");
    return choose(list == nullptr ? "" : list);
  }();
  return chosen;
}

}  // namespace

std::string_view chosen_face(std::string_view kernel) { return choices().at(kernel); }

std::span<const std::string_view> faces_of(std::string_view kernel) {
  for (const Kernel& each : k_kernels) {
    if (each.name == kernel) return each.faces;
  }
  return {};
}

bool can_run(std::string_view face) {
  if (face == "avx512") return best_isa() >= Isa::avx512;
  if (face == "avx2") return best_isa() >= Isa::avx2;
  return face != "cuda";
}

std::string chosen_kernels() { return text_of(choices()); }

std::string kernels_chosen_by(std::string_view list) { return text_of(choose(list)); }

}  // namespace crane::simd
