// A CUDA source includes this; gpuport_cuda.h has all of it that device code needs.
#pragma once
