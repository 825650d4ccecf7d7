// Every kernel of a GPU against its definition, with the kernels' own source run on the CPU.
#include <gtest/gtest.h>

#include "emulated_kernels.h"
#include "kernel_checks.h"

namespace crane::cuda {
namespace {

class EmulatedKernel : public ::testing::TestWithParam<KernelCheck> {
 protected:
  void SetUp() override { use_kernels(&table_); }
  void TearDown() override { use_kernels(nullptr); }

 private:
  const Kernels table_ = emulated_kernels();
};

TEST_P(EmulatedKernel, AgreesWithItsDefinition) {
  for (const bool is_early : {false, true}) {
    set_schedule(is_early);
    const double share = GetParam().run();
    RecordProperty("share_of_tolerance", std::to_string(share));
    EXPECT_LE(share, 1.0) << GetParam().name << (is_early ? ", early schedule" : ", late schedule");
  }
  set_schedule(false);
}

std::string identifier(const ::testing::TestParamInfo<KernelCheck>& info) {
  std::string name;
  for (const char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedKernel, ::testing::ValuesIn(kernel_checks(/*is_on_gpu=*/false)),
                         identifier);

}  // namespace
}  // namespace crane::cuda
