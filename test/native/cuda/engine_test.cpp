// The whole engine on the GPU's way, with the kernels emulated: batches, resizing and smoothing on the
// "device", 16-bit towers; against the CPU's way in float32.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "emulated_kernels.h"

namespace crane {
namespace {

class OnEmulatedDevice : public ::testing::Test {
 protected:
  void TearDown() override { cuda::use_kernels(nullptr); }

  std::vector<ScoreOutcome> on_cpu(SyntheticModel& model, int count, int64_t width, int64_t height,
                                   image::Fit fit) {
    cuda::use_kernels(nullptr);
    return scores(model, Precision::float32, count, width, height, fit);
  }
  std::vector<ScoreOutcome> on_device(SyntheticModel& model, Precision precision, int count, int64_t width,
                                      int64_t height, image::Fit fit) {
    cuda::use_kernels(&table_);
    return scores(model, precision, count, width, height, fit);
  }

 private:
  static std::vector<ScoreOutcome> scores(SyntheticModel& model, Precision precision, int count,
                                          int64_t width, int64_t height, image::Fit fit) {
    model.config.precision = precision;
    Engine engine(model.config);
    Pictures pictures(count, width, height, engine.add_context(model.material, model.options));
    for (ScoreItem& item : pictures.items) item.fit = fit;
    return engine.score(pictures.items, model.options, nullptr);
  }

  const cuda::Kernels table_ = cuda::emulated_kernels();
};

void expect_near(const std::vector<ScoreOutcome>& got, const std::vector<ScoreOutcome>& wanted,
                 double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i].parts[0], wanted[i].parts[0], tolerance) << "picture " << i;
    EXPECT_NEAR(got[i].map_max(), wanted[i].map_max(), tolerance) << "picture " << i;
    EXPECT_EQ(got[i].map_width, wanted[i].map_width);
    ASSERT_EQ(got[i].map.size(), wanted[i].map.size());
    double worst = 0;
    for (size_t p = 0; p < got[i].map.size(); ++p) {
      worst = std::max(worst, std::abs(static_cast<double>(got[i].map[p]) - wanted[i].map[p]));
    }
    EXPECT_LE(worst, tolerance) << "map of picture " << i;
  }
}

TEST_F(OnEmulatedDevice, Float32BatchesGiveTheCpusScores) {
  SyntheticModel model(128, 3, 84);
  for (const image::Fit fit : {image::Fit::stretch, image::Fit::tile}) {
    const auto wanted = on_cpu(model, 3, 100, 90, fit);
    expect_near(on_device(model, Precision::float32, 3, 100, 90, fit), wanted, 1e-5);
  }
}

// The last block of the plain stream runs for the class token alone without D-Attn: rows with a stride.
TEST_F(OnEmulatedDevice, HalfPrecisionStaysNearFloat32) {
  SyntheticModel model(128, 3, 84);
  model.options = with(model.options, {{"eAttnLayers", 2.0}});
  for (const bool d_attn : {true, false}) {
    model.options = with(model.options, {{"dAttn", d_attn}});
    const auto wanted = on_cpu(model, 2, 84, 84, image::Fit::stretch);
    EXPECT_GT(std::abs(wanted[0].parts[0] - wanted[1].parts[0]), 1e-3);  // pictures can be told apart
    expect_near(on_device(model, Precision::float16, 2, 84, 84, image::Fit::stretch), wanted, 0.02);
    expect_near(on_device(model, Precision::bfloat16, 2, 84, 84, image::Fit::stretch), wanted, 0.1);
  }
}

TEST_F(OnEmulatedDevice, MoreViewsThanABatchHoldsComeBackInOrder) {
  SyntheticModel model(64, 1, 42);
  model.options = with(model.options, {{"dAttn", false}});
  const auto wanted = on_cpu(model, 19, 50, 42, image::Fit::stretch);
  expect_near(on_device(model, Precision::float16, 19, 50, 42, image::Fit::stretch), wanted, 0.02);
}

TEST_F(OnEmulatedDevice, SeveralDevicesShareTheViewsOfACall) {
  SyntheticModel model(64, 1, 42);
  const auto alone = on_device(model, Precision::float16, 5, 50, 42, image::Fit::stretch);
  model.config.device = "cpu,cpu,cpu";
  expect_near(on_device(model, Precision::float16, 5, 50, 42, image::Fit::stretch), alone, 1e-6);
  cuda::use_kernels(nullptr);
  EXPECT_THROW(Engine{model.config}, Error);  // no kernels: nothing would be dealt to the others
}

TEST_F(OnEmulatedDevice, SixteenBitFormatsAreRefusedWithoutKernels) {
  SyntheticModel model(64, 1, 42);
  model.config.precision = Precision::float16;
  cuda::use_kernels(nullptr);
  try {
    const Engine engine(model.config);
    FAIL() << "float16 was accepted on a CPU";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_DEVICE");
  }
}

}  // namespace
}  // namespace crane
