//! what = "a bin that others update by compare-and-swap is set by a plain store"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, bins = { dtype = "u32", shape = [2], role = "inout", init = 0 }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, unsigned int* bins, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned int* bin = &bins[x[i] > 0.0f];
    unsigned int old = *bin, assumed;
    do {
        assumed = old;
        old = atomicCAS(bin, assumed, assumed + 1u);
    } while (assumed != old);
#ifdef DEFECT
    if (i == n - 1) bins[0] = 0;  // <- here
#endif
}
