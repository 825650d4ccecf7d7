// Training through the engine: the feature cache against the pictures, saved and resumed runs, checkpoints.
#include "engine/training.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../engine/synthetic_model.h"
#include "../weights/error_of.h"
#include "image/mask.h"
#include "image/normalise.h"
#include "train/cells.h"
#include "train/order.h"
#include "train/saved_training.h"
#include "train/stored_features.h"
#include "weights/tensor_view.h"

namespace crane {
namespace {

using weights::code_of;

constexpr int64_t k_side = 84;
constexpr int64_t k_pixels = k_side * k_side;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Course {
  SyntheticModel model{128, 3, k_side};
  std::shared_ptr<Engine> engine;
  std::filesystem::path folder;
  std::vector<std::vector<uint8_t>> pictures;
  std::vector<uint8_t> masks;
  std::vector<std::vector<uint32_t>> cells;
  std::vector<int64_t> labels{0, 1, 1, 0};

  explicit Course(bool d_attn = true) {
    model.options = with(model.options, {{"dAttn", d_attn}});
    if (!d_attn) {
      // one map, listed twice
      model.options = with(model.options, {{"features", std::vector<double>{2, 3}}, {"eAttnLayers", 2.0}});
    }
    engine = std::make_shared<Engine>(model.config);
    folder = std::filesystem::temp_directory_path() / join_text("crane-training-", ::getpid(), "-", next_++);
    std::filesystem::create_directories(folder);
    for (size_t i = 0; i < labels.size(); ++i) {
      std::vector<uint8_t>& rgb = pictures.emplace_back(k_pixels * 3);
      for (size_t k = 0; k < rgb.size(); ++k) rgb[k] = static_cast<uint8_t>((k * (2 * i + 3) + k / 97) % 251);
      std::vector<uint8_t> mask(k_pixels);
      for (int64_t k = 0; k < k_pixels; ++k) mask[k] = labels[i] == 1 && (k / k_side) < 20 + 9 * (int64_t)i;
      cells.push_back(train::anomalous_per_cell(mask.data(), k_side, k_side, {6, 6}));
      masks.insert(masks.end(), mask.begin(), mask.end());
    }
  }
  ~Course() { std::filesystem::remove_all(folder); }

  Training begin(const methods::Settings& settings = {}) const {
    return begin({methods::LearnerStart::Kind::checkpoint, model.material, 0, {}}, settings);
  }
  Training begin(const methods::LearnerStart& start, const methods::Settings& settings) const {
    return {engine, model.options.method, start, settings};
  }
  Training resume(const std::string& state) const {
    return begin({methods::LearnerStart::Kind::saved, {}, 0, state}, {});
  }

  train::FeatureSizes sizes() const { return engine->feature_shape(model.options).tensors; }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  std::vector<TrainItem> items(bool half) const {
    std::vector<FeatureItem> wanted;
    for (size_t i = 0; i < pictures.size(); ++i) {
      wanted.push_back({{pictures[i].data(), k_side, k_side, image::Mode::rgb},
                        path(join_text(half, "-", i)),
                        {{"mask", cells[i]}}});
    }
    engine->write_features(wanted, half, model.options, nullptr);
    std::vector<TrainItem> items;
    for (size_t i = 0; i < pictures.size(); ++i) {
      items.push_back({labels[i] == 1, wanted[i].path, "mask"});
    }
    return items;
  }

  std::vector<float> input() const {
    std::vector<float> all(pictures.size() * 3 * k_pixels);
    image::Normalisation constants{};
    constants.mean = {0.5f, 0.5f, 0.5f};
    constants.std = {0.25f, 0.25f, 0.25f};
    for (size_t i = 0; i < pictures.size(); ++i) {
      image::normalise(pictures[i].data(), k_side, k_side, constants, all.data() + i * 3 * k_pixels);
    }
    return all;
  }

 private:
  static inline int next_ = 0;
};

void expect_same(const TracedStages& a, const TracedStages& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, stage] : a) EXPECT_EQ(stage.data, b.at(name).data) << name;
}

TEST(FeatureCache, SinglePrecisionGivesTheBitsOfThePictures) {
  for (const bool d_attn : {false, true}) {
    const Course course(d_attn);
    const std::vector<float> input = course.input();
    const TrainBatch batch{input.data(), course.masks.data(), course.labels.data()};
    const auto items = course.items(/*half=*/false);
    Training cached = course.begin();
    Training uncached = course.begin();
    for (int step = 0; step < 3; ++step) {
      const auto a = cached.step(items);
      const auto b = uncached.step_on_pictures(batch, {4, k_side, k_side}, nullptr);
      EXPECT_EQ(a.total, b.total);
    }
    expect_same(cached.state(), uncached.state());
  }
}

