#include "kernel_checks.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <random>

#include "attention/on_cuda.h"
#include "attention/self_correlation.h"
#include "core/error.h"
#include "cuda/tensors.h"
#include "engine/device_input.h"
#include "engine/smooth_map.h"
#include "layers/block.h"
#include "layers/half_linear.h"
#include "vision/half_patches.h"

namespace crane::cuda {
namespace {

using attention::SelfSet;

class Checks {
 public:
  explicit Checks(bool is_on_gpu) : device_(is_on_gpu ? at::kCUDA : at::kCPU), is_on_gpu_(is_on_gpu) {}

  std::vector<KernelCheck> all() {
    for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
      // Emulated, the formats differ in the products and roundings alone: a few sizes show that.
      const bool is_brief = !is_on_gpu_ && type == at::kBFloat16;
      for (const int64_t rows : is_brief     ? std::vector<int64_t>{17, 70}
                                : is_on_gpu_ ? std::vector<int64_t>{1, 5, 64, 131, 1369, 1370}
                                             : std::vector<int64_t>{1, 5, 17, 64, 100, 131}) {
        self_correlation(type, rows);
      }
      for (const int64_t rows : is_brief     ? std::vector<int64_t>{70}
                                : is_on_gpu_ ? std::vector<int64_t>{1, 5, 64, 131, 1369}
                                             : std::vector<int64_t>{1, 5, 64, 131}) {
        affinity(type, rows);
      }
      for (const int64_t width : {64, 1000, 1024, 1280, 2048}) normalise(type, width);
      residual(type);
      for (const bool is_quick : {true, false}) activation(type, is_quick);
    }
    self_correlation_ends();
    patches();
    for (const auto& [width, height] : std::vector<std::pair<int64_t, int64_t>>{
             {84, 84}, {200, 90}, {31, 47}, {84, 300}, {90, 700}, {300, 84}}) {
      pictures(width, height, 84);
    }
    if (is_on_gpu_) pictures(1024, 900, 518);
    gaussian();
    return std::move(checks_);
  }

 private:
  static double allowed(at::ScalarType type) { return type == at::kHalf ? 1.0 / 512 : 1.0 / 64; }

  // Worst difference over the largest value, in units of `tolerance`. NaN must lie at the same places.
  static double compare(const at::Tensor& got, const at::Tensor& wanted, double tolerance) {
    const at::Tensor a = got.to(at::kCPU, at::kDouble);
    const at::Tensor b = wanted.to(at::kCPU, at::kDouble);
    if (!a.isnan().equal(b.isnan())) return std::nan("");
    const at::Tensor difference = (a - b).abs().nan_to_num(0.0);
    const double scale = b.nan_to_num(0.0).abs().max().item<double>();
    return difference.max().item<double>() / std::max(scale, 1e-30) / tolerance;
  }
  // 0 where every bit is the same, else infinity.
  static double same_bits(const at::Tensor& got, const at::Tensor& wanted) {
    return got.to(at::kCPU).equal(wanted.to(at::kCPU)) ? 0 : INFINITY;
  }

  void add(std::string name, std::function<double()> run) {
    checks_.push_back({std::move(name), std::move(run)});
  }
  static const char* name_of(at::ScalarType type) { return type == at::kHalf ? "float16" : "bfloat16"; }

  // Heads as the qkv projection leaves them: [3, B, H, N, 64] with rows far apart.
  at::Tensor projected(at::ScalarType type, int64_t batch, int64_t heads, int64_t rows, double spread) const {
    at::manual_seed(static_cast<uint64_t>(rows));
    return (at::randn({batch, rows, 3, heads, 64}) * spread).to(device_, type).permute({2, 0, 3, 1, 4});
  }

  void self_correlation(at::ScalarType type, int64_t rows) {
    const SelfSet kinds[] = {{false, false, true, false},
                             {false, true, false, false},
                             {true, true, false, false},
                             {true, true, true, false},
                             {false, false, false, true}};
    const char* names[] = {"vv", "kk", "qq+kk", "qq+kk+vv", "(q+k+v)^2"};
    for (int kind = 0; kind < 5; ++kind) {
      if (!is_on_gpu_ && rows > 64 && kind < 3) continue;  // what a kind changes does not depend on the size
      add(join_text("E-Attn ", names[kind], " of ", rows, " rows in ", name_of(type)),
          [=, this, set = kinds[kind]] {
            // Small rows give even weights, where every key counts; large ones weigh little but themselves.
            const double spread = rows % 2 == 0 ? 1.5 : 0.4;
            const at::Tensor x = projected(type, 2, is_on_gpu_ ? 16 : 2, rows, spread);
            const at::Tensor got = attention::self_correlation_on_cuda(x[0], x[1], x[2], set, 0.125);
            const at::Tensor exact = x.to(at::kCPU, at::kFloat);
            return compare(
                got, attention::self_correlation_faces().back().run(exact[0], exact[1], exact[2], set, 0.125),
                allowed(type));
          });
    }
  }

