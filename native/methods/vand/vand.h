// VAND (APRIL-GAN): linear heads on plain blocks against a text ensemble; with normal pictures also the
// distance from their patches (docs/methods/vand.md).
#pragma once

#include "methods/method.h"
#include "methods/vand/heads.h"
#include "methods/vand/options.h"

namespace crane::methods {

class Vand final : public Method {
 public:
  explicit Vand(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  // normals: the memory, behind those of contexts "memory"; may be none. Without texts: a memory alone, which
  // needs no heads. Errors: E_NORMALS for a memory of other blocks.
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "class-token": of the class feature, with a memory its mean with the map's maximum. The map is a sum
  // over the L listed blocks, [0, L], with a memory [0, 3 L].
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  // Cells are the input's pixels: the loss is taken there.
  std::optional<FeatureShape> feature_shape(const Towers& towers) const override;
  std::vector<NamedTensors> features(const Towers& towers, const at::Tensor& image) const override;
  std::unique_ptr<Learner> learner(const Towers& towers, const LearnerStart& start,
                                   const Settings& settings) const override;
  void trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                     Trace& trace) const override;

 private:
  vand::Options options_;
  Facts facts_;
};

std::shared_ptr<const Method> make_vand(const Settings& settings);

}  // namespace crane::methods
