// AdaCLIP: prompts in both towers, static and made from the picture, heads on plain blocks, and a class
// feature mixed with clusters of the most anomalous patches (docs/methods/adaclip.md).
#pragma once

#include "methods/adaclip/options.h"
#include "methods/method.h"

namespace crane::methods {

class AdaClip final : public Method {
 public:
  explicit AdaClip(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "fused": from the class feature, with the clusters' mixed in where `fusion` is on
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  // Cells are the input's pixels: the loss is taken there.
  std::optional<FeatureShape> feature_shape(const Towers& towers) const override;
  std::vector<NamedTensors> features(const Towers& towers, const at::Tensor& image) const override;
  std::unique_ptr<Learner> learner(const Towers& towers, const LearnerStart& start,
                                   const Settings& settings) const override;
  void trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                     Trace& trace) const override;

 private:
  adaclip::Options options_;
  Facts facts_;
};

std::shared_ptr<const Method> make_adaclip(const Settings& settings);

}  // namespace crane::methods
