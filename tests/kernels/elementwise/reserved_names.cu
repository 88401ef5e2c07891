// Names that are ordinary in CUDA and reserved elsewhere: keywords and functions of Metal and OpenCL C, and names that
// MLX looks for in the text of a kernel.

__device__ float mix(float constant, float local, float fragment) {
    return constant + (local - constant) * fragment;
}

__global__ void reserved_names(const float* device, const float* kernel_in, float* global, int device_shape, float half) {
    const int thread = blockIdx.x * blockDim.x + threadIdx.x;
    const int vertex = thread, pipe = device_shape;
    if (vertex < pipe) {
        const float sampler = device[thread], texture = kernel_in[thread];
        float dot = mix(sampler, texture, half);
        global[thread] = dot;
    }
}
