#include "text/kept_vectors.h"

#include "core/error.h"
#include "weights/safetensors.h"

namespace crane::text {

namespace {

constexpr const char* k_name = "text_features";

}  // namespace

at::Tensor read_kept_vectors(const std::string& path, int64_t joint_width) {
  try {
    const auto file = weights::open_weights(path);
    const weights::TensorView* view = file->find(k_name);
    if (view == nullptr || view->dtype != weights::DType::f32 ||
        view->shape != std::vector<int64_t>{2, joint_width}) {
      return {};
    }
    at::Tensor vectors = at::empty({2, joint_width}, at::TensorOptions().dtype(at::kFloat));
    weights::copy_as_f32(*view, vectors.mutable_data_ptr<float>());
    return vectors;
  } catch (const Error&) {
    return {};
  }
}

void keep_vectors(const std::string& path, const at::Tensor& vectors) {
  const at::Tensor host = vectors.to(at::kCPU, at::kFloat).contiguous();
  try {
    weights::SafetensorsWriter writer(path, {{k_name, weights::DType::f32, {host.size(0), host.size(1)}}},
                                      {});
    writer.append(0, {static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()});
    writer.finish();
  } catch (const Error&) {
    // see above
  }
}

}  // namespace crane::text
