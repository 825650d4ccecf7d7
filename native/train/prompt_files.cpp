#include "train/prompt_files.h"

#include <ATen/CPUGeneratorImpl.h>

#include <array>
#include <unordered_map>

#include "core/error.h"
#include "weights/safetensors.h"
#include "weights/torch_zip_writer.h"

namespace crane::train {
namespace {

constexpr const char* k_format = "crane.training";
constexpr const char* k_version = "1";
constexpr double k_spread = 0.02;  // standard deviation of new prompts
constexpr std::array<const char*, text::k_pair> k_text_names{"pos", "neg"};

weights::DType dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return weights::DType::f32;
    case at::kDouble:
      return weights::DType::f64;
    case at::kInt:
      return weights::DType::i32;
    case at::kLong:
      return weights::DType::i64;
    default:
      throw Error("E_INTERNAL", "a tensor of a type that no training has");
  }
}

// Named tensors in the order of the file, on the CPU and contiguous, with views of their bytes.
class TensorList {
 public:
  void add(const std::string& name, const at::Tensor& tensor) {
    tensors_.push_back(tensor.detach().to(at::kCPU).contiguous());
    const at::Tensor& own = tensors_.back();
    views_.push_back(
        {name, dtype_of(own), own.sizes().vec(), static_cast<const std::byte*>(own.const_data_ptr())});
  }
  const std::vector<weights::TensorView>& views() const { return views_; }

  void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata) const {
    std::vector<weights::SafetensorsEntry> entries;
    for (const weights::TensorView& view : views_) entries.push_back({view.name, view.dtype, view.shape});
    weights::SafetensorsWriter writer(path, entries, metadata);
    for (size_t i = 0; i < views_.size(); ++i) writer.append(i, {views_[i].data, views_[i].bytes()});
    writer.finish();
  }

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<weights::TensorView> views_;
};

at::Tensor ids_of(const text::PromptSet& prompts, int c) {
  const std::vector<int64_t>& ids = prompts.ids[c];
  return at::tensor(std::vector<int32_t>(ids.begin(), ids.end()), at::TensorOptions().dtype(at::kInt))
      .view({1, 1, -1});
}

void add_context(TensorList& list, const text::PromptSet& prompts) {
  for (int c = 0; c < text::k_pair; ++c) {
    list.add(join_text("ctx_", k_text_names[c]), prompts.context[c].unsqueeze(0).unsqueeze(0));
  }
}

void add_ids(TensorList& list, const text::PromptSet& prompts) {
  for (int c = 0; c < text::k_pair; ++c) {
    list.add(join_text("tokenized_prompts_", k_text_names[c]), ids_of(prompts, c));
  }
}

void add_deep(TensorList& list, const text::PromptSet& prompts) {
  for (size_t i = 0; i < prompts.deep.size(); ++i) {
    list.add(join_text("compound_prompts_text.", i), prompts.deep[i]);
  }
}

}  // namespace

void write_checkpoint(const std::string& path, const text::TextTower& tower, const text::PromptSet& prompts) {
  TensorList list;
  add_context(list, prompts);
  add_ids(list, prompts);
  const int64_t n = prompts.context_rows();
  for (int c = 0; c < text::k_pair; ++c) {
    const auto length = static_cast<int64_t>(prompts.ids[c].size());
    const auto add_rows = [&](const char* kind, int64_t first, int64_t count) {
      list.add(join_text("token_", kind, "_", k_text_names[c]),
               tower.embedded_tokens(prompts, c, first, count).unsqueeze(0).unsqueeze(0));
    };
    add_rows("prefix", 0, 1);
    add_rows("suffix", 1 + n, length - 1 - n);
  }
  add_deep(list, prompts);
  weights::write_torch_zip(path, "prompt_learner", list.views());
}

void write_prompts(const std::string& path, const text::PromptSet& prompts,
                   const std::map<std::string, std::string>& metadata) {
  TensorList list;
  add_context(list, prompts);
  add_ids(list, prompts);
  add_deep(list, prompts);
  list.write_safetensors(path, metadata);
}

