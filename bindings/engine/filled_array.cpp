#include "filled_array.h"

namespace crane::bindings {
namespace {

// Node's own limit of a Buffer in its older versions is 4 GB.
constexpr size_t k_most_bytes_of_buffer = size_t{1} << 31;

}  // namespace

// Node's way to memory that is not zeroed; N-API's own functions end the process where memory is short, this
// one throws.
Napi::ArrayBuffer unfilled_buffer(Napi::Env env, size_t bytes) {
  try {
    const Napi::Number length = Napi::Number::New(env, static_cast<double>(bytes));
    if (bytes > k_most_bytes_of_buffer) {
      return env.Global().Get("ArrayBuffer").As<Napi::Function>().New({length}).As<Napi::ArrayBuffer>();
    }
    const Napi::Object buffers = env.Global().Get("Buffer").As<Napi::Object>();
    const Napi::Value buffer = buffers.Get("allocUnsafeSlow").As<Napi::Function>().Call(buffers, {length});
    return buffer.As<Napi::Uint8Array>().ArrayBuffer();
  } catch (const Napi::Error& refused) {
    throw Error("E_MEMORY", join_text("no memory for a result of ", bytes, " bytes: ", refused.Message()),
                "score fewer pictures at once, or lower maxDecodedBytes and maxPixels");
  }
}

}  // namespace crane::bindings