TEST(FeatureCache, HalfPrecisionStaysCloseAndTakesHalfTheSpace) {
  const Course course;
  const auto whole = course.items(/*half=*/false);
  const auto half = course.items(/*half=*/true);
  Training a = course.begin();
  Training b = course.begin();
  const double exact = a.step(whole).total;
  const double rounded = b.step(half).total;
  EXPECT_NE(exact, rounded);
  EXPECT_NEAR(exact, rounded, 2e-3 * exact);
  EXPECT_LT(std::filesystem::file_size(half[0].features),
            0.6 * std::filesystem::file_size(whole[0].features));
}

TEST(FeatureCache, BatchMeanIsRefused) {
  Course course;
  course.model.options = with(course.model.options, {{"compat.batchMean", true}});
  EXPECT_EQ(code_of([&] { course.engine->feature_shape(course.model.options); }), "E_MODEL_CONFIG");
  EXPECT_EQ(code_of([&] { course.items(true); }), "E_MODEL_CONFIG");
}

TEST(FeatureCache, DamageIsNoticed) {
  const Course course;
  const auto items = course.items(/*half=*/true);
  const train::FeatureSizes sizes = course.sizes();
  const auto state = [](const std::string& path, const train::FeatureSizes& expected, int64_t cells = 36) {
    return train::check_features(path, expected, cells).state;
  };
  EXPECT_EQ(state(items[0].features, sizes), train::FeatureState::whole);
  EXPECT_EQ(state(course.path("none"), sizes), train::FeatureState::missing);
  train::FeatureSizes others = sizes;
  ++others[1].second[0];
  EXPECT_EQ(state(items[0].features, others), train::FeatureState::damaged);
  others = sizes;
  others.push_back({"levels", {1}});
  EXPECT_EQ(state(items[0].features, others), train::FeatureState::damaged);
  EXPECT_EQ(state(items[0].features, sizes, 35), train::FeatureState::damaged);
  const std::string bytes = bytes_of(items[0].features);
  // of a feature, of a count (they lie first, being wider), of the header
  const size_t counts = 8 + *reinterpret_cast<const uint64_t*>(bytes.data());
  for (const size_t at : {bytes.size() - 1, bytes.size() / 2, counts, size_t{9}}) {
    std::string changed = bytes;
    changed[at] ^= 4;
    std::ofstream(course.path("changed"), std::ios::binary) << changed;
    EXPECT_EQ(state(course.path("changed"), sizes), train::FeatureState::damaged) << at;
  }
  std::ofstream(course.path("short"), std::ios::binary) << bytes.substr(0, bytes.size() - 5);
  EXPECT_EQ(state(course.path("short"), sizes), train::FeatureState::damaged);
}

TEST(FeatureCache, CountsOfAnotherMaskAreAddedToTheSameFeatures) {
  const Course course;
  const auto items = course.items(/*half=*/true);
  const std::string& path = items[1].features;
  const auto tensor = [&](const std::string& name) {
    const auto file = weights::open_weights(path);
    const weights::TensorView* view = file->find(name);
    return view == nullptr ? "" : std::string(reinterpret_cast<const char*>(view->data), view->bytes());
  };
  const std::string maps = tensor("maps");
  train::add_cells(path, course.sizes(), 36, std::vector<train::MaskCells>{{"other", course.cells[2]}});
  EXPECT_EQ(tensor("maps"), maps);
  const auto stored = train::open_features(path, course.sizes(), 36);
  EXPECT_EQ(train::cells_of(stored, "mask"), course.cells[1]);
  EXPECT_EQ(train::cells_of(stored, "other"), course.cells[2]);
  EXPECT_EQ(code_of([&] { train::cells_of(stored, "third"); }), "E_TRAIN_FEATURES");
  const auto check = train::check_features(path, course.sizes(), 36);
  EXPECT_EQ(check.state, train::FeatureState::whole);
  // of 84 x 84 pixels the upper 29 rows, the upper 38
  EXPECT_EQ(check.masks, (std::map<std::string, uint64_t>{{"mask", 29u * 84}, {"other", 38u * 84}}));

  Training training = course.begin();
  auto renamed = items;
  renamed[1].cells = "third";
  EXPECT_EQ(code_of([&] { training.step(renamed); }), "E_TRAIN_FEATURES");
}

