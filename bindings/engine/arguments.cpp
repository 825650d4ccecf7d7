#include "arguments.h"

namespace crane::bindings {
namespace {

Napi::TypeError wrong(const Napi::Env& env, const char* name, const char* expected) {
  return Napi::TypeError::New(env, join_text("expected ", expected, " for ", name));
}

std::array<double, 3> triple_of(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray() || value.As<Napi::Array>().Length() != 3)
    throw wrong(object.Env(), name, "three numbers");
  std::array<double, 3> result{};
  for (uint32_t i = 0; i < 3; ++i) result[i] = value.As<Napi::Array>().Get(i).ToNumber().DoubleValue();
  return result;
}

std::vector<int64_t> integers_in(const Napi::Value& value, const char* name) {
  std::vector<int64_t> result;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array) {
    const auto typed = value.As<Napi::Int32Array>();
    result.assign(typed.Data(), typed.Data() + typed.ElementLength());
    return result;
  }
  if (!value.IsArray()) throw wrong(value.Env(), name, "a list of integers");
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) result.push_back(list.Get(i).ToNumber().Int64Value());
  return result;
}

layers::Activation activation_of(const Napi::Object& object) {
  const std::string name = string_of(object, "activation");
  if (name == "quick-gelu") return layers::Activation::quick_gelu;
  if (name == "gelu") return layers::Activation::gelu;
  throw wrong(object.Env(), "activation", "quick-gelu or gelu");
}

vision::TowerConfig tower_config_of(const Napi::Object& js) {
  vision::TowerConfig config;
  config.activation = activation_of(js);
  config.layer_norm_eps = number_of(js, "layerNormEps");
  config.mean = triple_of(js, "mean");
  config.std = triple_of(js, "std");
  const Napi::Object positions = object_of(js, "positionInterpolation");
  const std::string kind = string_of(positions, "kind");
  using Kind = vision::PositionInterpolation::Kind;
  if (kind == "none")
    config.positions.kind = Kind::none;
  else if (kind == "bilinear")
    config.positions.kind = Kind::bilinear;
  else if (kind == "bicubic")
    config.positions.kind = Kind::bicubic;
  else if (kind == "bicubic-antialias")
    config.positions.kind = Kind::bicubic_antialias;
  else
    throw wrong(js.Env(), "positionInterpolation.kind", "none, bilinear, bicubic or bicubic-antialias");
  config.positions.offset = number_of(positions, "offset");
  if (js.Get("heads").IsNumber()) config.heads = static_cast<int64_t>(number_of(js, "heads"));
  config.blocks = static_cast<int64_t>(number_of(js, "blocks"));
  return config;
}

// One of the words the interface knows; anything else would silently mean the default.
template <typename Value>
Value word_of(const Napi::Object& js, const char* name,
              std::initializer_list<std::pair<const char*, Value>> words) {
  const std::string given = string_of(js, name);
  std::string known;
  for (const auto& [word, value] : words) {
    if (given == word) return value;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  throw crane::Error("E_USAGE", join_text(name, " \"", given, "\" is none of ", known));
}

// A list of JavaScript: numbers or texts; an empty one counts as numbers.
methods::Value list_value_of(const Napi::Value& value, const std::string& name) {
  const auto list = value.As<Napi::Array>();
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value entry = list.Get(i);
    if (entry.IsNumber()) {
      numbers.push_back(entry.As<Napi::Number>().DoubleValue());
    } else if (entry.IsString()) {
      texts.push_back(entry.As<Napi::String>().Utf8Value());
    } else {
      throw wrong(value.Env(), name.c_str(), "a list of numbers or texts");
    }
  }
  if (!numbers.empty() && !texts.empty()) throw wrong(value.Env(), name.c_str(), "one kind of entries");
  return texts.empty() ? methods::Value(std::move(numbers)) : methods::Value(std::move(texts));
}

// Nested objects become one table with a dot in the names: what an entry means is the method's business.
void add_settings(const Napi::Object& js, const std::string& prefix, methods::Settings& settings) {
  const Napi::Array names = js.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string own = names.Get(i).ToString().Utf8Value();
    const std::string name = prefix + own;
    const Napi::Value value = js.Get(own);
    if (value.IsUndefined()) continue;
    if (value.IsBoolean()) {
      settings[name] = value.As<Napi::Boolean>().Value();
    } else if (value.IsNumber()) {
      settings[name] = value.As<Napi::Number>().DoubleValue();
    } else if (value.IsString()) {
      settings[name] = value.As<Napi::String>().Utf8Value();
    } else if (value.IsArray()) {
      settings[name] = list_value_of(value, name);
    } else if (value.IsObject()) {
      add_settings(value.As<Napi::Object>(), name + ".", settings);
    } else {
      throw wrong(js.Env(), name.c_str(), "a boolean, a number, a text or a list of these");
    }
  }
}

