// Every face of the table against its kernel's definition, on this CPU and without a tensor library. Rows
// that libtorch's operators run are compared in test/native/{layers,attention}.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "definitions.h"
#include "kernels/choice.h"

namespace crane::kernels {
namespace {

// The same numbers on every machine.
class Normal {
 public:
  explicit Normal(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  std::vector<float> values(int64_t count, double scale = 1) {
    std::vector<float> made(static_cast<size_t>(count));
    for (float& value : made) {
      const double radius = std::sqrt(-2 * std::log(uniform()));
      value = static_cast<float>(scale * radius * std::cos(6.283185307179586 * uniform()));
    }
    return made;
  }

 private:
  double uniform() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (static_cast<double>(state_ >> 12) + 1) * 0x1p-52;
  }

  uint64_t state_;
};

// Floats on a cache line's boundary.
class Aligned {
 public:
  explicit Aligned(int64_t count) : memory_(static_cast<size_t>(count) + 16) {}
  float* data() {
    const auto past = reinterpret_cast<uintptr_t>(memory_.data()) % 64;
    return memory_.data() + (past == 0 ? 0 : (64 - past) / sizeof(float));
  }

 private:
  std::vector<float> memory_;
};

struct Difference {
  double worst = 0;
  double mean = 0;
};

Difference difference(const std::vector<float>& got, const std::vector<double>& wanted) {
  EXPECT_EQ(got.size(), wanted.size());
  Difference found;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i]) && std::isnan(got[i])) continue;
    const double each = std::abs(got[i] - wanted[i]);
    found.worst = each <= found.worst ? found.worst : each;  // NaN counts
    found.mean += each / static_cast<double>(wanted.size());
  }
  return found;
}

class EveryFace : public ::testing::TestWithParam<const Row*> {
 protected:
  // What the face computes: in int8 attention takes faces of other precisions.
  Precision precision() const {
    for (const Row& row : table()) {
      if (row.function == GetParam()->function) return row.precision;
    }
    return GetParam()->precision;
  }
  bool rounds() const { return precision() != Precision::float32; }
  bool is_int8() const { return precision() == Precision::int8; }

  void compare(const LinearFace& face);
  void compare(const AttentionFace& face);
  void compare(const AffinityFace& face);
  void compare(const NearestFace& face);
  void compare(std::monostate) { FAIL() << "runs on libtorch's operators"; }

  void compare(const LinearFace& face, int64_t rows, int64_t depth, int64_t out, Epilogue epilogue,
               bool normalises);

  int64_t compared_ = 0;
};

void EveryFace::compare(const LinearFace& face, int64_t rows, int64_t depth, int64_t out, Epilogue epilogue,
                        bool normalises) {
  Normal normal(static_cast<uint64_t>(rows * 31 + depth * 7 + out));
  const auto x = normal.values(rows * depth, 2);
  const auto weight = normal.values(out * depth, 1 / std::sqrt(static_cast<double>(depth)));
  const auto bias = normal.values(out);
  const auto norm_weight = normal.values(depth);
  const auto norm_bias = normal.values(depth);
  const auto before = normal.values(rows * out);
  std::vector<int32_t> outliers;
  for (int32_t k = 5; face.is_int8() && k < depth && outliers.size() < 16; k += 11) outliers.push_back(k);
  const auto kept = static_cast<int64_t>(outliers.size());
  Aligned packed(face.packed_floats(out, depth, kept));
  face.pack(weight.data(), out, depth, 0, face.column_panels(out), packed.data(), outliers);
  LinearPanels job;
  job.outliers = outliers.data();
  job.outlier_count = kept;
  job.src = x.data();
  job.src_stride = depth;
  job.rows = rows;
  job.depth = depth;
  if (normalises) {
    job.norm_weight = norm_weight.data();
    job.norm_bias = norm_bias.data();
    job.norm_eps = 1e-5;
  }
  job.weight = packed.data();
  job.bias = bias.data();
  job.out = out;
  job.dst_row_stride = out;
  job.dst_group = out;
  job.epilogue = epilogue;
  std::vector<float> dst = before;
  job.dst = dst.data();
  const auto wanted = definitions::linear(job, weight, precision());
  const int64_t row_panels = face.row_panels(rows);
  const int64_t column_panels = face.column_panels(out);
  face.run(job, {0, row_panels, 0, column_panels});

  // Sums of size 1 to 10 of up to 4133 products; one rounding there is up to 5e-7. Where rows are normalised
  // and then rounded, the norm's last bit may decide a tie: then one operand differs by 2^-8 of itself.
  // In int8 it decides so between neighbours in 255 steps.
  const double tolerance = !rounds() || !normalises ? 3e-5 : is_int8() ? 0.1 : 0.02;
  const Difference found = difference(dst, wanted);
  EXPECT_LT(found.worst, tolerance) << rows << "x" << depth << "x" << out << ", epilogue "
                                    << static_cast<int>(epilogue) << ", norm " << normalises;
  EXPECT_LT(found.mean, is_int8() && normalises ? 3e-4 : 1e-5);
  compared_ += static_cast<int64_t>(wanted.size());
  if (is_int8() && !normalises && epilogue == Epilogue::store) {
    const auto sums = definitions::int8_sums(job, weight);
    int64_t equal = 0;
    for (size_t i = 0; i < dst.size(); ++i) equal += dst[i] == sums[i] + bias[i % static_cast<size_t>(out)];
    EXPECT_EQ(equal, rows * out) << rows << "x" << depth << "x" << out << ": bits equal to the definition's";
  }

  // Any split over threads gives the same bits.
  std::vector<float> split = before;
  job.dst = split.data();
  for (int64_t r = 0; r < row_panels; ++r) {
    for (int64_t c = 0; c < column_panels; ++c) face.run(job, {r, r + 1, c, c + 1});
  }
  EXPECT_EQ(std::memcmp(split.data(), dst.data(), dst.size() * sizeof(float)), 0);
}

