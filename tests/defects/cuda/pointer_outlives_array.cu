//! what = "a pointer to an array of an inner block is used behind it"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float kept[2] = {0.0f, 0.0f};
    const float* p = kept;
    {
        float inner[2];
        inner[0] = x[i];
        inner[1] = -x[i];
#ifdef DEFECT
        p = inner;
#else
        kept[0] = inner[0], kept[1] = inner[1];
#endif
    }
    y[i] = p[0] + p[1] * 2.0f;  // <- here
}
