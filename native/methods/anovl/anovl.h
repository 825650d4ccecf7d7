// AnoVL: patch features by v-v attention against many sentences, the class token of many views, and an
// adapter learned anew for every picture.
#pragma once

#include "methods/anovl/adaptation.h"
#include "methods/anovl/options.h"
#include "methods/method.h"

namespace crane::methods {

namespace anovl {

struct Reference final : Context {
  Sentences sentences;
  Draws draws;  // undefined tensors without an adapter
  // Pictures so far and where the optimiser stands after them, for compat.carriedState.
  mutable Carried carried;
  mutable int64_t pictures = 0;

  at::Tensor text_vectors() const override { return sentences.pair; }
};

class Anovl final : public Method {
 public:
  explicit Anovl(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  // Sentences of the groups "normal" and "anomalous"; a file "draws" (adaptation.h) in the place of what the
  // seed gives.
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "class-token": the mean of the views' probabilities
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  void trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                     Trace& trace) const override;

 private:
  // image [1, 3, H, W].
  Scores score_one(const Towers& towers, const at::Tensor& image, const Reference& reference,
                   Trace* trace) const;
  // patches [N, D] -> [N, D].
  at::Tensor adapt(const at::Tensor& patches, const Reference& reference, Trace* trace) const;

  Options options_;
  Facts facts_;
};

}  // namespace anovl

std::shared_ptr<const Method> make_anovl(const Settings& settings);

}  // namespace crane::methods
