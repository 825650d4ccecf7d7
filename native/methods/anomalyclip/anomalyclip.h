// AnomalyCLIP: two learned prompts against the patches of a v-v stream at several blocks
// (docs/methods/anomalyclip.md).
#pragma once

#include "methods/anomalyclip/options.h"
#include "methods/method.h"

namespace crane::methods {

class AnomalyClip final : public Method {
 public:
  explicit AnomalyClip(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "class-token": from the class feature alone; the map is a sum over the listed blocks, [0, their
  // number]
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  // Cells are the input's pixels: the loss is taken there.
  std::optional<FeatureShape> feature_shape(const Towers& towers) const override;
  std::vector<NamedTensors> features(const Towers& towers, const at::Tensor& image) const override;
  std::unique_ptr<Learner> learner(const Towers& towers, const LearnerStart& start,
                                   const Settings& settings) const override;
  void trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                     Trace& trace) const override;

 private:
  anomalyclip::Options options_;
  Facts facts_;
};

std::shared_ptr<const Method> make_anomalyclip(const Settings& settings);

}  // namespace crane::methods
