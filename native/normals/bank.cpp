#include "normals/bank.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "normals/coreset.h"

namespace crane::normals {
namespace {

constexpr const char* k_code = "E_NORMALS";

at::Tensor rounded(const at::Tensor& rows, at::ScalarType precision) {
  return precision == at::kFloat ? rows : rows.to(precision).to(at::kFloat);
}

// Of all banks in their order; every one has the same names and shapes.
Beside joined_beside(const std::vector<const Bank*>& banks) {
  Beside joined;
  for (const auto& [name, first] : banks.front()->beside()) {
    std::vector<at::Tensor> parts;
    parts.reserve(banks.size());
    for (const Bank* bank : banks) parts.push_back(bank->beside().at(name));
    joined.emplace(name, at::cat(parts, /*dim=*/0));
  }
  return joined;
}

bool are_alike(const Beside& a, const Beside& b) {
  return std::ranges::equal(a, b, [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.sizes().slice(1) == other.second.sizes().slice(1);
  });
}

bool are_alike(const std::optional<Spread>& a, const std::optional<Spread>& b) {
  return a.has_value() == b.has_value() && (!a || a->variance == b->variance);
}

std::optional<Spread> joined_spread(const std::vector<const Bank*>& banks) {
  if (!banks.front()->spread()) return std::nullopt;
  Spread joined{.variance = banks.front()->spread()->variance};
  std::vector<at::Tensor> moments;
  for (const Bank* bank : banks) {
    const Spread& one = *bank->spread();
    moments.push_back(one.moments);
    joined.counts.insert(joined.counts.end(), one.counts.begin(), one.counts.end());
  }
  joined.moments = at::cat(moments, /*dim=*/0);
  return joined;
}

// Rows of the foreground: those of a coreset join no others.
std::optional<Chosen> joined_chosen(const std::vector<const Bank*>& banks) {
  if (!banks.front()->chosen()) return std::nullopt;
  Chosen joined{at::Tensor(), {0}, /*is_coreset=*/false};
  std::vector<at::Tensor> rows;
  for (const Bank* bank : banks) {
    const Chosen& one = *bank->chosen();
    const int64_t before = joined.starts.back();
    for (size_t p = 1; p < one.starts.size(); ++p) joined.starts.push_back(before + one.starts[p]);
    rows.push_back(one.rows);
  }
  joined.rows = at::cat(rows, /*dim=*/0);
  return joined;
}

std::optional<Background> joined_background(const std::vector<const Bank*>& banks) {
  if (!banks.front()->background()) return std::nullopt;
  Background joined;
  for (const Bank* bank : banks) {
    const Background& one = *bank->background();
    joined.left_out.insert(joined.left_out.end(), one.left_out.begin(), one.left_out.end());
    joined.patches.insert(joined.patches.end(), one.patches.begin(), one.patches.end());
  }
  return joined;
}

}  // namespace

Bank::Bank(PatchSource what, vision::Grid grid, at::Tensor rows, std::vector<int64_t> starts, Beside beside,
           std::optional<Spread> spread)
    : what_(std::move(what)),
      grid_(grid),
      rows_(std::move(rows)),
      starts_(std::move(starts)),
      beside_(std::move(beside)),
      spread_(std::move(spread)) {}

Bank Bank::joined(const std::vector<const Bank*>& banks) {
  check_input(!banks.empty(), k_code, "a bank needs a normal picture");
  if (banks.size() == 1) return *banks.front();  // its rows are shared
  for (const Bank* bank : banks) {
    check_input(!bank->is_coreset(), k_code,
                "a bank of chosen rows joins no other: what was not chosen is gone");
  }
  const Bank& first = *banks.front();
  std::vector<at::Tensor> rows;
  std::vector<int64_t> starts{0};
  for (const Bank* bank : banks) {
    first.check_comparable(*bank);
    check_input(are_alike(first.spread_, bank->spread_), k_code, "banks of different kinds");
    check_input(first.precision_ == bank->precision_, k_code, "banks of different precision");
    check_input(first.background_.has_value() == bank->background_.has_value(), k_code,
                "a bank that leaves out the background, and one that does not");
    check_input(are_alike(first.beside_, bank->beside_), k_code,
                "banks that hold different things of a picture");
    const int64_t before = starts.back();
    for (size_t p = 1; p < bank->starts_.size(); ++p) starts.push_back(before + bank->starts_[p]);
    rows.push_back(bank->rows_);
  }
  Bank joined(first.what_, first.grid_, at::cat(rows, /*dim=*/0), std::move(starts), joined_beside(banks),
              joined_spread(banks));
  joined.precision_ = first.precision_;
  joined.chosen_ = joined_chosen(banks);
  joined.background_ = joined_background(banks);
  for (const Bank* bank : banks) bank->check_versions();
  return joined;
}

Bank Bank::rounded_to(at::ScalarType precision) const {
  check_input(!spread_ || precision == at::kFloat, k_code, "a subspace has no rows that could be rounded");
  Bank bank = *this;
  bank.precision_ = precision;
  bank.rows_ = rounded(rows_, precision);
  if (chosen_) bank.chosen_->rows = rounded(chosen_->rows, precision);
  return bank;
}

at::Tensor Bank::comparable(const at::Tensor& rows) const { return rounded(rows, precision_); }

Bank Bank::with_chosen(int64_t size) const {
  check_input(!spread_ && !is_coreset(), k_code, "a bank without all rows, of which none can be chosen");
  std::vector<int64_t> which = farthest_first(searched().to(at::kCPU).contiguous(), size);
  std::ranges::sort(which);
  Chosen chosen{searched().index_select(0, at::tensor(which, at::kLong).to(rows_.device())), {0}};
  Bank bank = *this;
  std::vector<at::Tensor> uprights;
  for (int64_t p = 0; p < pictures(); ++p) {
    uprights.push_back(upright(p));
    bank.starts_[static_cast<size_t>(p) + 1] = (p + 1) * grid_.count();
    const int64_t end = searched_of(p).last;
    chosen.starts.push_back(std::ranges::lower_bound(which, end) - which.begin());
  }
  bank.rows_ = at::cat(uprights, /*dim=*/0);
  bank.chosen_ = std::move(chosen);
  return bank;
}

Bank Bank::of_foreground(std::optional<Chosen> rows, Background background) const {
  Bank bank = *this;
  bank.chosen_ = std::move(rows);
  bank.background_ = std::move(background);
  return bank;
}

Bank Bank::with(Beside beside) const {
  Bank bank = *this;
  bank.beside_ = std::move(beside);
  return bank;
}

Subspace Bank::subspace(int64_t without) const {
  CRANE_CHECK_INVARIANT(spread_.has_value() && (without < 0 || pictures() > 1), "a subspace of ", pictures(),
                        " pictures without ", without);
  at::Tensor moments = spread_->moments.sum(/*dim=*/0);
  int64_t count = std::accumulate(spread_->counts.begin(), spread_->counts.end(), int64_t{0});
  if (without >= 0) {
    moments = moments - spread_->moments[without];
    count -= spread_->counts[static_cast<size_t>(without)];
  }
  return subspace_of(moments, count, spread_->variance, rows_.device());
}

void Bank::check_comparable(const Bank& other) const {
  check_input(what_ == other.what_ && grid_ == other.grid_ && rows_.size(1) == other.rows_.size(1), k_code,
              "banks of different patches");
}

void Bank::check_fits(const PatchTowers& towers, int64_t height, int64_t width) const {
  try {
    check_patch_source(towers, what_);
  } catch (const Error& error) {
    throw Error(k_code, join_text("a bank of another model: ", error.what()), "learn a bank with this model");
  }
  check_input(rows_.size(1) == row_width(towers, what_), k_code, "a bank of another model: its rows have ",
              rows_.size(1), " numbers, this model's patches ", row_width(towers, what_));
  const vision::Grid here = grid_of(towers, what_, height, width);
  check_input(grid_ == here, k_code, "a bank of pictures of ", grid_.width, " x ", grid_.height,
              " patches, this input has ", here.width, " x ", here.height);
}

}  // namespace crane::normals