image::Mode mode_of(const Napi::Object& js) {
  const std::string name = string_of(js, "mode");
  if (name == "L") return image::Mode::l;
  if (name == "LA") return image::Mode::la;
  if (name == "RGB") return image::Mode::rgb;
  if (name == "RGBA") return image::Mode::rgba;
  if (name == "P") return image::Mode::palette_rgb;
  if (name == "I;16") return image::Mode::i16;
  throw wrong(js.Env(), "mode", "L, LA, RGB, RGBA, P or I;16");
}

}  // namespace

std::string string_of(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw wrong(object.Env(), name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

double number_of(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw wrong(object.Env(), name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

bool boolean_of(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsBoolean()) throw wrong(object.Env(), name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

Napi::Object object_of(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsObject()) throw wrong(object.Env(), name, "an object");
  return value.As<Napi::Object>();
}

std::vector<int64_t> integers_of(const Napi::Object& object, const char* name) {
  return integers_in(object.Get(name), name);
}

std::map<std::string, std::string> string_map_of(const Napi::Value& value) {
  std::map<std::string, std::string> texts;
  if (!value.IsObject()) return texts;
  const auto object = value.As<Napi::Object>();
  const Napi::Array keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = keys.Get(i).ToString().Utf8Value();
    texts[key] = object.Get(key).ToString().Utf8Value();
  }
  return texts;
}

weights::DType dtype_of(const std::string& name) {
  if (name == "f16") return weights::DType::f16;
  if (name == "i32") return weights::DType::i32;
  check_input(name == "f32", "E_USAGE", "dtype \"", name, "\" is none of f32, f16, i32");
  return weights::DType::f32;
}

weights::SynthTensor synth_tensor_of(const Napi::Object& js) {
  weights::SynthTensor tensor;
  tensor.salt = string_of(js, "salt");
  tensor.name = string_of(js, "name");
  tensor.shape = integers_of(js, "shape");
  const Napi::Value exponent = js.Get("exponent");
  if (exponent.IsNumber()) tensor.exponent = exponent.As<Napi::Number>().Int32Value();
  tensor.base = number_of(js, "base");
  tensor.dtype = dtype_of(string_of(js, "dtype"));
  if (js.Get("columnFrom").IsNumber()) {
    tensor.column_from = static_cast<int64_t>(number_of(js, "columnFrom"));
    tensor.column_scale = number_of(js, "columnScale");
  }
  if (js.Get("values").IsObject()) {
    for (const int64_t value : integers_of(js, "values"))
      tensor.values.push_back(static_cast<int32_t>(value));
  }
  return tensor;
}

Precision precision_of(const std::string& name) {
  for (const Precision precision :
       {Precision::float32, Precision::bfloat16, Precision::float16, Precision::int8}) {
    if (name == precision_name(precision)) return precision;
  }
  throw Error("E_USAGE", join_text("\"", name, "\" is no precision"),
              "use float32, bfloat16, float16 or int8");
}

EngineConfig engine_config_of(const Napi::Object& js) {
  EngineConfig config;
  const auto files = object_of(js, "weights").As<Napi::Array>();
  for (uint32_t i = 0; i < files.Length(); ++i) config.weights.push_back(files.Get(i).ToString().Utf8Value());
  if (js.Has("recipes") && js.Get("recipes").IsObject()) {
    const auto recipes = object_of(js, "recipes").As<Napi::Array>();
    for (uint32_t i = 0; i < recipes.Length(); ++i) {
      const auto recipe = recipes.Get(i).As<Napi::Object>();
      RecipeConfig& made = config.recipes.emplace_back();
      made.name = string_of(recipe, "name");
      const auto tensors = object_of(recipe, "tensors").As<Napi::Array>();
      for (uint32_t n = 0; n < tensors.Length(); ++n) {
        made.tensors.push_back(synth_tensor_of(tensors.Get(n).As<Napi::Object>()));
      }
    }
  }
  config.vision = tower_config_of(object_of(js, "vision"));
  const Napi::Object text = object_of(js, "text");
  config.text.activation = activation_of(text);
  config.text.layer_norm_eps = number_of(text, "layerNormEps");
  if (text.Get("heads").IsNumber()) config.text.heads = static_cast<int64_t>(number_of(text, "heads"));
  if (js.Has("source") && js.Get("source").IsObject()) {
    const Napi::Object source = object_of(js, "source");
    config.source = SourceConfig{string_of(source, "weights"), tower_config_of(object_of(source, "tower"))};
  }
  config.height = static_cast<int64_t>(number_of(js, "height"));
  config.width = static_cast<int64_t>(number_of(js, "width"));
  config.device = string_of(js, "device");
  if (js.Has("precision") && js.Get("precision").IsString()) {
    config.precision = precision_of(string_of(js, "precision"));
  }
  config.threads = static_cast<int>(number_of(js, "threads"));
  if (js.Has("picturesInParallel")) config.pictures_in_parallel = boolean_of(js, "picturesInParallel");
  if (js.Has("startCache") && js.Get("startCache").IsObject()) {
    const Napi::Object cache = object_of(js, "startCache");
    config.start_cache = StartCache{string_of(cache, "folder"), string_of(cache, "identity")};
  }
  return config;
}

methods::Settings settings_of(const Napi::Object& js) {
  methods::Settings settings;
  add_settings(js, "", settings);
  return settings;
}

ScoreOptions score_options_of(const Napi::Object& js) {
  ScoreOptions options;
  methods::Settings settings = settings_of(js);
  // The engine's own, among the method's.
  options.image_score = string_of(js, "imageScore");
  options.sigma_px = number_of(js, "sigma");
  const std::string name = js.Has("name") ? string_of(js, "name") : "crane";
  for (const char* own : {"name", "imageScore", "sigma"}) settings.erase(own);
  options.method = methods::make(name, settings);
  return options;
}

image::Fit fit_of(const Napi::Object& js) {
  return word_of<image::Fit>(
      js, "fit", {{"stretch", image::Fit::stretch}, {"pad", image::Fit::pad}, {"tile", image::Fit::tile}});
}

namespace {

methods::Texts texts_of(const Napi::Object& js) {
  methods::Texts texts;
  const Napi::Array groups = js.GetPropertyNames();
  for (uint32_t g = 0; g < groups.Length(); ++g) {
    const std::string group = groups.Get(g).ToString().Utf8Value();
    const Napi::Value sentences = js.Get(group);
    if (!sentences.IsArray()) throw wrong(js.Env(), group.c_str(), "a list of Int32Array");
    const auto list = sentences.As<Napi::Array>();
    std::vector<std::vector<int64_t>>& ids = texts[group];
    for (uint32_t i = 0; i < list.Length(); ++i) ids.push_back(integers_in(list.Get(i), group.c_str()));
  }
  return texts;
}

}  // namespace

methods::Material material_of(const Napi::Object& js) {
  methods::Material material;
  material.texts = texts_of(object_of(js, "texts"));
  const Napi::Object files = object_of(js, "files");
  const Napi::Array parts = files.GetPropertyNames();
  for (uint32_t i = 0; i < parts.Length(); ++i) {
    const std::string part = parts.Get(i).ToString().Utf8Value();
    material.files[part] = string_of(files, part.c_str());
  }
  if (js.Has("normals") && js.Get("normals").IsArray()) {
    const auto normals = js.Get("normals").As<Napi::Array>();
    for (uint32_t i = 0; i < normals.Length(); ++i) {
      material.normals.push_back(picture_of(normals.Get(i).As<Napi::Object>()));
    }
  }
  if (js.Has("contexts") && js.Get("contexts").IsObject()) {
    const Napi::Object contexts = object_of(js, "contexts");
    const Napi::Array played = contexts.GetPropertyNames();
    for (uint32_t i = 0; i < played.Length(); ++i) {
      const std::string part = played.Get(i).ToString().Utf8Value();
      material.handles[part] = integers_of(contexts, part.c_str());
    }
  }
  if (js.Has("kept") && js.Get("kept").IsString()) material.kept = string_of(js, "kept");
  return material;
}

methods::LearnerStart learner_start_of(const Napi::Object& js) {
  using Kind = methods::LearnerStart::Kind;
  methods::LearnerStart start;
  if (js.Has("classes") && js.Get("classes").IsObject()) {
    const Napi::Object classes = object_of(js, "classes");
    const Napi::Array names = classes.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const std::string name = names.Get(i).ToString().Utf8Value();
      start.classes[name] = texts_of(object_of(classes, name.c_str()));
    }
  }
  if (js.Has("state")) {
    start.kind = Kind::saved;
    start.saved_path = string_of(js, "state");
    return start;
  }
  start.material = material_of(js);
  if (js.Has("seed")) {
    start.kind = Kind::fresh;
    const double seed = number_of(js, "seed");
    check_input(seed >= 0 && seed < 9007199254740992.0, "E_USAGE", "a seed is a whole number from 0, got ",
                seed);
    start.seed = static_cast<uint64_t>(seed);
  }
  return start;
}

std::vector<train::MaskCells> mask_cells_of(const Napi::Value& value) {
  std::vector<train::MaskCells> masks;
  if (value.IsUndefined()) return masks;
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "masks: an array");
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object js = list.Get(i).As<Napi::Object>();
    const Napi::Value counts = js.Get("anomalous");
    if (!counts.IsTypedArray() ||
        counts.As<Napi::TypedArray>().TypedArrayType() != napi_typedarray_type::napi_uint32_array) {
      throw Napi::TypeError::New(value.Env(), "anomalous: a Uint32Array");
    }
    const auto typed = counts.As<Napi::Uint32Array>();
    masks.push_back({string_of(js, "name"), {typed.Data(), typed.Data() + typed.ElementLength()}});
  }
  return masks;
}

