#include "methods/anovl/adaptation.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/error.h"
#include "layers/linear.h"
#include "weights/safetensors.h"

namespace crane::methods::anovl {
namespace {

constexpr int64_t k_width = 5;
constexpr int64_t k_cells = 4;
constexpr int64_t k_sentences = 6;

using Rows = std::vector<std::vector<double>>;

Rows rows_of(const at::Tensor& tensor) {
  Rows rows(static_cast<size_t>(tensor.size(0)));
  for (int64_t i = 0; i < tensor.size(0); ++i) {
    for (int64_t j = 0; j < tensor.size(1); ++j)
      rows[static_cast<size_t>(i)].push_back(tensor[i][j].item<double>());
  }
  return rows;
}

// The whole course in plain loops over doubles: gradients by central differences, AdamW by its definition.
struct Plain {
  Rows x, noise, pair, all, weight;
  std::vector<double> bias;
  Adapter adapter;

  std::vector<double> mixed(const std::vector<double>& row) const {
    double length = 0;
    for (const double value : row) length += value * value;
    length = std::sqrt(length);
    std::vector<double> answer(weight.size());
    for (size_t r = 0; r < weight.size(); ++r) {
      answer[r] = bias[r];
      for (size_t d = 0; d < row.size(); ++d) answer[r] += weight[r][d] * row[d] / length;
    }
    std::vector<double> out(row.size());
    for (size_t d = 0; d < row.size(); ++d) {
      double added = adapter == Adapter::linear ? answer[d] : 0;
      if (adapter == Adapter::text) {
        for (size_t r = 0; r < answer.size(); ++r) added += std::tanh(answer[r]) * all[r][d];
      }
      out[d] = 0.5 * row[d] + 0.5 * added;
    }
    return out;
  }
  // Probability of being anomalous.
  double anomalous(const std::vector<double>& row) const {
    double length = 0;
    double difference = 0;
    for (size_t d = 0; d < row.size(); ++d) {
      length += row[d] * row[d];
      difference += row[d] * (pair[1][d] - pair[0][d]);
    }
    return 1 / (1 + std::exp(-difference / std::sqrt(length)));
  }
  double loss() const {
    double entropy = 0;
    double contrast = 0;
    for (size_t n = 0; n < x.size(); ++n) {
      std::vector<double> disturbed = x[n];
      if (!noise.empty()) {
        for (size_t d = 0; d < disturbed.size(); ++d) disturbed[d] += noise[n][d];
      }
      const double clean = anomalous(mixed(x[n]));
      const double noisy = anomalous(mixed(disturbed));
      entropy -= clean * std::log(clean) + (1 - clean) * std::log(1 - clean);
      contrast -= std::log(noisy) + std::log(1 - clean);
    }
    const auto count = static_cast<double>(x.size());
    return entropy / count + 0.5 * contrast / count;
  }
  std::vector<double*> parameters() {
    std::vector<double*> all_of_them;
    for (auto& row : weight) {
      for (double& value : row) all_of_them.push_back(&value);
    }
    for (double& value : bias) all_of_them.push_back(&value);
    return all_of_them;
  }
  std::vector<double> gradient() {
    constexpr double h = 1e-5;
    std::vector<double> result;
    for (double* value : parameters()) {
      const double kept = *value;
      *value = kept + h;
      const double above = loss();
      *value = kept - h;
      const double below = loss();
      *value = kept;
      result.push_back((above - below) / (2 * h));
    }
    return result;
  }
  // One step after `steps`; means of the gradient and of its square.
  void step(int64_t steps, std::vector<double>& first, std::vector<double>& second) {
    const std::vector<double> g = gradient();
    first.resize(g.size());
    second.resize(g.size());
    size_t i = 0;
    for (double* value : parameters()) {
      first[i] = 0.9 * first[i] + 0.1 * g[i];
      second[i] = 0.999 * second[i] + 0.001 * g[i] * g[i];
      const double m = first[i] / (1 - std::pow(0.9, static_cast<double>(steps + 1)));
      const double v = second[i] / (1 - std::pow(0.999, static_cast<double>(steps + 1)));
      *value = *value * (1 - 1e-3 * 0.01) - 1e-3 * m / (std::sqrt(v) + 1e-8);
      ++i;
    }
  }
};

struct Example {
  at::Tensor patches;
  Sentences sentences;
  Draws draws;
  Options options;

