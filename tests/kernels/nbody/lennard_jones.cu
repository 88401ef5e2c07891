// Lennard-Jones potential energy and force on each particle from a neighbour list of fixed width (-1 ends a list), with a
// cutoff and periodic boundaries.

struct Box {
    float length;
    float inverse;
};

__device__ float nearest_image(float d, const Box& box) { return d - box.length * rintf(d * box.inverse); }

__global__ void lennard_jones(const float3* __restrict__ position, const int* __restrict__ neighbours, float* __restrict__ force,
                              float* __restrict__ energy, int n, int width, float box_length, float cutoff2) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;

    Box box;
    box.length = box_length;
    box.inverse = 1.0f / box_length;

    const float3 p = position[i];
    float fx = 0.0f, fy = 0.0f, fz = 0.0f, e = 0.0f;
    for (int k = 0; k < width; ++k) {
        const int j = neighbours[k * n + i];
        if (j < 0) break;
        const float3 q = position[j];
        const float dx = nearest_image(p.x - q.x, box);
        const float dy = nearest_image(p.y - q.y, box);
        const float dz = nearest_image(p.z - q.z, box);
        const float r2 = dx * dx + dy * dy + dz * dz;
        if (r2 >= cutoff2) continue;
        const float i2 = 1.0f / r2;
        const float i6 = i2 * i2 * i2;
        const float f = 24.0f * i2 * i6 * (2.0f * i6 - 1.0f);
        fx += f * dx;
        fy += f * dy;
        fz += f * dz;
        e += 2.0f * i6 * (i6 - 1.0f);  // half of the pair's energy
    }
    force[3 * i] = fx;
    force[3 * i + 1] = fy;
    force[3 * i + 2] = fz;
    energy[i] = e;
}
