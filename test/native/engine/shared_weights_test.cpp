// Engines of one process hold the weights of a file once, as long as one of them lives, and never those of
// another file.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "kernels/choice.h"
#include "synthetic_model.h"
#include "tensors/shared_tensors.h"

namespace crane {
namespace {

namespace fs = std::filesystem;

class SharedWeights : public ::testing::Test {
 protected:
  SharedWeights() : model(/*width=*/128, /*blocks=*/3, /*side=*/56) {
    pixels.resize(static_cast<size_t>(3 * 56 * 56));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 17) / 8 - 1;
  }
  void SetUp() override { ASSERT_EQ(shared_tensors().bytes, 0) << "of an earlier test"; }
  void TearDown() override { EXPECT_EQ(shared_tensors().bytes, 0); }

  std::vector<float> map_of(Engine& engine) {
    const int64_t prompts = engine.add_context(model.material, model.options);
    return engine.score_preprocessed(pixels.data(), {1, 56, 56}, prompts, model.options, true, nullptr)
        .front()
        .map;
  }

  SyntheticModel model;
  std::vector<float> pixels;
};

TEST_F(SharedWeights, ASecondEngineHoldsNothingOfItsOwnAndGivesTheSameBits) {
  auto first = std::make_unique<Engine>(model.config);
  const auto wanted = map_of(*first);
  const SharedTensors alone = shared_tensors();
  EXPECT_GT(alone.bytes, 1 << 20);
  auto second = std::make_unique<Engine>(model.config);
  EXPECT_EQ(map_of(*second), wanted);
  EXPECT_EQ(shared_tensors().bytes, alone.bytes);
  EXPECT_EQ(shared_tensors().tensors, alone.tensors);
  first.reset();
  EXPECT_EQ(shared_tensors().bytes, alone.bytes);
  EXPECT_EQ(map_of(*second), wanted);
}

TEST_F(SharedWeights, AnEngineSaysThatItsPackedWeightsAreAnothers) {
  // Where no face packs weights nothing is there to write or to share, and the facts say so.
  const bool packs = kernels::can_run("avx2");
  const fs::path folder = fs::temp_directory_path() / join_text("crane-shared-", ::getpid());
  fs::create_directories(folder);
  model.config.start_cache = StartCache{folder.string(), "weights", /*least_bytes=*/0};
  {
    const Engine first(model.config);
    const Engine second(model.config);
    EXPECT_EQ(first.facts().vision.packed, packs ? "written" : "memory");
    EXPECT_EQ(second.facts().vision.packed, packs ? "shared" : "memory");
    EXPECT_EQ(second.facts().vision.parameters, first.facts().vision.parameters);
  }
  EXPECT_EQ(Engine(model.config).facts().vision.packed, packs ? "mapped" : "memory");
  fs::remove_all(folder);
}

TEST_F(SharedWeights, WhatIsOpenedAtATimeIsHeldOnce) {
  const Engine first(model.config);
  const int64_t alone = shared_tensors().bytes;
  std::vector<std::unique_ptr<Engine>> engines(4);
  std::vector<std::thread> threads;
  for (auto& engine : engines) {
    threads.emplace_back([&] { engine = std::make_unique<Engine>(model.config); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared_tensors().bytes, alone);
}

TEST_F(SharedWeights, AnotherPrecisionPacksItsOwn) {
  Engine exact(model.config);
  const auto wanted = map_of(exact);
  const int64_t alone = shared_tensors().bytes;
  model.config.precision = Precision::bfloat16;
  if (!kernels::can_multiply_in(Precision::bfloat16)) {
    EXPECT_THROW(Engine{model.config}, Error);
    EXPECT_EQ(shared_tensors().bytes, alone);
    return;
  }
  Engine rounded(model.config);
  EXPECT_GT(shared_tensors().bytes, alone);
  EXPECT_NE(map_of(rounded), wanted);
  EXPECT_EQ(map_of(exact), wanted);
}

// A file that is written anew in its place: an engine that is open keeps what it read.
TEST_F(SharedWeights, AFileThatChangedIsReadAgain) {
  Engine before(model.config);
  const auto wanted = map_of(before);
  const std::string path = model.config.weights.front();
  std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
  // the exponents of some weights of the last tensors
  stream.seekp(-4 * 400, std::ios::end);
  const std::vector<float> other(200, 0.125F);
  stream.write(reinterpret_cast<const char*>(other.data()), static_cast<std::streamsize>(4 * other.size()));
  stream.close();
  const int64_t alone = shared_tensors().bytes;
  Engine after(model.config);
  EXPECT_GT(shared_tensors().bytes, alone);
  EXPECT_NE(map_of(after), wanted);
  EXPECT_EQ(map_of(before), wanted);
}

TEST(SharedTensor, WhatHasNoNameIsMadeEachTime) {
  int made = 0;
  const auto make = [&] {
    ++made;
    return at::zeros({4});
  };
  const at::Tensor a = shared_tensor("", make);
  const at::Tensor b = shared_tensor("", make);
  EXPECT_EQ(made, 2);
  EXPECT_NE(a.const_data_ptr(), b.const_data_ptr());
}

TEST(SharedTensor, NamesThatWentAreMadeAgainAndTheirMakersErrorsPassOn) {
  bool was_there = true;
  for (int i = 0; i < 300; ++i) {
    shared_tensor(
        join_text("one ", i), [] { return at::zeros({4}); }, &was_there);
    EXPECT_FALSE(was_there);
  }
  EXPECT_EQ(shared_tensors().tensors, 0);
  const at::Tensor kept = shared_tensor("two", [] { return at::ones({4}); });
  shared_tensor(
      "two", [] { return at::zeros({4}); }, &was_there);
  EXPECT_TRUE(was_there);
  EXPECT_THROW(shared_tensor("three", []() -> at::Tensor { throw Error("E_IO_READ", "gone"); }), Error);
  EXPECT_EQ(shared_tensors().tensors, 1);
}

}  // namespace
}  // namespace crane
