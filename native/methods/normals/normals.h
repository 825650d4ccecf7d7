// Scores by a bank of normal pictures: how far each patch is from the nearest one of the bank
// (methods/normals.md 2).
#pragma once

#include <mutex>
#include <optional>

#include "methods/method.h"
#include "normals/mutual.h"
#include "normals/turns.h"

namespace crane::methods {

struct NormalsOptions {
  // what prepare() takes of normal pictures
  normals::PatchSource patches;
  normals::Turns turns;
  bool is_subspace = false;
  double variance = 0.99;  // of a subspace
  at::ScalarType precision = at::kFloat;
  int64_t bank_size = 0;       // rows that are chosen of all; 0: all stay
  bool is_foreground = false;  // the background is left out, of a scored picture too
  // what score() makes of distances
  double top_share = 0.01;
  int64_t neighbours = 1;
  // The pictures that are scored are compared with each other instead of with a bank.
  bool is_mutual = false;
  normals::MutualOptions mutual;
};

struct BankContext final : Context {
  explicit BankContext(normals::Bank of) : bank(std::move(of)) {}

  void write(const std::string& path, const std::map<std::string, std::string>& metadata) const override {
    bank.write(path, metadata);
  }
  int64_t own_pictures() const override { return asked ? asked->pictures() : bank.pictures(); }
  std::vector<PatchCount> left_out() const override;
  // Errors: E_FILE_CHANGED (normals/bank.h).
  void check_versions() const;

  // Of a bank of that kind; all its pictures, fitted when it is first asked for.
  const normals::Subspace& subspace() const;

  normals::Bank bank;
  // Pictures that are compared with the bank though they are no part of it: where there are some, these are
  // the context's own.
  std::optional<normals::Bank> asked;

 private:
  mutable std::once_flag fitted_;
  mutable std::optional<normals::Subspace> subspace_;
};

// Pictures that are compared with each other, and which of them is scored; none of the set alone.
struct MutualContext final : Context {
  std::shared_ptr<normals::PictureFiles> pictures;  // shared by the contexts of all of them
  std::optional<int64_t> asked;
};

class Normals final : public Method {
 public:
  explicit Normals(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  double top_share() const noexcept { return options_.top_share; }
  // From the file "bank", the contexts "bank", or normal pictures; the first of these that is given. Contexts
  // "pictures": banks whose pictures score_own() compares with the bank, upright. Where pictures are compared
  // with each other: files "picture.*", banks of one each, are the set; the context "mutual", a set, and the
  // file "picture" are what one of them is compared with.
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // parts "farthest": the mean of the farthest patches; "background": how many patches were left out
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  Scores score_own(const Towers& towers, const Context& context, int64_t picture) const override;

 private:
  void check_kind(const normals::Bank& bank, const std::string& path) const;
  // without: a picture of the bank that is left out, or -1
  at::Tensor cosines_of(const at::Tensor& rows, const normals::Bank& bank, int64_t without) const;
  at::Tensor distances_of(const at::Tensor& rows, const BankContext& context, int64_t without) const;
  Scores scores_of_own(const Towers& towers, const BankContext& own, int64_t picture) const;
  Scores scores_of(const Towers& towers, const at::Tensor& rows, const BankContext& context, int64_t without,
                   Trace* trace) const;
  Scores scores_by(const Towers& towers, const at::Tensor& far, vision::Grid grid,
                   int64_t left_out = 0) const;
  // Of a picture that its context names: its patches are known, and no tower runs.
  Scores mutual_scores(const Towers& towers, const Context& context) const;

  NormalsOptions options_;
  Facts facts_;
};

std::shared_ptr<const Method> make_normals(const Settings& settings);

}  // namespace crane::methods
