// CRANE_KERNELS: which faces it chooses, and what it refuses.
#include "kernels/choice.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "attention/affinity.h"
#include "attention/plain.h"
#include "attention/self_correlation.h"
#include "core/error.h"

namespace crane::kernels {
namespace {

std::string refusal(std::string_view list) {
  try {
    return kernels_chosen_by(list);
  } catch (const Error& error) {
    return error.code() + ": " + error.what();
  }
}

TEST(KernelChoice, OneNameHoldsForEveryKernelThatHasIt) {
  EXPECT_EQ(kernels_chosen_by("ref"), "linear=ref,attention=ref,affinity=ref");
  EXPECT_EQ(kernels_chosen_by("ref,fused"), "linear=ref,attention=fused,affinity=ref");
}

TEST(KernelChoice, LaterEntriesWinAndNameOneKernel) {
  EXPECT_EQ(kernels_chosen_by("ref,linear=onednn"), "linear=onednn,attention=ref,affinity=ref");
  EXPECT_EQ(kernels_chosen_by("linear=onednn,ref"), "linear=ref,attention=ref,affinity=ref");
}

TEST(KernelChoice, WhatWasRecordedForcesTheSameChoice) {
  EXPECT_EQ(kernels_chosen_by(kernels_chosen_by("")), kernels_chosen_by(""));
  EXPECT_EQ(kernels_chosen_by(kernels_chosen_by("ref")), kernels_chosen_by("ref"));
  const std::string own = kernels_chosen_by("", Precision::bfloat16);
  EXPECT_EQ(kernels_chosen_by(own, Precision::bfloat16), own);
}

TEST(KernelChoice, Bfloat16EnginesHaveFacesOfTheirOwn) {
  EXPECT_EQ(kernels_chosen_by("ref", Precision::bfloat16), "linear=ref,attention=ref,affinity=ref");
  EXPECT_TRUE(kernels_chosen_by("", Precision::bfloat16)
                  .starts_with(can_run("avx512bf16") ? "linear=avx512bf16,attention=avx512bf16,affinity=avx"
                                                     : "linear=ref,attention=ref,affinity="));
}

TEST(KernelChoice, WhatIsNoFaceOfAPrecisionLeavesItsChoiceAsItIs) {
  const std::string own = kernels_chosen_by("", Precision::bfloat16);
  EXPECT_EQ(kernels_chosen_by("linear=onednn,attention=fused", Precision::bfloat16), own);
  EXPECT_TRUE(refusal("onednn").starts_with("linear=onednn"));
  if (can_run("avx512bf16")) EXPECT_EQ(kernels_chosen_by("linear=avx512bf16"), kernels_chosen_by(""));
}

TEST(KernelChoice, UnknownNamesAndKernelsAreRefused) {
  for (const std::string_view list : {"fast", "linear=fused", "softmax=ref", "linear=", "=ref", "REF"}) {
    EXPECT_TRUE(refusal(list).starts_with("E_USAGE: CRANE_KERNELS")) << list << ": " << refusal(list);
  }
}

TEST(KernelChoice, FacesThisCpuLacksAreRefusedByName) {
  for (const std::string_view face : {"avx512bf16", "avx512", "avx2"}) {
    if (!can_run(face))
      EXPECT_TRUE(refusal(face).starts_with("E_USAGE: CRANE_KERNELS asks for ")) << refusal(face);
  }
}

#if defined(__x86_64__)
template <typename FaceSpan>
void expect_listed(std::string_view kernel, const FaceSpan& faces, Precision precision = Precision::float32) {
  // A GPU's face is not chosen by name: it runs where the tensors are.
  std::vector<std::string_view> listed;
  for (const auto& face : faces) {
    if (face.name != "cuda") listed.push_back(face.name);
  }
  const auto names = faces_of(kernel, precision);
  EXPECT_EQ(std::vector<std::string_view>(names.begin(), names.end()), listed) << kernel;
}

TEST(KernelChoice, TheTableNamesTheFacesOfEveryListInTheirOrder) {
  expect_listed("attention", attention::plain_attention_faces());
  expect_listed("attention", attention::self_correlation_faces());
  expect_listed("attention", attention::plain_attention_faces(Precision::bfloat16), Precision::bfloat16);
  expect_listed("attention", attention::self_correlation_faces(Precision::bfloat16), Precision::bfloat16);
  expect_listed("affinity", attention::affinity_attention_faces());
}
#endif

}  // namespace
}  // namespace crane::kernels
