// A 3-D launch over a volume: the mean of a cell and its neighbours along the axes, as many as there are.

__global__ void volume_average(const float* __restrict__ in, float* __restrict__ out, int nx, int ny, int nz) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    const int z = blockIdx.z * blockDim.z + threadIdx.z;
    if (x >= nx || y >= ny || z >= nz)
        return;

    const int plane = nx * ny;
    const int i = z * plane + y * nx + x;
    float sum = in[i];
    int count = 1;
    if (x > 0) { sum += in[i - 1]; ++count; }
    if (x + 1 < nx) { sum += in[i + 1]; ++count; }
    if (y > 0) { sum += in[i - nx]; ++count; }
    if (y + 1 < ny) { sum += in[i + nx]; ++count; }
    if (z > 0) { sum += in[i - plane]; ++count; }
    if (z + 1 < nz) { sum += in[i + plane]; ++count; }
    out[i] = sum / count;
}
