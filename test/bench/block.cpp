// Times the parts of a two-stream block at ViT-L/14's size (518 x 518: 1370 tokens, width 1024), the chosen
// faces against libtorch's operators, interleaved with the machine's GEMM peaks in float32 and bfloat16. With
// one thread its CPU time counts, so that other programs disturb little; else time on the clock. Not a test:
// nothing is asserted. Shares are of the peak in the precision of the part; libtorch's parts are float32.
//   crane_bench_block [rounds=9] [tokens=1370] [width=1024] [threads=0] [precision=float32|bfloat16]
#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "attention/plain.h"
#include "attention/self_correlation.h"
#include "engine/engine.h"
#include "layers/frozen_block.h"
#include "kernels/choice.h"

namespace {

using crane::Precision;
using crane::layers::Block;
using crane::layers::FrozenBlock;

struct Part {
  std::string name;
  double gflop;
  std::function<void()> run;
  int64_t times = 0;  // how often Crane's forward pass of 24 blocks, 19 of them with two streams, runs it
  std::vector<double> seconds = {};

  double median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

int64_t argument(int argc, char** argv, int index, int64_t otherwise) {
  return argc > index ? std::atoll(argv[index]) : otherwise;
}

double now(bool cpu_time) {
  timespec time{};
  clock_gettime(cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Block random_block(int64_t width) {
  const auto linear = [](int64_t out, int64_t in) {
    return crane::layers::Linear{at::randn({out, in}) / std::sqrt(static_cast<double>(in)),
                                 at::randn({out}) * 0.1};
  };
  Block block;
  block.ln1 = block.ln2 = {at::ones({width}), at::randn({width}) * 0.1, 1e-5};
  block.qkv = linear(3 * width, width);
  block.out = linear(width, width);
  block.fc1 = linear(4 * width, width);
  block.fc2 = linear(width, 4 * width);
  block.heads = width / 64;
  block.activation = crane::layers::Activation::quick_gelu;
  return block;
}

}  // namespace

int main(int argc, char** argv) {
  const c10::InferenceMode guard;
  const int64_t rounds = argument(argc, argv, 1, 9);
  const int64_t n = argument(argc, argv, 2, 1370);
  const int64_t width = argument(argc, argv, 3, 1024);
  const int threads = crane::set_compute_threads(static_cast<int>(argument(argc, argv, 4, 0)));

  const std::string wanted = argc > 5 ? argv[5] : "float32";
  const Precision precision = wanted == "bfloat16" ? Precision::bfloat16 : Precision::float32;

  const Block plain = random_block(width);
  const FrozenBlock frozen(plain, precision);
  const at::Tensor x = at::randn({1, n, width});
  const at::Tensor stream = x.clone();
  const auto own = frozen.project(x);
  const auto theirs = plain.project(plain.ln1(x));
  const double c = frozen.attention_scale();
  at::Tensor attended = crane::attention::plain_attention(own.q, own.k, own.v, c, false, precision);
  const crane::attention::SelfSet all;
  const at::Tensor a = at::randn({4096, 4096});
  const at::Tensor b = at::randn({4096, 4096});
  const at::Tensor short_a = a.to(at::kBFloat16);
  const at::Tensor short_b = b.to(at::kBFloat16);

  const double m = static_cast<double>(n);
  const double w = static_cast<double>(width);
  const double linear = 2e-9 * m * w * w;
  const double scores = 2e-9 * m * m * w;
  using crane::attention::plain_attention;
  using crane::attention::self_correlation;
  const auto& fused_plain = crane::attention::plain_attention_faces().end()[-2];
  const auto& fused_self = crane::attention::self_correlation_faces().end()[-2];
  std::vector<Part> parts;
  const double gemm = 2e-9 * 4096 * 4096 * 4096;
  parts.push_back({"GEMM peak, 4096^3, float32", gemm, [&] { at::mm(a, b); }});
  parts.push_back({"GEMM peak, 4096^3, bfloat16", gemm, [&] { at::mm(short_a, short_b); }});
  parts.push_back({"LN1 + qkv", 3 * linear, [&] { frozen.project(x); }, 24});
  parts.push_back({"plain attention", 2 * scores,
                   [&] { plain_attention(own.q, own.k, own.v, c, false, precision); }, 23});
  parts.push_back(
      {"E-Attn", 4 * scores, [&] { self_correlation(own.q, own.k, own.v, all, c, precision); }, 19});
  parts.push_back({"out + residual", linear, [&] { frozen.add_attended(stream, attended); }, 23 + 19});
  parts.push_back({"LN2 + MLP + residual", 8 * linear, [&] { frozen.add_mlp(stream); }, 23});
  const size_t own_parts = parts.size();
  parts.push_back({"libtorch: LN1 + qkv", 3 * linear, [&] { plain.project(plain.ln1(x)); }, 24});
  parts.push_back({"libtorch: plain attention", 2 * scores,
                   [&] { fused_plain.run(theirs.q, theirs.k, theirs.v, c, false); }, 24});
  parts.push_back(
      {"libtorch: E-Attn", 6 * scores, [&] { fused_self.run(theirs.q, theirs.k, theirs.v, all, c); }, 19});
  parts.push_back(
      {"libtorch: out + residual", linear, [&] { x + plain.attention_update(attended); }, 24 + 19});
  parts.push_back({"libtorch: LN2 + MLP + residual", 8 * linear, [&] { x + plain.mlp_update(x); }, 24});

  for (int64_t round = -1; round < rounds; ++round) {
    for (Part& part : parts) {
      stream.copy_(x);
      const double start = now(threads == 1);
      part.run();
      const double seconds = now(threads == 1) - start;
      if (round >= 0) part.seconds.push_back(seconds);
    }
  }
  std::printf("%s, %d threads, %ld tokens, width %ld, medians of %ld\n",
              crane::kernels::chosen_kernels(precision).c_str(), threads, static_cast<long>(n),
              static_cast<long>(width), static_cast<long>(rounds));
  const double peaks[] = {parts[0].gflop / parts[0].median(), parts[1].gflop / parts[1].median()};
  const double peak = peaks[precision == Precision::bfloat16 ? 1 : 0];
  double total[2] = {};
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const double rate = part.gflop / part.median();
    const double all_blocks = part.median() * static_cast<double>(part.times);
    const double of = i < 2 ? peaks[i] : i < own_parts ? peak : peaks[0];
    std::printf("%-32s %8.2f ms %7.1f GFLOP/s %5.0f %% of peak  x %2ld = %6.3f s\n", part.name.c_str(),
                part.median() * 1e3, rate, 100 * rate / of, static_cast<long>(part.times), all_blocks);
    total[i < own_parts ? 0 : 1] += all_blocks;
  }
  const double work = 24 * 12 * linear + 19 * linear + 24 * 2 * scores + 19 * 4 * scores;
  std::printf("own %.3f s = %.3f P in %s (P = %.3f s); libtorch %.3f s = %.3f P in float32\n", total[0],
              total[0] * peak / work, std::string(crane::precision_name(precision)).c_str(), work / peak,
              total[1], total[1] * peaks[0] / work);
}
