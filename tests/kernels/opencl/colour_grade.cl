// Exposure and gamma of RGBA pixels: native functions, swizzles, clamp, select, and conversion with saturation.

__kernel void colour_grade(__global const uchar4* in, __global uchar4* out, float exposure, int n) {
    const size_t i = get_global_id(0);
    if (i >= (size_t)n)
        return;
    const uchar4 p = in[i];
    const float r = p.x * exposure, g = p.y * exposure, b = p.z * exposure;
    uchar4 q;
    q.x = convert_uchar_sat(clamp(r, 0.0f, 300.0f));
    q.y = convert_uchar_sat(g);
    q.z = convert_uchar_sat(b);
    q.w = p.w > 127 ? 255 : p.w;
    out[i] = q;
}
