//! what = "plain += where threads share a bin"
//! kind = "race"
//! also = ["race"]
//! sizes = { n = [1000] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, hist = { dtype = "u32", shape = [256], role = "inout", init = 0 }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, unsigned int* hist, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
#ifdef DEFECT
        hist[x[i]] += 1;  // <- here
#else
        atomicAdd(&hist[x[i]], 1u);
#endif
    }
}