  // Large scores, and what is not finite, as the definition has them.
  void self_correlation_ends() {
    add("E-Attn where one score dwarfs the others", [this] {
      const at::Tensor x = projected(at::kBFloat16, 1, 1, 70, 12);
      const at::Tensor exact = x.to(at::kCPU, at::kFloat);
      return compare(attention::self_correlation_on_cuda(x[0], x[1], x[2], {}, 0.125),
                     attention::self_correlation_faces().back().run(exact[0], exact[1], exact[2], {}, 0.125),
                     allowed(at::kBFloat16));
    });
    add("E-Attn with NaN in one row", [this] {
      const at::Tensor x = projected(at::kHalf, 1, 2, 70, 1);
      x[1][0][0][66][3].fill_(std::nan(""));
      const at::Tensor exact = x.to(at::kCPU, at::kFloat);
      return compare(attention::self_correlation_on_cuda(x[0], x[1], x[2], {}, 0.125),
                     attention::self_correlation_faces().back().run(exact[0], exact[1], exact[2], {}, 0.125),
                     allowed(at::kHalf));
    });
  }

  void affinity(at::ScalarType type, int64_t rows) {
    struct Case {
      const char* name;
      double mean;  // 0: the features' own
      attention::EmptyRows empty;
    };
    for (const Case& c : {Case{"", 0, attention::EmptyRows::keep_self},
                          Case{", nothing kept", 2, attention::EmptyRows::keep_self},
                          Case{", nothing kept, NaN asked for", 2, attention::EmptyRows::nan}}) {
      add(join_text("D-Attn of ", rows, " rows in ", name_of(type), c.name), [=, this] {
        at::manual_seed(static_cast<uint64_t>(rows) + 1);
        const int64_t depth = is_on_gpu_ ? 768 : 192;   // three stages through memory for two
        const int64_t width = is_on_gpu_ ? 1024 : 584;  // two blocks, the second one not full
        // Rows in runs around four centres: whole tiles of the affinity are masked. With more noise cosines
        // lie everywhere, also close to the threshold.
        const double noise = rows % 2 == 0 ? 0.5 : 1.5;
        const at::Tensor centres = at::randn({4, depth});
        at::Tensor z = centres.index_select(0, at::floor(at::arange(rows) * 4 / rows).to(at::kLong)) +
                       noise * at::randn({rows, depth}) + 0.3;
        z = at::stack({z, z.flip(0)}, 0);
        // As the kernel reads them, so that both mask the same.
        z = (z / z.norm(2, -1, true)).to(at::kHalf).to(at::kFloat);
        const at::Tensor wide = at::randn({2, rows + 1, width}).to(type);
        const at::Tensor values = wide.to(device_).slice(1, 1);  // as the patches behind a class token
        at::Tensor means = c.mean > 0 ? at::full({2}, c.mean, at::kDouble) : attention::cosine_means(z);
        attention::AffinityOptions options;
        options.empty_rows = c.empty;
        const at::Tensor got =
            attention::affinity_on_cuda(z.to(device_), means.to(device_), values, options, nullptr);
        const at::Tensor wanted = attention::affinity_attention_faces().back().run(
            z, means, wide.slice(1, 1).to(at::kFloat), options, nullptr);
        return c.mean > 0 && c.empty == attention::EmptyRows::keep_self
                   ? same_bits(got.to(at::kCPU, at::kFloat), wanted)
                   : compare(got, wanted, allowed(type));
      });
    }
  }

  void normalise(at::ScalarType type, int64_t width) {
    add(join_text("LayerNorm of rows of ", width, " in ", name_of(type)), [=, this] {
      at::manual_seed(3);
      const layers::LayerNorm norm{at::randn({width}), at::randn({width}), 1e-5};
      const at::Tensor x = at::randn({7, 2, width}).select(1, 1) * 3 + 2;
      x[0].mul_(1e-3);  // where the variance is as small as eps
      const layers::LayerNorm there{norm.weight.to(device_), norm.bias.to(device_), 1e-5};
      const at::Tensor rows = at::empty({7, 2, width}).to(device_).select(1, 1);  // with a stride
      rows.copy_(x);
      return compare(layers::half_rows(rows, &there, type), norm(x), allowed(type) / 4);
    });
  }

  layers::Linear linear(int64_t out, int64_t in) const {
    return {at::randn({out, in}) / std::sqrt(static_cast<double>(in)), at::randn({out}) * 0.1};
  }
  layers::Linear there(const layers::Linear& x) const { return {x.weight.to(device_), x.bias.to(device_)}; }
  static Precision precision_of(at::ScalarType type) {
    return type == at::kHalf ? Precision::float16 : Precision::bfloat16;
  }

