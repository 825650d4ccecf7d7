// CRANE_KERNELS: which faces it chooses, and what it refuses.
#include "kernels/choice.h"

#include <gtest/gtest.h>

#include <string_view>

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
  EXPECT_EQ(kernels_chosen_by("ref"), "linear=ref,attention=ref,affinity=ref,nearest=ref");
  EXPECT_EQ(kernels_chosen_by("ref,fused"), "linear=ref,attention=fused,affinity=ref,nearest=ref");
}

TEST(KernelChoice, LaterEntriesWinAndNameOneKernel) {
  EXPECT_EQ(kernels_chosen_by("ref,linear=onednn"), "linear=onednn,attention=ref,affinity=ref,nearest=ref");
  EXPECT_EQ(kernels_chosen_by("linear=onednn,ref"), "linear=ref,attention=ref,affinity=ref,nearest=ref");
}

TEST(KernelChoice, WhatWasRecordedForcesTheSameChoice) {
  EXPECT_EQ(kernels_chosen_by(kernels_chosen_by("")), kernels_chosen_by(""));
  EXPECT_EQ(kernels_chosen_by(kernels_chosen_by("ref")), kernels_chosen_by("ref"));
  const std::string own = kernels_chosen_by("", Precision::bfloat16);
  EXPECT_EQ(kernels_chosen_by(own, Precision::bfloat16), own);
}

TEST(KernelChoice, Bfloat16EnginesHaveFacesOfTheirOwn) {
  EXPECT_EQ(kernels_chosen_by("ref", Precision::bfloat16),
            "linear=ref,attention=ref,affinity=ref,nearest=ref");
  std::string face = "ref";
  for (const char* each : {"neonbf16", "avx512bf16", "amxbf16"}) face = can_run(each) ? each : face;
  const std::string wanted = "linear=" + face + ",attention=" + face + ",affinity=";
  EXPECT_TRUE(kernels_chosen_by("", Precision::bfloat16).starts_with(wanted));
}

TEST(KernelChoice, Int8EnginesMultiplyAttentionInBfloat16WhereTheCpuHasItElseInFloat32) {
  EXPECT_EQ(kernels_chosen_by("ref", Precision::int8), "linear=ref,attention=ref,affinity=ref,nearest=ref");
  const std::string own = kernels_chosen_by("", Precision::int8);
  EXPECT_EQ(kernels_chosen_by(own, Precision::int8), own);
  if (!can_run("avx512vnni")) return;
  EXPECT_TRUE(own.find("bf16,affinity") != std::string::npos || !can_run("avx512bf16")) << own;
  EXPECT_TRUE(kernels_chosen_by("linear=avx512vnni,attention=avx512", Precision::int8)
                  .starts_with("linear=avx512vnni,attention=avx512,affinity="));
  EXPECT_EQ(instructions_of(Precision::int8), "avx512, avx512vnni or avx2, avxvnni");
}

TEST(KernelChoice, AProcessorsBitsSayWhichPrecisionsItMultipliesIn) {
  const bool has_bfloat16 = can_run("amxbf16") || can_run("avx512bf16") || can_run("neonbf16");
  const bool has_int8 =
      can_run("amxint8") || can_run("avx512vnni") || can_run("avxvnni") || can_run("neoni8mm");
  EXPECT_EQ(can_multiply_in(Precision::bfloat16), has_bfloat16);
  EXPECT_EQ(can_multiply_in(Precision::int8), has_int8);
#if defined(__aarch64__)
  EXPECT_EQ(instructions_of(Precision::bfloat16), "neon, neonbf16");
  EXPECT_EQ(instructions_of(Precision::int8), "neon, neoni8mm");
  const std::string attention = has_bfloat16 ? "attention=neonbf16" : "attention=neon";
  EXPECT_NE(kernels_chosen_by("", Precision::int8).find(attention), std::string::npos);
#endif
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
  for (const Row& row : table()) {
    if (can_run(row)) continue;
    const std::string text = refusal(row.face);
    EXPECT_TRUE(text.starts_with("E_USAGE: CRANE_KERNELS asks for ")) << text;
    EXPECT_NE(text.find(isa_bits(row.needs)), std::string::npos) << text;
  }
}

TEST(KernelChoice, TheRefusalNamesEveryFaceOfTheTable) {
  const std::string text = refusal("fast");
  for (const Row& row : table())
    EXPECT_NE(text.find(row.face), std::string::npos) << row.face << ": " << text;
}

TEST(KernelChoice, APrecisionWithoutFacesOfItsOwnTakesThoseOfFloat32) {
  EXPECT_EQ(kernels_chosen_by("", Precision::float16), kernels_chosen_by(""));
  EXPECT_EQ(rows_of("affinity", Precision::bfloat16).data(), rows_of("affinity").data());
  EXPECT_FALSE(can_multiply_in(Precision::float16));
  EXPECT_TRUE(can_multiply_in(Precision::float32));
}

TEST(KernelChoice, WhatRunsOnlyWhenAskedIsNeverTheBest) {
  for (const Precision precision : listed_precisions()) {
    for (const std::string_view kernel : {"linear", "attention", "affinity", "nearest"}) {
      EXPECT_FALSE(chosen(kernel, precision).only_when_asked) << kernel;
    }
  }
}

}  // namespace
}  // namespace crane::kernels
