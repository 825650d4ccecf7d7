#include "weights/name_map.h"

#include <algorithm>

#include "core/error.h"
#include "weights/recognise.h"

namespace crane::weights {

namespace {

[[noreturn]] void refuse_naming(const WeightFile& file, const std::vector<std::string>& rivals) {
  if (!rivals.empty()) {
    std::string under;
    for (const std::string& prefix : rivals)
      under += join_text(under.empty() ? "" : ", ", quote_name(prefix));
    throw Error("E_WEIGHTS_NAMING",
                join_text(file.path(), ": holds ", rivals.size(), " equal models, under ", under),
                "save the tensors of the one that is meant");
  }
  std::string known;
  for (const Family* family : families()) known += join_text(known.empty() ? "" : ", ", family->name);
  std::string sample;
  for (size_t i = 0; i < std::min<size_t>(3, file.tensors().size()); ++i) {
    sample += join_text(i > 0 ? ", " : "", quote_name(file.tensors()[i].name));
  }
  throw Error(
      "E_WEIGHTS_NAMING",
      join_text(file.path(), ": ", file.tensors().size(), " tensors named ", sample,
                file.tensors().size() > 3 ? ", ..." : "", " follow none of the known namings (", known, ")"),
      "list the tensors with: npx crane-native weights inspect FILE");
}

// Which canonical tensor is being put together from parts.
struct Assembly {
  std::vector<const TensorView*> parts;
  const NameRow* row = nullptr;
  const WeightFile* file = nullptr;
};

// Leading axes of size 1 go until `rank` are left.
std::vector<int64_t> drop_leading_ones(const TensorView& view, int rank, const std::string& where) {
  std::vector<int64_t> shape = view.shape;
  while (rank > 0 && static_cast<int>(shape.size()) > rank && shape.front() == 1) shape.erase(shape.begin());
  check_input(rank == 0 || static_cast<int>(shape.size()) == rank, "E_WEIGHTS_SHAPE", where, " is ",
              shape_text(view.shape), ", expected ", rank, rank == 1 ? " axis" : " axes",
              " after axes of size 1");
  return shape;
}

CanonicalTensor assemble(const std::string& name, const Assembly& assembly, const std::string& where) {
  CanonicalTensor tensor;
  tensor.name = name;
  tensor.file = assembly.file;
  tensor.transposed = assembly.row->transposed;
  for (const TensorView* part : assembly.parts) {
    std::vector<int64_t> shape = drop_leading_ones(*part, assembly.row->rank, where);
    tensor.parts.push_back(part);
    if (tensor.parts.size() == 1) {
      tensor.shape = std::move(shape);
      continue;
    }
    check_input(!shape.empty() && shape == assembly.parts.front()->shape, "E_WEIGHTS_SHAPE",
                assembly.file->path(), ": tensor ", quote_name(part->name), " is ", shape_text(part->shape),
                ", expected ", shape_text(assembly.parts.front()->shape), " as ",
                quote_name(assembly.parts.front()->name));
    tensor.shape.front() += shape.front();
  }
  if (tensor.transposed) {
    check_input(tensor.shape.size() == 2, "E_WEIGHTS_SHAPE", where, " is ", shape_text(tensor.shape),
                ", expected two axes");
    std::swap(tensor.shape[0], tensor.shape[1]);
  }
  return tensor;
}

void add_file(CanonicalWeights& weights, const NamedFile& named) {
  const WeightFile& file = *named.file;
  const FamilyIndex index(*named.family);
  std::map<std::string, Assembly> assemblies;
  for (const TensorView& view : file.tensors()) {
    const std::string name = without_wrappers(view.name);
    if (!name.starts_with(named.prefix)) continue;  // beside the model
    const auto match = index.match(std::string_view(name).substr(named.prefix.size()));
    if (!match) {
      throw Error("E_WEIGHTS_EXTRA",
                  join_text(file.path(), ": tensor ", quote_name(view.name), " ", shape_text(view.shape),
                            " is not part of a model named like ", named.family->name),
                  "the file holds more than the model: save only the tensors of the towers or the prompts");
    }
    if (match->row == nullptr) continue;
    Assembly& assembly = assemblies[with_number(match->row->canonical, match->number)];
    if (assembly.parts.empty()) {
      assembly.parts.resize(static_cast<size_t>(match->row->parts));
      assembly.row = match->row;
      assembly.file = &file;
    }
    // Two rows of a table may lead to one tensor, for instance through two spellings.
    const TensorView*& slot = assembly.parts.at(static_cast<size_t>(match->row->part));
    check_input(slot == nullptr, "E_WEIGHTS_EXTRA", file.path(), ": tensors ",
                slot == nullptr ? "" : quote_name(slot->name), " and ", quote_name(view.name),
                " are the same (", match->row->canonical, ")");
    slot = &view;
  }
  for (const auto& [name, assembly] : assemblies) {
    const NumberedName numbered = split_number(name);
    for (const NameRow& row : named.family->rows) {
      if (row.canonical != numbered.pattern || row.parts != assembly.row->parts) continue;
      check_input(assembly.parts[static_cast<size_t>(row.part)] != nullptr, "E_WEIGHTS_MISSING", file.path(),
                  ": tensor ", quote_name(named.prefix + with_number(row.stored, numbered.number)),
                  " is missing (a part of ", name, ")");
    }
    const std::string where = join_text(file.path(), ": tensor ", quote_name(assembly.parts.front()->name));
    if (const CanonicalTensor* other = weights.find(name)) {
      throw Error("E_WEIGHTS_EXTRA", join_text(where, " is in ", other->where(), " already (", name, ")"),
                  "give each part of the model once");
    }
    weights.tensors.emplace(name, assemble(name, assembly, where));
  }
}

size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

int64_t CanonicalTensor::numel() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

std::string CanonicalTensor::stored_name() const {
  std::string names;
  for (const TensorView* part : parts) names += join_text(names.empty() ? "" : " + ", part->name);
  return names;
}

std::string CanonicalTensor::identity() const {
  if (file == nullptr || file->identity().empty()) return "";
  std::string text = join_text(file->identity(), "|", shape_text(shape), transposed ? "|turned" : "");
  for (const TensorView* part : parts) text.append("|").append(quote_name(part->name));
  return text;
}

std::string CanonicalTensor::where() const {
  return join_text(file->path(), ": tensor ", quote_name(stored_name()));
}

const CanonicalTensor* CanonicalWeights::find(const std::string& name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

// Among all files and all rows that mean this tensor, the spelling that resembles a file's other names most.
std::string CanonicalWeights::where_expected(const std::string& name) const {
  const NumberedName numbered = split_number(name);
  std::string spelled = name;
  std::string path = files.empty() ? "" : files.front()->path();
  size_t best = 0;
  for (const NamedFile& named : named_files) {
    for (const NameRow& row : named.family->rows) {
      if (row.canonical != numbered.pattern) continue;
      const std::string candidate = named.prefix + with_number(row.stored, numbered.number);
      size_t score = 1;
      for (const TensorView& view : named.file->tensors()) {
        score = std::max(score, 1 + common_prefix(candidate, view.name));
      }
      if (score <= best) continue;
      best = score;
      spelled = candidate;
      path = named.file->path();
    }
  }
  return join_text(path, ": tensor ", quote_name(spelled));
}

const CanonicalTensor& CanonicalWeights::at(const std::string& name) const {
  if (const CanonicalTensor* tensor = find(name)) return *tensor;
  throw Error("E_WEIGHTS_MISSING", join_text(where_expected(name), " is missing (", name, ")"),
              "the file is incomplete, or another file that completes it was not given");
}

std::string naming_of(const WeightFile& file) {
  const Recognised recognised = recognise(file);
  return recognised.family == nullptr ? std::string() : std::string(recognised.family->name);
}

CanonicalWeights canonicalise(std::vector<std::shared_ptr<const WeightFile>> files) {
  CanonicalWeights weights;
  weights.files = std::move(files);
  for (const auto& file : weights.files) {
    const Recognised recognised = recognise(*file);
    if (recognised.family == nullptr) refuse_naming(*file, recognised.rivals);
    const bool repeated = std::any_of(weights.named_files.begin(), weights.named_files.end(),
                                      [&](const NamedFile& n) { return n.family == recognised.family; });
    if (!repeated) weights.family += join_text(weights.family.empty() ? "" : "+", recognised.family->name);
    weights.named_files.push_back({file, recognised.family, recognised.prefix});
    add_file(weights, weights.named_files.back());
  }
  return weights;
}

void read_f32(const CanonicalTensor& src, float* dst) {
  try {
    if (!src.transposed) {
      for (const TensorView* part : src.parts) {
        copy_as_f32(*part, dst);
        dst += part->numel();
      }
      return;
    }
    const auto rows = static_cast<size_t>(src.shape[0]);
    const auto columns = static_cast<size_t>(src.shape[1]);
    std::vector<float> stored(rows * columns);  // [columns, rows]
    copy_as_f32(*src.parts.front(), stored.data());
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < columns; ++c) dst[r * columns + c] = stored[c * rows + r];
    }
  } catch (const Error& error) {
    throw Error(error.code(), join_text(src.file->path(), ": ", error.what()), error.hint());
  }
}

void read_f32_rows(const CanonicalTensor& src, int64_t first, int64_t count, float* dst) {
  CRANE_CHECK_INVARIANT(src.shape.size() == 2 && first >= 0 && first + count <= src.shape[0], "rows of ",
                        src.name);
  const int64_t columns = src.shape[1];
  if (src.transposed) {
    std::vector<float> all(static_cast<size_t>(src.numel()));
    read_f32(src, all.data());
    std::copy_n(all.data() + first * columns, count * columns, dst);
    return;
  }
  CanonicalTensor rows = src;
  std::vector<TensorView> cut;
  cut.reserve(src.parts.size());
  int64_t start = 0;  // of a part, in rows of the whole
  for (const TensorView* part : src.parts) {
    const int64_t part_rows = part->numel() / columns;
    const int64_t from = std::clamp(first - start, int64_t{0}, part_rows);
    const int64_t to = std::clamp(first + count - start, int64_t{0}, part_rows);
    TensorView& view = cut.emplace_back(*part);
    view.shape = {to - from, columns};
    view.data += static_cast<size_t>(from * columns) * item_bytes(part->dtype);
    start += part_rows;
  }
  for (size_t i = 0; i < cut.size(); ++i) rows.parts[i] = &cut[i];
  read_f32(rows, dst);
}

void read_i32(const CanonicalTensor& src, int32_t* dst) {
  try {
    for (const TensorView* part : src.parts) {
      copy_as_i32(*part, dst);
      dst += part->numel();
    }
  } catch (const Error& error) {
    throw Error(error.code(), join_text(src.file->path(), ": ", error.what()), error.hint());
  }
}

}  // namespace crane::weights
