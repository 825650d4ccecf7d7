// The faces that the table names, each defined in the file of its name. Included by those files and by the
// table alone.
#pragma once

#include "kernels/affinity_panels.h"
#include "kernels/attention_panels.h"
#include "kernels/linear_panels.h"
#include "kernels/nearest_panels.h"
#include "kernels/peak.h"

namespace crane::kernels {

#if defined(__x86_64__)
extern const LinearFace k_linear_amxbf16;
extern const LinearFace k_linear_avx512bf16;
extern const LinearFace k_linear_avx512;
extern const LinearFace k_linear_amxint8;
extern const LinearFace k_linear_avx512vnni;
extern const LinearFace k_linear_avxvnni;
extern const LinearFace k_linear_avx2;

extern const AttentionFace k_attention_amxbf16;
extern const AttentionFace k_attention_avx512bf16;
extern const AttentionFace k_attention_avx512;
extern const AttentionFace k_attention_avx2;

extern const AffinityFace k_affinity_avx512;
extern const AffinityFace k_affinity_avx2;

extern const NearestFace k_nearest_avx512;
extern const NearestFace k_nearest_avx2;

extern const PeakFace k_peak_amx_bf16;
extern const PeakFace k_peak_amx_int8;
extern const PeakFace k_peak_avx512vnni;
extern const PeakFace k_peak_avx512bf16;
extern const PeakFace k_peak_avx512;
extern const PeakFace k_peak_avxvnni;
extern const PeakFace k_peak_avx2;
#elif defined(__aarch64__)
extern const LinearFace k_linear_neonbf16;
extern const LinearFace k_linear_neoni8mm;
extern const LinearFace k_linear_neon;
extern const AttentionFace k_attention_neonbf16;
extern const AttentionFace k_attention_neon;
extern const AffinityFace k_affinity_neon;
extern const NearestFace k_nearest_neon;
extern const PeakFace k_peak_neonbf16;
extern const PeakFace k_peak_neoni8mm;
extern const PeakFace k_peak_neon;
#endif

extern const PeakFace k_peak_plain;

#if defined(CRANE_TESTS)
extern const LinearFace k_linear_toy;  // test/native/toy_face/toy_face.cpp
#endif

}  // namespace crane::kernels
