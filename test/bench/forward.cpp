// Times Crane's whole forward pass at ViT-L/14's size with synthetic weights, one engine a precision,
// interleaved with the machine's GEMM peak in the same precisions: P = 1360 GFLOP / peak. With one thread its
// CPU time counts, else time on the clock. Not a test: nothing is asserted. CRANE_KERNELS chooses the faces
// (kernels/choice.h); "linear=ref,attention=fused" is the plain libtorch form of float32.
//   crane_bench_forward [rounds=5] [threads=0] [blocks=24] [precisions=float32|bfloat16|int8|both]
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "../native/engine/synthetic_model.h"

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

struct Case {
  crane::Precision precision;
  std::unique_ptr<crane::Engine> engine;
  int64_t prompts = 0;
  at::Tensor a;
  at::Tensor b;
  std::vector<double> products = {};
  std::vector<double> forwards = {};
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const int64_t blocks = argc > 3 ? std::atoll(argv[3]) : 24;
  const std::string wanted = argc > 4 ? argv[4] : "float32";
  crane::SyntheticModel model(/*width=*/1024, blocks, /*side=*/518);
  model.config.threads = argc > 2 ? std::atoi(argv[2]) : 0;
  model.config.source.reset();
  model.options = crane::with(model.options, {{"dAttn", false},
                                              {"eAttnLayers", static_cast<double>(std::min<int64_t>(19, blocks))}});
  std::vector<Case> cases;
  for (const crane::Precision precision :
       {crane::Precision::float32, crane::Precision::bfloat16, crane::Precision::int8}) {
    const bool is_asked = wanted == "both" && precision != crane::Precision::int8;
    if (!is_asked && wanted != crane::precision_name(precision)) continue;
    model.config.precision = precision;
    const double start = now(false);
    Case one{precision, std::make_unique<crane::Engine>(model.config)};
    std::printf("%s engine open after %.2f s\n", std::string(crane::precision_name(precision)).c_str(),
                now(false) - start);
    one.prompts = one.engine->add_context(model.material, model.options);
    const auto type = precision == crane::Precision::bfloat16 ? at::kBFloat16 : at::kFloat;
    one.a = at::randn({4096, 4096}).to(type);
    one.b = at::randn({4096, 4096}).to(type);
    cases.push_back(std::move(one));
  }

  const c10::InferenceMode guard;
  const at::Tensor picture = at::randn({1, 3, 518, 518});
  for (int round = -1; round < rounds; ++round) {
    for (Case& one : cases) {
      const bool cpu_time = one.engine->facts().threads == 1;
      const double before = now(cpu_time);
      at::mm(one.a, one.b);
      const double between = now(cpu_time);
      one.engine->score_preprocessed(picture.const_data_ptr<float>(), {1, 518, 518}, one.prompts,
                                     model.options, false, nullptr);
      const double after = now(cpu_time);
      if (round < 0) continue;
      one.products.push_back(between - before);
      one.forwards.push_back(after - between);
    }
  }
  for (const Case& one : cases) {
    const double peak = 2e-9 * 4096 * 4096 * 4096 / median(one.products);
    const double limit = 1360 / peak;
    std::printf("%s, %d threads: GEMM peak %.1f GFLOP/s, P %.3f s, forward %.3f s = %.3f P\n",
                one.engine->facts().kernels.c_str(), one.engine->facts().threads, peak, limit,
                median(one.forwards), median(one.forwards) / limit);
  }
  if (cases.size() == 2) {
    std::printf("float32 : bfloat16 = %.3f\n", median(cases[0].forwards) / median(cases[1].forwards));
  }
}
