// Methods beside Crane on the GPU's way, with the kernels emulated: whole batches, 16-bit towers, contexts
// that differ within a batch; against the CPU's way in float32.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../engine/noise_pictures.h"
#include "../engine/synthetic_model.h"
#include "emulated_kernels.h"

namespace crane {
namespace {

constexpr int64_t k_side = 84;

struct Compared {
  std::string method;
  methods::Settings settings;
  bool has_normals = false;
};

class MethodOnEmulatedDevice : public ::testing::TestWithParam<Compared> {
 protected:
  void TearDown() override { cuda::use_kernels(nullptr); }

  // Three pictures, the second of another class than the others.
  std::vector<ScoreOutcome> scores(Precision precision) {
    const Compared& run = GetParam();
    const ScoreOptions options{methods::make(run.method, run.settings), "", 0};
    model_.config.precision = precision;
    Engine engine(model_.config);
    Pictures pictures(4, 100, 90, 0);
    methods::Material material;
    material.texts["normal"] = {{1, 2, 5, 9, 0, 0, 0, 0, 0}, {1, 3, 5, 9, 0, 0, 0, 0, 0}};
    material.texts["anomalous"] = {{1, 6, 5, 9, 0, 0, 0, 0, 0}};
    if (run.has_normals) material.normals = {pictures.items[3].picture};
    for (ScoreItem& item : pictures.items) item.context = engine.add_context(material, options);
    material.texts["normal"] = {{1, 2, 7, 9, 0, 0, 0, 0, 0}};
    material.normals.clear();
    pictures.items[1].context = engine.add_context(material, options);
    pictures.items.pop_back();
    return engine.score(pictures.items, options, nullptr);
  }

  SyntheticModel model_{128, 3, k_side};
  const cuda::Kernels table_ = cuda::emulated_kernels();
};

double worst_of(const std::vector<ScoreOutcome>& got, const std::vector<ScoreOutcome>& wanted) {
  double worst = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    worst = std::max(worst, std::abs(got[i].score - wanted[i].score));
    EXPECT_EQ(got[i].map_width, wanted[i].map_width);
    if (got[i].map.size() != wanted[i].map.size()) return std::numeric_limits<double>::infinity();
    for (size_t p = 0; p < wanted[i].map.size(); ++p) {
      worst = std::max(worst, std::abs(static_cast<double>(got[i].map[p]) - wanted[i].map[p]));
    }
  }
  return worst;
}

TEST_P(MethodOnEmulatedDevice, GivesTheCpusScores) {
  cuda::use_kernels(nullptr);
  const auto wanted = scores(Precision::float32);
  ASSERT_EQ(wanted.size(), 3u);
  EXPECT_GT(std::abs(wanted[0].score - wanted[1].score), 1e-3);
  EXPECT_GT(std::abs(wanted[0].score - wanted[2].score), 1e-4);
  cuda::use_kernels(&table_);
  EXPECT_LT(worst_of(scores(Precision::float32), wanted), 2e-5);
  EXPECT_LT(worst_of(scores(Precision::float16), wanted), 0.05);
}

INSTANTIATE_TEST_SUITE_P(
    Methods, MethodOnEmulatedDevice,
    ::testing::Values(Compared{"winclip", {}}, Compared{"winclip", {}, true},
                      Compared{"winclip", {{"mapSide", 0.0}, {"compat.bgr", true}}}, Compared{"anovl", {}},
                      Compared{"anovl", {{"adapter", std::string("none")}, {"augment", false}}}),
    [](const auto& info) { return info.param.method + std::to_string(info.index); });

}  // namespace
}  // namespace crane
