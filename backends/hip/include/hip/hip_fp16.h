// half precision for gpuport's reader of HIP: the same names as in CUDA.
#pragma once
#include "gpuport_half.h"
