#include "weights/torch_archive.h"

#include <cstring>

#include "core/error.h"

namespace crane::weights {

namespace {

constexpr std::string_view k_pickle_name = "data.pkl";

// The one member ROOT/data.pkl; archives have a single root folder whose name is free.
std::string find_root(const ZipArchive& zip) {
  const ZipMember* found = nullptr;
  size_t root_bytes = 0;
  for (const ZipMember& member : zip.members()) {
    const size_t slash = member.name.find('/');
    if (slash == std::string::npos || std::string_view(member.name).substr(slash + 1) != k_pickle_name)
      continue;
    check_input(found == nullptr, "E_WEIGHTS_CONTAINER", zip.path(), ": two members named data.pkl");
    found = &member;
    root_bytes = slash + 1;
  }
  if (found == nullptr) {
    throw Error("E_WEIGHTS_CONTAINER", join_text(zip.path(), ": a zip file without data.pkl in it"),
                "expected a file written by torch.save or torch.jit.save");
  }
  return found->name.substr(0, root_bytes);
}

bool is_row_major(const PickledTensor& tensor) {
  int64_t expected = 1;
  for (size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] == 1) continue;  // the stride of such an axis is never used
    if (tensor.strides[axis] != expected) return false;
    expected *= tensor.shape[axis];
  }
  return true;
}

// One past the last item that the tensor touches, or nothing on overflow. Sizes are at least 1.
bool last_item(const PickledTensor& tensor, int64_t* end) {
  int64_t last = tensor.offset;
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    int64_t step = 0;
    if (__builtin_mul_overflow(tensor.shape[axis] - 1, tensor.strides[axis], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return false;
    }
  }
  return !__builtin_add_overflow(last, int64_t{1}, end);
}

// dst = the items of src in row-major order. The innermost axis is a loop, the outer ones an odometer.
void gather(const PickledTensor& tensor, const std::byte* storage, size_t item, std::byte* dst) {
  const size_t rank = tensor.shape.size();
  const int64_t inner = tensor.shape[rank - 1];
  const int64_t inner_stride = tensor.strides[rank - 1];
  std::vector<int64_t> index(rank, 0);
  int64_t start = tensor.offset;
  while (true) {
    for (int64_t i = 0; i < inner; ++i, dst += item) {
      std::memcpy(dst, storage + static_cast<size_t>(start + i * inner_stride) * item, item);
    }
    size_t axis = rank - 1;
    while (true) {
      if (axis-- == 0) return;
      start += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      start -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace

TorchArchive::TorchArchive(std::span<const std::byte> bytes, const std::string& path)
    : file_bytes_(bytes.size()),
      zip_(std::make_shared<const ZipArchive>(bytes, path)),
      root_(find_root(*zip_)) {
  const ZipMember* order = zip_->find(root_ + "byteorder");
  if (order == nullptr) return;  // older writers: always little endian
  const auto text = zip_->bytes(*order);
  check_input(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()) == "little",
              "E_WEIGHTS_CONTAINER", path, ": byte order is not \"little\"");
}

bool TorchArchive::is_torchscript() const { return zip_->find(root_ + "constants.pkl") != nullptr; }

Pickle TorchArchive::read_pickle(PickleDialect dialect) const {
  const ZipMember* member = zip_->find(root_ + std::string(k_pickle_name));
  return weights::read_pickle(zip_->bytes(*member), dialect, path());
}

void TorchArchive::add_tensor(StoredWeights& file, const std::string& name, const PickledTensor& tensor) {
  const std::string where = join_text(path(), ": tensor ", quote_name(name));
  const ZipMember* member = zip_->find(root_ + "data/" + tensor.storage_key);
  check_input(member != nullptr, "E_WEIGHTS_CONTAINER", where, ": its storage ",
              quote_name(tensor.storage_key), " is not in the archive");
  const auto storage = zip_->bytes(*member);
  const size_t item = item_bytes(tensor.dtype);
  const auto storage_bytes = checked_bytes({tensor.storage_numel}, tensor.dtype);
  check_input(storage_bytes && *storage_bytes <= storage.size(), "E_WEIGHTS_TRUNCATED", where,
              ": its storage holds ", storage.size(), " bytes, expected ", tensor.storage_numel, " items of ",
              dtype_name(tensor.dtype));
  const auto bytes = checked_bytes(tensor.shape, tensor.dtype);
  check_input(bytes.has_value(), "E_WEIGHTS_SHAPE", where, ": shape ", shape_text(tensor.shape),
              " is larger than any file");

  TensorView view{name, tensor.dtype, tensor.shape, storage.data()};
  if (*bytes == 0) return file.add_tensor(std::move(view));
  int64_t end = 0;
  check_input(last_item(tensor, &end) && end <= tensor.storage_numel, "E_WEIGHTS_SHAPE", where, ": ",
              shape_text(tensor.shape), " with strides ", shape_text(tensor.strides), " at offset ",
              tensor.offset, " leaves its storage of ", tensor.storage_numel, " items");
  if (is_row_major(tensor)) {
    view.data = storage.data() + static_cast<size_t>(tensor.offset) * item;
    return file.add_tensor(std::move(view));
  }
  // An expanded view (stride 0) can stand for far more bytes than the file has: such copies are bounded.
  copied_bytes_ += *bytes;
  check_input(copied_bytes_ <= file_bytes_, "E_WEIGHTS_SHAPE", where,
              ": views that are not row-major take more bytes than the file");
  std::byte* dst = file.allocate(*bytes);
  gather(tensor, storage.data(), item, dst);
  view.data = dst;
  file.add_tensor(std::move(view));
}

void TorchArchive::offer_checksums(StoredWeights& file) const {
  file.on_verify([zip = zip_] { zip->verify_checksums(); });
}

}  // namespace crane::weights
