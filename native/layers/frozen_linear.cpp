#include "layers/frozen_linear.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "cuda/tensors.h"
#include "kernels/choice.h"
#include "kernels/int8.h"
#include "kernels/linear_panels.h"
#include "layers/block.h"
#include "layers/half_linear.h"
#include "layers/int8_linear.h"
#include "layers/packed_weights.h"
#include "tensors/shared_tensors.h"
#include "tensors/team.h"

namespace crane::layers {
namespace {

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

at::Tensor onednn_packed(const at::Tensor& weight) {
  static const auto reorder = c10::Dispatcher::singleton()
                                  .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                                  .typed<at::Tensor(const at::Tensor&, std::optional<int64_t>)>();
  return reorder.call(weight, std::nullopt);
}

at::Tensor onednn_linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias) {
  static const auto linear =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            c10::string_view, c10::List<std::optional<at::Scalar>>,
                            std::optional<c10::string_view>)>();
  return linear.call(x, packed, bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

// Panels of rows and of columns split over the team so that the most loaded thread has least to do.
struct Split {
  int64_t row_parts = 1;
  int64_t column_parts = 1;
};

Split split(int64_t row_panels, int64_t column_panels) {
  const auto part = [](int64_t count, int64_t parts) { return (count + parts - 1) / parts; };
  const int64_t threads = at::get_num_threads();
  Split best{std::min(threads, row_panels), 1};
  for (int64_t columns = 2; columns <= std::min(threads, column_panels); ++columns) {
    const Split next{std::min(std::max<int64_t>(1, threads / columns), row_panels), columns};
    if (part(row_panels, next.row_parts) * part(column_panels, next.column_parts) <
        part(row_panels, best.row_parts) * part(column_panels, best.column_parts)) {
      best = next;
    }
  }
  return best;
}

kernels::Epilogue epilogue_of(Activation activation) {
  return activation == Activation::quick_gelu ? kernels::Epilogue::quick_gelu : kernels::Epilogue::gelu;
}

std::vector<int32_t> outliers_for(const kernels::Row& face, const LayerNorm* before) {
  return face.precision == Precision::int8 && before != nullptr ? outliers_behind(*before)
                                                                : std::vector<int32_t>();
}

void check_depth(const kernels::Row& face, int64_t in) {
  check_input(face.precision != Precision::int8 || in <= kernels::k_most_int8_depth, "E_MODEL_CONFIG",
              "a layer of ", in, " inputs; int8 sums at most ", kernels::k_most_int8_depth,
              " products exactly");
}

}  // namespace

FrozenLinear FrozenLinear::load(TensorLoader& loader, const std::string& prefix, const at::Tensor& scale,
                                Precision precision, const LayerNorm* before) {
  const kernels::Row* face = loader.device().is_cpu() ? &kernels::chosen("linear", precision) : nullptr;
  if (face == nullptr || face->as<kernels::LinearFace>() == nullptr) {
    return {loader.linear(prefix), scale, precision, before};
  }
  FrozenLinear found;
  found.face_ = face->as<kernels::LinearFace>();
  found.outliers_ = outliers_for(*face, before);
  const weights::CanonicalTensor& stored = loader.stored(prefix + ".weight");
  found.out_ = stored.shape[0];
  found.in_ = stored.shape[1];
  check_depth(*face, found.in_);
  bool was_read = false;
  bool was_there = false;
  const auto make = [&] {
    const c10::InferenceMode inference(false);
    at::Tensor kept = found.find_packed(loader, prefix, scale);
    if (kept.defined()) return kept;
    was_read = true;
    const FrozenLinear made({loader.required(prefix + ".weight"), {}}, scale, *face, before);
    if (loader.packed() != nullptr) loader.packed()->keep(prefix, made.weight_);
    return made.weight_;
  };
  found.weight_ = shared_tensor(found.key_of_packed(stored, scale, *face), make, &was_there);
  if (!was_read) loader.count(stored);
  if (was_there && loader.packed() != nullptr) loader.packed()->share();
  found.bias_ = loader.optional(prefix + ".bias");
  if (!found.bias_.defined()) found.bias_ = at::zeros({found.out_});
  if (scale.defined()) found.bias_ = found.bias_ * scale;
  return found;
}

std::string FrozenLinear::key_of_packed(const weights::CanonicalTensor& stored, const at::Tensor& scale,
                                        const kernels::Row& face) const {
  std::string key = stored.identity();
  if (key.empty()) return key;
  key.append("|").append(precision_name(face.precision)).append("|").append(face.face).append("|");
  if (scale.defined()) {
    const at::Tensor values = scale.contiguous();
    key.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
  }
  key.append("|").append(reinterpret_cast<const char*>(outliers_.data()), outliers_.size() * sizeof(int32_t));
  return key;
}

at::Tensor FrozenLinear::find_packed(const TensorLoader& loader, const std::string& prefix,
                                     const at::Tensor& scale) const {
  if (loader.packed() == nullptr) return {};
  const auto outliers = static_cast<int64_t>(outliers_.size());
  const at::Tensor packed =
      loader.packed()->find(prefix, face_->packed_floats(out_, in_, outliers), at::kFloat);
  if (!packed.defined()) return {};
  // A panel from somewhere in the middle: what was kept for other weights does not agree with these.
  const int64_t panel = face_->column_panels(out_) / 2;
  const int64_t first = panel * face_->columns;
  const int64_t count = std::min(face_->columns, out_ - first);
  at::Tensor rows = at::empty({count, in_});
  weights::read_f32_rows(loader.stored(prefix + ".weight"), first, count, rows.mutable_data_ptr<float>());
  if (scale.defined()) rows.mul_(scale.slice(0, first, first + count).unsqueeze(1));
  const at::Tensor again = at::empty({face_->packed_floats(count, in_, outliers)});
  face_->pack(rows.const_data_ptr<float>(), count, in_, 0, 1, again.mutable_data_ptr<float>(), outliers_);
  const float* kept = packed.const_data_ptr<float>() + panel * again.numel();
  return std::memcmp(kept, again.const_data_ptr(), again.nbytes()) == 0 ? packed : at::Tensor();
}

FrozenLinear::FrozenLinear(const Linear& plain, const at::Tensor& scale, Precision precision,
                           const LayerNorm* before) {
  if (precision != Precision::float32 && cuda::has_kernels(plain.weight.device())) {
    half_ = std::make_shared<HalfLinear>(plain, scale, precision);
    in_ = plain.weight.size(1);
    out_ = plain.weight.size(0);
    return;
  }
  const auto faces = kernels::rows_of("linear", precision);
  *this = FrozenLinear(plain, scale,
                       plain.weight.is_cpu() ? kernels::chosen("linear", precision) : faces.back(), before);
}

FrozenLinear::FrozenLinear(const Linear& plain, const at::Tensor& scale, const kernels::Row& face,
                           const LayerNorm* before)
    : weight_(plain.weight),
      bias_(plain.bias),
      scale_(scale),
      outliers_(outliers_for(face, before)),
      in_(plain.weight.size(1)),
      out_(plain.weight.size(0)) {
  check_depth(face, in_);
  face_ = face.as<kernels::LinearFace>();
  const bool is_int8 = face.precision == Precision::int8;
  is_onednn_ = face.face == "onednn";
  rounds_ = face_ == nullptr && face.precision == Precision::bfloat16;
  if (face_ == nullptr && !is_onednn_ && !rounds_ && !is_int8) return;
  if (scale.defined()) {
    weight_ = weight_ * scale.unsqueeze(1);
    if (bias_.defined()) bias_ = bias_ * scale;
    scale_ = at::Tensor();
  }
  if (is_onednn_) weight_ = onednn_packed(weight_);
  if (rounds_) weight_ = rounded(weight_);
  if (face_ == nullptr) {
    if (is_int8) int8_ = std::make_shared<Int8Linear>(weight_, bias_, outliers_);
    return;
  }
  if (!bias_.defined()) bias_ = at::zeros({out_}, weight_.options());
  const at::Tensor packed =
      at::empty({face_->packed_floats(out_, in_, static_cast<int64_t>(outliers_.size()))}, weight_.options());
  const at::Tensor rows = weight_.contiguous();
  run_on_team(face_->column_panels(out_), [&](int64_t first, int64_t last) {
    face_->pack(rows.const_data_ptr<float>(), out_, in_, first, last, packed.mutable_data_ptr<float>(),
                outliers_);
  });
  weight_ = packed;
}

kernels::LinearPanels FrozenLinear::job(const at::Tensor& x, const LayerNorm* norm, at::Tensor& dst) const {
  CRANE_CHECK_INVARIANT(x.dim() == 2 && x.size(1) == in_ && x.stride(1) == 1, "rows of ", x.size(-1),
                        " for a layer of ", in_);
  kernels::LinearPanels job;
  job.src = x.const_data_ptr<float>();
  job.src_stride = x.stride(0);
  job.rows = x.size(0);
  job.depth = in_;
  if (norm != nullptr) {
    job.norm_weight = norm->weight.const_data_ptr<float>();
    job.norm_bias = norm->bias.const_data_ptr<float>();
    job.norm_eps = norm->eps;
  }
  job.outliers = outliers_.data();
  job.outlier_count = static_cast<int64_t>(outliers_.size());
  job.weight = weight_.const_data_ptr<float>();
  job.bias = bias_.const_data_ptr<float>();
  job.out = out_;
  job.dst = dst.mutable_data_ptr<float>();
  job.dst_row_stride = dst.stride(0);
  job.dst_group = out_;
  return job;
}

void FrozenLinear::run(const kernels::LinearPanels& job) const {
  const int64_t row_panels = face_->row_panels(job.rows);
  const int64_t column_panels = face_->column_panels(job.out);
  const Split parts = split(row_panels, column_panels);
  // Every thread has a part, in pieces of as many rows as the kernel takes together anyway.
  const int64_t rows_of_part = (row_panels + parts.row_parts - 1) / parts.row_parts;
  const int64_t pieces = (rows_of_part + face_->block_panels - 1) / face_->block_panels;
  run_in_pieces(parts.row_parts * parts.column_parts * pieces, 1, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t part = task / pieces;
      const int64_t r = part / parts.column_parts;
      const int64_t c = part % parts.column_parts;
      const int64_t end = row_panels * (r + 1) / parts.row_parts;
      const int64_t from = row_panels * r / parts.row_parts + task % pieces * face_->block_panels;
      face_->run(job, {std::min(from, end), std::min(from + face_->block_panels, end),
                       column_panels * c / parts.column_parts, column_panels * (c + 1) / parts.column_parts});
    }
  });
}

