// Our cooperative groups stand for this header of CUDA.
#pragma once
#include "../gpuport_cooperative_groups.h"
