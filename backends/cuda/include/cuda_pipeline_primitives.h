// Our copies stands for this header of CUDA.
#pragma once
#include "gpuport_async.h"
