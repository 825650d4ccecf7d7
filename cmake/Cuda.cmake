# CRANE_CUDA=auto|on|off decides whether the .cu files are compiled (they include no torch headers).
set(CRANE_CUDA_ENABLED OFF)
