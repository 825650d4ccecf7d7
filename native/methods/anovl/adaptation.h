// What AnoVL learns of one picture before it is scored: an adapter of its patch features, by entropy and by
// telling the patches from a noisy copy of themselves.
#pragma once

#include <optional>
#include <string>

#include "methods/anovl/options.h"
#include "tensors/torch_headers.h"
#include "tensors/trace.h"
#include "train/adam.h"

namespace crane::methods::anovl {

// What the adapter starts from and what disturbs it, of P pictures.
struct Draws {
  at::Tensor weight;  // [P, rows, D]
  at::Tensor bias;    // [P, rows]
  at::Tensor noise;   // [P, steps, N, D]; undefined without
};

// Of one picture, from the seed: weight and bias as a new linear layer of torch has them, uniform within
// 1 / sqrt(D), the noise normal with a deviation of 0.055.
Draws drawn(const Options& options, int64_t rows, int64_t cells, int64_t width);
// Of a file with the tensors "weight", "bias" and, where noise is on, "noise" of these shapes. Errors:
// E_PROMPTS for another shape, E_WEIGHTS_*.
Draws read_draws(const std::string& path, const Options& options, int64_t rows, int64_t cells, int64_t width);

// Where the optimiser stands after a picture.
struct Carried {
  std::vector<train::Adam::Moments> moments;
  int64_t steps = 0;
};

// What patches are compared with.
struct Sentences {
  at::Tensor pair;  // [2, D] unit rows: normal, anomalous
  at::Tensor all;   // [R, D] unit rows: those of normal, then those of anomalous; for the adapter "text"
};

// patches [N, D] as the tower projects them, draws of the picture number `at` -> the patches after as many
// steps of AdamW as the options say, [N, D]. `carried`: goes on from there and is left where it ends; null:
// begins anew. Outside inference mode. Errors: E_TRAIN_DIVERGED when loss or gradient is not finite.
at::Tensor adapted(const at::Tensor& patches, const Sentences& sentences, const Draws& draws, int64_t at,
                   const Options& options, Carried* carried, Trace* trace);

// patches [N, D] -> the probability of each that it is anomalous, [N].
at::Tensor anomalous(const at::Tensor& patches, const at::Tensor& pair, double temperature);

}  // namespace crane::methods::anovl
