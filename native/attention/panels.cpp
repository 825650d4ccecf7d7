#include "attention/panels.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensors/team.h"

namespace crane::attention {
namespace {

// Picture b of [B, H, N, 64].
kernels::HeadRows rows_of(const at::Tensor& x, int64_t b) {
  return {x.const_data_ptr<float>() + b * x.stride(0), x.stride(2), x.stride(1)};
}

struct Inputs {
  const at::Tensor& q;
  const at::Tensor& k;
  const at::Tensor& v;
};

// `streams_of(job, b)` says what is correlated.
template <typename StreamsOf>
at::Tensor run(const kernels::AttentionFace& face, const Inputs& in, double scale, StreamsOf streams_of) {
  const int64_t heads = in.q.size(1);
  const at::Tensor dst =
      at::empty({in.q.size(0), in.q.size(2), heads, kernels::k_head_width}, in.q.options());
  std::vector<kernels::AttentionPanels> jobs(static_cast<size_t>(in.q.size(0)));
  for (int64_t b = 0; b < in.q.size(0); ++b) {
    kernels::AttentionPanels& job = jobs[static_cast<size_t>(b)];
    job.scale = static_cast<float>(scale);
    job.values = rows_of(in.v, b);
    job.heads = heads;
    job.queries = in.q.size(2);
    job.keys = in.k.size(2);
    job.dst = dst.mutable_data_ptr<float>() + b * dst.stride(0);
    job.dst_row_stride = dst.stride(1);
    job.dst_head_stride = dst.stride(2);
    streams_of(job, b);
  }
  // One call of the team for all of them: hundreds of short sequences would wake it hundreds of times.
  const int64_t tasks = face.tasks(jobs.front());
  const int64_t all = tasks * in.q.size(0);
  // A head's keys are gathered anew for each piece, so it is at least a head.
  const int64_t piece = std::max(tasks / heads, all / (int64_t{16} * at::get_num_threads()));
  run_in_pieces(all, piece, [&](int64_t first, int64_t last) {
    for (int64_t at = first; at < last;) {
      const int64_t b = at / tasks;
      const int64_t end = std::min(last, (b + 1) * tasks);
      face.run(jobs[static_cast<size_t>(b)], at - b * tasks, end - b * tasks);
      at = end;
    }
  });
  return dst.transpose(1, 2);
}

}  // namespace

bool fits_panels(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const auto fits = [](const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kFloat && x.size(3) == kernels::k_head_width &&
           x.stride(3) == 1 && x.numel() > 0;
  };
  const bool wants_gradient =
      at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  return fits(q) && fits(k) && fits(v) && !wants_gradient;
}

at::Tensor plain_panels(const kernels::AttentionFace& face, const at::Tensor& q, const at::Tensor& k,
                        const at::Tensor& v, double scale) {
  return run(face, {q, k, v}, scale, [&](kernels::AttentionPanels& job, int64_t b) {
    job.stream_count = 1;
    job.streams[0].member_count = 1;
    job.streams[0].members[0] = {rows_of(q, b), rows_of(k, b)};
  });
}

at::Tensor self_panels(const kernels::AttentionFace& face, const at::Tensor& q, const at::Tensor& k,
                       const at::Tensor& v, SelfSet set, double scale) {
  if (set.joined) {
    return run(face, {q, k, v}, scale / std::sqrt(3.0), [&](kernels::AttentionPanels& job, int64_t b) {
      job.stream_count = 1;
      for (const at::Tensor* s : {&q, &k, &v}) {
        job.streams[0].members[job.streams[0].member_count++] = {rows_of(*s, b), rows_of(*s, b)};
      }
    });
  }
  return run(face, {q, k, v}, scale, [&](kernels::AttentionPanels& job, int64_t b) {
    const auto add = [&](const at::Tensor& s) {
      kernels::ScoreStream& stream = job.streams[job.stream_count++];
      stream.member_count = 1;
      stream.members[0] = {rows_of(s, b), rows_of(s, b)};
    };
    if (set.q) add(q);
    if (set.k) add(k);
    if (set.v) add(v);
  });
}

}  // namespace crane::attention