void EveryFace::compare(const LinearFace& face) {
  // Below, at and above the sizes of panels, blocks and stretches of depth.
  const int64_t shapes[][3] = {{1, 64, 64},    {13, 70, 45},   {13, 71, 45},   {15, 1, 33},
                               {29, 2100, 96}, {29, 4133, 32}, {130, 192, 128}};
  for (const auto& [rows, depth, out] : shapes) {
    for (const Epilogue epilogue : {Epilogue::store, Epilogue::add, Epilogue::quick_gelu, Epilogue::gelu}) {
      compare(face, rows, depth, out, epilogue, /*normalises=*/false);
    }
    compare(face, rows, depth, out, Epilogue::store, /*normalises=*/true);
  }
}

void EveryFace::compare(const AttentionFace& face) {
  const int64_t heads = 2;
  for (const int64_t keys : {1, 7, 37, 57, 300}) {
    for (const int64_t queries : {int64_t{1}, keys, int64_t{45}}) {
      // plain, two softmaxes, E-Attn's three, and its joined kind
      const int kinds[][2] = {{1, 1}, {2, 1}, {3, 1}, {1, 3}};
      for (const auto& [streams, members] : kinds) {
        Normal normal(static_cast<uint64_t>(keys * 5 + queries * 11 + streams * 3 + members));
        const auto values = normal.values(heads * keys * k_head_width, 1.5);
        std::vector<std::vector<float>> sources;
        const auto source = [&](int64_t count) {
          sources.push_back(normal.values(heads * count * k_head_width, members == 1 ? 1.5 : 1));
          return HeadRows{sources.back().data(), k_head_width, count * k_head_width};
        };
        AttentionPanels job;
        job.stream_count = streams;
        for (int s = 0; s < streams; ++s) {
          job.streams[s].member_count = members;
          for (int m = 0; m < members; ++m) job.streams[s].members[m] = {source(queries), source(keys)};
        }
        job.scale = 0.125F;
        job.values = {values.data(), k_head_width, keys * k_head_width};
        job.heads = heads;
        job.queries = queries;
        job.keys = keys;
        std::vector<float> dst(static_cast<size_t>(heads * queries * k_head_width));
        job.dst = dst.data();
        job.dst_row_stride = k_head_width;
        job.dst_head_stride = queries * k_head_width;
        face.run(job, 0, face.tasks(job));
        const auto wanted = definitions::attention(job, precision());
        // Scores reach 20, where one rounding of float32 is 2e-6, which the softmax hands on to the weights;
        // values reach 6. In bfloat16 some weight falls on the other side of a tie and differs by 2^-8 of
        // itself; the mean shows how rarely.
        const Difference found = difference(dst, wanted);
        const double softmaxes = streams;
        EXPECT_LT(found.worst, softmaxes * (rounds() ? 0.025 : 1e-5))
            << keys << " keys, " << queries << " queries, " << streams << " streams of " << members;
        EXPECT_LT(found.mean, softmaxes * (rounds() ? 3e-5 : 1e-6));
        compared_ += static_cast<int64_t>(wanted.size());

        std::vector<float> split(dst.size());
        job.dst = split.data();
        for (int64_t task = face.tasks(job) - 1; task >= 0; --task) face.run(job, task, task + 1);
        EXPECT_EQ(std::memcmp(split.data(), dst.data(), dst.size() * sizeof(float)), 0);
      }
    }
  }
}

