// OpenCL's integer functions: rotate, mul_hi, mad24, hadd, abs_diff, add_sat, clz, popcount, upsample.

__kernel void integer_builtins(__global const uint* a, __global const uint* b, __global uint* out, int n) {
    const int i = get_global_id(0);
    if (i >= n)
        return;
    const uint x = a[i], y = b[i];
    __global uint* o = out + 6 * i;
    o[0] = rotate(x, 5u) ^ mul_hi(x, y);
    o[1] = clz(x) * 100 + popcount(y);
    o[2] = hadd(x, y);
    o[3] = abs_diff(x, y);
    o[4] = add_sat(x, y);
    o[5] = mad24(x & 0xfffu, y & 0xfffu, 7u);
}
