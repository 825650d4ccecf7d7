// Typed arrays among the arguments of a call.
#pragma once

#include <napi.h>

#include "core/error.h"

namespace crane::bindings {

template <typename Array>
Array typed_array_of(const Napi::Value& value, napi_typedarray_type type, const char* expected) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw Napi::TypeError::New(value.Env(), join_text("expected ", expected));
  }
  return value.As<Array>();
}

inline Napi::Float32Array map_of(const Napi::Value& value) {
  return typed_array_of<Napi::Float32Array>(value, napi_float32_array, "a Float32Array for the map");
}

inline Napi::Uint8Array bytes_of(const Napi::Value& value, const char* expected) {
  return typed_array_of<Napi::Uint8Array>(value, napi_uint8_array, expected);
}

}  // namespace crane::bindings
