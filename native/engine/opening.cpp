// Opens an engine: its devices and precision, its towers, and what it tells of them.
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>

#include "core/cpu.h"
#include "core/error.h"
#include "core/executor.h"
#include "cuda/tensors.h"
#include "engine/state.h"
#include "kernels/choice.h"
#include "kernels/linear_panels.h"
#include "tensors/torch_errors.h"
#include "weights/name_map.h"
#include "weights/structure.h"

namespace crane {
namespace {

// "auto" takes CUDA where it can be used.
at::Device device_of(const std::string& name) {
  if (name == "auto") return at::Device(at::hasCUDA() ? at::kCUDA : at::kCPU);
  at::Device device(at::kCPU);
  try {
    device = at::Device(name);
  } catch (const c10::Error&) {
    throw Error("E_DEVICE", join_text("\"", name, "\" is no device"), "use cpu, cuda or cuda:N");
  }
  check_input(device.is_cpu() || device.is_cuda(), "E_DEVICE", "\"", name, "\" is no device of this engine");
  if (device.is_cuda()) {
    check_input(at::hasCUDA() && device.index() < at::detail::getCUDAHooks().deviceCount(), "E_DEVICE",
                "no CUDA device can be used: the libtorch that was loaded ",
                "has no CUDA, or there is no driver");
  }
  return device;
}

// "cuda:0,cuda:1": the devices of one engine. Several need the kernels, since only whole batches are dealt
// out.
std::vector<at::Device> devices_of(const std::string& names) {
  std::vector<at::Device> devices;
  for (size_t from = 0; from <= names.size();) {
    const size_t comma = std::min(names.find(',', from), names.size());
    devices.push_back(device_of(names.substr(from, comma - from)));
    from = comma + 1;
  }
  for (const at::Device& device : devices) {
    check_input(devices.size() == 1 || cuda::has_kernels(device), "E_DEVICE", "\"", names,
                "\": several devices must all be CUDA devices, and the engine built with their kernels");
  }
  return devices;
}

// float32 runs everywhere; the other formats where their kernels are.
void check_precision(Precision precision, at::Device device) {
  if (precision == Precision::int8 && !device.is_cpu()) {
    throw Error("E_DEVICE", join_text("int8 is not there on ", device.str()),
                "it is for CPUs; use bfloat16 or float16 on a GPU");
  }
  if (precision == Precision::float32 || cuda::has_kernels(device)) return;
  if (device.is_cuda()) {
    throw Error("E_DEVICE", join_text(precision_name(precision), " cannot be used on ", device.str()),
                "this engine was built without its CUDA kernels: npx crane-native build");
  }
  if (!device.is_cpu() || precision == Precision::float16) {
    throw Error("E_DEVICE", join_text(precision_name(precision), " is not there on ", device.str()),
                "use float32, or bfloat16 or int8 where `doctor` lists it; float16 needs a CUDA device");
  }
  if (!kernels::can_multiply_in(precision)) {
    throw Error("E_DEVICE",
                join_text("this CPU cannot multiply ", precision_name(precision), ", which needs ",
                          kernels::instructions_of(precision), "; usable here: ", isa_bits(usable_isa())),
                "use --precision float32; CRANE_KERNELS=ref computes such scores slowly on any CPU");
  }
}

// Products of float32 stay float32 on a GPU (no TF32), and sums of 16-bit products are kept in float32.
void choose_exact_products() {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowFP16ReductionCuBLAS(false);
  context.setAllowBF16ReductionCuBLAS(false);
}

TowerFacts facts_of(const vision::SpatialSource& tower) {
  return {tower.width(), tower.layers(), tower.heads(), tower.registers(), tower.parameters()};
}

// Weights of the blocks' linear layers: qkv, output and the two of the MLP.
int64_t packed_parameters(const TowerFacts& tower) { return tower.layers * 12 * tower.width * tower.width; }

// What one picture's forward pass holds at once, from the tensors' sizes: streams, projections, the MLP's
// hidden layer, D-Attn's square matrices, the map. Generous by half, because allocators keep what they freed.
int64_t working_bytes_of(const vision::Tower& vision, const vision::SpatialSource* source, int64_t height,
                         int64_t width) {
  const int64_t tokens = 1 + (height / vision.patch()) * (width / vision.patch());
  int64_t floats = tokens * vision.width() * 14 + height * width * 8;
  if (source != nullptr) {
    const int64_t n = source->grid_for(height, width).count();
    floats += n * n * 5 + n * source->width() * 14;
  }
  return floats * 4 * 3 / 2;
}

image::Normalisation normalisation_of(const vision::TowerConfig& config) {
  image::Normalisation constants{};
  for (size_t c = 0; c < 3; ++c) {
    constants.mean[c] = static_cast<float>(config.mean[c]);
    constants.std[c] = static_cast<float>(config.std[c]);
  }
  return constants;
}

// Files and recipes that hold the towers.
weights::CanonicalWeights weights_of(const EngineConfig& config) {
  std::vector<std::shared_ptr<const weights::WeightFile>> files;
  for (const std::string& path : config.weights) files.push_back(weights::open_weights(path));
  for (const RecipeConfig& recipe : config.recipes) {
    files.push_back(weights::synth_file(recipe.name, recipe.tensors));
  }
  return weights::canonicalise(std::move(files));
}

}  // namespace

std::vector<layers::Block> Engine::State::plain_blocks() const {
  return vision::Tower::load_plain_blocks(weights_of(config), config.vision, device);
}

std::string Engine::State::with_packed_weights(std::string_view tower, const weights::CanonicalWeights& all,
                                               const std::function<void(layers::PackedWeights*)>& load) {
  const auto load_unchanged = [&](layers::PackedWeights* packed) {
    load(packed);
    // What was read while somebody wrote is a mixture, which nothing may keep.
    for (const auto& file : all.files) file->check_versions();
  };
  if (!config.start_cache || !device.is_cpu()) {
    load_unchanged(nullptr);
    return "memory";
  }
  const auto& [folder, identity, least_bytes] = *config.start_cache;
  const std::string face(kernels::chosen_face("linear", config.precision));
  layers::PackedWeights packed(join_text(folder, "/", identity, ".", tower, ".", face, ".safetensors"),
                               join_text(identity, " ", tower, " ", face));
  load_unchanged(&packed);
  if (packed.is_mapped()) return "mapped";
  if (packed.is_shared()) return "shared";
  try {
    return packed.save(least_bytes) ? "written" : "memory";
  } catch (const Error& error) {
    facts.packed_failure = error.what();
    return "memory";
  }
}

// Weights are loaded outside inference mode, because training differentiates through the text tower.
void Engine::State::open(const EngineConfig& from, at::Device on) {
  config = from;
  device = on;
  config.vision.precision = config.precision;
  if (config.source) config.source->tower.precision = config.precision;
  std::string vision_packed;
  std::string source_packed;
  {
    const weights::CanonicalWeights all = weights_of(config);
    const weights::VisionStructure vision_facts = weights::check_vision(all);
    text.open(all, config.text, device);
    check_input(vision_facts.joint_width == text.structure().joint_width, "E_MODEL_CONFIG",
                "the vision tower ends in ", vision_facts.joint_width, " dimensions, the text tower in ",
                text.structure().joint_width);
    vision_packed = with_packed_weights("vision", all, [&](layers::PackedWeights* packed) {
      vision = vision::Tower::load(all, config.vision, device, packed);
    });
  }
  if (config.source) {
    const weights::CanonicalWeights all =
        weights::canonicalise({weights::open_weights(config.source->weights)});
    source_packed = with_packed_weights("source", all, [&](layers::PackedWeights* packed) {
      source = vision::load_spatial_source(all, config.source->tower, device, packed);
    });
  }
  check_size(config.height, config.width);
  normalisation = normalisation_of(config.vision);

  facts.patch = vision.patch();
  facts.vision = facts_of(vision);
  facts.vision.packed = vision_packed;
  const weights::TextStructure& text_facts = text.structure();
  facts.text = {text_facts.width, text_facts.layers, text_facts.heads, 0, text_facts.parameters};
  if (source) {
    facts.source = facts_of(*source);
    facts.source->packed = source_packed;
  }
  facts.joint_width = vision.joint_width();
  facts.device = device.str();
  facts.precision = config.precision;
  facts.kernels = kernels::chosen_kernels(config.precision);
  facts.weight_bytes =
      4 * (facts.vision.parameters + facts.text.parameters + (facts.source ? facts.source->parameters : 0));
  const auto* packed = kernels::chosen("linear", config.precision).as<kernels::LinearFace>();
  const int64_t in_blocks =
      packed_parameters(facts.vision) + (facts.source ? packed_parameters(*facts.source) : 0);
  if (device.is_cuda()) {
    if (config.precision != Precision::float32) facts.weight_bytes -= 2 * in_blocks;
  } else if (packed != nullptr) {
    facts.weight_bytes -= (4 - 4 / packed->cell_values) * in_blocks;
  }
  facts.working_bytes = working_bytes_of(vision, source.get(), config.height, config.width);
}

Engine::Engine(const EngineConfig& config) : state_(std::make_shared<State>()) {
  const at::NoGradGuard guard;
  translate_errors([&] {
    State& state = *state_;
    const std::vector<at::Device> devices = devices_of(config.device);
    for (const at::Device& device : devices) check_precision(config.precision, device);
    if (devices.front().is_cuda()) choose_exact_products();
    state.facts.threads = set_compute_threads(config.threads);
    if (config.pictures_in_parallel && devices.front().is_cpu()) {
      state.facts.lanes = state.facts.threads;
      state.lanes = std::make_shared<Lanes>(state.facts.lanes);
    }
    preparation_threads();  // started now, while there is memory for them
    state.open(config, devices.front());
    for (size_t i = 1; i < devices.size(); ++i) {
      state.replicas.push_back(std::make_unique<State>());
      state.replicas.back()->open(config, devices[i]);
      state.facts.device = join_text(state.facts.device, ",", devices[i].str());
    }
  });
}

}  // namespace crane
