#include "smooth_map.h"

#include "image/map.h"

#ifdef CRANE_WITH_CUDA
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "image/gaussian_cuda.h"
#endif

namespace crane {
namespace {

#ifdef CRANE_WITH_CUDA
at::Tensor smooth_on_cuda(const at::Tensor& map, double sigma_px) {
  const c10::DeviceGuard guard(map.device());
  const std::vector<double> weights = image::gaussian_weights(sigma_px);
  const at::Tensor device_weights =
      at::tensor(weights, at::TensorOptions().dtype(at::kDouble)).to(map.device());
  const at::Tensor between = at::empty_like(map);
  const at::Tensor dst = at::empty_like(map);
  const c10::Stream stream = c10::impl::VirtualGuardImpl(at::kCUDA).getStream(map.device());
  image::gaussian_blur_cuda(map.const_data_ptr<float>(), between.data_ptr<float>(), dst.data_ptr<float>(),
                            /*batch=*/1, map.size(0), map.size(1), device_weights.const_data_ptr<double>(),
                            static_cast<int64_t>(weights.size()) - 1, stream.native_handle());
  return dst.to(at::kCPU);
}
#endif

}  // namespace

at::Tensor smooth_map(const at::Tensor& map, double sigma_px) {
#ifdef CRANE_WITH_CUDA
  if (map.is_cuda() && sigma_px > 0) return smooth_on_cuda(map.contiguous(), sigma_px);
#endif
  const at::Tensor src = map.to(at::kCPU).contiguous();
  at::Tensor dst = at::empty_like(src);
  image::gaussian_blur(src.const_data_ptr<float>(), src.size(1), src.size(0), sigma_px,
                       dst.data_ptr<float>());
  return dst;
}

}  // namespace crane
