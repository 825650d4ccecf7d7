#include "weights/torch_zip_writer.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "core/error.h"
#include "weights/atomic_file.h"
#include "weights/pickle_opcodes.h"
#include "weights/utf8.h"
#include "weights/zip.h"

namespace crane::weights {

namespace {

constexpr const char* k_root = "archive/";  // as torch.save names it when it writes to memory
constexpr size_t k_alignment = 64;          // of each member's data, as torch.save aligns it

template <typename T>
void put(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff);
}

void put_opcode(std::string& out, PickleOpcode opcode) { out += static_cast<char>(opcode); }

void put_text(std::string& out, const std::string& text) {
  put_opcode(out, k_op_binunicode);
  put(out, static_cast<uint32_t>(text.size()));
  out += text;
}

void put_integer(std::string& out, int64_t value) {
  if (value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max()) {
    put_opcode(out, k_op_binint);
    put(out, static_cast<int32_t>(value));
    return;
  }
  put_opcode(out, k_op_long1);
  out += static_cast<char>(sizeof(int64_t));
  put(out, value);
}

void put_integers(std::string& out, const std::vector<int64_t>& values) {
  put_opcode(out, k_op_mark);
  for (const int64_t value : values) put_integer(out, value);
  put_opcode(out, k_op_tuple);
}

void put_global(std::string& out, const std::string& module, const std::string& name) {
  put_opcode(out, k_op_global);
  out.append(module).append("\n").append(name).append("\n");
}

void put_ordered_dict(std::string& out) {
  put_global(out, "collections", "OrderedDict");
  put_opcode(out, k_op_empty_tuple);
  put_opcode(out, k_op_reduce);
}

const char* storage_class(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return "HalfStorage";
    case DType::bf16:
      return "BFloat16Storage";
    case DType::f32:
      return "FloatStorage";
    case DType::f64:
      return "DoubleStorage";
    case DType::u8:
      return "ByteStorage";
    case DType::i8:
      return "CharStorage";
    case DType::i16:
      return "ShortStorage";
    case DType::i32:
      return "IntStorage";
    case DType::i64:
      return "LongStorage";
    case DType::boolean:
      return "BoolStorage";
  }
  return "";
}

// _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())
void put_tensor(std::string& out, const TensorView& tensor, const std::string& key) {
  std::vector<int64_t> strides(tensor.shape.size());
  int64_t stride = 1;
  for (size_t axis = strides.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= std::max<int64_t>(tensor.shape[axis], 1);
  }
  put_global(out, "torch._utils", "_rebuild_tensor_v2");
  put_opcode(out, k_op_mark);
  put_opcode(out, k_op_mark);
  put_text(out, "storage");
  put_global(out, "torch", storage_class(tensor.dtype));
  put_text(out, key);
  put_text(out, "cpu");
  put_integer(out, tensor.numel());
  put_opcode(out, k_op_tuple);
  put_opcode(out, k_op_binpersid);
  put_integer(out, 0);
  put_integers(out, tensor.shape);
  put_integers(out, strides);
  put_opcode(out, k_op_newfalse);
  put_ordered_dict(out);
  put_opcode(out, k_op_tuple);
  put_opcode(out, k_op_reduce);
}

std::string pickle_of(const std::string& group, const std::vector<TensorView>& tensors) {
  std::string out;
  put_opcode(out, k_op_proto);
  out += '\2';
  if (!group.empty()) {
    put_opcode(out, k_op_empty_dict);
    put_text(out, group);
  }
  put_ordered_dict(out);
  put_opcode(out, k_op_mark);
  for (size_t i = 0; i < tensors.size(); ++i) {
    put_text(out, tensors[i].name);
    put_tensor(out, tensors[i], std::to_string(i));
  }
  put_opcode(out, k_op_setitems);
  if (!group.empty()) put_opcode(out, k_op_setitem);
  put_opcode(out, k_op_stop);
  return out;
}

