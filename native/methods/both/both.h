// Prompts and a bank of normal pictures together: what either says of a pixel, each by how much it varies
// over the bank's own good pictures (methods/both.md).
#pragma once

#include "methods/crane/crane.h"
#include "methods/normals/normals.h"

namespace crane::methods {

struct BothOptions {
  double map_weight = 4;       // of the prompts in the map, beside the bank's 1
  double score_weight = 1;     // and in the picture's score
  double least_spread = 0.05;  // of the prompts' probabilities: a smaller one is no reason to trust them more
};

// Shares in [0, 1] of the prompts' evidence, the rest being the bank's.
struct Shares {
  double map = 0;
  double score = 0;
};

// Encoded prompts beside a bank.
struct BothContext final : Context {
  at::Tensor text_vectors() const override { return prompts->text_vectors(); }
  int64_t own_pictures() const override { return bank->own_pictures(); }
  std::vector<PatchCount> left_out() const override { return bank->left_out(); }

  std::shared_ptr<const Context> prompts;
  std::shared_ptr<const BankContext> bank;
  Shares shares;
};

class Both final : public Method {
 public:
  explicit Both(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  // Normal pictures, without texts: a bank that also holds what Crane reads off each. Texts, the file of
  // prompts and the context "memory", such a bank: what pictures are compared with. Contexts "both", such a
  // one, and "pictures", such banks: their pictures are the context's own, upright, though no part of it.
  // Errors: E_NORMALS for a bank of one picture, which has no other to be compared with, or without what
  // Crane reads.
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // parts "both": the bank's farthest patches and the prompts' most probable pixels; "background": as the
  // bank's method has it
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  Scores score_own(const Towers& towers, const Context& context, int64_t picture) const override;

 private:
  normals::Bank with_features(const Towers& towers, const normals::Bank& bank,
                              std::span<const at::Tensor> pictures) const;
  std::shared_ptr<const Context> asking(const Towers& towers, const BothContext& of,
                                        const Material& material) const;
  Scores kept_prompts(const Towers& towers, const BothContext& context, int64_t picture) const;
  Shares shares_of(const Towers& towers, const BothContext& context) const;
  Scores joined(const Shares& shares, const Scores& bank, const Scores& prompts) const;

  BothOptions options_;
  Crane prompts_;
  Normals bank_;
  Facts facts_;
};

std::shared_ptr<const Method> make_both(const Settings& settings);

}  // namespace crane::methods
