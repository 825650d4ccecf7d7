// Times Crane's whole forward pass at ViT-L/14's size with synthetic weights, interleaved with the machine's
// GEMM peak: P = 1360 GFLOP / peak. With one thread its CPU time counts, else time on the clock. Not a test:
// nothing is asserted. CRANE_KERNELS chooses the faces (simd/choice.h); "linear=ref,attention=fused" is the
// plain libtorch form.
//   crane_bench_forward [rounds=5] [threads=0] [blocks=24]
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "../native/engine/synthetic_model.h"
#include "simd/choice.h"

namespace {

double now(bool cpu_time) {
  timespec time{};
  clock_gettime(cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const int64_t blocks = argc > 3 ? std::atoll(argv[3]) : 24;
  crane::SyntheticModel model(/*width=*/1024, blocks, /*side=*/518);
  model.config.threads = argc > 2 ? std::atoi(argv[2]) : 0;
  model.config.source.reset();
  model.options.method.d_attn = false;
  model.options.method.e_attn_layers = std::min<int64_t>(19, blocks);
  const double start = now(false);
  crane::Engine engine(model.config);
  std::printf("engine open after %.2f s\n", now(false) - start);
  const int64_t prompts = engine.add_prompts(model.prompt_files, model.options);
  const bool cpu_time = engine.facts().threads == 1;

  const c10::InferenceMode guard;
  const at::Tensor a = at::randn({4096, 4096});
  const at::Tensor b = at::randn({4096, 4096});
  const at::Tensor picture = at::randn({1, 3, 518, 518});
  std::vector<double> products;
  std::vector<double> forwards;
  for (int round = -1; round < rounds; ++round) {
    const double before = now(cpu_time);
    at::mm(a, b);
    const double between = now(cpu_time);
    engine.score_preprocessed(picture.const_data_ptr<float>(), {1, 518, 518}, prompts, model.options, false,
                              nullptr);
    const double after = now(cpu_time);
    if (round < 0) continue;
    products.push_back(between - before);
    forwards.push_back(after - between);
  }
  const double peak = 2e-9 * 4096 * 4096 * 4096 / median(products);
  const double limit = 1360 / peak;
  std::printf("%s, %d threads: GEMM peak %.1f GFLOP/s, P %.3f s, forward %.3f s = %.3f P\n",
              crane::simd::chosen_kernels().c_str(), engine.facts().threads, peak, limit, median(forwards),
              median(forwards) / limit);
}