InputShape input_shape_of(const Napi::Object& js) {
  return {static_cast<int64_t>(number_of(js, "batch")), static_cast<int64_t>(number_of(js, "height")),
          static_cast<int64_t>(number_of(js, "width"))};
}

// The floats of a Float32Array with exactly `count` entries.
const float* floats_of(const Napi::Value& value, int64_t count, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw Napi::TypeError::New(value.Env(), join_text("expected a Float32Array for ", what));
  }
  const auto typed = value.As<Napi::Float32Array>();
  check_input(static_cast<int64_t>(typed.ElementLength()) == count, "E_IMAGE_SHAPE", what, " needs ", count,
              " values, got ", typed.ElementLength());
  return typed.Data();
}

int64_t input_count(const InputShape& shape) {
  constexpr int64_t k_max = int64_t{1} << 31;
  check_input(shape.batch > 0 && shape.height > 0 && shape.width > 0 && shape.batch < 65536 &&
                  shape.height < 65536 && shape.width < 65536 && shape.batch * shape.height < k_max &&
                  3 * shape.batch * shape.height * shape.width < k_max,
              "E_IMAGE_SHAPE", "a batch of ", shape.batch, " x 3 x ", shape.height, " x ", shape.width,
              " is no sensible input");
  return 3 * shape.batch * shape.height * shape.width;
}

