// Reads the objects of src/addon/native.ts into the engine's structs. TypeScript has validated them; what is
// checked here keeps a wrong call from reading foreign memory.
#pragma once

#include <napi.h>

#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace crane::bindings {

std::string string_of(const Napi::Object& object, const char* name);
double number_of(const Napi::Object& object, const char* name);
bool boolean_of(const Napi::Object& object, const char* name);
Napi::Object object_of(const Napi::Object& object, const char* name);
std::vector<int64_t> integers_of(const Napi::Object& object, const char* name);
// Every field as text; nothing of what is no object.
std::map<std::string, std::string> string_map_of(const Napi::Value& value);

// f32, f16 or i32; E_USAGE
weights::DType dtype_of(const std::string& name);
weights::SynthTensor synth_tensor_of(const Napi::Object& js);
// Errors: E_USAGE for a name that is none of precision_name().
Precision precision_of(const std::string& name);
EngineConfig engine_config_of(const Napi::Object& js);
// Whatever the table holds: nested objects become one with a dot in the names.
methods::Settings settings_of(const Napi::Object& js);
// `name`, `imageScore` and `sigma`; every other entry is the method's own. Errors: E_METHOD, E_MODEL_CONFIG.
ScoreOptions score_options_of(const Napi::Object& js);
image::Fit fit_of(const Napi::Object& js);
// The views point into the pictures' buffers: keep references to them while they are used.
methods::Material material_of(const Napi::Object& js);
methods::LearnerStart learner_start_of(const Napi::Object& js);
InputShape input_shape_of(const Napi::Object& js);
// A list of { name, anomalous: Uint32Array }, which is copied; nothing: an empty one.
std::vector<train::MaskCells> mask_cells_of(const Napi::Value& value);

// The floats of a Float32Array with exactly `count` entries; E_IMAGE_SHAPE.
const float* floats_of(const Napi::Value& value, int64_t count, const char* what);
// Floats in [batch, 3, height, width]; E_IMAGE_SHAPE for what is no sensible input.
int64_t input_count(const InputShape& shape);

// The view points into the picture's buffer: keep a reference to `data` while it is used.
image::PictureView picture_of(const Napi::Object& js);

}  // namespace crane::bindings
