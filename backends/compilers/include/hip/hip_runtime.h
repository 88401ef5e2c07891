// A text that is assembled includes this; gpuport_amdgcn_hip.h has been included before it.
#pragma once
