#include "train/prompt_files.h"

#include <ATen/CPUGeneratorImpl.h>

#include <array>

#include "core/error.h"
#include "train/tensor_list.h"
#include "weights/torch_zip_writer.h"

namespace crane::train {
namespace {

constexpr double k_spread = 0.02;  // standard deviation of new prompts
constexpr std::array<const char*, text::k_pair> k_text_names{"pos", "neg"};

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

void write_prompt_checkpoint(const std::string& path, const text::TextTower& tower,
                             const text::PromptSet& prompts, const Parameters& further) {
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
  for (const auto& [name, tensor] : further) list.add(name, tensor);
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

Parameters learned_prompts(const text::PromptSet& prompts) {
  Parameters named;
  for (int c = 0; c < text::k_pair; ++c) {
    named.emplace_back(join_text("ctx_", k_text_names[c]), prompts.context[c]);
  }
  for (size_t i = 0; i < prompts.deep.size(); ++i) {
    named.emplace_back(join_text("compound_prompts_text.", i), prompts.deep[i]);
  }
  return named;
}

Parameters prompt_extras(const text::PromptSet& prompts) {
  Parameters own;
  for (int c = 0; c < text::k_pair; ++c) {
    const std::string text = k_text_names[c];
    own.emplace_back("ids." + text, ids_of(prompts, c));
    if (prompts.stored_start[c].defined()) own.emplace_back("token_prefix." + text, prompts.stored_start[c]);
    if (prompts.stored_suffix[c].defined())
      own.emplace_back("token_suffix." + text, prompts.stored_suffix[c]);
  }
  return own;
}

SavedPrompts load_prompt_training(const std::string& path, int64_t text_width, at::Device device) {
  const SavedTraining file(path);
  const auto rows = [&](const std::string& name) {
    const at::Tensor tensor = file.floats(name, device);
    check_input(tensor.dim() == 2 && tensor.size(1) == text_width, "E_TRAIN_RESUME", path, ": ", name, " is ",
                weights::shape_text(tensor.sizes().vec()), ", expected rows of ", text_width);
    return tensor;
  };
  SavedPrompts saved;
  const auto learned = [&](const std::string& name) {
    const at::Tensor parameter = rows("param." + name);
    saved.moments.push_back(file.moments(name, parameter));
    return parameter;
  };
  for (int c = 0; c < text::k_pair; ++c) {
    saved.prompts.context[c] = learned(join_text("ctx_", k_text_names[c]));
    const std::vector<int32_t> ids = file.integers(join_text("ids.", k_text_names[c]));
    saved.prompts.ids[c].assign(ids.begin(), ids.end());
    for (auto& [kind, stored] : {std::pair{"token_prefix.", &saved.prompts.stored_start[c]},
                                 std::pair{"token_suffix.", &saved.prompts.stored_suffix[c]}}) {
      const std::string buffer = join_text(kind, k_text_names[c]);
      if (file.has(buffer)) *stored = rows(buffer);
    }
  }
  check_input(saved.prompts.context[0].size(0) == saved.prompts.context[1].size(0), "E_TRAIN_RESUME", path,
              ": the two texts have different numbers of context rows");
  for (size_t i = 0; file.has(join_text("param.compound_prompts_text.", i)); ++i) {
    const at::Tensor& deep = saved.prompts.deep.emplace_back(learned(join_text("compound_prompts_text.", i)));
    check_input(deep.size(0) <= saved.prompts.context_rows(), "E_TRAIN_RESUME", path, ": ", deep.size(0),
                " deep tokens do not lie within ", saved.prompts.context_rows(), " context rows");
  }
  saved.steps = file.steps();
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
  prompts.ids = request.ids;
  for (at::Tensor& context : prompts.context) context = drawn(request.context_rows);
  for (int64_t i = 0; i < request.deep_blocks; ++i) prompts.deep.push_back(drawn(request.deep_tokens));
  return prompts;
}

}  // namespace crane::train
