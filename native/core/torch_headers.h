// What the rooms on libtorch include; precompiled, because these headers take longer than our code.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
