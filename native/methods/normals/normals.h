// Scores by a bank of normal pictures: how far each patch is from the nearest one of the bank
// (methods/normals.md 2).
#pragma once

#include "methods/method.h"
#include "normals/bank.h"
#include "normals/turns.h"

namespace crane::methods {

struct NormalsOptions {
  // what prepare() takes of normal pictures
  normals::PatchSource patches;
  normals::Turns turns;
  // what score() makes of distances
  double top_share = 0.01;
};

struct BankContext final : Context {
  explicit BankContext(normals::Bank of) : bank(std::move(of)) {}

  void write(const std::string& path, const std::map<std::string, std::string>& metadata) const override {
    bank.write(path, metadata);
  }
  int64_t own_pictures() const override { return bank.pictures(); }

  normals::Bank bank;
};

class Normals final : public Method {
 public:
  explicit Normals(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  // From the file "bank", the contexts "bank", or normal pictures; the first of these that is given.
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "farthest": the mean of the farthest patches
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  Scores score_own(const Towers& towers, const Context& context, int64_t picture) const override;

 private:
  Scores scores_of(const Towers& towers, const at::Tensor& rows, const normals::Bank& bank,
                   normals::LeftOut left_out, Trace* trace) const;

  NormalsOptions options_;
  Facts facts_;
};

std::shared_ptr<const Method> make_normals(const Settings& settings);

}  // namespace crane::methods
