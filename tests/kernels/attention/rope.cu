// Rotary position embedding: pairs (x[d], x[d + half]) turn by position * base^(-2 d / dim). half_dim is a size here.

__global__ void rope(const float* __restrict__ x, const int* __restrict__ positions, float* __restrict__ out, int heads,
                     int half_dim, float base) {
    const int token = blockIdx.x;
    for (int i = threadIdx.x; i < heads * half_dim; i += blockDim.x) {
        const int h = i / half_dim, d = i - h * half_dim;
        const float angle = positions[token] * powf(base, -(float)d / half_dim);
        const float c = cosf(angle), s = sinf(angle);
        const int at = (token * heads + h) * 2 * half_dim + d;
        const float a = x[at], b = x[at + half_dim];
        out[at] = a * c - b * s;
        out[at + half_dim] = b * c + a * s;
    }
}
