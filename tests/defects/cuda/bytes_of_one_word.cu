//! what = "threads update bytes of one word by reading and writing the whole word"
//! kind = "race"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ unsigned int words[16];
    unsigned char* bytes = reinterpret_cast<unsigned char*>(words);
    const int t = threadIdx.x;
    if (t < 16) words[t] = 0;
    __syncthreads();
#ifdef DEFECT
    words[t / 4] = words[t / 4] | (unsigned(x[t] > 0.0f) << (8 * (t % 4)));  // <- here
#else
    bytes[t] = x[t] > 0.0f;
#endif
    __syncthreads();
    y[t] = bytes[63 - t];
}
