// Banks as files: what is read is not trusted.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "normals/bank.h"
#include "weights/facts_checksum.h"
#include "weights/safetensors.h"
#include "weights/zip.h"

namespace crane::normals {
namespace {

constexpr const char* k_code = "E_NORMALS";
constexpr const char* k_format = "crane.normals";
// What only banks of rows hold has the first version, whose readers know no other kind.
constexpr const char* k_version = "1";
constexpr const char* k_version_of_kinds = "2";
// Whoever does not know that the background is left out would compare it.
constexpr const char* k_version_of_foreground = "3";
constexpr const char* k_kind = "crane.normals.kind";
constexpr const char* k_subspace = "subspace";
constexpr const char* k_chosen = "chosen";
constexpr const char* k_foreground = "foreground";
constexpr const char* k_left_out = "left_out";
constexpr const char* k_patches = "patches";
constexpr const char* k_chosen_starts = "chosen_starts";
constexpr const char* k_variance = "crane.normals.variance";
constexpr const char* k_moments = "moments";
constexpr const char* k_counts = "counts";
constexpr const char* k_tower = "crane.normals.tower";
constexpr const char* k_checksum = "crane.normals.crc32";
// Before the names of what is kept beside the rows, and of what has a checksum of its own.
constexpr std::string_view k_beside = "beside.";
constexpr const char* k_checksum_of = "crane.normals.crc32.";
constexpr int64_t k_alignment = 64;
// A unit row in float32 is off by some roundings of its sum, one that was rounded by up to half a step.
constexpr double k_norm_slack = 1e-3;
constexpr double k_norm_slack_of_half = 5e-3;
constexpr std::pair<weights::DType, at::ScalarType> k_precisions[] = {{weights::DType::f32, at::kFloat},
                                                                      {weights::DType::f16, at::kHalf},
                                                                      {weights::DType::bf16, at::kBFloat16}};

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

std::string text_of(uint32_t checksum) { return join_text(checksum); }

const weights::TensorView& tensor_of(const weights::WeightFile& file, const char* name) {
  const weights::TensorView* view = file.find(name);
  check_input(view != nullptr, k_code, file.path(), ": a bank without its ", name);
  return *view;
}

const weights::TensorView& tensor_of(const weights::WeightFile& file, const char* name, weights::DType type,
                                     size_t axes) {
  const weights::TensorView* view = &tensor_of(file, name);
  check_input(view->dtype == type && view->shape.size() == axes, k_code, file.path(), ": its ", name, " are ",
              weights::dtype_name(view->dtype), " ", weights::shape_text(view->shape), ", expected ",
              weights::dtype_name(type), " of ", axes, " axes");
  return *view;
}

std::vector<int64_t> integers_of(const weights::WeightFile& file, const char* name) {
  const weights::TensorView& view = tensor_of(file, name, weights::DType::i64, 1);
  std::vector<int64_t> values(static_cast<size_t>(view.numel()));
  if (!values.empty()) std::memcpy(values.data(), view.data, view.bytes());
  return values;
}

const std::string& fact_of(const weights::WeightFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  check_input(found != file.metadata().end(), k_code, file.path(),
              key == std::string_view(k_format) ? ": no bank of normal pictures"
                                                : ": a bank whose description is not whole");
  return found->second;
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto [end, _] = std::to_chars(text.begin(), text.end(), value);
  return {text.data(), end};
}

// A number above 0 and below 1.
double share_of(const weights::WeightFile& file, const char* key) {
  const std::string& text = fact_of(file, key);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check_input(error == std::errc{} && end == text.data() + text.size() && value > 0 && value < 1, k_code,
              file.path(), ": its ", key, " is ", weights::quote_name(text),
              ", expected a number from 0 to 1");
  return value;
}

// Damaged where the bytes are not those that were written.
void check_checksum(const weights::WeightFile& file, const weights::TensorView& view,
                    const std::string& key) {
  check_input(text_of(weights::crc32({view.data, view.bytes()})) == fact_of(file, key.c_str()), k_code,
              file.path(), ": damaged: its ", view.name, " do not have their checksum");
}

at::ScalarType precision_of(const weights::WeightFile& file, const weights::TensorView& view) {
  for (const auto& [stored, precision] : k_precisions) {
    if (view.dtype == stored) return precision;
  }
  check_input(false, k_code, file.path(), ": its ", view.name, " are ", weights::dtype_name(view.dtype),
              ", expected f32, f16 or bf16");
  return at::kFloat;
}

weights::DType stored_type(at::ScalarType precision) {
  const auto* found = std::ranges::find(k_precisions, precision, [](const auto& one) { return one.second; });
  CRANE_CHECK_INVARIANT(found != std::end(k_precisions), "rows of ", precision);
  return found->first;
}

void check_starts(const std::vector<int64_t>& starts, int64_t rows, int64_t upright,
                  const std::string& path) {
  bool is_whole = starts.size() >= 2 && upright > 0 && starts.front() == 0 && starts.back() == rows;
  for (size_t i = 1; i < starts.size(); ++i) {
    is_whole =
        is_whole && starts[i] <= rows && starts[i] >= starts[i - 1] && starts[i] - starts[i - 1] >= upright;
  }
  check_input(is_whole, k_code, path, ": its pictures do not share out its ", rows, " rows");
}

// A mapped tensor, valid as long as the file is held. The pages are mapped for reading only, and nothing
// writes to a bank.
at::Tensor mapped(const std::shared_ptr<const weights::WeightFile>& file, const weights::TensorView& view) {
  const at::Tensor values = at::from_blob(
      const_cast<std::byte*>(view.data), view.shape, [file](void*) {}, at::TensorOptions().dtype(at::kFloat));
  return reinterpret_cast<uintptr_t>(view.data) % alignof(float) == 0 ? values : values.clone();
}

// Rows that a search may trust: with their checksum, finite, of length 1; mapped where they are of float32.
at::Tensor rows_of(const std::shared_ptr<const weights::WeightFile>& file, const weights::TensorView& view,
                   const std::string& checksum, int64_t depth) {
  check_input(view.shape.size() == 2 && view.shape[0] > 0 && view.shape[1] == depth && depth > 0, k_code,
              file->path(), ": a bank whose ", view.name, " are ", weights::shape_text(view.shape));
  const bool is_half = precision_of(*file, view) != at::kFloat;
  check_checksum(*file, view, checksum);
  at::Tensor rows;
  if (is_half) {
    rows = at::empty(view.shape, at::kFloat);
    weights::copy_as_f32(view, rows.mutable_data_ptr<float>());
  } else {
    rows = mapped(file, view);
  }
  const at::Tensor lengths = rows.norm(2, /*dim=*/1);
  const at::Tensor is_unit = (lengths - 1).abs() < (is_half ? k_norm_slack_of_half : k_norm_slack);
  // False for NaN too.
  check_input(is_unit.all().item<bool>(), k_code, file->path(), ": ", view.name, " that are not of length 1");
  return rows;
}

Chosen chosen_of(const std::shared_ptr<const weights::WeightFile>& file, int64_t pictures, int64_t depth,
                 at::ScalarType precision) {
  const weights::TensorView& view = tensor_of(*file, k_chosen);
  check_input(precision_of(*file, view) == precision, k_code, file->path(),
              ": its chosen rows are of another precision than its pictures'");
  Chosen chosen{rows_of(file, view, std::string(k_checksum_of) + k_chosen, depth),
                integers_of(*file, k_chosen_starts)};
  check_input(static_cast<int64_t>(chosen.starts.size()) == pictures + 1 && chosen.starts.front() == 0 &&
                  chosen.starts.back() == view.shape[0] && std::ranges::is_sorted(chosen.starts),
              k_code, file->path(), ": its pictures do not share out its ", view.shape[0], " chosen rows");
  return chosen;
}

// kept: of each picture how many rows the bank holds, where it holds all that were not left out.
Background background_of(const weights::WeightFile& file, int64_t pictures, int64_t upright,
                         std::span<const int64_t> kept) {
  Background background{integers_of(file, k_left_out), integers_of(file, k_patches)};
  const auto count = static_cast<size_t>(pictures);
  bool is_whole = background.left_out.size() == count && background.patches.size() == count;
  for (size_t p = 0; is_whole && p < count; ++p) {
    const int64_t left_out = background.left_out[p];
    const int64_t patches = background.patches[p];
    is_whole = patches >= upright && patches <= INT32_MAX && left_out >= 0 && left_out < patches &&
               (kept.empty() || kept[p] == patches - left_out);
  }
  check_input(is_whole, k_code, file.path(), ": it does not say what of its ", pictures,
              " pictures was left out");
  return background;
}

std::vector<int64_t> counts_of(std::span<const int64_t> starts) {
  std::vector<int64_t> counts;
  for (size_t p = 1; p < starts.size(); ++p) counts.push_back(starts[p] - starts[p - 1]);
  return counts;
}

Beside beside_of(const std::shared_ptr<const weights::WeightFile>& file, int64_t pictures,
                 at::Device device) {
  Beside beside;
  for (const weights::TensorView& view : file->tensors()) {
    if (!view.name.starts_with(k_beside)) continue;
    const std::string name(view.name.substr(k_beside.size()));
    check_input(view.dtype == weights::DType::f32 && view.shape.size() >= 2 && view.shape[0] == pictures,
                k_code, file->path(), ": its ", view.name, " are not of its ", pictures, " pictures");
    check_checksum(*file, view, k_checksum_of + name);
    const at::Tensor values = mapped(file, view);
    check_input(at::isfinite(values).all().item<bool>(), k_code, file->path(), ": its ", view.name,
                " hold NaN or infinity");
    beside.emplace(name, values.to(device));
  }
  return beside;
}

Spread spread_of(const weights::WeightFile& file, int64_t pictures, int64_t depth) {
  const weights::TensorView& view = tensor_of(file, k_moments, weights::DType::f64, 3);
  check_input(view.shape == std::vector<int64_t>{pictures, depth + 1, depth}, k_code, file.path(),
              ": its moments are ", weights::shape_text(view.shape), ", not of its ", pictures, " pictures");
  check_checksum(file, view, std::string(k_checksum_of) + k_moments);
  Spread spread{at::empty(view.shape, at::kDouble), integers_of(file, k_counts), share_of(file, k_variance)};
  std::memcpy(spread.moments.mutable_data_ptr(), view.data, view.bytes());
  const auto is_count = [](int64_t count) { return count > 0 && count <= INT32_MAX; };
  check_input(
      static_cast<int64_t>(spread.counts.size()) == pictures && std::ranges::all_of(spread.counts, is_count),
      k_code, file.path(), ": its counts are not those of its ", pictures, " pictures");
  // No sum of products of unit rows is larger than their number; false for NaN.
  const at::Tensor most = at::tensor(spread.counts, at::kDouble) * (1 + k_norm_slack);
  const at::Tensor is_possible = spread.moments.abs().amax({1, 2}) <= most;
  check_input(is_possible.all().item<bool>(), k_code, file.path(), ": its moments are none of unit rows");
  return spread;
}

}  // namespace

Bank Bank::read(const std::string& path, at::Device device) {
  const std::shared_ptr<const weights::WeightFile> file = weights::open_weights(path);
  const std::string& version = fact_of(*file, k_format);
  const bool is_of_foreground = version == k_version_of_foreground;
  check_input(version == k_version || version == k_version_of_kinds || is_of_foreground, k_code, path,
              ": a bank of format ", weights::quote_name(version), ", this engine reads ", k_version, ", ",
              k_version_of_kinds, " and ", k_version_of_foreground);
  weights::check_facts(*file, k_code);
  const std::string& tower = fact_of(*file, k_tower);
  check_input(tower == "vision" || tower == "source", k_code, path, ": a bank of the tower ",
              weights::quote_name(tower));
  PatchSource what{tower == "source", integers_of(*file, "blocks")};
  const std::vector<int64_t> sides = integers_of(*file, "grid");
  check_input(
      sides.size() == 2 && sides[0] > 0 && sides[1] > 0 && sides[0] <= INT32_MAX && sides[1] <= INT32_MAX,
      k_code, path, ": a bank without a grid of patches");
  const vision::Grid grid{sides[0], sides[1]};
  const weights::TensorView& view = tensor_of(*file, "rows");
  const at::Tensor rows = rows_of(file, view, k_checksum, view.shape.empty() ? 0 : view.shape.back());
  std::vector<int64_t> starts = integers_of(*file, "starts");
  check_starts(starts, view.shape[0], grid.count(), path);
  const auto pictures = static_cast<int64_t>(starts.size()) - 1;
  std::optional<Spread> spread;
  std::optional<Chosen> chosen;
  std::optional<Background> background;
  if (version != k_version) {
    const std::string& kind = fact_of(*file, k_kind);
    const bool is_all_of_foreground = is_of_foreground && kind == k_foreground;
    check_input(kind == k_subspace || kind == k_chosen || is_all_of_foreground, k_code, path,
                ": a bank of the kind ", weights::quote_name(kind), ", this engine knows ", k_subspace, ", ",
                k_chosen, " and ", k_foreground);
    check_input(view.shape[0] == pictures * grid.count(), k_code, path,
                ": a bank of this kind with rows of other copies");
    if (kind == k_subspace) {
      check_input(view.dtype == weights::DType::f32, k_code, path, ": a subspace with rounded rows");
      spread = spread_of(*file, pictures, view.shape[1]);
    } else {
      chosen = chosen_of(file, pictures, view.shape[1], precision_of(*file, view));
      chosen->rows = chosen->rows.to(device);
      chosen->is_coreset = kind == k_chosen;
    }
    if (is_of_foreground) {
      const std::vector<int64_t> kept = spread                 ? spread->counts
                                        : is_all_of_foreground ? counts_of(chosen->starts)
                                                               : std::vector<int64_t>{};
      background = background_of(*file, pictures, grid.count(), kept);
    }
  }
  Bank bank(std::move(what), grid, rows.to(device), std::move(starts), beside_of(file, pictures, device),
            std::move(spread));
  bank.chosen_ = std::move(chosen);
  bank.background_ = std::move(background);
  bank.precision_ = precision_of(*file, view);
  if (device.is_cpu() && (bank.precision_ == at::kFloat || !bank.beside_.empty())) {
    bank.versions_ = file->versions();
  }
  // What was read while somebody wrote is a mixture.
  file->check_versions();
  return bank;
}

void Bank::check_versions() const {
  for (const FileVersion& version : versions_) version.check();
}

void Bank::write(const std::string& path, const std::map<std::string, std::string>& metadata) const {
  check_versions();
  const weights::DType type = stored_type(precision_);
  const at::Tensor rows = rows_.to(at::kCPU, precision_).contiguous();
  const std::vector<int64_t> sides{grid_.height, grid_.width};
  std::map<std::string, std::string> facts = metadata;
  facts[k_format] = background_          ? k_version_of_foreground
                    : spread_ || chosen_ ? k_version_of_kinds
                                         : k_version;
  facts[k_tower] = what_.is_source ? "source" : "vision";
  facts[k_checksum] = text_of(weights::crc32(bytes_of(rows)));
  const auto sizes = [](const std::vector<int64_t>& values) {
    return std::vector<int64_t>{static_cast<int64_t>(values.size())};
  };
  std::vector<weights::SafetensorsEntry> entries{{"rows", type, rows.sizes().vec()},
                                                 {"starts", weights::DType::i64, sizes(starts_)},
                                                 {"blocks", weights::DType::i64, sizes(what_.blocks)},
                                                 {"grid", weights::DType::i64, sizes(sides)}};
  if (spread_) {
    facts[k_kind] = k_subspace;
    facts[k_variance] = number_text(spread_->variance);
    facts[std::string(k_checksum_of) + k_moments] = text_of(weights::crc32(bytes_of(spread_->moments)));
    entries.push_back({k_counts, weights::DType::i64, sizes(spread_->counts)});
    entries.push_back({k_moments, weights::DType::f64, spread_->moments.sizes().vec()});
  }
  at::Tensor chosen;
  if (chosen_) {
    chosen = chosen_->rows.to(at::kCPU, precision_).contiguous();
    facts[k_kind] = chosen_->is_coreset ? k_chosen : k_foreground;
    facts[std::string(k_checksum_of) + k_chosen] = text_of(weights::crc32(bytes_of(chosen)));
    entries.push_back({k_chosen_starts, weights::DType::i64, sizes(chosen_->starts)});
    entries.push_back({k_chosen, type, chosen.sizes().vec()});
  }
  const size_t first_of_background = entries.size();
  if (background_) {
    entries.push_back({k_left_out, weights::DType::i64, sizes(background_->left_out)});
    entries.push_back({k_patches, weights::DType::i64, sizes(background_->patches)});
  }
  std::vector<at::Tensor> beside;
  for (const auto& [name, values] : beside_) {
    beside.push_back(values.to(at::kCPU).contiguous());
    entries.push_back({std::string(k_beside) + name, weights::DType::f32, values.sizes().vec()});
    facts[k_checksum_of + name] = text_of(weights::crc32(bytes_of(beside.back())));
  }
  weights::IntegerLists lists{{"starts", starts_}, {"blocks", what_.blocks}, {"grid", sides}};
  if (spread_) lists[k_counts] = spread_->counts;
  if (chosen_) lists[k_chosen_starts] = chosen_->starts;
  if (background_) {
    lists[k_left_out] = background_->left_out;
    lists[k_patches] = background_->patches;
  }
  facts[weights::k_facts_checksum] = weights::facts_checksum(facts, lists);
  const size_t first_beside = entries.size() - beside.size();
  // The writer puts items of eight bytes before those of four, and the first at the alignment.
  weights::SafetensorsWriter writer(path, std::move(entries), facts, k_alignment);
  writer.append(0, bytes_of(rows));
  const auto append = [&](size_t entry, const std::vector<int64_t>& values) {
    writer.append(entry, std::as_bytes(std::span(values)));
  };
  append(1, starts_);
  append(2, what_.blocks);
  append(3, sides);
  if (spread_) {
    append(4, spread_->counts);
    writer.append(5, bytes_of(spread_->moments));
  }
  if (chosen_) {
    append(4, chosen_->starts);
    writer.append(5, bytes_of(chosen));
  }
  if (background_) {
    append(first_of_background, background_->left_out);
    append(first_of_background + 1, background_->patches);
  }
  for (size_t i = 0; i < beside.size(); ++i) writer.append(first_beside + i, bytes_of(beside[i]));
  writer.finish();
}

}  // namespace crane::normals