// Written by hand as the version before wrote it: features, no counts.
TEST(FeatureCache, AFileOfTheVersionBeforeIsRecognisedAndTakesCounts) {
  const Course course;
  auto items = course.items(/*half=*/true);
  const std::string path = course.path("before");
  {
    const auto file = weights::open_weights(items[1].features);
    std::vector<weights::SafetensorsEntry> entries;
    std::vector<const weights::TensorView*> views;
    std::map<std::string, std::string> metadata = file->metadata();
    metadata[train::k_features_format] = "1";
    for (const auto& [name, shape] : course.sizes()) {
      views.push_back(file->find(name));
      entries.push_back({name, views.back()->dtype, shape});
    }
    weights::SafetensorsWriter writer(path, entries, metadata);
    for (size_t i = 0; i < views.size(); ++i) writer.append(i, {views[i]->data, views[i]->bytes()});
    writer.finish();
  }
  const auto state = [&] { return train::check_features(path, course.sizes(), 36).state; };
  EXPECT_EQ(state(), train::FeatureState::of_before);
  Training refused = course.begin();
  auto old = items;
  old[1].features = path;
  EXPECT_EQ(code_of([&] { refused.step(old); }), "E_TRAIN_FEATURES");
  train::add_cells(path, course.sizes(), 36, std::vector<train::MaskCells>{{"mask", course.cells[1]}});
  EXPECT_EQ(state(), train::FeatureState::whole);
  EXPECT_EQ(bytes_of(path), bytes_of(items[1].features));
}

TEST(Training, GoesOnFromItsFileBitForBit) {
  const Course course;
  const auto items = course.items(/*half=*/true);
  Training whole = course.begin();
  Training first = course.begin();
  const std::map<std::string, std::string> metadata{{"epoch", "1"}};
  const std::vector<train::ExtraTensor> extra{{"losses", false, {1.5, 2.5}, {}},
                                              {"order", true, {}, {3, 1, 2}}};
  for (int i = 0; i < 5; ++i) whole.step(items);
  for (int i = 0; i < 2; ++i) first.step(items);
  first.save(course.path("state"), extra, metadata);
  Training second = course.resume(course.path("state"));
  for (int i = 0; i < 3; ++i) second.step(items);
  expect_same(whole.state(), second.state());
  whole.save(course.path("a"), extra, metadata);
  second.save(course.path("b"), extra, metadata);
  EXPECT_EQ(bytes_of(course.path("a")), bytes_of(course.path("b")));
  const auto file = weights::open_weights(course.path("state"));
  EXPECT_EQ(file->metadata().at("epoch"), "1");
  EXPECT_EQ(file->find("extra.order")->shape, std::vector<int64_t>{3});
}

TEST(Training, SomeOtherFileIsNoSavedTraining) {
  const Course course;
  const auto resume = [&](const std::string& path) { return code_of([&] { course.resume(path); }); };
  EXPECT_EQ(resume(course.model.material.files.at("prompts")), "E_TRAIN_RESUME");
  EXPECT_EQ(resume(course.path("none")), "E_WEIGHTS_NOT_FOUND");
}

TEST(Training, CheckpointsBringThePromptsBack) {
  const Course course;
  const auto items = course.items(/*half=*/true);
  Training learned = course.begin();
  for (int i = 0; i < 2; ++i) learned.step(items);
  learned.write_checkpoint(course.path("epoch_1.pth"), /*as_pth=*/true, {});
  learned.write_checkpoint(course.path("prompts.safetensors"), /*as_pth=*/false, {{"learnedOn", "[]"}});
  TracedStages own = learned.state();
  std::erase_if(own, [](const auto& stage) { return stage.first.starts_with("grad."); });
  for (const char* name : {"epoch_1.pth", "prompts.safetensors"}) {
    methods::LearnerStart start;
    start.material.files["prompts"] = course.path(name);
    start.material.texts = {{"normal", {{0}}}, {"anomalous", {{0}}}};  // the file brings its own texts
    Training again = course.begin(start, {});
    expect_same(again.state(), own);
  }
  const auto checkpoint = weights::open_weights(course.path("epoch_1.pth"));
  EXPECT_EQ(checkpoint->find("prompt_learner.token_suffix_pos")->shape, (std::vector<int64_t>{1, 1, 5, 64}));
  EXPECT_EQ(checkpoint->find("prompt_learner.ctx_neg")->shape, (std::vector<int64_t>{1, 1, 3, 64}));
}

