// The table of tunings, and how a processor finds its row.
#include "kernels/tuning.h"

#include <gtest/gtest.h>

#include <set>

namespace crane::kernels {
namespace {

TEST(Microarchitecture, IsKnownByVendorFamilyAndWhatVirtualMachinesPassOn) {
  const auto intel = [](uint32_t model, bool avx512, bool amx) {
    return microarchitecture_of({"GenuineIntel", 6, model, avx512, amx});
  };
  EXPECT_EQ(intel(85, true, false), Microarchitecture::skylake_server);
  EXPECT_EQ(intel(143, true, true), Microarchitecture::golden_cove);
  // a virtual machine that says the model of another processor: its tiles tell more
  EXPECT_EQ(intel(167, true, true), Microarchitecture::golden_cove);
  EXPECT_EQ(intel(151, false, false), Microarchitecture::other);
  const auto amd = [](uint32_t family, bool avx512) {
    return microarchitecture_of({"AuthenticAMD", family, 17, avx512, false});
  };
  EXPECT_EQ(amd(25, true), Microarchitecture::zen4);
  EXPECT_EQ(amd(25, false), Microarchitecture::other) << "Zen 3";
  EXPECT_EQ(amd(26, true), Microarchitecture::zen5);
  EXPECT_EQ(amd(23, false), Microarchitecture::other);
  EXPECT_EQ(microarchitecture_of({"HygonGenuine", 24, 1, true, false}), Microarchitecture::other);
}

TEST(Tuning, EveryRowStandsOnceWithItsReason) {
  std::set<Microarchitecture> seen;
  for (const Tuning& each : tunings()) {
    EXPECT_TRUE(seen.insert(each.is).second) << microarchitecture_name(each.is);
    EXPECT_GT(each.reason.size(), 20U) << microarchitecture_name(each.is);
    EXPECT_GE(each.weights_ahead, 0);
    EXPECT_GT(each.tile_block_bytes, 0);
    EXPECT_EQ(&tuning_of(each.is), &each);
  }
  EXPECT_EQ(seen.size(), 5U);
}

TEST(Tuning, WhatHasNoRowGetsTheLast) {
  EXPECT_EQ(tuning_of(static_cast<Microarchitecture>(99)).is, Microarchitecture::other);
}

}  // namespace
}  // namespace crane::kernels
