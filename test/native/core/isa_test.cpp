// Instruction sets are sets: lowering takes bits away, names hold for the bits that are there.
#include "core/isa.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace crane {
namespace {

// an x86 CPU that has everything
constexpr Isa k_all = Isa::avx2 | Isa::avx512 | Isa::avx512bf16 | Isa::avx512vnni | Isa::amxbf16;

TEST(Isa, ACeilingTakesAwayWhatItsSetLacks) {
  EXPECT_EQ(lowered(k_all, ""), k_all);
  EXPECT_EQ(lowered(k_all, "amxbf16"), Isa::avx2 | Isa::avx512 | Isa::avx512bf16 | Isa::amxbf16);
  EXPECT_EQ(lowered(k_all, "avx512bf16"), Isa::avx2 | Isa::avx512 | Isa::avx512bf16);
  EXPECT_EQ(lowered(k_all, "avx512"), Isa::avx2 | Isa::avx512);
  EXPECT_EQ(lowered(k_all, "avx2"), Isa::avx2);
  EXPECT_EQ(lowered(k_all, "neon"), Isa::none);
  EXPECT_EQ(lowered(k_all, "none"), Isa::none);
}

TEST(Isa, SetsOfAnotherProcessorStandBesideNotAbove) {
  EXPECT_EQ(lowered(Isa::neon, "neon"), Isa::neon);
  EXPECT_EQ(lowered(Isa::neon, "avx512bf16"), Isa::none);
  EXPECT_EQ(isa_name(Isa::neon), "neon");
  const Isa all = Isa::neon | Isa::neonbf16 | Isa::neoni8mm;
  EXPECT_EQ(lowered(all, "neonbf16"), Isa::neon | Isa::neonbf16);
  EXPECT_EQ(lowered(all, "neon"), Isa::neon);
  EXPECT_EQ(isa_name(all), "neonbf16");
  EXPECT_EQ(isa_bits(all), "neon, neonbf16, neoni8mm");
}

TEST(Isa, ACeilingAddsNothing) {
  EXPECT_EQ(lowered(Isa::avx2, "avx512bf16"), Isa::avx2);
  EXPECT_EQ(lowered(Isa::none, "avx2"), Isa::none);
}

TEST(Isa, AnUnknownCeilingIsRefusedWithTheNamesThereAre) {
  for (const std::string_view name : {"AVX2", "avx", "sse", "avx512,avx2"}) {
    try {
      lowered(k_all, name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "E_USAGE");
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      EXPECT_NE(error.hint().find("avx512bf16, avx512, avx2, "), std::string::npos) << error.hint();
    }
  }
}

TEST(Isa, ABitAloneIsNoSetThatNeedsOthers) {
  EXPECT_FALSE(includes(Isa::avx512bf16, Isa::avx512 | Isa::avx512bf16));
  EXPECT_EQ(isa_name(Isa::avx2 | Isa::avx512bf16), "avx2");
}

TEST(Isa, NamesTheLargestSetAndEveryBit) {
  EXPECT_EQ(isa_name(k_all), "amxbf16");
  EXPECT_EQ(isa_name(lowered(k_all, "avx512bf16")), "avx512bf16");
  EXPECT_EQ(isa_name(Isa::avx2 | Isa::avx512), "avx512");
  EXPECT_EQ(isa_name(Isa::none), "plain");
  EXPECT_EQ(isa_bits(Isa::avx2 | Isa::avx512bf16), "avx2, avx512bf16");
  EXPECT_EQ(isa_bits(Isa::none), "none");
}

}  // namespace
}  // namespace crane
