// saxpy on float4, with vload4 and vstore4 so that nothing needs to be aligned; the tail one by one.

__kernel void saxpy_vec4(__global const float* restrict x, __global const float* restrict y, __global float* restrict out,
                         const float a, const int n) {
    const int i = get_global_id(0);
    if (4 * i + 3 < n) {
        vstore4(mad(a, vload4(i, x), vload4(i, y)), i, out);
    } else {
        for (int k = 4 * i; k < n; ++k)
            out[k] = a * x[k] + y[k];
    }
}
