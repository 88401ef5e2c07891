// half precision for gpuport's reader: see gpuport_half.h.
#pragma once
#include "gpuport_half.h"
