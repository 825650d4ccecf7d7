// WinCLIP: what CLIP says of many small windows of a picture, from sentences alone or beside normal pictures.
#pragma once

#include "methods/method.h"
#include "methods/winclip/options.h"

namespace crane::methods {

namespace winclip {

struct Reference final : Context {
  at::Tensor text;                  // [2, D] unit rows: normal, anomalous
  std::vector<at::Tensor> gallery;  // of each side the windows of all normal pictures, [G, D]; may be empty

  at::Tensor text_vectors() const override { return text; }
};

class Winclip final : public Method {
 public:
  explicit Winclip(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  // Sentences of the groups "normal" and "anomalous"; normal pictures as many as there are, those of the
  // file "memory" and of contexts "memory" first (normal_memory.h: the parts are sides). Without sentences: a
  // memory.
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "window-max": the largest value of the map
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  void trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                     Trace& trace) const override;

 private:
  // image [B, 3, H, W] with a reference each.
  Scores score_together(const Towers& towers, const at::Tensor& image,
                        std::span<const Context* const> contexts, Trace* trace) const;

  Options options_;
  Facts facts_;
};

}  // namespace winclip

std::shared_ptr<const Method> make_winclip(const Settings& settings);

}  // namespace crane::methods
