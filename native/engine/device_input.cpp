#include "engine/device_input.h"

#include <c10/core/DeviceGuard.h>

#include <cstring>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/tensors.h"
#include "image/resample.h"
#include "image/resample_cuda.h"
#include "image/taps.h"
#include "tensors/team.h"

namespace crane {
namespace {

using image::Mode;

// Whether the device resizes this view from the picture's own samples.
bool is_for_device(const DeviceView& v) {
  return v.plan->fit == image::Fit::stretch && (v.picture->mode == Mode::rgb || v.picture->mode == Mode::l);
}

// Page-locked where the copies go to a GPU, so that they run beside it.
at::Tensor host_bytes(int64_t count, at::Device device) {
  return at::empty({count}, at::TensorOptions().dtype(at::kByte).pinned_memory(device.is_cuda()));
}

// What travels: samples [height, width, channels].
struct Samples {
  at::Tensor host;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 3;
  image::Filter filter = image::Filter::bicubic;
};

// Room for them, made on the calling thread: page-locked memory belongs to the device that is current there.
Samples room_for(const DeviceView& v, at::Device device) {
  Samples samples{{}, v.plan->input_height, v.plan->input_width, 3, v.plan->filter};
  if (is_for_device(v)) {
    image::check_picture(*v.picture);
    samples.height = v.picture->height;
    samples.width = v.picture->width;
    samples.channels = image::channel_count(v.picture->mode);
  }
  samples.host = host_bytes(samples.height * samples.width * samples.channels, device);
  return samples;
}

void fill(const Samples& samples, const DeviceView& v, const image::Normalisation& constants) {
  auto* dst = static_cast<uint8_t*>(samples.host.mutable_data_ptr());
  if (is_for_device(v)) {
    std::memcpy(dst, v.picture->data, static_cast<size_t>(samples.host.numel()));
  } else {
    image::render_view(*v.picture, *v.plan, *v.view, image::mean_colour(constants), dst);
  }
}

// Taps of one axis on the device, and the tensor that holds them.
struct DeviceTaps {
  at::Tensor held;
  image::TapsCuda taps;
};

DeviceTaps device_taps(int64_t src_size, int64_t dst_size, image::Filter filter, at::Device device) {
  const image::FixedTaps taps = image::fixed_taps(src_size, dst_size, 0, dst_size, filter);
  const int64_t count = taps.count();
  const at::Tensor host = at::empty({count * (2 + taps.stride)},
                                    at::TensorOptions().dtype(at::kInt).pinned_memory(device.is_cuda()));
  auto* first = host.mutable_data_ptr<int32_t>();
  for (int64_t i = 0; i < count; ++i) {
    first[i] = taps.first[i];
    first[count + i] = taps.number[i];
    for (int64_t t = 0; t < taps.number[i]; ++t) first[2 * count + i * taps.stride + t] = taps.weight(i, t);
  }
  DeviceTaps result;
  result.held = host.to(device, /*non_blocking=*/true);
  const auto* base = result.held.const_data_ptr<int32_t>();
  result.taps = {base, base + count, base + 2 * count, count, taps.stride};
  return result;
}

// Resizes on one device; keeps the taps, since the pictures of a call often have one size.
class Resizer {
 public:
  Resizer(int64_t height, int64_t width, at::Device device)
      : height_(height), width_(width), device_(device) {}

  // samples.host's copy on the device -> [height, width, channels].
  at::Tensor operator()(const at::Tensor& src, const Samples& samples) {
    image::Resampling job{};
    job.src_width = samples.width;
    job.src_height = samples.height;
    job.dst_width = width_;
    job.dst_height = height_;
    const bool along_x = samples.width != width_;
    const bool along_y = samples.height != height_;
    at::Tensor picture = src;
    int64_t height = samples.height;
    int64_t width = samples.width;
    const auto pass = [&](bool is_x) {
      image::ResampleCuda step;
      step.src = picture.const_data_ptr<uint8_t>();
      step.height = height;
      step.width = width;
      step.channels = samples.channels;
      step.along_x = is_x;
      step.taps = is_x ? taps_for(width, width_, samples.filter) : taps_for(height, height_, samples.filter);
      (is_x ? width : height) = is_x ? width_ : height_;
      const at::Tensor dst = at::empty({height * width * samples.channels}, src.options());
      step.dst = dst.mutable_data_ptr<uint8_t>();
      cuda::kernels()->resample(step, cuda::current_stream(device_));
      picture = dst;
    };
    const bool lines_first = image::is_vertical_first(job);
    if (along_y && lines_first) pass(false);
    if (along_x) pass(true);
    if (along_y && !lines_first) pass(false);
    return picture;
  }

 private:
  const image::TapsCuda& taps_for(int64_t src_size, int64_t dst_size, image::Filter filter) {
    const auto key = std::tuple(src_size, dst_size, filter);
    const auto found = taps_.find(key);
    if (found != taps_.end()) return found->second.taps;
    return taps_.emplace(key, device_taps(src_size, dst_size, filter, device_)).first->second.taps;
  }

  int64_t height_;
  int64_t width_;
  at::Device device_;
  std::map<std::tuple<int64_t, int64_t, image::Filter>, DeviceTaps> taps_;
};

}  // namespace

at::Tensor device_input(std::span<const DeviceView> views, const image::Normalisation& constants,
                        int64_t height, int64_t width, at::Device device) {
  const c10::OptionalDeviceGuard guard(device);
  const auto count = static_cast<int64_t>(views.size());
  std::vector<Samples> samples;
  for (const DeviceView& view : views) samples.push_back(room_for(view, device));
  run_on_team(count, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) fill(samples[i], views[i], constants);
  });
  const at::Tensor input = at::empty({count, 3, height, width}, at::TensorOptions().device(device));
  Resizer resize(height, width, device);
  for (int64_t i = 0; i < count; ++i) {
    const at::Tensor sent = samples[i].host.to(device, /*non_blocking=*/true);
    const at::Tensor pixels = resize(sent, samples[i]);
    image::NormaliseCuda job;
    job.src = pixels.const_data_ptr<uint8_t>();
    job.dst = input[i].mutable_data_ptr<float>();
    job.height = height;
    job.width = width;
    job.channels = samples[i].channels;
    for (int c = 0; c < 3; ++c) {
      job.mean[c] = constants.mean[c];
      job.std[c] = constants.std[c];
    }
    cuda::kernels()->normalise(job, cuda::current_stream(device));
  }
  return input;
}

}  // namespace crane
