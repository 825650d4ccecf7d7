#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <mutex>

#include "core/cpu.h"
#include "core/error.h"
#include "core/executor.h"
#include "core/stopwatch.h"
#include "cuda/tensors.h"
#include "engine/picture_map.h"
#include "engine/smooth_map.h"
#include "engine/state.h"
#include "kernels/choice.h"
#include "kernels/linear_panels.h"
#include "methods/method.h"
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

std::vector<const methods::Context*> repeated(const methods::Context* context, int64_t count) {
  return std::vector<const methods::Context*>(static_cast<size_t>(count), context);
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

Engine::State::Forward Engine::State::forward(const at::Tensor& images,
                                              std::vector<const methods::Context*> contexts,
                                              const ScoreOptions& options, Trace* trace) const {
  const methods::Method& method = *options.method;
  const methods::Scores scores = method.score(towers(), {images.to(device), std::move(contexts)}, trace);
  const size_t count = method.facts().parts.size();
  CRANE_CHECK_INVARIANT(scores.parts.size() == count, "method ", method.name(), " gives ",
                        scores.parts.size(), " parts and tells of ", count);
  Forward done;
  done.parts.resize(static_cast<size_t>(images.size(0)));
  for (const at::Tensor& part : scores.parts) {
    const at::Tensor host = part.to(at::kCPU, at::kDouble).contiguous();
    CRANE_CHECK_INVARIANT(host.numel() == images.size(0), "a part of ", host.numel(), " scores for ",
                          images.size(0), " pictures");
    for (size_t b = 0; b < done.parts.size(); ++b) done.parts[b].push_back(host.const_data_ptr<double>()[b]);
  }
  done.maps = scores.map;
  return done;
}

std::string Engine::State::with_packed_weights(std::string_view tower,
                                               const std::function<void(layers::PackedWeights*)>& load) {
  if (!config.start_cache || !device.is_cpu()) {
    load(nullptr);
    return "memory";
  }
  const auto& [folder, identity, least_bytes] = *config.start_cache;
  const std::string face(kernels::chosen_face("linear", config.precision));
  layers::PackedWeights packed(join_text(folder, "/", identity, ".", tower, ".", face, ".safetensors"),
                               join_text(identity, " ", tower, " ", face));
  load(&packed);
  if (packed.is_mapped()) return "mapped";
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
    vision_packed = with_packed_weights("vision", [&](layers::PackedWeights* packed) {
      vision = vision::Tower::load(all, config.vision, device, packed);
    });
  }
  if (config.source) {
    const weights::CanonicalWeights all =
        weights::canonicalise({weights::open_weights(config.source->weights)});
    source_packed = with_packed_weights("source", [&](layers::PackedWeights* packed) {
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
    preparation_threads();  // started now, while there is memory for them
    state.open(config, devices.front());
    for (size_t i = 1; i < devices.size(); ++i) {
      state.replicas.push_back(std::make_unique<State>());
      state.replicas.back()->open(config, devices[i]);
      state.facts.device = join_text(state.facts.device, ",", devices[i].str());
    }
  });
}

Engine::~Engine() = default;

const EngineFacts& Engine::facts() const noexcept { return state_->facts; }

MethodFacts facts_of(const methods::Method& method) {
  const methods::Facts& own = method.facts();
  MethodFacts facts{own.parts, own.couples_pictures, own.is_recordable, own.may_be_nan};
  facts.parts.emplace_back(k_map_max);
  return facts;
}

std::shared_ptr<const methods::Context> Engine::State::prepare(const methods::Material& material,
                                                               const ScoreOptions& options) const {
  std::vector<at::Tensor> normals;
  for (const image::PictureView& picture : material.normals) {
    ScoreItem stretched;
    stretched.picture = picture;
    const image::ViewPlan plan = plan_of(stretched, *options.method);
    normals.push_back(input_of(stretched, plan, plan.views.front()).to(device));
  }
  return options.method->prepare(towers(), material, normals);
}

int64_t Engine::add_context(const methods::Material& material, const ScoreOptions& options) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    State& state = *state_;
    state.use_own_threads();
    std::vector<methods::Material> on_device(1 + state.replicas.size(), material);
    for (const auto& [part, handles] : material.handles) {
      for (const int64_t handle : handles) {
        const auto of_all = state.context_of_all(handle);
        for (size_t i = 0; i < of_all.size(); ++i) on_device[i].contexts[part].push_back(of_all[i]);
      }
    }
    // Prepared for every device before any knows the handle.
    std::vector<std::shared_ptr<const methods::Context>> prepared{state.prepare(on_device[0], options)};
    for (size_t i = 0; i < state.replicas.size(); ++i) {
      prepared.push_back(state.replicas[i]->prepare(on_device[i + 1], options));
    }
    const std::lock_guard lock(state.contexts_mutex);
    const int64_t handle = state.next_handle++;
    state.contexts[handle] = prepared.front();
    for (size_t i = 0; i < state.replicas.size(); ++i) state.replicas[i]->contexts[handle] = prepared[i + 1];
    return handle;
  });
}

void Engine::remove_context(int64_t handle) {
  const std::lock_guard lock(state_->contexts_mutex);
  state_->contexts.erase(handle);
  for (const auto& replica : state_->replicas) replica->contexts.erase(handle);
}

