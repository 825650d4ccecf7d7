#include "weights/shards.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "core/mapped_file.h"
#include "weights/json_scan.h"

namespace crane::weights {

namespace {

namespace fs = std::filesystem;

constexpr size_t k_max_shards = 4096;
constexpr size_t k_max_entries = 100'000;

using Files = std::vector<std::shared_ptr<const WeightFile>>;

// One of the files: never an index or a folder again, which could lead in circles.
std::shared_ptr<const WeightFile> open_part(const fs::path& path) {
  const auto mapping = MappedFile::open(path.string());
  const std::span<const std::byte> bytes{mapping->data(), mapping->size()};
  check_input(!is_index(bytes), "E_WEIGHTS_CONTAINER", path.string(), ": an index, expected weights");
  return open_mapped(mapping, path.string());
}

class Shards final : public WeightFile {
 public:
  Shards(std::string path, Files files) : path_(std::move(path)), files_(std::move(files)) {
    std::unordered_map<std::string_view, const WeightFile*> owner;
    std::string identity;
    for (const auto& file : files_) {
      identity.append(file->identity()).append(";");
      for (const FileVersion& version : file->versions()) add_version(version);
      for (const TensorView& view : file->tensors()) {
        const auto [other, is_new] = owner.emplace(view.name, file.get());
        check_input(is_new, "E_WEIGHTS_EXTRA", file->path(), ": tensor ", quote_name(view.name), " is in ",
                    other->second->path(), " already");
        tensors_.push_back(view);
      }
      for (const auto& [key, value] : file->metadata()) metadata_.emplace(key, value);
    }
    set_identity(std::move(identity));
  }

  const std::string& path() const override { return path_; }
  const char* container() const override { return "shards"; }
  const std::vector<TensorView>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  const Files& files() const { return files_; }
  void verify_checksums() const override {
    for (const auto& file : files_) file->verify_checksums();
  }

 private:
  std::string path_;
  Files files_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// The names of files by which an index names its tensors, each with them.
std::map<std::string, std::set<std::string>> files_of_index(std::string_view text, const std::string& path) {
  const JsonValue root = scan_json(text, "E_WEIGHTS_CONTAINER", path);
  const JsonValue* map = root.find("weight_map");
  check_input(map != nullptr && map->kind == JsonValue::Kind::object && !map->members.empty(),
              "E_WEIGHTS_CONTAINER", path,
              ": a JSON file without weight_map, expected weights or an index of them");
  std::map<std::string, std::set<std::string>> files;
  for (const auto& [tensor, file] : map->members) {
    const bool is_plain = file.kind == JsonValue::Kind::string && !file.text.empty() && file.text != "." &&
                          file.text != ".." && file.text.find_first_of("/\\") == std::string::npos &&
                          file.text.find('\0') == std::string::npos;
    check_input(is_plain, "E_WEIGHTS_CONTAINER", path, ": weight_map of ", quote_name(tensor),
                " names no file beside the index");
    files[file.text].insert(tensor);
    check_input(files.size() <= k_max_shards, "E_WEIGHTS_CONTAINER", path, ": more than ", k_max_shards,
                " files");
  }
  return files;
}

void check_against_index(const WeightFile& file, const std::set<std::string>& expected,
                         const std::string& index) {
  for (const std::string& name : expected) {
    check_input(file.find(name) != nullptr, "E_WEIGHTS_MISSING", file.path(), ": tensor ", quote_name(name),
                " is missing, though ", index, " says that it is there");
  }
  for (const TensorView& view : file.tensors()) {
    check_input(expected.contains(view.name), "E_WEIGHTS_EXTRA", file.path(), ": tensor ",
                quote_name(view.name), " is not in ", index);
  }
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view e) { return name.ends_with(e); });
}

// model-00002-of-00005.safetensors: 2, 5, and the name with both left out.
struct Numbered {
  std::string rest;
  size_t number = 0;
  size_t of = 0;
};

bool read_digits(std::string_view text, size_t* number) {
  if (text.empty() || text.size() > 5) return false;
  *number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    *number = 10 * *number + static_cast<size_t>(c - '0');
  }
  return true;
}

bool read_numbered(std::string_view name, Numbered* numbered) {
  const size_t of = name.rfind("-of-");
  const size_t dash = of == std::string_view::npos ? of : name.rfind('-', of == 0 ? 0 : of - 1);
  const size_t dot = of == std::string_view::npos ? of : name.find('.', of);
  if (dash == std::string_view::npos || dot == std::string_view::npos) return false;
  numbered->rest = std::string(name.substr(0, dash)) + std::string(name.substr(dot));
  return read_digits(name.substr(dash + 1, of - dash - 1), &numbered->number) &&
         read_digits(name.substr(of + 4, dot - of - 4), &numbered->of);
}

