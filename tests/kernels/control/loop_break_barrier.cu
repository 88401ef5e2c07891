// A loop with barriers that all threads of the block leave together, at a step that the data tells: the smallest number
// of halvings that brings the block's largest magnitude under the limit.

__global__ void loop_break_barrier(const float* __restrict__ x, float* __restrict__ y, int* __restrict__ steps, float limit) {
    __shared__ float peak;
    __shared__ float s[32];
    const int t = threadIdx.x;
    float v = x[blockIdx.x * 32 + t];
    int step = 0;
    for (;;) {
        s[t] = fabsf(v);
        __syncthreads();
        if (t == 0) {
            float m = 0.0f;
            for (int k = 0; k < 32; ++k)
                m = fmaxf(m, s[k]);
            peak = m;
        }
        __syncthreads();
        if (peak <= limit || step == 10)
            break;
        v *= 0.5f;
        ++step;
    }
    y[blockIdx.x * 32 + t] = v;
    if (t == 0)
        steps[blockIdx.x] = step;
}
