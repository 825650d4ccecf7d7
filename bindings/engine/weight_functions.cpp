#include "weight_functions.h"

#include <array>
#include <cstring>

#include "arguments.h"
#include "async_task.h"
#include "results.h"
#include "text/stored_tokens.h"
#include "weights/convert.h"
#include "weights/name_map.h"
#include "weights/recognise.h"
#include "weights/shards.h"
#include "weights/synth.h"
#include "weights/tensor_view.h"

namespace crane::bindings {
namespace {

using weights::DType;

Napi::Array shape_to_js(Napi::Env env, const std::vector<int64_t>& shape) {
  Napi::Array js = Napi::Array::New(env, shape.size());
  for (uint32_t i = 0; i < shape.size(); ++i) js.Set(i, static_cast<double>(shape[i]));
  return js;
}

struct FileInfo {
  std::shared_ptr<const weights::WeightFile> file;
  weights::Recognised naming;
};

Napi::Value file_info_to_js(Napi::Env env, FileInfo& info) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("container", info.file->container());
  js.Set("naming", info.naming.family == nullptr ? "" : std::string(info.naming.family->name));
  js.Set("prefix", info.naming.prefix);
  js.Set("beside", static_cast<double>(info.naming.beside));
  const std::vector<std::string> paths = weights::files_of(*info.file);
  Napi::Array files = Napi::Array::New(env, paths.size());
  for (uint32_t i = 0; i < paths.size(); ++i) files.Set(i, paths[i]);
  js.Set("files", files);
  Napi::Object metadata = Napi::Object::New(env);
  for (const auto& [key, value] : info.file->metadata()) metadata.Set(key, value);
  js.Set("metadata", metadata);
  const auto& tensors = info.file->tensors();
  Napi::Array list = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    Napi::Object tensor = Napi::Object::New(env);
    tensor.Set("name", tensors[i].name);
    tensor.Set("dtype", weights::dtype_name(tensors[i].dtype));
    tensor.Set("shape", shape_to_js(env, tensors[i].shape));
    tensor.Set("bytes", static_cast<double>(tensors[i].bytes()));
    list.Set(i, tensor);
  }
  js.Set("tensors", list);
  return js;
}

Napi::Value inspect_weights(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const std::string path = call[0].ToString().Utf8Value();
    return run_async(
        call.Env(), io_threads(),
        [path] {
          FileInfo info{weights::open_weights(path), {}};
          info.naming = weights::recognise(*info.file);
          return info;
        },
        file_info_to_js);
  });
}

Napi::Value verify_weights(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const std::string path = call[0].ToString().Utf8Value();
    return run_async(
        call.Env(), io_threads(),
        [path] {
          FileInfo info{weights::open_weights(path), {}};
          weights::verify_weights(info.file);
          info.naming = weights::recognise(*info.file);
          return info;
        },
        file_info_to_js);
  });
}

struct StoredTensor {
  std::string dtype;
  DType kind = DType::f32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;  // f16 and bf16 already widened to f32
};

StoredTensor read_stored(const std::string& path, const std::string& name) {
  const auto file = weights::open_weights(path);
  const weights::TensorView* view = file->find(name);
  check_input(view != nullptr, "E_WEIGHTS_MISSING", path, ": has no tensor \"", name, "\"");
  StoredTensor stored{weights::dtype_name(view->dtype), view->dtype, view->shape, {}};
  if (view->dtype == DType::f16 || view->dtype == DType::bf16) {
    stored.kind = DType::f32;
    stored.bytes.resize(static_cast<size_t>(view->numel()) * sizeof(float));
    weights::copy_as_f32(*view, reinterpret_cast<float*>(stored.bytes.data()));
  } else {
    stored.bytes.assign(view->data, view->data + view->bytes());
  }
  return stored;
}

template <typename Array>
Napi::Value typed_array(Napi::Env env, const std::vector<std::byte>& bytes) {
  using Element = std::remove_pointer_t<decltype(std::declval<Array>().Data())>;
  Array js = Array::New(env, bytes.size() / sizeof(Element));
  if (!bytes.empty()) std::memcpy(js.Data(), bytes.data(), bytes.size());
  return js;
}