void save_training(const std::string& path, const PromptTrainer& trainer,
                   const std::vector<ExtraTensor>& extra,
                   const std::map<std::string, std::string>& metadata) {
  TensorList list;
  const auto parameters = trainer.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, tensor] = parameters[i];
    list.add("param." + name, tensor);
    list.add("adam.first." + name, trainer.moments()[i].first);
    list.add("adam.second." + name, trainer.moments()[i].second);
  }
  list.add("adam.steps", at::full({1}, trainer.steps(), at::TensorOptions().dtype(at::kLong)));
  const text::PromptSet& prompts = trainer.prompts();
  for (int c = 0; c < text::k_pair; ++c) {
    const std::string text = k_text_names[c];
    list.add("ids." + text, ids_of(prompts, c));
    if (prompts.stored_start[c].defined()) list.add("token_prefix." + text, prompts.stored_start[c]);
    if (prompts.stored_suffix[c].defined()) list.add("token_suffix." + text, prompts.stored_suffix[c]);
  }
  for (const ExtraTensor& tensor : extra) {
    const at::Tensor values = tensor.is_integer
                                  ? at::tensor(tensor.integers, at::TensorOptions().dtype(at::kInt))
                                  : at::tensor(tensor.doubles, at::TensorOptions().dtype(at::kDouble));
    list.add("extra." + tensor.name, values);
  }
  std::map<std::string, std::string> all = metadata;
  all[k_format] = k_version;
  list.write_safetensors(path, all);
}

SavedTraining load_training(const std::string& path, int64_t text_width, at::Device device) {
  const auto file = weights::open_weights(path);
  const auto format = file->metadata().find(k_format);
  check_input(format != file->metadata().end() && format->second == k_version, "E_TRAIN_RESUME", path,
              ": no saved training, or one of another version");
  const auto rows = [&](const std::string& name) {
    const weights::TensorView* view = file->find(name);
    check_input(view != nullptr, "E_TRAIN_RESUME", path, ": ", name, " is missing");
    check_input(view->shape.size() == 2 && view->shape[1] == text_width, "E_TRAIN_RESUME", path, ": ", name,
                " is ", weights::shape_text(view->shape), ", expected rows of ", text_width);
    at::Tensor tensor = at::empty(view->shape, at::TensorOptions().dtype(at::kFloat));
    weights::copy_as_f32(*view, tensor.data_ptr<float>());
    return tensor.to(device);
  };
  SavedTraining saved;
  const auto add_moments = [&](const std::string& name, const at::Tensor& parameter) {
    PromptTrainer::Moments moments{rows("adam.first." + name), rows("adam.second." + name)};
    check_input(moments.first.sizes() == parameter.sizes() && moments.second.sizes() == parameter.sizes(),
                "E_TRAIN_RESUME", path, ": the moments of ", name, " have another shape than it");
    saved.moments.push_back(std::move(moments));
  };
  for (int c = 0; c < text::k_pair; ++c) {
    const std::string name = join_text("ctx_", k_text_names[c]);
    saved.prompts.context[c] = rows("param." + name);
    add_moments(name, saved.prompts.context[c]);
    const weights::TensorView* ids = file->find(join_text("ids.", k_text_names[c]));
    check_input(ids != nullptr, "E_TRAIN_RESUME", path, ": the texts' ids are missing");
    std::vector<int32_t> values(static_cast<size_t>(ids->numel()));
    weights::copy_as_i32(*ids, values.data());
    saved.prompts.ids[c].assign(values.begin(), values.end());
    for (auto& [kind, stored] : {std::pair{"token_prefix.", &saved.prompts.stored_start[c]},
                                 std::pair{"token_suffix.", &saved.prompts.stored_suffix[c]}}) {
      const std::string buffer = join_text(kind, k_text_names[c]);
      if (file->find(buffer) != nullptr) *stored = rows(buffer);
    }
  }
  check_input(saved.prompts.context[0].size(0) == saved.prompts.context[1].size(0), "E_TRAIN_RESUME", path,
              ": the two texts have different numbers of context rows");
  for (size_t i = 0; file->find(join_text("param.compound_prompts_text.", i)) != nullptr; ++i) {
    const std::string name = join_text("compound_prompts_text.", i);
    saved.prompts.deep.push_back(rows("param." + name));
    add_moments(name, saved.prompts.deep.back());
  }
  const weights::TensorView* steps = file->find("adam.steps");
  check_input(steps != nullptr && steps->numel() == 1, "E_TRAIN_RESUME", path, ": adam.steps is missing");
  int32_t count = 0;
  weights::copy_as_i32(*steps, &count);
  check_input(count >= 0, "E_TRAIN_RESUME", path, ": ", count, " steps");
  saved.steps = count;
  return saved;
}

text::PromptSet fresh_prompts(const FreshPrompts& request, int64_t text_width, at::Device device) {
  at::Generator generator = at::detail::createCPUGenerator(request.seed);
  const auto drawn = [&](int64_t rows) {
    return at::empty({rows, text_width}, at::TensorOptions().dtype(at::kFloat))
        .normal_(0.0, k_spread, generator)
        .to(device);
  };
  text::PromptSet prompts;
  prompts.ids = {request.normal_ids, request.anomalous_ids};
  for (at::Tensor& context : prompts.context) context = drawn(request.context_rows);
  for (int64_t i = 0; i < request.deep_blocks; ++i) prompts.deep.push_back(drawn(request.deep_tokens));
  return prompts;
}

}  // namespace crane::train
