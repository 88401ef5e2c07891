// One dynamic array, carved into floats, integers and bytes. How much there is of each, the launch says.

extern __shared__ unsigned char arena[];

__global__ void carved(const float* __restrict__ x, float* __restrict__ means, int* __restrict__ counts, int rows, int cols,
                       int groups) {
    float* sums = reinterpret_cast<float*>(arena);
    int* members = reinterpret_cast<int*>(sums + groups);
    unsigned char* group_of = reinterpret_cast<unsigned char*>(members + groups);

    for (int g = threadIdx.x; g < groups; g += blockDim.x) {
        sums[g] = 0.0f;
        members[g] = 0;
    }
    for (int c = threadIdx.x; c < cols; c += blockDim.x)
        group_of[c] = static_cast<unsigned char>((c * 7) % groups);
    __syncthreads();

    if (threadIdx.x < groups) {
        for (int c = 0; c < cols; ++c) {
            if (group_of[c] == threadIdx.x) {
                sums[threadIdx.x] += x[blockIdx.x * cols + c];
                members[threadIdx.x] += 1;
            }
        }
        const int count = members[threadIdx.x];
        means[blockIdx.x * groups + threadIdx.x] = count ? sums[threadIdx.x] / count : 0.0f;
        counts[blockIdx.x * groups + threadIdx.x] = count;
    }
}