at::Tensor FrozenLinear::by_libtorch(const at::Tensor& x, const LayerNorm* norm) const {
  at::Tensor u = norm != nullptr ? (*norm)(x) : x;
  if (int8_) return (*int8_)(u);
  if (rounds_) u = rounded(u);
  const at::Tensor y =
      is_onednn_ ? onednn_linear(u.contiguous(), weight_, bias_) : at::linear(u, weight_, bias_);
  return scale_.defined() ? y * scale_ : y;
}

at::Tensor FrozenLinear::operator()(const at::Tensor& x, const LayerNorm* norm,
                                    std::optional<Activation> activation) const {
  if (half_) return (*half_)(x, norm, activation);
  if (face_ == nullptr) {
    const at::Tensor y = by_libtorch(x, norm);
    return activation ? activate(y, *activation) : y;
  }
  at::Tensor dst = at::empty({x.size(0), out_}, x.options());
  kernels::LinearPanels panels = job(x, norm, dst);
  if (activation) panels.epilogue = epilogue_of(*activation);
  run(panels);
  return dst;
}

at::Tensor FrozenLinear::columns(const at::Tensor& x, const LayerNorm* norm, Columns which) const {
  if (half_) return half_->columns(x, norm, which.from, which.to);
  if (is_plain() && !scale_.defined()) {
    const at::Tensor bias = bias_.defined() ? bias_.slice(0, which.from, which.to) : bias_;
    return at::linear(norm != nullptr ? (*norm)(x) : x, weight_.slice(0, which.from, which.to), bias);
  }
  if (face_ == nullptr || which.from % face_->columns != 0) {
    return (*this)(x, norm).slice(1, which.from, which.to).contiguous();
  }
  at::Tensor dst = at::empty({x.size(0), which.to - which.from}, x.options());
  kernels::LinearPanels panels = job(x, norm, dst);
  panels.weight += which.from * face_->cells(in_, static_cast<int64_t>(outliers_.size()));
  panels.bias += which.from;
  panels.out = which.to - which.from;
  panels.dst_group = panels.out;
  run(panels);
  return dst;
}

at::Tensor FrozenLinear::grouped(const at::Tensor& x, const LayerNorm* norm, int64_t group) const {
  if (face_ == nullptr || group % face_->columns != 0) {
    return (*this)(x, norm).view({x.size(0), out_ / group, group}).transpose(0, 1);
  }
  at::Tensor dst = at::empty({out_ / group, x.size(0), group}, x.options());
  kernels::LinearPanels panels = job(x, norm, dst);
  panels.dst_row_stride = group;
  panels.dst_group = group;
  panels.dst_group_stride = x.size(0) * group;
  run(panels);
  return dst;
}

void FrozenLinear::add_to(const at::Tensor& stream, const at::Tensor& x) const {
  if (half_) return half_->add_to(stream, x);
  at::Tensor dst = stream;
  if (face_ == nullptr) {
    dst.add_(by_libtorch(x, nullptr));
    return;
  }
  kernels::LinearPanels panels = job(x, nullptr, dst);
  panels.epilogue = kernels::Epilogue::add;
  run(panels);
}

}  // namespace crane::layers
