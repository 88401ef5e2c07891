// Our fragments stand for this header of CUDA.
#pragma once
#include "gpuport_mma.h"
