// Our pipeline stands for this header of CUDA.
#pragma once
#include "gpuport_pipeline.h"
