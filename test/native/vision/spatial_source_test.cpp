#include "vision/spatial_source.h"

#include <gtest/gtest.h>

#include "../weights/error_of.h"
#include "../weights/model_files.h"
#include "weights/name_map.h"

namespace crane::vision {
namespace {

TEST(SpatialSource, AFileOfSamThatLacksOneOfItsTensorsIsToldOfThatOne) {
  for (const std::string name : {"pos_embed", "neck.0.weight"}) {
    std::vector<weights::NamedShape> tensors = weights::sam("");
    weights::erase_name(tensors, name);
    const auto canonical = weights::canonicalise({weights::model_file(tensors, "m.pth")});
    const weights::Thrown thrown =
        weights::thrown_by([&] { load_spatial_source(canonical, {}, at::kCPU, nullptr); });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_MISSING");
    EXPECT_TRUE(weights::contains(thrown.message, "\"" + name + "\"")) << thrown.message;
  }
}

}  // namespace
}  // namespace crane::vision
