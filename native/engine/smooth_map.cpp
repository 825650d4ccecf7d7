#include "engine/smooth_map.h"

#include <c10/core/DeviceGuard.h>

#include "cuda/tensors.h"
#include "image/map.h"

namespace crane {

at::Tensor smooth_maps(const at::Tensor& maps, double sigma_px) {
  const std::vector<double> weights = image::gaussian_weights(sigma_px);
  const at::Tensor src = maps.contiguous();
  const int64_t height = src.size(1);
  const int64_t width = src.size(2);
  if (!cuda::has_kernels(src.device())) {
    const at::Tensor host = src.to(at::kCPU);
    at::Tensor smooth = at::empty_like(host);
    for (int64_t b = 0; b < host.size(0); ++b) {
      image::gaussian_blur(host.const_data_ptr<float>() + b * height * width, width, height, sigma_px,
                           smooth.data_ptr<float>() + b * height * width);
    }
    return smooth;
  }
  const c10::DeviceGuard guard(src.device());
  const at::Tensor device_weights = cuda::numbers_on(weights, at::kDouble, src.device());
  const at::Tensor between = at::empty_like(src);
  const at::Tensor dst = at::empty_like(src);
  cuda::kernels()->gaussian_blur(
      src.const_data_ptr<float>(), between.data_ptr<float>(), dst.data_ptr<float>(), src.size(0), height,
      width, device_weights.const_data_ptr<double>(), static_cast<int64_t>(weights.size()) - 1,
      cuda::current_stream(src.device()));
  return dst;
}

at::Tensor smooth_map(const at::Tensor& map, double sigma_px) {
  if (cuda::has_kernels(map.device()) && sigma_px > 0) {
    return smooth_maps(map.unsqueeze(0), sigma_px)[0].to(at::kCPU);
  }
  const at::Tensor src = map.to(at::kCPU).contiguous();
  at::Tensor dst = at::empty_like(src);
  image::gaussian_blur(src.const_data_ptr<float>(), src.size(1), src.size(0), sigma_px,
                       dst.data_ptr<float>());
  return dst;
}

}  // namespace crane
