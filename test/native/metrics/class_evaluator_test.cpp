// What enters, what is refused, what is said about the ground truth, and summaries at a threshold.
#include "metrics/class_evaluator.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

#include "evaluate.h"
#include "metrics/evaluator.h"
#include "random_pictures.h"
#include "refused_memory.h"

namespace crane::metrics {
namespace {

const judge::Picture k_half{{0.1f, 0.2f, 0.3f, 0.4f}, {0, 0, 1, 1}, 2, 2};

template <typename Function>
Error error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return Error("none", "nothing was thrown");
}

TEST(ClassEvaluator, NanIsRefusedByNameAndThePictureStaysOut) {
  ClassEvaluator evaluator;
  evaluator.add(view_of(k_half));
  judge::Picture bad = k_half;
  for (const float nan : {std::nanf(""), -std::nanf("")}) {
    bad.map[3] = nan;
    const Error error = error_of([&] { evaluator.add(view_of(bad, "bad.png")); });
    EXPECT_EQ(error.code(), "E_IMAGE_NONFINITE");
    EXPECT_NE(std::string(error.what()).find("bad.png"), std::string::npos);
  }
  MeasuredPicture scored = view_of(k_half, "scored.png");
  scored.score = NAN;
  EXPECT_EQ(error_of([&] { evaluator.add(scored); }).code(), "E_IMAGE_NONFINITE");
  const ClassResult result = evaluator.finish({}, 1);
  EXPECT_EQ(result.remarks.pictures, 1u);
  EXPECT_EQ(result.pixel.ranking.normal, 2u);
}

TEST(ClassEvaluator, UndefinedFiguresSayWhy) {
  judge::Picture normal{{0.1f, 0.2f}, {0, 0}, 2, 1};
  judge::Picture anomalous{{0.1f, 0.2f}, {1, 1}, 2, 1};
  judge::Picture constant{{0.5f, 0.5f}, {0, 1}, 2, 1};
  judge::Picture perfect{{0.1f, 0.1f, 0.9f}, {0, 0, 1}, 3, 1};
  judge::Picture two_levels{{0.0f, 1.0f, 0.0f, 1.0f}, {0, 0, 1, 1}, 4, 1};
  EXPECT_EQ(evaluate({normal}).pixel.ranking.auroc.reason, undefined::k_one_label);
  EXPECT_EQ(evaluate({normal}).pixel.aupro[0].exact.reason, undefined::k_no_region);
  EXPECT_EQ(evaluate({anomalous}).pixel.aupro[0].exact.reason, undefined::k_no_normal_pixel);
  EXPECT_EQ(evaluate({constant}).pixel.aupro[0].reference.reason, undefined::k_constant_maps);
  EXPECT_DOUBLE_EQ(*evaluate({constant}).pixel.aupro[1].exact.value, 0.15);
  EXPECT_EQ(evaluate({perfect}).pixel.aupro[1].reference.reason, undefined::k_equal_rates);
  EXPECT_EQ(evaluate({two_levels}).pixel.aupro[1].reference.reason, undefined::k_few_points);
  EXPECT_EQ(evaluate({normal}).image.auroc.reason, undefined::k_no_scores);
  EXPECT_EQ(evaluate({}).pixel.ranking.auroc.reason, undefined::k_no_maps);
}

TEST(ClassEvaluator, GroundTruthThatDisagreesIsCounted) {
  ClassEvaluator evaluator;
  judge::Picture empty{{0.1f, 0.9f}, {0, 0}, 2, 1};
  MeasuredPicture anomalous_empty = view_of(empty);
  anomalous_empty.is_anomalous = true;
  evaluator.add(anomalous_empty);
  MeasuredPicture normal_masked = view_of(k_half);
  normal_masked.is_anomalous = false;
  evaluator.add(normal_masked);
  MeasuredPicture unmasked = view_of(k_half);
  unmasked.mask = nullptr;
  unmasked.is_anomalous = true;
  evaluator.add(unmasked);
  unmasked.is_anomalous = false;  // a normal picture needs no mask: all its pixels are normal
  evaluator.add(unmasked);
  const ClassResult result = evaluator.finish({}, 1);
  EXPECT_EQ(result.remarks.anomalous_with_empty_mask, 1u);
  EXPECT_EQ(result.remarks.normal_with_anomalous_pixels, 1u);
  EXPECT_EQ(result.remarks.anomalous_without_mask, 1u);
  EXPECT_EQ(result.remarks.without_score, 4u);
  EXPECT_EQ(result.pixel.ranking.normal, 2u + 2u + 4u);
  EXPECT_EQ(result.pixel.ranking.anomalous, 2u);
}

TEST(ClassEvaluator, ConfusionCountsWhatIsAtOrAboveTheThreshold) {
  EvaluateOptions options;
  options.map_threshold = 0.2f;
  options.threshold = 0.5;
  ClassEvaluator evaluator;
  MeasuredPicture picture = view_of(k_half);
  picture.score = 0.5;
  evaluator.add(picture);
  const ClassResult result = evaluator.finish(options, 1);
  const Confusion& pixels = *result.pixel.ranking.confusion;
  EXPECT_EQ(pixels.true_positives, 2u);
  EXPECT_EQ(pixels.false_positives, 1u);
  EXPECT_EQ(pixels.true_negatives, 1u);
  EXPECT_EQ(pixels.false_negatives, 0u);
  EXPECT_DOUBLE_EQ(*pixels.precision.value, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(*pixels.recall.value, 1.0);
  EXPECT_DOUBLE_EQ(*pixels.f1.value, 0.8);
  EXPECT_EQ(result.image.confusion->true_positives, 1u);
  options.map_threshold = 2.0;
  const Confusion none = *evaluate({k_half}, options).pixel.ranking.confusion;
  EXPECT_EQ(none.precision.reason, undefined::k_none_predicted);
  EXPECT_EQ(none.false_negatives, 2u);
}

TEST(ClassEvaluator, HistogramsCountEveryScoreOnce) {
  EvaluateOptions options;
  options.histogram_bins = 3;
  const Histogram histogram = *evaluate({k_half}, options).pixel.ranking.histogram;
  EXPECT_FLOAT_EQ(static_cast<float>(histogram.lowest), 0.1f);
  EXPECT_FLOAT_EQ(static_cast<float>(histogram.highest), 0.4f);
  EXPECT_EQ(histogram.normal, (std::vector<uint64_t>{1, 1, 0}));
  EXPECT_EQ(histogram.anomalous, (std::vector<uint64_t>{0, 0, 2}));
}

double trapezoids(const Curve& curve) {
  double area = 0;
  for (size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].x - curve[i - 1].x) * (curve[i].y + curve[i - 1].y) / 2;
  }
  return area;
}

