// Our warp matrices stand for this header of ROCm: rocWMMA has the names of CUDA's wmma in a namespace of its own.
#pragma once
#include "gpuport_mma.h"

namespace rocwmma = nvcuda::wmma;
typedef _Float16 float16_t;