image::PictureView picture_of(const Napi::Object& js) {
  const Napi::Value data = js.Get("data");
  const auto width = static_cast<int64_t>(number_of(js, "width"));
  const auto height = static_cast<int64_t>(number_of(js, "height"));
  const image::Mode mode = mode_of(js);
  if (!data.IsTypedArray()) throw wrong(js.Env(), "data", "a Uint8Array or a Uint16Array");
  const auto typed = data.As<Napi::TypedArray>();
  const napi_typedarray_type wanted = mode == image::Mode::i16 ? napi_uint16_array : napi_uint8_array;
  if (typed.TypedArrayType() != wanted) {
    throw wrong(js.Env(), "data", mode == image::Mode::i16 ? "a Uint16Array" : "a Uint8Array");
  }
  image::PictureView view{static_cast<const char*>(typed.ArrayBuffer().Data()) + typed.ByteOffset(), width,
                          height, mode};
  image::check_size("picture", width, height);
  const auto needed = static_cast<uint64_t>(width) * static_cast<uint64_t>(height) *
                      static_cast<uint64_t>(image::channel_count(mode));
  check_input(typed.ElementLength() == needed, "E_IMAGE_SHAPE", "a picture of ", width, " x ", height, " x ",
              image::channel_count(mode), " needs ", needed, " samples, got ", typed.ElementLength());
  return view;
}

}  // namespace crane::bindings