TEST(ClassEvaluator, ThinnedCurvesKeepTheirArea) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0.3f, 0.1f);
  std::normal_distribution<float> anomalous(0.5f, 0.15f);
  judge::Picture picture{{}, {}, 300, 300};
  for (int i = 0; i < 300 * 300; ++i) {
    const bool is_anomalous = i % 300 < 60 && i / 300 % 40 < 20;
    picture.mask.push_back(is_anomalous);
    picture.map.push_back(is_anomalous ? anomalous(random) : normal(random));
  }
  EvaluateOptions options;
  options.limits = {1.0};
  options.curve_points = 200;
  const PixelResult result = evaluate({picture}, options, 2).pixel;
  EXPECT_LE(result.ranking.roc.size(), 200u);
  EXPECT_GT(result.ranking.roc.size(), 100u);
  EXPECT_NEAR(trapezoids(result.ranking.roc), *result.ranking.auroc.value, 2e-4);
  EXPECT_NEAR(trapezoids(result.pro), *result.aupro[0].exact.value, 2e-4);
  EXPECT_NEAR(trapezoids(result.ranking.precision_recall), *result.ranking.average_precision.value, 5e-3);
  // A point is what its own threshold gives.
  for (const CurvePoint& point : result.ranking.roc) {
    const auto counts = judge::at(judge::pixels({picture}), point.threshold);
    EXPECT_DOUBLE_EQ(point.x, counts.false_alarms / static_cast<double>(result.ranking.normal));
    EXPECT_DOUBLE_EQ(point.y, counts.found / static_cast<double>(result.ranking.anomalous));
  }
}