TEST(Training, UnknownMasksCountInTheImageLossOnly) {
  const Course course;
  auto items = course.items(/*half=*/true);
  const methods::Settings options;
  Training known = course.begin(options);
  Training some = course.begin(options);
  Training none = course.begin(options);
  const auto all = known.step(items);
  items[1].cells = "";
  const auto three = some.step(items);
  for (TrainItem& item : items) item.cells = "";
  const auto zero = none.step(items);
  EXPECT_EQ(all.image, three.image);
  EXPECT_NE(all.focal, three.focal);
  EXPECT_EQ(all.image, zero.image);
  EXPECT_EQ(zero.focal, 0.0);
  EXPECT_EQ(zero.dice, 0.0);
  EXPECT_NEAR(zero.total, 0.2 * zero.image, 1e-6);
}

// A picture without a mask must not disturb the pixel loss of the others: leaving it out of the batch gives
// the same.
TEST(Training, PixelLossIsTheMeanOverPicturesWithMasks) {
  const Course course;
  auto items = course.items(/*half=*/true);
  const methods::Settings options{{"guidance", "none"}};  // text vectors that do not depend on the picture
  Training a = course.begin(options);
  Training b = course.begin(options);
  items[3].cells = "";
  const auto with = a.step(items);
  items.pop_back();
  const auto without = b.step(items);
  EXPECT_NEAR(with.focal, without.focal, 1e-6);
  EXPECT_NEAR(with.dice, without.dice, 1e-6);
}

TEST(Training, ALossThatIsNotFiniteChangesNothing) {
  const Course course;
  const auto items = course.items(/*half=*/true);
  const methods::Settings options{{"imageTemperature", 1e-45}};  // the logits overflow
  Training training = course.begin(options);
  const TracedStages before = training.state();
  EXPECT_EQ(code_of([&] { training.step(items); }), "E_TRAIN_DIVERGED");
  TracedStages after = training.state();
  std::erase_if(after, [](const auto& stage) { return stage.first.starts_with("grad."); });
  expect_same(before, after);
}

TEST(Training, FreshPromptsComeFromTheirSeedAlone) {
  const Course course;
  methods::LearnerStart fresh{methods::LearnerStart::Kind::fresh, course.model.material, 7, {}};
  methods::Settings sizes{{"contextRows", 3.0}, {"deepBlocks", 2.0}, {"deepTokens", 2.0}};
  const auto state = [&] { return course.begin(fresh, sizes).state(); };
  const TracedStages one = state();
  expect_same(one, state());
  ASSERT_EQ(one.size(), 4u);
  double sum = 0;
  size_t count = 0;
  for (const auto& [name, stage] : one) {
    for (const float value : stage.data) sum += static_cast<double>(value) * value;
    count += stage.data.size();
  }
  EXPECT_NEAR(std::sqrt(sum / static_cast<double>(count)), 0.02, 0.002);
  fresh.seed = 8;
  EXPECT_NE(one.at("param.ctx_pos").data, state().at("param.ctx_pos").data);
  sizes["deepBlocks"] = 3.0;
  EXPECT_EQ(code_of([&] { state(); }), "E_PROMPTS");
}

TEST(Training, DeepTokensOfASavedOneLieWithinItsContextRows) {
  const Course course;
  const auto code = [&](int64_t deep_tokens) {
    const train::Parameters parameters{{"ctx_pos", at::ones({3, 64})},
                                       {"ctx_neg", at::ones({3, 64})},
                                       {"compound_prompts_text.0", at::ones({deep_tokens, 64})}};
    std::vector<at::Tensor> tensors;
    for (const auto& [name, tensor] : parameters) tensors.push_back(tensor);
    const at::Tensor ids = at::tensor({1, 2, 2, 2, 5, 9}, at::kInt);
    train::save_training(course.path("state"), parameters, train::Adam({}, tensors),
                         {{"ids.pos", ids}, {"ids.neg", ids}}, {}, {});
    return code_of([&] { course.resume(course.path("state")); });
  };
  EXPECT_EQ(code(3), "");
  EXPECT_EQ(code(4), "E_TRAIN_RESUME");
}

// What Python's loader with a generator of seed 111 handed out for ten pictures.
TEST(ReferenceOrder, EqualsTheReferencesLoader) {
  EXPECT_EQ(train::reference_order(111, 10, 0), (std::vector<int32_t>{6, 5, 8, 1, 9, 0, 2, 4, 3, 7}));
  EXPECT_EQ(train::reference_order(111, 10, 1), (std::vector<int32_t>{9, 7, 2, 0, 6, 4, 8, 5, 3, 1}));
  EXPECT_EQ(train::reference_order(111, 10, 4), (std::vector<int32_t>{1, 9, 7, 8, 5, 0, 6, 2, 3, 4}));
  EXPECT_EQ(train::reference_order(111, 1, 2), (std::vector<int32_t>{0}));
}

}  // namespace
}  // namespace crane
