//! what = "some threads set a flag atomically, one with a plain store"
//! kind = "race"
//! sizes = { n = [1000] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, flag = { dtype = "i32", shape = [1], role = "inout", init = 0 }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, int* flag, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && x[i] > 0.0f) {
#ifdef DEFECT
        if (threadIdx.x == 0) *flag = 2;
        else
#endif
            atomicMax(flag, i % 3);  // <- here
    }
}