// Stored members with aligned data; the directory is written last (zip application note, 4.3).
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path) : file_(path), path_(path) {}

  void add(const std::string& name, std::span<const std::byte> data) {
    const uint32_t checksum = crc32(data);
    const auto header_at = static_cast<uint32_t>(at_);
    // Both headers say the same from the version to the length of the name.
    std::string fields;
    put<uint16_t>(fields, 20);      // version needed
    put<uint16_t>(fields, 0x0800);  // names are UTF-8
    put<uint16_t>(fields, 0);       // stored
    put<uint16_t>(fields, 0);       // time
    put<uint16_t>(fields, 0x0021);  // 1 January 1980: no clock in the bytes
    put(fields, checksum);
    put(fields, static_cast<uint32_t>(data.size()));
    put(fields, static_cast<uint32_t>(data.size()));
    put(fields, static_cast<uint16_t>(name.size()));

    const std::string padding = padding_before_data(name);
    std::string local;
    put<uint32_t>(local, 0x04034b50);
    local += fields;
    put(local, static_cast<uint16_t>(padding.size()));
    local += name + padding;
    write(std::as_bytes(std::span(local)));
    write(data);

    put<uint32_t>(directory_, 0x02014b50);
    put<uint16_t>(directory_, 20);
    directory_ += fields;
    directory_ += std::string(2 + 2 + 2 + 2 + 4, '\0');  // no extra field, comment, disk, attributes
    put(directory_, header_at);
    directory_ += name;
    ++members_;
  }

  void finish() {
    std::string end = directory_;
    put<uint32_t>(end, 0x06054b50);
    put<uint32_t>(end, 0);
    put(end, members_);
    put(end, members_);
    put(end, static_cast<uint32_t>(directory_.size()));
    put(end, static_cast<uint32_t>(at_));
    put<uint16_t>(end, 0);
    write(std::as_bytes(std::span(end)));
    file_.commit();
  }

 private:
  static constexpr size_t k_local_bytes = 30;
  static constexpr size_t k_extra_header = 4;

  // An extra field of whatever length brings the data to the next multiple of k_alignment.
  std::string padding_before_data(const std::string& name) const {
    const size_t start = at_ + k_local_bytes + name.size() + k_extra_header;
    const size_t fill = (k_alignment - start % k_alignment) % k_alignment;
    std::string extra = "FB";
    put(extra, static_cast<uint16_t>(fill));
    return extra + std::string(fill, 'Z');
  }

  void write(std::span<const std::byte> bytes) {
    CRANE_CHECK_INVARIANT(at_ + bytes.size() <= std::numeric_limits<uint32_t>::max(), path_,
                          " grows beyond 4 GiB");
    file_.write_at(at_, bytes);
    at_ += bytes.size();
  }

  AtomicFile file_;
  std::string path_;
  std::string directory_;
  size_t at_ = 0;
  uint16_t members_ = 0;
};

}  // namespace

void write_torch_zip(const std::string& path, const std::string& group,
                     const std::vector<TensorView>& tensors) {
  static constexpr size_t k_max_tensors = 60000;  // members are counted in 16 bits
  CRANE_CHECK_INVARIANT(tensors.size() <= k_max_tensors && is_utf8(group), "tensors of ", path);
  std::unordered_set<std::string> seen;
  for (const TensorView& tensor : tensors) {
    CRANE_CHECK_INVARIANT(!tensor.name.empty() && is_utf8(tensor.name) && seen.insert(tensor.name).second,
                          "name of tensor ", quote_name(tensor.name));
  }
  ZipWriter zip(path);
  const std::string root = k_root;
  const auto add_text = [&](const char* name, const std::string& text) {
    zip.add(root + name, std::as_bytes(std::span(text)));
  };
  add_text("data.pkl", pickle_of(group, tensors));
  add_text("byteorder", "little");
  for (size_t i = 0; i < tensors.size(); ++i) {
    zip.add(join_text(root, "data/", i), {tensors[i].data, tensors[i].bytes()});
  }
  add_text("version", "3\n");
  zip.finish();
}

}  // namespace crane::weights
