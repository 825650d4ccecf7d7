// Pictures in host memory as the model's input on a GPU: what image::render_view and image::normalise make,
// bit for bit, with resizing and normalisation on the device.
#pragma once

#include <span>

#include "image/fit.h"
#include "image/normalise.h"
#include "tensors/torch_headers.h"

namespace crane {

// One view of one picture; both outlive the call.
struct DeviceView {
  const image::PictureView* picture;
  const image::ViewPlan* plan;
  const image::View* view;
};

// [views, 3, H, W] float32 on the device, enqueued on its current stream. 8-bit grey and RGB pictures that
// are stretched travel as they are; what the device does not do (padding, tiles, palettes, alpha, 16 bits) is
// rendered by the CPU's team first. Errors: those of image::render_view, E_DEVICE.
at::Tensor device_input(std::span<const DeviceView> views, const image::Normalisation& constants,
                        int64_t height, int64_t width, at::Device device);

}  // namespace crane
