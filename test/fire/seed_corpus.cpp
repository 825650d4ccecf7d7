// Writes the first files of the corpus, one folder for each fuzz target: usage: crane_seed_corpus FOLDER
#include <filesystem>
#include <fstream>

#include "forged_files.h"
#include "model_files.h"

namespace {

std::filesystem::path root;

void seed(const std::string& target, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories(root / target);
  std::ofstream(root / target / name, std::ios::binary) << bytes;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace crane::weights;
  if (count != 2) return 2;
  root = arguments[1];

  const std::string ctx =
      op::tensor(op::storage("FloatStorage", "0", 6, "cuda:0"), 0, {1, 1, 3, 2}, {6, 6, 2, 1});
  const std::string prompts = op::dict({{"prompt_learner", op::dict({{"ctx_pos", ctx}, {"ctx_neg", ctx}})}});
  ForgedZip wide = forge_small_torch_zip();
  wide.zip64_end = true;
  for (ForgedMember& member : wide.members) member.zip64 = true;

  seed("safetensors", "two", forge_small_safetensors());
  seed("safetensors", "empty", forge_safetensors("{}", ""));
  seed("safetensors", "prompts", model_bytes({{"ctx_pos", {1, 1, 3, 2}}, {"ctx_neg", {1, 1, 3, 2}}}));
  seed("weights", "torch", forge_small_torch_zip().bytes());
  seed("weights", "wide", wide.bytes());
  seed("weights", "torchscript", forge_small_torchscript().bytes());
  seed("weights", "prompts",
       forge_torch_zip(prompts, {{"0", values_bytes<float>({1, 2, 3, 4, 5, 6})}}).bytes());
  seed("weights", "pointer", "version https://git-lfs.github.com/spec/v1\n");
  seed("pickle", "two", forge_small_torch_zip().members[0].data);
  seed("pickle", "prompts", op::proto() + prompts + ".");
  seed("pickle", "values", op::proto() + "}(" + op::text("k") + "]q\1(K\1M\1\1G12345678\x88\x89Neu.");
  seed("torchscript", "module", forge_small_torchscript().members[0].data);
  seed("json", "header", R"({"a":[1,-2.5e3,true,false,null,"\u00e9\ud83d\ude00\n"],"b":{"c":{}}})");
  seed("index", "two", R"({"metadata":{"total_size":8},"weight_map":{"w":"a-1.safetensors","b":"a-2.safetensors"}})");
  for (int what = 0; what < 5; ++what) {
    for (int mode = 0; mode < 6; ++mode) {
      std::string bytes = {static_cast<char>(mode % 2), static_cast<char>(mode), static_cast<char>(what), 40, 0, 30, 0};
      for (int i = 0; i < 60; ++i) bytes += static_cast<char>(60 + i * 7);
      seed("resize", std::to_string(what) + std::to_string(mode), bytes);
    }
  }
  return 0;
}
