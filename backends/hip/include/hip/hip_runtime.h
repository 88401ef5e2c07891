// A HIP source includes this; gpuport_hip.h has all of it that device code needs.
#pragma once