void EveryFace::compare(const AffinityFace& face) {
  for (const int64_t count : {1, 7, 33, 129, 300}) {
    for (const float shift : {0.2F, 0.5F, 2.0F}) {
      for (const bool keeps_self : {true, false}) {
        const int64_t depth = 40;
        const int64_t width = 2 * face.channels;
        Normal normal(static_cast<uint64_t>(count));
        auto features = normal.values(count * depth);
        for (int64_t i = 0; i < count; ++i) {
          double norm = 0;
          float* row = features.data() + i * depth;
          // a mean cosine well above 0, as pictures have it
          for (int64_t c = 0; c < depth; ++c) row[c] += 0.5F;
          for (int64_t c = 0; c < depth; ++c) norm += static_cast<double>(row[c]) * row[c];
          for (int64_t c = 0; c < depth; ++c) row[c] /= static_cast<float>(std::sqrt(norm));
        }
        const auto values = normal.values(count * 2 * width);
        AffinityPanels job;
        job.features = features.data();
        job.count = count;
        job.depth = depth;
        job.shift = shift;
        job.gain = 3;
        job.values = values.data();
        job.values_stride = 2 * width;
        job.width = width;
        job.keeps_self = keeps_self;
        std::vector<float> dst(static_cast<size_t>(count * width));
        job.dst = dst.data();
        Aligned packed(face.packed_floats(job));
        job.packed = packed.data();
        face.pack(job, 0, face.tiles(job));
        face.run(job, 0, face.panels(job));
        const auto wanted = definitions::affinity(job);
        const Difference found = difference(dst, wanted);
        EXPECT_LT(found.worst, 1e-5) << count << " rows, shift " << shift;
        compared_ += static_cast<int64_t>(wanted.size());
      }
    }
  }
}

void EveryFace::compare(const NearestFace& face) {
  // Below, at and above the sizes of panels, tiles and blocks; a bank smaller than a tile; none at all.
  const int64_t shapes[][3] = {{1, 1, 1},     {7, 5, 3},  {33, 40, 13},   {33, 41, 14}, {70, 7, 300},
                               {45, 384, 29}, {16, 9, 0}, {130, 64, 517}, {700, 16, 95}};
  for (const auto& [count, depth, bank_rows] : shapes) {
    Normal normal(static_cast<uint64_t>(count * 31 + depth * 7 + bank_rows));
    const double scale = 1 / std::sqrt(static_cast<double>(depth));
    const auto rows = normal.values(count * depth, scale);
    const auto bank = normal.values(bank_rows * depth, scale);
    const std::vector<float> before(static_cast<size_t>(count), -0.01F);
    std::vector<float> best = before;
    NearestPanels job;
    job.rows = rows.data();
    job.count = count;
    job.depth = depth;
    job.bank = bank.data();
    job.bank_rows = bank_rows;
    job.best = best.data();
    const auto wanted = definitions::nearest(job);
    face.run(job, 0, face.panels(job));
    EXPECT_LT(difference(best, wanted).worst, 2e-6) << count << "x" << depth << " in " << bank_rows;
    compared_ += static_cast<int64_t>(wanted.size());

    // Panel by panel, and the bank in pieces of any size from its end: the same bits.
    std::vector<float> split = before;
    job.best = split.data();
    for (int64_t to = bank_rows, step = 1; to > 0; to -= step, step = step % 23 + 2) {
      const int64_t from = std::max<int64_t>(0, to - step);
      job.bank = bank.data() + from * depth;
      job.bank_rows = to - from;
      for (int64_t p = face.panels(job) - 1; p >= 0; --p) face.run(job, p, p + 1);
    }
    EXPECT_EQ(std::memcmp(split.data(), best.data(), best.size() * sizeof(float)), 0);
  }
}

TEST_P(EveryFace, AgreesWithItsDefinition) {
  std::visit(
      [&](auto function) {
        if constexpr (std::is_pointer_v<decltype(function)>) {
          compare(*function);
        } else {
          compare(function);
        }
      },
      GetParam()->function);
  RecordProperty("compared", std::to_string(compared_));
  EXPECT_GT(compared_, 1000);
}

// On a CPU without its instructions a face is no test, instead of one that did not run.
std::vector<const Row*> faces_of_this_cpu() {
  std::vector<const Row*> faces;
  for (const Row& row : table()) {
    if (!std::holds_alternative<std::monostate>(row.function) && can_run(row)) faces.push_back(&row);
  }
  return faces;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryFace);
INSTANTIATE_TEST_SUITE_P(Table, EveryFace, ::testing::ValuesIn(faces_of_this_cpu()), [](const auto& info) {
  return std::string(info.param->kernel) + "_" + std::string(precision_name(info.param->precision)) + "_" +
         std::string(info.param->face);
});

TEST(Table, EveryRowHasANameOfItsOwnWithinItsKernel) {
  for (const Row& a : table()) {
    for (const Row& b : table()) {
      EXPECT_TRUE(&a == &b || a.kernel != b.kernel || a.precision != b.precision || a.face != b.face)
          << a.kernel << "=" << a.face;
    }
  }
}

}  // namespace
}  // namespace crane::kernels
