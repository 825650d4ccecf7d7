#include "methods/crane/d_attn.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <map>
#include <mutex>

#include "attention/affinity.h"
#include "cuda/tensors.h"
#include "layers/linear.h"

namespace crane::methods {
namespace {

// As the fixtures call the stages of the affinity: its matrices are stages of the block, what the mask did is
// not.
std::string stage_name(const std::string& stage) {
  const bool is_matrix = stage == "cosine" || stage == "affine" || stage == "masked" || stage == "weights";
  return is_matrix ? "stage.dattn." + stage : stage;
}

SourceAffinity affinity_here(const Towers& towers, const at::Tensor& image, const CraneOptions& options,
                             Trace* trace) {
  const vision::SpatialSource& source = *towers.source;
  const at::Tensor input = vision::renormalise(image, towers.vision->config(), source.config());
  SourceAffinity result;
  result.grid = source.grid_for(input.size(2), input.size(3));
  // On a CPU picture by picture, as Crane::score does.
  const bool at_once = cuda::runs_batches(input.device()) && trace == nullptr;
  const int64_t step = at_once ? input.size(0) : 1;
  std::vector<at::Tensor> rows;
  for (int64_t b = 0; b < input.size(0); b += step) {
    const at::Tensor normed = source.patch_features(input.slice(0, b, b + step), trace);
    if (trace) {
      trace->record("stage.vfm.input", input.slice(0, b, b + 1));
      trace->record("stage.vfm.features",
                    normed.transpose(1, 2).reshape({1, -1, result.grid.height, result.grid.width}));
    }
    rows.push_back(layers::unit_rows(normed));
  }
  result.features = at::cat(rows, /*dim=*/0);
  result.means = attention::cosine_means(result.features);
  if (options.compat.batch_mean) result.means = result.means.mean().expand_as(result.means).contiguous();
  if (trace) {
    const at::Tensor shown = options.compat.batch_mean ? result.means.slice(0, 0, 1) : result.means;
    trace->record("cosine_mean", shown);
    trace->record("stage.dattn.cosine_mean", shown);
  }
  return result;
}

// One for each GPU, always the same: libtorch keeps freed memory by stream, and every further stream would
// hold the source's activations once more.
c10::Stream side_stream(at::Device device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, c10::Stream> streams;
  const std::lock_guard lock(mutex);
  const auto found = streams.find(device.index());
  if (found != streams.end()) return found->second;
  const c10::impl::VirtualGuardImpl guard(device.type());
  return streams.emplace(device.index(), guard.getStreamFromGlobalPool(device, /*isHighPriority=*/false))
      .first->second;
}

}  // namespace

void SourceAffinity::join() const {
  if (!is_ready) return;
  const c10::Stream stream =
      c10::impl::VirtualGuardImpl(features.device().type()).getStream(features.device());
  is_ready->block(stream);
  // Their memory is not handed out again before this stream has read them.
  features.record_stream(stream);
  means.record_stream(stream);
}

SourceAffinity source_affinity(const Towers& towers, const at::Tensor& image, const CraneOptions& options,
                               Trace* trace) {
  if (!image.is_cuda() || trace != nullptr) return affinity_here(towers, image, options, trace);
  const c10::impl::VirtualGuardImpl device(image.device().type());
  const c10::Stream side = side_stream(image.device());
  c10::Event has_image(image.device().type());
  has_image.record(device.getStream(image.device()));
  has_image.block(side);
  image.record_stream(side);
  const c10::StreamGuard guard(side);
  SourceAffinity affinity = affinity_here(towers, image, options, trace);
  affinity.is_ready = std::make_shared<c10::Event>(image.device().type());
  affinity.is_ready->record(side);
  return affinity;
}

at::Tensor d_attn(const layers::FrozenBlock& block, const SourceAffinity& affinity, const at::Tensor& values,
                  vision::Grid values_grid, const CraneOptions& options, Trace* trace) {
  const at::Tensor v = vision::resize_patches(values, values_grid, affinity.grid);
  if (trace) {
    trace->record("stage.dattn.v_resized", v.view({v.size(0), v.size(1), block.heads(), -1})
                                               .transpose(1, 2)
                                               .reshape({v.size(0) * block.heads(), v.size(1), -1}));
  }
  attention::AffinityOptions how;
  how.beta = options.d_attn_beta;
  how.empty_rows = options.compat.empty_rows;
  Trace inner;
  const at::Tensor mixed =
      attention::affinity_attention(affinity.features, affinity.means, v, how, trace ? &inner : nullptr);
  if (trace) trace->record_all(inner, stage_name);
  const at::Tensor d = block.output(mixed).to(at::kFloat);  // no residual; float32 from here on
  if (trace) trace->record("stage.dattn.out_proj", d);
  return d;
}

}  // namespace crane::methods