void Engine::write_context(int64_t handle, const std::string& path,
                           const std::map<std::string, std::string>& metadata) const {
  const c10::InferenceMode guard;
  translate_errors([&] { state_->context_of(handle)->write(path, metadata); });
}

std::vector<ScoreOutcome> Engine::own_scores(int64_t handle, const ScoreOptions& options,
                                             const CancelToken* cancel) const {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    chosen_part(options);  // refused before any work
    const auto context = state.context_of(handle);
    std::vector<ScoreOutcome> outcomes(static_cast<size_t>(context->own_pictures()));
    check_input(!outcomes.empty(), "E_USAGE", "this context remembers no normal pictures");
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (cancel) cancel->check();
      const methods::Scores scores =
          options.method->score_own(state.towers(), *context, static_cast<int64_t>(i));
      PictureParts parts(options);
      std::vector<double> own;
      for (const at::Tensor& part : scores.parts) own.push_back(part.to(at::kDouble).item<double>());
      parts.add(own);
      finish(scores.map[0], parts, options, /*wants_map=*/outcomes.size() == 1, outcomes[i]);
    }
    return outcomes;
  });
}

std::vector<float> Engine::text_vectors(int64_t handle) const {
  const at::Tensor stored = state_->context_of(handle)->text_vectors();
  if (!stored.defined()) return {};
  const at::Tensor vectors = stored.to(at::kCPU, at::kFloat).contiguous();
  return {vectors.const_data_ptr<float>(), vectors.const_data_ptr<float>() + vectors.numel()};
}

std::vector<ScoreOutcome> Engine::score_preprocessed(const float* input, InputShape shape, int64_t context,
                                                     const ScoreOptions& options, bool wants_map,
                                                     const CancelToken* cancel) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    state.check_size(shape.height, shape.width);
    const auto prepared = state.context_of(context);
    const at::Tensor images =
        at::from_blob(const_cast<float*>(input), {shape.batch, 3, shape.height, shape.width},
                      at::TensorOptions().dtype(at::kFloat));
    check_input(at::isfinite(images).all().item<bool>(), "E_IMAGE_NONFINITE",
                "the preprocessed input holds NaN or infinity");
    chosen_part(options);  // refused before any work
    // Alone on a CPU, some together on a GPU, all where the method couples them.
    const int64_t most = options.method->facts().couples_pictures ? shape.batch
                         : cuda::runs_batches(state.device)       ? k_views_at_once
                                                                  : 1;
    std::vector<ScoreOutcome> outcomes;
    for (int64_t from = 0; from < shape.batch; from += most) {
      if (cancel) cancel->check();
      const int64_t step = std::min(most, shape.batch - from);
      Stopwatch watch;
      const State::Forward done =
          state.forward(images.slice(0, from, from + step), repeated(prepared.get(), step), options, nullptr);
      const double forward_ms = watch.lap_ms() / static_cast<double>(step);
      for (int64_t b = 0; b < step; ++b) {
        ScoreOutcome& outcome = outcomes.emplace_back();
        PictureParts parts(options);
        parts.add(done.parts[static_cast<size_t>(b)]);
        finish(done.maps[b], parts, options, wants_map, outcome);
        outcome.forward_ms = forward_ms;
        outcome.postprocess_ms = watch.lap_ms();
      }
    }
    return outcomes;
  });
}

TracedStages Engine::trace(const float* input, InputShape shape, int64_t context,
                           const ScoreOptions& options) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    state.check_size(shape.height, shape.width);
    const auto prepared = state.context_of(context);
    const at::Tensor images =
        at::from_blob(const_cast<float*>(input), {shape.batch, 3, shape.height, shape.width},
                      at::TensorOptions().dtype(at::kFloat));
    Trace trace;
    const State::Forward done = state.forward(images, repeated(prepared.get(), shape.batch), options, &trace);
    for (int64_t b = 0; b < shape.batch; ++b) {
      trace.record("map_gauss", smooth_map(done.maps[b], options.sigma_px).unsqueeze(0));
    }
    return trace.to_host({"patch_raw", "patch_norm", "pixel_logits"});
  });
}

TracedStages Engine::trace_context(const methods::Material& material, const ScoreOptions& options,
                                   std::span<const float> guidance) {
  const c10::InferenceMode guard;
  return translate_errors([&] {
    const State& state = *state_;
    state.use_own_threads();
    at::Tensor features;
    if (!guidance.empty()) {
      const int64_t width = state.facts.joint_width;
      check_input(static_cast<int64_t>(guidance.size()) % width == 0, "E_IMAGE_SHAPE",
                  "picture features must come in rows of ", width);
      features = at::from_blob(const_cast<float*>(guidance.data()),
                               {static_cast<int64_t>(guidance.size()) / width, width},
                               at::TensorOptions().dtype(at::kFloat))
                     .to(state.device);
    }
    Trace trace;
    options.method->trace_context(state.towers(), material, features, trace);
    return trace.to_host({});
  });
}

int set_compute_threads(int threads) {
  at::set_num_threads(threads > 0 ? threads : physical_cores());
  return at::get_num_threads();
}

std::vector<std::string> available_devices() {
  std::vector<std::string> names{"cpu"};
  if (at::hasCUDA()) {
    const int count = static_cast<int>(at::detail::getCUDAHooks().deviceCount());
    for (int i = 0; i < count; ++i) names.push_back(join_text("cuda:", i));
  }
  return names;
}

}  // namespace crane
