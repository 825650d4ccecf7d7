#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/mapped_file.h"
#include "weights/safetensors.h"
#include "weights/shards.h"
#include "weights/tensor_view.h"
#include "weights/torch_archive.h"
#include "weights/torch_zip.h"
#include "weights/torchscript.h"

namespace crane::weights {

namespace {

using namespace std::string_view_literals;

constexpr const char* k_container_hint =
    "read are safetensors, files of torch.save (since PyTorch 1.6) and OpenAI's TorchScript archives";

// What people mistake for weights: naming it saves a search. Compared with the file's first bytes.
struct Lookalike {
  std::string_view start;
  const char* what;
  const char* hint;
};
constexpr Lookalike k_lookalikes[] = {
    {"version https://git-lfs"sv, "a Git LFS pointer, not the file itself", "run: git lfs pull"},
    {"<!DOCTYPE"sv, "a web page", "the download gave an error page: fetch it again"},
    {"<!doctype"sv, "a web page", "the download gave an error page: fetch it again"},
    {"<html"sv, "a web page", "the download gave an error page: fetch it again"},
    {"<?xml"sv, "an XML document", "the download gave an error page: fetch it again"},
    {"\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv, "a file of torch.save before PyTorch 1.6",
     "load it in Python and save it again with torch.save, or convert it to safetensors"},
    {"\x80"sv, "a bare pickle",
     "load it in Python and save the state_dict with torch.save or as safetensors"},
    {"GGUF"sv, "a GGUF file", k_container_hint},
    {"\x89HDF"sv, "an HDF5 file", k_container_hint},
    {"\x93NUMPY"sv, "a NumPy array", k_container_hint},
    {"\x1f\x8b"sv, "a gzip file", "unpack it first"},
    {"\xfd\x37zXZ"sv, "an xz file", "unpack it first"},
    {"\x28\xb5\x2f\xfd"sv, "a zstd file", "unpack it first"},
};

bool starts_with(std::span<const std::byte> bytes, std::string_view start) {
  return bytes.size() >= start.size() && std::memcmp(bytes.data(), start.data(), start.size()) == 0;
}

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < 9) return false;
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  return bytes[8] == std::byte{'{'} && header < (uint64_t{1} << 40);
}

}  // namespace

std::shared_ptr<const WeightFile> open_weights(std::span<const std::byte> bytes,
                                               std::shared_ptr<const void> owner, const std::string& path) {
  if (starts_with(bytes, "PK\x03\x04") || starts_with(bytes, "PK\x05\x06")) {
    TorchArchive archive(bytes, path);
    return archive.is_torchscript() ? read_torchscript(archive, std::move(owner))
                                    : read_torch_zip(archive, std::move(owner));
  }
  if (is_index(bytes)) return open_index(bytes, path);
  if (looks_like_safetensors(bytes)) return read_safetensors(bytes, std::move(owner), path);
  // Shorter than the smallest file of either kind: most likely the rest is missing.
  check_input(bytes.size() > 9, "E_WEIGHTS_TRUNCATED", path, ": ", bytes.size(),
              " bytes, too short for weights");
  for (const Lookalike& row : k_lookalikes) {
    if (starts_with(bytes, row.start)) {
      throw Error("E_WEIGHTS_CONTAINER", join_text(path, ": ", row.what, ", expected a weight file"),
                  row.hint);
    }
  }
  throw Error("E_WEIGHTS_CONTAINER", join_text(path, ": not a weight file of a known kind"),
              k_container_hint);
}

std::shared_ptr<const WeightFile> open_mapped(const std::shared_ptr<const MappedFile>& mapping,
                                              const std::string& path) {
  auto file = open_weights({mapping->data(), mapping->size()}, mapping, path);
  // An index has said which files it leads to. Nobody else has the file yet.
  if (file->identity().empty()) {
    const auto opened = std::const_pointer_cast<WeightFile>(file);
    opened->set_identity(mapping->identity());
    opened->add_version(mapping->version());
  }
  return file;
}

std::shared_ptr<const WeightFile> open_weights(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error("E_WEIGHTS_NOT_FOUND", join_text(path, ": there is no such file"),
                "check the path of the weights");
  }
  if (S_ISDIR(status.st_mode)) return open_weight_folder(path);
  return open_mapped(MappedFile::open(path), path);
}

}  // namespace crane::weights