Napi::Value stored_to_js(Napi::Env env, StoredTensor& stored) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("dtype", stored.dtype);
  js.Set("shape", shape_to_js(env, stored.shape));
  Napi::Value data;
  switch (stored.kind) {
    case DType::f64:
      data = typed_array<Napi::Float64Array>(env, stored.bytes);
      break;
    case DType::i64:
      data = typed_array<Napi::BigInt64Array>(env, stored.bytes);
      break;
    case DType::i32:
      data = typed_array<Napi::Int32Array>(env, stored.bytes);
      break;
    case DType::i16:
      data = typed_array<Napi::Int16Array>(env, stored.bytes);
      break;
    case DType::i8:
      data = typed_array<Napi::Int8Array>(env, stored.bytes);
      break;
    case DType::u8:
    case DType::boolean:
      data = typed_array<Napi::Uint8Array>(env, stored.bytes);
      break;
    default:
      data = typed_array<Napi::Float32Array>(env, stored.bytes);
      break;
  }
  js.Set("data", data);
  return js;
}

Napi::Value read_tensor(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const std::string path = call[0].ToString().Utf8Value();
    const std::string name = call[1].ToString().Utf8Value();
    return run_async(
        call.Env(), io_threads(), [path, name] { return read_stored(path, name); }, stored_to_js);
  });
}

weights::CanonicalWeights open_all(const std::vector<std::string>& paths) {
  std::vector<std::shared_ptr<const weights::WeightFile>> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) files.push_back(weights::open_weights(path));
  return weights::canonicalise(std::move(files));
}

std::vector<std::string> texts_of(const Napi::Value& value) {
  std::vector<std::string> texts;
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) texts.push_back(list.Get(i).ToString().Utf8Value());
  return texts;
}

Napi::Value compare_stored_tokens(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const std::vector<std::string> towers = texts_of(call[0]);
    const std::string prompts = call[1].ToString().Utf8Value();
    std::array<std::vector<int64_t>, 2> ids;
    const auto lists = call[2].As<Napi::Array>();
    for (uint32_t c = 0; c < ids.size() && c < lists.Length(); ++c) {
      const auto list = lists.Get(c).As<Napi::Array>();
      for (uint32_t i = 0; i < list.Length(); ++i) ids[c].push_back(list.Get(i).ToNumber().Int64Value());
    }
    return run_async(
        call.Env(), io_threads(),
        [=] { return text::compare_stored_tokens(open_all(towers), open_all({prompts}), ids); },
        [](Napi::Env env, text::TokenComparison& result) -> Napi::Value {
          Napi::Object js = Napi::Object::New(env);
          js.Set("rows", static_cast<double>(result.rows));
          js.Set("difference", result.difference);
          js.Set("magnitude", result.magnitude);
          return js;
        });
  });
}

Napi::Value nothing(Napi::Env env, bool&) { return env.Undefined(); }

Napi::Value convert_weights(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const std::vector<std::string> inputs = texts_of(call[0]);
    const std::string output = call[1].ToString().Utf8Value();
    const std::string dtype = call[2].ToString().Utf8Value();
    const auto metadata = string_map_of(call[3]);
    return run_async(
        call.Env(), io_threads(),
        [=] {
          weights::convert_weights(open_all(inputs), output, dtype_of(dtype), metadata);
          return true;
        },
        nothing);
  });
}

Napi::Value synth_weights(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const std::string output = call[0].ToString().Utf8Value();
    std::vector<weights::SynthTensor> tensors;
    const auto list = call[1].As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i)
      tensors.push_back(synth_tensor_of(list.Get(i).As<Napi::Object>()));
    const auto metadata = string_map_of(call[2]);
    return run_async(
        call.Env(), io_threads(),
        [=] {
          weights::write_synth(output, tensors, metadata);
          return true;
        },
        nothing);
  });
}

}  // namespace

void add_weight_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("inspectWeights", Napi::Function::New<inspect_weights>(env, "inspectWeights"));
  exports.Set("compareStoredTokens", Napi::Function::New<compare_stored_tokens>(env, "compareStoredTokens"));
  exports.Set("verifyWeights", Napi::Function::New<verify_weights>(env, "verifyWeights"));
  exports.Set("readTensor", Napi::Function::New<read_tensor>(env, "readTensor"));
  exports.Set("convertWeights", Napi::Function::New<convert_weights>(env, "convertWeights"));
  exports.Set("synthWeights", Napi::Function::New<synth_weights>(env, "synthWeights"));
}

}  // namespace crane::bindings
