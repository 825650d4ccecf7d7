#include "bench_functions.h"

#include "arguments.h"
#include "async_task.h"
#include "engine/cpu_peak.h"
#include "engine/gemm_peak.h"
#include "results.h"

namespace crane::bindings {
namespace {

Napi::Value time_gemm_of(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    const GemmRequest request{call[0].ToNumber().Int64Value(), call[1].ToNumber().Int64Value(),
                              precision_of(call[2].ToString()), call[3].ToString()};
    return run_async(
        call.Env(), compute_thread(), [request] { return time_gemm(request); },
        [](Napi::Env env, GemmTime& time) -> Napi::Value {
          Napi::Object js = Napi::Object::New(env);
          js.Set("seconds", time.seconds);
          js.Set("cpuSeconds", time.cpu_seconds);
          return js;
        });
  });
}

Napi::Value time_peaks_of(const Napi::CallbackInfo& call) {
  return guarded(call, [&] {
    return run_async(
        call.Env(), compute_thread(), [] { return time_peaks(); },
        [](Napi::Env env, std::vector<PeakRate>& rates) -> Napi::Value {
          Napi::Array list = Napi::Array::New(env, rates.size());
          for (uint32_t i = 0; i < rates.size(); ++i) {
            const PeakRate& rate = rates[i];
            Napi::Object js = Napi::Object::New(env);
            js.Set("format", rate.format);
            js.Set("face", rate.face);
            js.Set("instruction", rate.instruction);
            js.Set("operations", rate.operations);
            js.Set("seconds", rate.seconds);
            js.Set("cpuSeconds", rate.cpu_seconds);
            list[i] = js;
          }
          return list;
        });
  });
}

}  // namespace

void add_bench_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("timePeaks", Napi::Function::New<time_peaks_of>(env, "timePeaks"));
  exports.Set("timeGemm", Napi::Function::New<time_gemm_of>(env, "timeGemm"));
}

}  // namespace crane::bindings
