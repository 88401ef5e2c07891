//! what = "shared slots for waves of 32 stay empty with waves of 64"
//! kind = "uninitialised"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [128] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float sums[4];
    const int t = threadIdx.x;
    float v = x[t];
    for (int d = warpSize / 2; d > 0; d /= 2) v += __shfl_xor(v, d);
    if (t % warpSize == 0) sums[t / warpSize] = v;
    __syncthreads();
    float total = 0.0f;
#ifdef DEFECT
    for (int w = 0; w < 4; ++w)
#else
    for (int w = 0; w < 128 / warpSize; ++w)
#endif
        total += sums[w];  // <- here
    y[t] = total;
}
