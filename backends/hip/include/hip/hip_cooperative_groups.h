// Our cooperative groups stand for this header of HIP.
#include "gpuport_cooperative_groups.h"