[[noreturn]] void refuse_folder(const std::string& folder, const std::string& what) {
  throw Error("E_WEIGHTS_CONTAINER", join_text(folder, ": ", what),
              "name the weight file itself, or the index of its parts (*.index.json)");
}

// 00001-of-0000N to 0000N-of-0000N, of one name.
std::vector<std::string> numbered_files(const std::vector<std::string>& weights, const std::string& folder) {
  std::map<std::string, std::map<size_t, std::string>> sets;
  size_t of = 0;
  for (const std::string& name : weights) {
    Numbered numbered;
    if (!read_numbered(name, &numbered)) return {};
    sets[join_text(numbered.rest, numbered.of)][numbered.number] = name;
    of = numbered.of;
  }
  if (sets.size() != 1) return {};
  std::vector<std::string> files;
  const auto& found = sets.begin()->second;
  for (size_t number = 1; number <= of; ++number) {
    const auto at = found.find(number);
    check_input(at != found.end(), "E_WEIGHTS_NOT_FOUND", folder, ": part ", number, " of ", of,
                " is not there");
    files.push_back(at->second);
  }
  return files;
}

}  // namespace

bool is_index(std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes[0] != std::byte{'{'}) return false;
  // A header of safetensors begins with its length, which is no text.
  return std::none_of(bytes.begin(), bytes.begin() + std::min<size_t>(bytes.size(), 8),
                      [](std::byte byte) { return byte == std::byte{0}; });
}

std::vector<std::string> files_of(const WeightFile& file) {
  const auto* shards = dynamic_cast<const Shards*>(&file);
  if (shards == nullptr) return {file.path()};
  std::vector<std::string> paths;
  for (const auto& each : shards->files()) paths.push_back(each->path());
  return paths;
}

std::shared_ptr<const WeightFile> open_index(std::span<const std::byte> index, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(index.data()), index.size());
  const fs::path folder = fs::path(path).parent_path();
  const auto named = files_of_index(text, path);
  for (const auto& [name, tensors] : named) {
    std::error_code failed;
    check_input(fs::exists(folder / name, failed), "E_WEIGHTS_NOT_FOUND", path, ": names ", quote_name(name),
                ", which is not beside it");
  }
  Files files;
  for (const auto& [name, tensors] : named) {
    files.push_back(open_part(folder / name));
    check_against_index(*files.back(), tensors, path);
  }
  return std::make_shared<Shards>(path, std::move(files));
}

std::shared_ptr<const WeightFile> open_weight_folder(const std::string& folder) {
  std::vector<std::string> indexes;
  std::vector<std::string> weights;
  std::error_code failed;
  size_t entries = 0;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (++entries > k_max_entries) refuse_folder(folder, "too many files to be weights");
    const std::string name = at->path().filename().string();
    std::error_code none;
    if (name.starts_with('.') || !at->is_regular_file(none)) continue;
    if (name.ends_with(".index.json")) indexes.push_back(name);
    if (ends_with_any(name, {".safetensors", ".bin", ".pt", ".pth"})) weights.push_back(name);
  }
  check_input(!failed, "E_IO_READ", folder, ": ", failed.message());
  // Published models often hold the same weights twice, as safetensors and as pickles.
  const auto safe = std::find_if(indexes.begin(), indexes.end(), [](const std::string& name) {
    return name.ends_with(".safetensors.index.json");
  });
  const auto inside = [&](const std::string& name) { return (fs::path(folder) / name).string(); };
  if (safe != indexes.end()) return open_weights(inside(*safe));
  if (indexes.size() == 1) return open_weights(inside(indexes.front()));
  if (indexes.size() > 1) refuse_folder(folder, join_text("holds ", indexes.size(), " indexes of weights"));
  if (weights.size() == 1) return open_part(inside(weights.front()));
  if (weights.empty()) refuse_folder(folder, "a folder without weights");
  const std::vector<std::string> parts = numbered_files(weights, folder);
  if (parts.empty()) refuse_folder(folder, join_text("holds ", weights.size(), " weight files"));
  Files files;
  for (const std::string& name : parts) files.push_back(open_part(inside(name)));
  return std::make_shared<Shards>(folder, std::move(files));
}

}  // namespace crane::weights