TEST(Evaluator, AFinishedClassTakesNoMorePictures) {
  Evaluator evaluator({}, 1);
  evaluator.add("screw", view_of(k_half));
  EXPECT_EQ(evaluator.finish_class("screw").remarks.pictures, 1u);
  EXPECT_EQ(error_of([&] { evaluator.add("screw", view_of(k_half)); }).code(), "E_USAGE");
  EXPECT_EQ(error_of([&] { evaluator.finish_class("screw"); }).code(), "E_USAGE");
  EXPECT_EQ(error_of([&] { evaluator.finish_class("nut"); }).code(), "E_USAGE");
}

// Pictures of `k_half` with a score each: how many are in, where their pixels and their scores agree.
void expect_whole(const ClassResult& result, uint64_t pictures) {
  EXPECT_EQ(result.remarks.pictures, pictures);
  EXPECT_EQ(result.pixel.ranking.normal, 2 * pictures);
  EXPECT_EQ(result.pixel.ranking.anomalous, 2 * pictures);
  EXPECT_EQ(result.image.normal + result.image.anomalous, pictures);
}

TEST(Evaluator, APictureThatIsRefusedMemoryIsOutOrItsClassHasNoFigures) {
  MeasuredPicture picture = view_of(k_half);
  picture.score = 0.5;
  const std::string name = "a class whose name takes memory of its own";
  for (const uint64_t before : {0, 1}) {
    bool was_refused = true;
    int without_figures = 0;
    for (long at = 1; was_refused; ++at) {
      Evaluator evaluator({}, 1);
      for (uint64_t i = 0; i < before; ++i) evaluator.add(name, picture);
      uint64_t pictures = before;
      {
        const RefusedMemory refused(at);
        try {
          evaluator.add(name, picture);
          ++pictures;
        } catch (const std::bad_alloc&) {
        }
        was_refused = refused.was_refused();
      }
      try {
        expect_whole(evaluator.finish_class(name), pictures);
      } catch (const Error& error) {
        EXPECT_EQ(pictures, before) << at;
        EXPECT_TRUE(error.code() == "E_MEMORY" || (before == 0 && error.code() == "E_USAGE")) << at;
        ++without_figures;
      }
    }
    EXPECT_GT(without_figures, 0);
  }
}

TEST(Evaluator, AClassThatIsRefusedMemoryAtItsEndIsOpenStillOrOver) {
  MeasuredPicture picture = view_of(k_half);
  picture.score = 0.5;
  const std::string name = "a class whose name takes memory of its own";
  for (const long at : {1, 2, 3, 9}) {  // of many, each of which is an evaluation
    Evaluator evaluator({}, 1);
    evaluator.add(name, picture);
    std::optional<ClassResult> result;
    try {
      const RefusedMemory refused(at);
      result = evaluator.finish_class(name);
    } catch (const std::bad_alloc&) {
    }
    if (!result) {
      try {
        result = evaluator.finish_class(name);
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("finished already"), std::string::npos) << error.what();
        continue;
      }
    }
    expect_whole(*result, 1);
  }
}

TEST(Evaluator, RefusesLimitsOutsideZeroToOne) {
  EvaluateOptions options;
  options.limits = {0.0};
  EXPECT_EQ(error_of([&] { Evaluator(options, 1); }).code(), "E_USAGE");
  options.limits = {1.5};
  EXPECT_EQ(error_of([&] { Evaluator(options, 1); }).code(), "E_USAGE");
}

class MappedFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream maps(maps_path_, std::ios::binary);
    std::ofstream masks(masks_path_, std::ios::binary);
    maps.write("12345678", 8);
    for (int p = 0; p < 3; ++p) {
      maps.write(reinterpret_cast<const char*>(k_half.map.data()), 16);
      masks.write(reinterpret_cast<const char*>(k_half.mask.data()), 4);
    }
  }
  void TearDown() override {
    std::remove(maps_path_.c_str());
    std::remove(masks_path_.c_str());
  }
  MappedSet set() const {
    MappedSet set;
    set.maps = {maps_path_, 8};
    set.masks = MappedArray{masks_path_, 0};
    set.count = 3;
    set.height = set.width = 2;
    return set;
  }
  std::string maps_path_ = testing::TempDir() + "crane_metrics_maps.f32";
  std::string masks_path_ = testing::TempDir() + "crane_metrics_masks.u8";
};