  explicit Example(Adapter adapter, bool has_noise = true, int64_t pictures = 1) {
    at::manual_seed(42);
    options.adapter = adapter;
    options.adapter_steps = 3;
    options.compat.noise = has_noise;
    patches = 2 * at::randn({k_cells, k_width});
    sentences = {layers::unit_rows(at::randn({2, k_width})),
                 layers::unit_rows(at::randn({k_sentences, k_width}))};
    const int64_t rows = adapter == Adapter::text ? k_sentences : k_width;
    draws = {0.3 * at::randn({pictures, rows, k_width}), 0.3 * at::randn({pictures, rows}), {}};
    if (has_noise) draws.noise = 0.2 * at::randn({pictures, options.adapter_steps, k_cells, k_width});
  }
  Plain plain(int64_t picture) const {
    Plain loops{rows_of(patches),
                {},
                rows_of(sentences.pair),
                rows_of(sentences.all),
                rows_of(draws.weight[picture]),
                rows_of(draws.bias[picture].unsqueeze(0))[0],
                options.adapter};
    return loops;
  }
};

void expect_as_by_loops(const Example& example, bool carries) {
  Carried carried;
  std::vector<double> first;
  std::vector<double> second;
  int64_t steps = 0;
  double moved = 0;
  for (int64_t picture = 0; picture < example.draws.weight.size(0); ++picture) {
    const at::Tensor result = adapted(example.patches, example.sentences, example.draws, picture,
                                      example.options, carries ? &carried : nullptr, nullptr);
    Plain loops = example.plain(picture);
    if (!carries) {
      first.clear();
      second.clear();
      steps = 0;
    }
    for (int64_t step = 0; step < example.options.adapter_steps; ++step) {
      if (example.draws.noise.defined()) loops.noise = rows_of(example.draws.noise[picture][step]);
      loops.step(steps++, first, second);
    }
    for (int64_t n = 0; n < k_cells; ++n) {
      const std::vector<double> wanted = loops.mixed(loops.x[static_cast<size_t>(n)]);
      const std::vector<double> before = example.plain(picture).mixed(loops.x[static_cast<size_t>(n)]);
      for (int64_t d = 0; d < k_width; ++d) {
        EXPECT_NEAR(result[n][d].item<double>(), wanted[static_cast<size_t>(d)], 2e-6) << picture;
        moved = std::max(moved, std::abs(wanted[static_cast<size_t>(d)] - before[static_cast<size_t>(d)]));
      }
    }
  }
  EXPECT_GT(moved, 1e-4);  // what it learns is far above what is tolerated
}

TEST(Adaptation, IsAdamWOnTheLossOfThePage) {
  expect_as_by_loops(Example(Adapter::text), false);
  expect_as_by_loops(Example(Adapter::linear), false);
  expect_as_by_loops(Example(Adapter::text, /*has_noise=*/false), false);
}

TEST(Adaptation, CarriesTheOptimisersStateWhereAskedFor) {
  expect_as_by_loops(Example(Adapter::text, true, /*pictures=*/3), true);
  expect_as_by_loops(Example(Adapter::text, true, /*pictures=*/3), false);
  const Example example(Adapter::linear, true, 2);
  Carried carried;
  adapted(example.patches, example.sentences, example.draws, 0, example.options, &carried, nullptr);
  EXPECT_EQ(carried.steps, 3);
  const at::Tensor gone_on =
      adapted(example.patches, example.sentences, example.draws, 1, example.options, &carried, nullptr);
  EXPECT_EQ(carried.steps, 6);
  EXPECT_FALSE(at::equal(gone_on, adapted(example.patches, example.sentences, example.draws, 1,
                                          example.options, nullptr, nullptr)));
}

TEST(Adaptation, APictureThatDivergesLeavesNothingToThoseBehindIt) {
  const Example example(Adapter::text, true, /*pictures=*/3);
  Draws broken = example.draws;
  broken.noise = example.draws.noise.clone();
  broken.noise[1][1].fill_(std::numeric_limits<double>::infinity());  // in its second step
  Carried carried;
  Carried without;
  const auto adapt = [&](const Draws& draws, int64_t picture, Carried& into) {
    return adapted(example.patches, example.sentences, draws, picture, example.options, &into, nullptr);
  };
  adapt(example.draws, 0, carried);
  adapt(example.draws, 0, without);
  EXPECT_THROW(adapt(broken, 1, carried), Error);
  EXPECT_TRUE(at::equal(adapt(example.draws, 2, carried), adapt(example.draws, 2, without)));
}

TEST(Adaptation, OfNothingFiniteIsRefused) {
  Example example(Adapter::text);
  example.patches.select(0, 0).fill_(std::numeric_limits<double>::infinity());
  try {
    adapted(example.patches, example.sentences, example.draws, 0, example.options, nullptr, nullptr);
    FAIL() << "adapted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_TRAIN_DIVERGED");
  }
}

TEST(Draws, FollowTheSeedAndAreThoseOfANewLinearLayer) {
  Options options;
  options.compat.noise = true;
  const int64_t width = 64;
  const Draws a = drawn(options, 40, 9, width);
  const Draws again = drawn(options, 40, 9, width);
  EXPECT_TRUE(at::equal(a.weight, again.weight) && at::equal(a.bias, again.bias) &&
              at::equal(a.noise, again.noise));
  options.adapter_seed = 1;
  EXPECT_FALSE(at::equal(a.weight, drawn(options, 40, 9, width).weight));
  EXPECT_LE(a.weight.abs().max().item<double>(), 0.125);
  EXPECT_NEAR(a.weight.std().item<double>(), 0.125 / std::sqrt(3.0), 0.004);
  EXPECT_NEAR(a.noise.std().item<double>(), 0.055, 0.002);
  options.compat.noise = false;
  EXPECT_FALSE(drawn(options, 40, 9, width).noise.defined());
}

// A file of draws with these shapes.
struct DrawsFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / join_text("crane-draws-", ::getpid(), ".safetensors");
  explicit DrawsFile(const std::vector<std::pair<std::string, std::vector<int64_t>>>& tensors) {
    std::vector<weights::SafetensorsEntry> entries;
    for (const auto& [name, shape] : tensors) entries.push_back({name, weights::DType::f32, shape});
    weights::SafetensorsWriter writer(path.string(), entries, {});
    for (size_t i = 0; i < entries.size(); ++i) {
      const at::Tensor values = at::randn(entries[i].shape);
      writer.append(i, {static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
    }
    writer.finish();
  }
  ~DrawsFile() { std::filesystem::remove(path); }
};

TEST(Draws, OfAFileMustFit) {
  Options options;
  options.adapter_steps = 2;
  options.compat.noise = true;
  const auto code = [&](const std::vector<std::pair<std::string, std::vector<int64_t>>>& tensors) {
    const DrawsFile file(tensors);
    try {
      read_draws(file.path.string(), options, 6, 4, 5);
    } catch (const Error& error) {
      return std::string(error.code());
    }
    return std::string("nothing");
  };
  EXPECT_EQ(code({{"weight", {3, 6, 5}}, {"bias", {3, 6}}, {"noise", {3, 2, 4, 5}}}), "nothing");
  EXPECT_EQ(code({{"weight", {3, 6, 5}}, {"bias", {3, 6}}}), "E_PROMPTS");
  EXPECT_EQ(code({{"weight", {3, 7, 5}}, {"bias", {3, 6}}, {"noise", {3, 2, 4, 5}}}), "E_PROMPTS");
  EXPECT_EQ(code({{"weight", {3, 6, 5}}, {"bias", {2, 6}}, {"noise", {3, 2, 4, 5}}}), "E_PROMPTS");
  EXPECT_EQ(code({{"weight", {3, 6, 5}}, {"bias", {3, 6}}, {"noise", {3, 3, 4, 5}}}), "E_PROMPTS");
}

}  // namespace
}  // namespace crane::methods::anovl
