#include "normals/bank.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "weights/safetensors.h"
#include "weights/zip.h"

namespace crane::normals {
namespace {

constexpr const char* k_code = "E_NORMALS";
constexpr const char* k_format = "crane.normals";
constexpr const char* k_version = "1";
constexpr const char* k_tower = "crane.normals.tower";
constexpr const char* k_checksum = "crane.normals.crc32";
// Before the names of what is kept beside the rows, and of its checksums.
constexpr std::string_view k_beside = "beside.";
constexpr const char* k_beside_checksum = "crane.normals.crc32.";
constexpr int64_t k_alignment = 64;
// A unit row in float32 is off by some roundings of its sum.
constexpr double k_norm_slack = 1e-3;

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

std::string text_of(uint32_t checksum) { return join_text(checksum); }

const weights::TensorView& tensor_of(const weights::WeightFile& file, const char* name, weights::DType type,
                                     size_t axes) {
  const weights::TensorView* view = file.find(name);
  check_input(view != nullptr, k_code, file.path(), ": a bank without its ", name);
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

// Rows that a search may trust: finite, of length 1.
void check_rows(const at::Tensor& rows, const std::string& path) {
  const at::Tensor lengths = rows.norm(2, /*dim=*/1);
  const at::Tensor is_unit = (lengths - 1).abs() < k_norm_slack;  // false for NaN
  check_input(is_unit.all().item<bool>(), k_code, path, ": rows that are not of length 1");
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

Beside beside_of(const std::shared_ptr<const weights::WeightFile>& file, int64_t pictures,
                 at::Device device) {
  Beside beside;
  for (const weights::TensorView& view : file->tensors()) {
    if (!view.name.starts_with(k_beside)) continue;
    const std::string name(view.name.substr(k_beside.size()));
    check_input(view.dtype == weights::DType::f32 && view.shape.size() >= 2 && view.shape[0] == pictures,
                k_code, file->path(), ": its ", view.name, " are not of its ", pictures, " pictures");
    check_input(text_of(weights::crc32({view.data, view.bytes()})) ==
                    fact_of(*file, (k_beside_checksum + name).c_str()),
                k_code, file->path(), ": damaged: its ", view.name, " do not have their checksum");
    const at::Tensor values = mapped(file, view);
    check_input(at::isfinite(values).all().item<bool>(), k_code, file->path(), ": its ", view.name,
                " hold NaN or infinity");
    beside.emplace(name, values.to(device));
  }
  return beside;
}

// Of all banks in their order; every one has the same names and shapes.
Beside joined_beside(const std::vector<const Bank*>& banks) {
  Beside joined;
  for (const auto& [name, first] : banks.front()->beside()) {
    std::vector<at::Tensor> parts;
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

}  // namespace

Bank::Bank(PatchSource what, vision::Grid grid, at::Tensor rows, std::vector<int64_t> starts, Beside beside)
    : what_(std::move(what)),
      grid_(grid),
      rows_(std::move(rows)),
      starts_(std::move(starts)),
      beside_(std::move(beside)) {}

Bank Bank::joined(const std::vector<const Bank*>& banks) {
  check_input(!banks.empty(), k_code, "a bank needs a normal picture");
  if (banks.size() == 1) return *banks.front();  // its rows are shared
  const Bank& first = *banks.front();
  std::vector<at::Tensor> rows;
  std::vector<int64_t> starts{0};
  for (const Bank* bank : banks) {
    first.check_comparable(*bank);
    check_input(are_alike(first.beside_, bank->beside_), k_code,
                "banks that hold different things of a picture");
    const int64_t before = starts.back();
    for (size_t p = 1; p < bank->starts_.size(); ++p) starts.push_back(before + bank->starts_[p]);
    rows.push_back(bank->rows_);
  }
  return {first.what_, first.grid_, at::cat(rows, /*dim=*/0), std::move(starts), joined_beside(banks)};
}

Bank Bank::read(const std::string& path, at::Device device) {
  const std::shared_ptr<const weights::WeightFile> file = weights::open_weights(path);
  const std::string& version = fact_of(*file, k_format);
  check_input(version == k_version, k_code, path, ": a bank of format ", weights::quote_name(version),
              ", this engine reads ", k_version);
  const std::string& tower = fact_of(*file, k_tower);
  check_input(tower == "vision" || tower == "source", k_code, path, ": a bank of the tower ",
              weights::quote_name(tower));
  PatchSource what{tower == "source", integers_of(*file, "blocks")};
  const std::vector<int64_t> sides = integers_of(*file, "grid");
  check_input(
      sides.size() == 2 && sides[0] > 0 && sides[1] > 0 && sides[0] <= INT32_MAX && sides[1] <= INT32_MAX,
      k_code, path, ": a bank without a grid of patches");
  const vision::Grid grid{sides[0], sides[1]};
  const weights::TensorView& view = tensor_of(*file, "rows", weights::DType::f32, 2);
  check_input(view.shape[0] > 0 && view.shape[1] > 0, k_code, path, ": a bank without rows");
  check_input(text_of(weights::crc32({view.data, view.bytes()})) == fact_of(*file, k_checksum), k_code, path,
              ": damaged: its rows do not have their checksum");
  std::vector<int64_t> starts = integers_of(*file, "starts");
  check_starts(starts, view.shape[0], grid.count(), path);
  const at::Tensor rows = mapped(file, view);
  check_rows(rows, path);
  const auto pictures = static_cast<int64_t>(starts.size()) - 1;
  return {std::move(what), grid, rows.to(device), std::move(starts), beside_of(file, pictures, device)};
}

void Bank::write(const std::string& path, const std::map<std::string, std::string>& metadata) const {
  const at::Tensor rows = rows_.to(at::kCPU).contiguous();
  const std::vector<int64_t> sides{grid_.height, grid_.width};
  std::map<std::string, std::string> facts = metadata;
  facts[k_format] = k_version;
  facts[k_tower] = what_.is_source ? "source" : "vision";
  facts[k_checksum] = text_of(weights::crc32(bytes_of(rows)));
  const auto sizes = [](const std::vector<int64_t>& values) {
    return std::vector<int64_t>{static_cast<int64_t>(values.size())};
  };
  std::vector<weights::SafetensorsEntry> entries{{"rows", weights::DType::f32, rows.sizes().vec()},
                                                 {"starts", weights::DType::i64, sizes(starts_)},
                                                 {"blocks", weights::DType::i64, sizes(what_.blocks)},
                                                 {"grid", weights::DType::i64, sizes(sides)}};
  std::vector<at::Tensor> beside;
  for (const auto& [name, values] : beside_) {
    beside.push_back(values.to(at::kCPU).contiguous());
    entries.push_back({std::string(k_beside) + name, weights::DType::f32, values.sizes().vec()});
    facts[k_beside_checksum + name] = text_of(weights::crc32(bytes_of(beside.back())));
  }
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
  for (size_t i = 0; i < beside.size(); ++i) writer.append(first_beside + i, bytes_of(beside[i]));
  writer.finish();
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