  void residual(at::ScalarType type) {
    add(join_text("a linear layer with LayerScale added to a stream in ", name_of(type)), [=, this] {
      at::manual_seed(4);
      const layers::Linear plain = linear(96, 64);
      const at::Tensor scale = at::randn({96});
      const layers::HalfLinear half(there(plain), scale.to(device_), precision_of(type));
      const at::Tensor x = at::randn({9, 64});
      const at::Tensor stream = at::randn({9, 3, 96});
      const at::Tensor moved = stream.clone().to(device_);
      half.add_to(moved.select(1, 1), x.to(device_));
      at::Tensor wanted = stream.clone();
      wanted.select(1, 1).add_(plain(x) * scale);
      return compare(moved, wanted, allowed(type));
    });
  }

  void activation(at::ScalarType type, bool is_quick) {
    add(join_text(is_quick ? "QuickGELU" : "GELU", " after LayerNorm and a linear layer in ", name_of(type)),
        [=, this] {
          at::manual_seed(5);
          const layers::Linear plain = linear(256, 128);
          const layers::LayerNorm norm{at::ones({128}) * 4, at::randn({128}), 1e-6};
          const layers::LayerNorm moved{norm.weight.to(device_), norm.bias.to(device_), 1e-6};
          const layers::HalfLinear half(there(plain), {}, precision_of(type));
          const at::Tensor x = at::randn({33, 128});
          const auto kind = is_quick ? layers::Activation::quick_gelu : layers::Activation::gelu;
          return compare(half(x.to(device_), &moved, kind), layers::activate(plain(norm(x)), kind),
                         allowed(type));
        });
  }

  void patches() {
    add("patches as a product", [this] {
      at::manual_seed(6);
      const at::Tensor weight = at::randn({48, 3, 14, 14}) / 24;
      const at::Tensor bias = at::randn({48});
      const at::Tensor image = at::randn({2, 3, 30, 45});  // 2 x 3 patches and a rest
      const vision::HalfPatches product(weight.to(device_), bias.to(device_));
      const at::Tensor wanted = at::conv2d(image, weight, bias, /*stride=*/14).flatten(2).transpose(1, 2);
      return compare(product(image.to(device_)), wanted, allowed(at::kHalf));
    });
  }

  void pictures(int64_t width, int64_t height, int64_t side) {
    add(join_text("input of ", side, " from pictures of ", width, " x ", height), [=, this] {
      std::mt19937 random(static_cast<uint32_t>(width));
      const image::Normalisation constants{{0.48145466F, 0.4578275F, 0.40821073F},
                                           {0.26862954F, 0.26130258F, 0.27577711F}};
      double worst = 0;
      for (const image::Mode mode :
           {image::Mode::rgb, image::Mode::l, image::Mode::rgba, image::Mode::palette_rgb}) {
        for (const image::Fit fit : {image::Fit::stretch, image::Fit::pad}) {
          std::vector<uint8_t> samples(static_cast<size_t>(width * height * image::channel_count(mode)));
          // Half of them extremes, where the cubic's lobes overshoot.
          for (uint8_t& s : samples)
            s = static_cast<uint8_t>(random() % 2 == 0 ? random() : random() % 2 * 255);
          const image::PictureView picture{samples.data(), width, height, mode};
          const image::ViewPlan plan = image::plan_views(width, height, side, side, fit, 0.25);
          const DeviceView views[2] = {{&picture, &plan, &plan.views[0]}, {&picture, &plan, &plan.views[0]}};
          const at::Tensor got = device_input(views, constants, side, side, device_);
          std::vector<uint8_t> rgb(static_cast<size_t>(side * side * 3));
          image::render_view(picture, plan, plan.views[0], image::mean_colour(constants), rgb.data());
          const at::Tensor wanted = at::empty({3, side, side});
          image::normalise(rgb.data(), side, side, constants, wanted.mutable_data_ptr<float>());
          worst = std::max({worst, same_bits(got[0], wanted), same_bits(got[1], wanted)});
        }
      }
      return worst;
    });
  }

  void gaussian() {
    add("Gaussian of maps", [this] {
      at::manual_seed(7);
      const at::Tensor maps = at::randn({2, 37, 23});
      const at::Tensor got = smooth_maps(maps.to(device_), 4.0);
      const Kernels* table = kernels();
      use_kernels(nullptr);
      const at::Tensor wanted = smooth_maps(maps, 4.0);
      use_kernels(table);
      return same_bits(got, wanted);
    });
  }

  at::Device device_;
  bool is_on_gpu_;
  std::vector<KernelCheck> checks_;
};

}  // namespace

std::vector<KernelCheck> kernel_checks(bool is_on_gpu) {
  // The checks' lambdas keep what they need of it.
  static std::vector<std::unique_ptr<Checks>> owners;
  owners.push_back(std::make_unique<Checks>(is_on_gpu));
  return owners.back()->all();
}

}  // namespace crane::cuda
