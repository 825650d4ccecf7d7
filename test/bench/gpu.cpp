// Everything that needs a GPU to be known: the kernels against their definitions, the engine on the GPU
// against the CPU, times of the parts, and pictures a second from decoded 8-bit pictures in host memory.
// Prints PASS and FAIL lines, tables, and writes one JSON file. Called by scripts/gpu.sh; needs no Node and
// no GoogleTest.
//   crane_gpu_check [--json=FILE] [--blocks=24] [--width=1024] [--side=518] [--seconds=2] [--profile]
// Without a GPU (a build without CUDA) the same runs on emulated kernels, for small sizes: it then shows only
// that this program works.
#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "../native/cuda/kernel_checks.h"
#include "../native/engine/noise_pictures.h"
#include "../native/engine/synthetic_model.h"
#include "attention/on_cuda.h"
#include "attention/plain.h"
#include "attention/self_correlation.h"
#include "cuda/tensors.h"
#include "engine/device_input.h"
#include "figures.h"
#include "layers/frozen_block.h"
#include "layers/half_linear.h"
#include "engine/smooth_map.h"
#ifndef CRANE_WITH_CUDA
#include "../native/cuda/emulated_kernels.h"
#endif

namespace crane {
namespace {

struct Sizes {
  int64_t blocks = 24;
  int64_t width = 1024;
  int64_t side = 518;
  double seconds = 2;  // for each figure of the benchmark
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Run {
 public:
  Run(Sizes sizes, at::Device device)
      : sizes_(sizes),
        device_(device),
        model_(sizes.width, sizes.blocks, sizes.side,
               sizes.width == 1024 ? SyntheticSizes{768, std::min<int64_t>(12, sizes.blocks), 768}
                                   : SyntheticSizes{}) {
    model_.config.threads = 0;
    model_.options =
        with(model_.options, {{"eAttnLayers", static_cast<double>(std::min<int64_t>(19, sizes.blocks))}});
  }

  bool kernels() {
    std::printf("\n== kernels against their definitions\n");
    const c10::InferenceMode guard;
    bool is_well = true;
    for (const cuda::KernelCheck& check : cuda::kernel_checks(device_.is_cuda())) {
      double share = std::nan("");
      std::string fault;
      try {
        share = check.run();
      } catch (const std::exception& error) {
        fault = std::string(error.what()).substr(0, 200);
      }
      const bool passes = share <= 1.0;
      is_well = is_well && passes;
      std::printf("%s  %-72s %.2f of the tolerance %s\n", passes ? "PASS" : "FAIL", check.name.c_str(), share,
                  fault.c_str());
      json_.add("kernels", join_text("{\"name\": \"", check.name, "\", \"share\": ", number(share),
                                     ", \"pass\": ", passes ? "true" : "false", "}"));
    }
    return is_well;
  }

  // The engine on the GPU in every format against the CPU's kernels in float32.
  bool parity() {
    std::printf("\n== engine: GPU against CPU, two pictures, synthetic weights\n");
    bool is_well = true;
    for (const bool plus : {false, true}) {
      const std::vector<ScoreOutcome> wanted =
          on_cpu([&] { return scores(plus, "cpu", Precision::float32); });
      std::printf("%s: scores on the CPU %.6f %.6f\n", name_of(plus), wanted[0].parts[0],
                  wanted[1].parts[0]);
      for (const Precision precision : {Precision::float32, Precision::float16, Precision::bfloat16}) {
        const std::vector<ScoreOutcome> got = scores(plus, device_.str(), precision);
        double score = 0;
        double map = 0;
        for (size_t i = 0; i < got.size(); ++i) {
          score = std::max(score, std::abs(got[i].parts[0] - wanted[i].parts[0]));
          for (size_t p = 0; p < got[i].map.size(); ++p) {
            const double d = std::abs(static_cast<double>(got[i].map[p]) - wanted[i].map[p]);
            map = std::isnan(d) ? INFINITY : std::max(map, d);
          }
        }
        // float32 differs by sums in another order. 16 bits keep about 3 and 2 digits of a cosine, which the
        // temperature of 0.07 multiplies by 14. A flip of D-Attn's mask moves single patches.
        const double allowed = precision == Precision::float32   ? 1e-3
                               : precision == Precision::float16 ? 5e-3
                                                                 : 0.03;
        const double allowed_in_map = plus ? std::max(allowed, 0.02) : allowed;
        const bool passes = score <= allowed && map <= allowed_in_map;
        is_well = is_well && passes;
        const std::string format(precision_name(precision));
        std::printf(
            "%s  %-6s %-8s worst score difference %.2e, worst of the maps %.2e (allowed %.0e, %.0e)\n",
            passes ? "PASS" : "FAIL", name_of(plus), format.c_str(), score, map, allowed, allowed_in_map);
        json_.add("parity", join_text("{\"model\": \"", name_of(plus), "\", \"precision\": \"", format,
                                      "\", \"score\": ", number(score), ", \"map\": ", number(map),
                                      ", \"pass\": ", passes ? "true" : "false", "}"));
      }
    }
    return is_well;
  }

  void parts() {
    std::printf("\n== parts of a forward pass, bfloat16\n");
    const c10::InferenceMode guard;
    const int64_t b = device_.is_cuda() ? 8 : 1;
    const int64_t grid = sizes_.side / 14;
    const int64_t n = 1 + grid * grid;
    const int64_t w = sizes_.width;
    const int64_t heads = w / 64;
    const auto random = [&](at::IntArrayRef shape) { return at::randn(shape).to(device_, at::kBFloat16); };
    const auto float_random = [&](at::IntArrayRef shape) { return at::randn(shape).to(device_); };
    const auto linear = [&](int64_t out, int64_t in) {
      return layers::HalfLinear(
          {float_random({out, in}) / std::sqrt(static_cast<double>(in)), float_random({out})}, {},
          Precision::bfloat16);
    };
    const double m = static_cast<double>(b * n);
    const double dw = static_cast<double>(w);
    const double product = 2e-9 * m * static_cast<double>(n) * dw;  // of one N x N by 64 for all heads
    const int64_t square = device_.is_cuda() ? 8192 : 256;
    const at::Tensor left = random({square, square});
    const at::Tensor right = random({square, square});
    const at::Tensor stream = float_random({b * n, w});
    const at::Tensor half = random({b * n, w});
    const at::Tensor wide = random({b * n, 4 * w});
    const layers::LayerNorm norm{float_random({w}), float_random({w}), 1e-5};
    const auto qkv = linear(3 * w, w);
    const auto out = linear(w, w);
    const auto up = linear(4 * w, w);
    const auto down = linear(w, 4 * w);
    const at::Tensor x = random({b, n, 3, heads, 64}).permute({2, 0, 3, 1, 4});
    const at::Tensor z = float_random({b, n - 1, 768});
    const at::Tensor unit = layers::unit_rows(z + 0.3);
    const at::Tensor means = attention::cosine_means(unit);
    const at::Tensor v = random({b, n - 1, w});
    const at::Tensor maps = float_random({b, sizes_.side, sizes_.side});
    const auto& self_fused = attention::self_correlation_faces().end()[-2];
    const std::vector<uint8_t> pixels = noise_picture(1024, 1024, 1);
    const image::PictureView picture{pixels.data(), 1024, 1024, image::Mode::rgb};
    const image::ViewPlan plan =
        image::plan_views(1024, 1024, sizes_.side, sizes_.side, image::Fit::stretch, 0.25);
    const std::vector<DeviceView> views(static_cast<size_t>(b), DeviceView{&picture, &plan, &plan.views[0]});
    const double d = static_cast<double>(n - 1);

    part("matrix product 8192^3 (peak)", 2e-9 * std::pow(static_cast<double>(square), 3), 0,
         [&] { at::mm(left, right); });
    part("LayerNorm", 0, 6e-9 * m * dw, [&] { layers::half_rows(stream, &norm, at::kBFloat16); });
    part("LayerNorm + qkv", 6e-9 * m * dw * dw, 0, [&] { qkv(stream, &norm, std::nullopt); });
    part("out + residual", 2e-9 * m * dw * dw, 0, [&] { out.add_to(stream, half); });
    part("LayerNorm + fc1 + QuickGELU", 8e-9 * m * dw * dw, 0,
         [&] { up(stream, &norm, layers::Activation::quick_gelu); });
    part("fc2 + residual", 8e-9 * m * dw * dw, 0, [&] { down.add_to(stream, wide); });
    part("plain attention (libtorch)", 2 * product, 0,
         [&] { attention::plain_attention(x[0], x[1], x[2], 0.125); });
    part("E-Attn", 6 * product, 0, [&] { attention::self_correlation_on_cuda(x[0], x[1], x[2], {}, 0.125); });
    part("E-Attn (libtorch, three passes)", 6 * product, 0,
         [&] { self_fused.run(x[0], x[1], x[2], {}, 0.125); });
    part("D-Attn", 2e-9 * static_cast<double>(b) * d * d * (768 + dw), 0,
         [&] { attention::affinity_on_cuda(unit, means, v, {}, nullptr); });
    part("input from pictures of 1024 x 1024", 0, 3.1e-3 * static_cast<double>(b), [&] {
      device_input(views, {{0.5F, 0.5F, 0.5F}, {0.3F, 0.3F, 0.3F}}, sizes_.side, sizes_.side, device_);
    });
    part("Gaussian of the maps", 0, 0, [&] { smooth_maps(maps, 4.0); });
  }

  // A few passes for a profiler to look at.
  void passes() {
    for (const bool plus : {false, true}) {
      Engine engine(config_of(plus, device_.str(), Precision::bfloat16));
      const ScoreOptions options = options_of(plus);
      const int64_t prompts = engine.add_context(model_.material, options);
      rate(engine, options, prompts,
           {name_of(plus), Precision::bfloat16, 1024, 1024, device_.is_cuda() ? 16 : 1});
    }
  }

  void benchmark() {
    std::printf("\n== pictures a second, from decoded 8-bit RGB in host memory, resize included\n");
    struct Shape {
      int64_t width, height;
    };
    const std::vector<Shape> shapes =
        device_.is_cuda() ? std::vector<Shape>{{1024, 1024}, {900, 700}, {518, 518}, {2048, 1536}}
                          : std::vector<Shape>{{100, 90}};
    for (const bool plus : {false, true}) {
      for (const Precision precision : {Precision::bfloat16, Precision::float16, Precision::float32}) {
        Engine engine(config_of(plus, device_.str(), precision));
        const ScoreOptions options = options_of(plus);
        const int64_t prompts = engine.add_context(model_.material, options);
        for (const Shape& shape : shapes) {
          // Other formats and sizes are measured where the batch is large.
          const bool all = precision == Precision::bfloat16 && &shape == &shapes.front();
          for (const int batch : all ? std::vector<int>{1, 8, 16, 32} : std::vector<int>{32}) {
            if (precision != Precision::bfloat16 && &shape != &shapes.front()) continue;
            rate(engine, options, prompts,
                 {name_of(plus), precision, shape.width, shape.height,
                  device_.is_cuda() ? batch : std::min(batch, 2)});
          }
        }
      }
    }
  }

  // Recorded passes (CRANE_CUDA_GRAPHS=1) must give what the same pass gave step by step.
  bool graphs() {
    std::printf("\n== passes recorded as CUDA graphs, bfloat16\n");
    ::setenv("CRANE_CUDA_GRAPHS", "1", 1);
    bool is_well = true;
    for (const bool plus : {false, true}) {
      Engine engine(config_of(plus, device_.str(), Precision::bfloat16));
      const ScoreOptions options = options_of(plus);
      const int64_t prompts = engine.add_context(model_.material, options);
      const Pictures pictures(2, sizes_.side, sizes_.side, prompts);
      const auto first = engine.score(pictures.items, options, nullptr);
      double worst = 0;
      for (int call = 0; call < (device_.is_cuda() ? 5 : 1); ++call) {
        const auto again = engine.score(pictures.items, options, nullptr);
        for (size_t i = 0; i < first.size(); ++i) {
          worst = std::max(worst, std::abs(again[i].parts[0] - first[i].parts[0]));
          worst = std::max(worst, std::abs(again[i].map_max() - first[i].map_max()));
        }
      }
      const bool passes = worst <= 1e-6;
      is_well = is_well && passes;
      std::printf("%s  %-6s differs by %.1e from the pass step by step\n", passes ? "PASS" : "FAIL",
                  name_of(plus), worst);
      for (const int batch : {1, 8}) {
        if (device_.is_cuda()) {
          rate(engine, options, prompts,
               {plus ? "Crane+ graph" : "Crane graph", Precision::bfloat16, 1024, 1024, batch});
        }
      }
    }
    ::unsetenv("CRANE_CUDA_GRAPHS");
    return is_well;
  }

  // Lanes are for threads of a CPU; a GPU is filled by batches.
  bool lanes() const {
    EngineConfig config = config_of(/*plus=*/false, device_.str(), Precision::float32);
    config.pictures_in_parallel = true;
    const Engine engine(config);
    const int wanted = device_.is_cuda() ? 1 : engine.facts().threads;
    const bool passes = engine.facts().lanes == wanted;
    std::printf("%s  lanes for pictures in parallel: %d\n", passes ? "PASS" : "FAIL", engine.facts().lanes);
    return passes;
  }

  void write(const std::string& path) const {
    json_.write(path, join_text("\"device\": \"", device_.str(), "\", \"blocks\": ", sizes_.blocks,
                                ", \"width\": ", sizes_.width, ", \"side\": ", sizes_.side));
  }

 private:
  struct Figure {
    const char* model;
    Precision precision;
    int64_t width, height;
    int batch;
  };

  static const char* name_of(bool plus) { return plus ? "Crane+" : "Crane"; }

  EngineConfig config_of(bool plus, const std::string& device, Precision precision) const {
    EngineConfig config = model_.config;
    if (!plus) config.source.reset();
    config.device = device;
    config.precision = precision;
    return config;
  }
  ScoreOptions options_of(bool plus) const {
    ScoreOptions options = model_.options;
    options = with(options, {{"dAttn", plus}});
    return options;
  }

  std::vector<ScoreOutcome> scores(bool plus, const std::string& device, Precision precision) const {
    Engine engine(config_of(plus, device, precision));
    const ScoreOptions options = options_of(plus);
    const Pictures pictures(2, sizes_.side + 60, sizes_.side - 20,
                            engine.add_context(model_.material, options));
    return engine.score(pictures.items, options, nullptr);
  }

  // Without emulated kernels, where there are any.
  static std::vector<ScoreOutcome> on_cpu(const std::function<std::vector<ScoreOutcome>()>& function) {
    const cuda::Kernels* table = cuda::kernels();
    if (table->is_emulated) cuda::use_kernels(nullptr);
    std::vector<ScoreOutcome> result = function();
    cuda::use_kernels(table);
    return result;
  }

  void wait() const {
    if (device_.is_cuda()) c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeDevice(device_.index());
  }

  // Ten calls enqueued at once, so that a launch's own time is hidden; medians of five.
  void part(const char* name, double gflop, double gigabyte, const std::function<void()>& run) {
    const int calls = device_.is_cuda() ? 10 : 1;
    std::vector<double> seconds;
    for (int round = device_.is_cuda() ? -1 : 0; round < (device_.is_cuda() ? 5 : 1); ++round) {
      wait();
      const double start = now();
      for (int i = 0; i < calls; ++i) run();
      wait();
      if (round >= 0) seconds.push_back((now() - start) / calls);
    }
    const double each = median(seconds);
    std::printf("%-40s %9.3f ms", name, each * 1e3);
    if (gflop > 0) std::printf(" %8.1f TFLOP/s", gflop / each * 1e-3);
    if (gigabyte > 0) std::printf(" %8.1f GB/s", gigabyte / each);
    std::printf("\n");
    json_.add("parts",
              join_text("{\"name\": \"", name, "\", \"ms\": ", each * 1e3, ", \"gflop\": ", gflop, "}"));
  }

  void rate(Engine& engine, const ScoreOptions& options, int64_t prompts, const Figure& what) {
    const Pictures pictures(what.batch, what.width, what.height, prompts);
    std::vector<double> seconds;
    const double end = now() + sizes_.seconds;
    for (int round = -2; round < 3 || now() < end; ++round) {
      const double start = now();
      engine.score(pictures.items, options, nullptr);
      if (round >= 0) seconds.push_back(now() - start);
      if (!device_.is_cuda() && round >= 0) break;
    }
    const double each = median(seconds) / what.batch;
    const std::string format(precision_name(what.precision));
    std::printf("%-6s %-8s batch %2d of %4ld x %4ld: %7.1f pictures/s (%.2f ms each, %zu calls)\n",
                what.model, format.c_str(), what.batch, static_cast<long>(what.width),
                static_cast<long>(what.height), 1 / each, each * 1e3, seconds.size());
    std::fflush(stdout);
    json_.add("rates", join_text("{\"model\": \"", what.model, "\", \"precision\": \"", format,
                                 "\", \"batch\": ", what.batch, ", \"width\": ", what.width,
                                 ", \"height\": ", what.height, ", \"per_second\": ", 1 / each, "}"));
  }

  Sizes sizes_;
  at::Device device_;
  SyntheticModel model_;
  Json json_;
};

int run(int argc, char** argv) {
  Sizes sizes;
  std::string json = "gpu.json";
  bool is_profile = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value_of = [&](const std::string& name) {
      return argument.starts_with(name) ? argument.c_str() + name.size() : nullptr;
    };
    if (const char* value = value_of("--json=")) json = value;
    if (argument == "--profile") is_profile = true;
    if (const char* value = value_of("--blocks=")) sizes.blocks = std::atoll(value);
    if (const char* value = value_of("--width=")) sizes.width = std::atoll(value);
    if (const char* value = value_of("--side=")) sizes.side = std::atoll(value);
    if (const char* value = value_of("--seconds=")) sizes.seconds = std::atof(value);
  }
#ifdef CRANE_WITH_CUDA
  if (!at::hasCUDA() || available_devices().size() < 2) {
    std::printf("FAIL  no CUDA device can be used\n");
    return 1;
  }
  const at::Device device(at::kCUDA, 0);
#else
  std::printf("no GPU: kernels are emulated; times mean nothing\n");
  const cuda::Kernels emulated = cuda::emulated_kernels();
  cuda::use_kernels(&emulated);
  const at::Device device(at::kCPU);
#endif
  Run all(sizes, device);
  if (is_profile) {
    all.passes();
    return 0;
  }
  bool is_well = all.kernels();
  is_well = all.parity() && is_well;
  is_well = all.lanes() && is_well;
  all.parts();
  all.benchmark();
  is_well = all.graphs() && is_well;
  all.write(json);
  std::printf("\n%s\n", is_well ? "PASS  all checks" : "FAIL  see above");
  return is_well ? 0 : 1;
}

}  // namespace
}  // namespace crane

int main(int argc, char** argv) {
  try {
    return crane::run(argc, argv);
  } catch (const std::exception& error) {
    std::printf("FAIL  %s\n", error.what());
    return 1;
  }
}
