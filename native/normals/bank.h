// A bank of normal pictures: the patch rows of a few good pictures, in memory or mapped from a file
// (methods/normals.md 1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/file_version.h"
#include "normals/patch_rows.h"
#include "normals/search.h"
#include "normals/subspace.h"
#include "tensors/torch_headers.h"

namespace crane::normals {

// What a subspace is fitted to (subspace.h). Those of pictures add up, so banks join, and a picture can be
// left out, without an error.
struct Spread {
  at::Tensor moments;           // [pictures, D + 1, D] float64 on the CPU, over all copies of each
  std::vector<int64_t> counts;  // of each picture: its rows
  double variance = 0.99;       // share that the axes hold
};

// Some of the rows of all copies: those of the foreground, or some that stand for all (coreset.h). Of the
// latter what was not chosen is gone, so such a bank joins no other.
struct Chosen {
  at::Tensor rows;              // [size, D] in the order of the pictures
  std::vector<int64_t> starts;  // picture p has [starts[p], starts[p + 1]), which may be none
  bool is_coreset = true;
};

// What is left out of a bank of the foreground (foreground.h), of each picture.
struct Background {
  std::vector<int64_t> left_out;  // patches of all its copies
  std::vector<int64_t> patches;   // and how many these have
};

// What a method keeps of each picture beside its patches, by name: [pictures, ...] float32, finite.
using Beside = std::map<std::string, at::Tensor>;

class Bank {
 public:
  // rows [R, D] unit rows on any device, of which picture p has [starts[p], starts[p + 1]); the first of them
  // are those of its upright copy, `grid` in all. With a spread it is a bank of the kind "subspace", and has
  // no rows of other copies; else it is one of the kind "nearest".
  Bank(PatchSource what, vision::Grid grid, at::Tensor rows, std::vector<int64_t> starts, Beside beside = {},
       std::optional<Spread> spread = std::nullopt);

  // The same bank with its rows, and those that it will be asked for, rounded to this type: a file has half
  // the size, and every product is one of float32 all the same. Errors: E_NORMALS for a subspace, which is
  // fitted to rows as they are.
  Bank rounded_to(at::ScalarType precision) const;
  // A bank of `size` of the rows that are searched, or of all where there are fewer, and of the upright
  // copies for their own scores. Errors: E_NORMALS for a bank that has no rows to choose from.
  Bank with_chosen(int64_t size) const;
  // The same bank, whose rows are those of upright copies, as one that leaves out the background, also of the
  // pictures that are compared with it. rows: of the foreground; none for a subspace, which is fitted to
  // them.
  Bank of_foreground(std::optional<Chosen> rows, Background background) const;

  // All pictures of banks of the same kind, in their order. Errors: E_NORMALS for banks that differ.
  static Bank joined(const std::vector<const Bank*>& banks);

  // The bank of a file. Its rows are mapped where they are used on a CPU, and live as long as the bank.
  // Errors: those of open_weights; E_NORMALS for a file that is no bank, is damaged, or holds what no bank
  // has.
  static Bank read(const std::string& path, at::Device device);

  // Rows that are mapped are those of the file only as long as nobody writes to it: whoever has compared with
  // them asks afterwards. Errors: E_FILE_CHANGED.
  void check_versions() const;

  // Whole or not at all. metadata: what the caller wants to find again. Errors: E_IO_WRITE; those of
  // check_versions.
  void write(const std::string& path, const std::map<std::string, std::string>& metadata) const;

  const PatchSource& what() const noexcept { return what_; }
  vision::Grid grid() const noexcept { return grid_; }
  const at::Tensor& rows() const noexcept { return rows_; }
  int64_t pictures() const noexcept { return static_cast<int64_t>(starts_.size()) - 1; }

  const Beside& beside() const noexcept { return beside_; }
  // The same bank with this beside its rows.
  Bank with(Beside beside) const;

  // None of a bank whose rows are searched.
  const std::optional<Spread>& spread() const noexcept { return spread_; }
  // Of all pictures but `without` (none: -1). Errors: E_INTERNAL for a bank without a spread, or one that
  // would have no picture left.
  Subspace subspace(int64_t without) const;

  // None of a bank of all rows, or of a subspace.
  const std::optional<Chosen>& chosen() const noexcept { return chosen_; }
  bool is_coreset() const noexcept { return chosen_ && chosen_->is_coreset; }
  // None of a bank that compares whole pictures.
  const std::optional<Background>& background() const noexcept { return background_; }
  // What a search looks at.
  const at::Tensor& searched() const noexcept { return chosen_ ? chosen_->rows : rows_; }
  // Picture p has the searched rows [starts[p], starts[p + 1]).
  std::span<const int64_t> searched_starts() const noexcept { return chosen_ ? chosen_->starts : starts_; }
  LeftOut searched_of(int64_t picture) const {
    const auto of = searched_starts();
    return {of[static_cast<size_t>(picture)], of[static_cast<size_t>(picture) + 1]};
  }

  at::ScalarType precision() const noexcept { return precision_; }
  // Rows of a picture as it compares them: rounded as its own are.
  at::Tensor comparable(const at::Tensor& rows) const;

  // Picture p has the rows [starts[p], starts[p + 1]).
  std::span<const int64_t> starts() const noexcept { return starts_; }
  // The rows of a picture, all its copies.
  LeftOut of_picture(int64_t picture) const { return {starts_[picture], starts_[picture + 1]}; }
  // [grid, D] of its upright copy.
  at::Tensor upright(int64_t picture) const {
    return rows_.slice(0, starts_[picture], starts_[picture] + grid_.count());
  }

  // Errors: E_NORMALS for a bank of other patches; the kind does not matter.
  void check_comparable(const Bank& other) const;

  // Errors: E_NORMALS where patches of these towers and this input cannot be compared with it.
  void check_fits(const PatchTowers& towers, int64_t height, int64_t width) const;

 private:
  PatchSource what_;
  vision::Grid grid_;
  at::Tensor rows_;
  std::vector<int64_t> starts_;
  Beside beside_;
  std::optional<Spread> spread_;
  std::optional<Chosen> chosen_;
  std::optional<Background> background_;
  at::ScalarType precision_ = at::kFloat;
  std::vector<FileVersion> versions_;  // of the files that rows or what is beside them are mapped from
};

}  // namespace crane::normals