TEST_F(MappedFiles, GiveTheSameAsPicturesAddedOneByOne) {
  Evaluator evaluator({}, 2);
  evaluator.add_mapped("nut", set());
  const PixelResult mapped = evaluator.finish_class("nut").pixel;
  const PixelResult added = evaluate({k_half, k_half, k_half}).pixel;
  EXPECT_EQ(mapped.ranking.normal, 6u);
  EXPECT_EQ(mapped.regions, 3u);
  EXPECT_EQ(mapped.ranking.auroc.value, added.ranking.auroc.value);
  EXPECT_EQ(mapped.aupro[0].exact.value, added.aupro[0].exact.value);
}

TEST_F(MappedFiles, TooShortOrCrookedFilesAreRefused) {
  Evaluator evaluator({}, 1);
  MappedSet longer = set();
  longer.count = 4;
  EXPECT_EQ(error_of([&] { evaluator.add_mapped("a", longer); }).code(), "E_IO_READ");
  MappedSet crooked = set();
  crooked.maps.offset = 2;
  EXPECT_EQ(error_of([&] { evaluator.add_mapped("b", crooked); }).code(), "E_USAGE");
  MappedSet beyond = set();
  beyond.maps.offset = UINT64_MAX - 3;
  EXPECT_EQ(error_of([&] { evaluator.add_mapped("c", beyond); }).code(), "E_IO_READ");
}

TEST_F(MappedFiles, ASetThatEnteredInPartCannotBeFinished) {
  std::fstream maps(maps_path_, std::ios::binary | std::ios::in | std::ios::out);
  maps.seekp(8 + 2 * 16);
  const float nan = std::nanf("");
  maps.write(reinterpret_cast<const char*>(&nan), 4);
  maps.close();
  Evaluator evaluator({}, 1);
  const Error error = error_of([&] { evaluator.add_mapped("nut", set()); });
  EXPECT_EQ(error.code(), "E_IMAGE_NONFINITE");
  EXPECT_NE(std::string(error.what()).find("[2]"), std::string::npos);
  EXPECT_EQ(error_of([&] { evaluator.finish_class("nut"); }).code(), "E_IMAGE_NONFINITE");
}

TEST_F(MappedFiles, ASetThatIsRefusedMemoryIsWholeOrItsClassHasNoFigures) {
  MappedSet scored = set();
  scored.scores = {0.5, 0.5, 0.5};
  bool was_refused = true;
  int without_figures = 0;
  for (long at = 1; was_refused; ++at) {
    Evaluator evaluator({}, 1);
    bool is_in = false;
    {
      const RefusedMemory refused(at);
      try {
        evaluator.add_mapped("nut", scored);
        is_in = true;
      } catch (const std::exception&) {
      }
      was_refused = refused.was_refused();
    }
    try {
      expect_whole(evaluator.finish_class("nut"), is_in ? 3 : 0);
    } catch (const Error&) {
      EXPECT_FALSE(is_in) << at;
      ++without_figures;
    }
  }
  EXPECT_GT(without_figures, 3);
}

#ifdef __GLIBC__
// No thread can be started: none finds room for its stack.
class NoThreads {
 public:
  NoThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    ::pthread_attr_init(&huge);
    ::pthread_attr_setstacksize(&huge, size_t{1} << 60);
    ::pthread_setattr_default_np(&huge);
    ::pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_{};
};

TEST_F(MappedFiles, AreAddedAndFinishedByTheThreadsThatThereAre) {
  Evaluator evaluator({}, 3);
  const NoThreads none;
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  evaluator.add_mapped("nut", set());
  EXPECT_EQ(evaluator.finish_class("nut").remarks.pictures, 3u);
}
#endif

}  // namespace
}  // namespace crane::metrics
