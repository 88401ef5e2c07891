// rocWMMA's fragments of 16 x 16 x 16 halves on waves of 32 lanes of RDNA 3, for texts that are assembled: the layout is
// that of the instruction (RDNA3 ISA, "Wave Matrix Multiply Accumulate"). Everything else is left undeclared.
#pragma once
#include <hip/hip_fp16.h>

namespace rocwmma {
struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major, mem_col_major };

// lane % 16 is a row of a, a column of b, of which each lane has all; of an accumulator it is a column, of which a lane
// has every other row
template <typename Use> constexpr int gp_count = 16;
template <> constexpr int gp_count<accumulator> = 8;

template <typename Use, int m, int n, int k, typename T, typename Layout = void> struct fragment {
    static_assert(m == 16 && n == 16 && k == 16, "a shape that this header does not define");
    static constexpr int num_elements = gp_count<Use>;
    T x[gp_count<Use>];
};

#define GP_FRAGMENT(U, L) fragment<U, 16, 16, 16, T, L>
template <typename U, typename T, typename L> GP_FN void fill_fragment(GP_FRAGMENT(U, L) & a, const T& v) {
    for (int i = 0; i < gp_count<U>; ++i) a.x[i] = v;
}
template <typename T, typename L> GP_FN void gp_load(T* x, const T* from, unsigned stride, L across, unsigned lane) {
    for (int i = 0; i < 16; ++i) x[i] = across ? from[lane * stride + i] : from[i * stride + lane];
}
template <typename T> GP_FN void load_matrix_sync(GP_FRAGMENT(matrix_a, row_major) & a, const T* from, unsigned stride) {
    gp_load(a.x, from, stride, true, gp_lane() % 16);
}
template <typename T> GP_FN void load_matrix_sync(GP_FRAGMENT(matrix_a, col_major) & a, const T* from, unsigned stride) {
    gp_load(a.x, from, stride, false, gp_lane() % 16);
}
template <typename T> GP_FN void load_matrix_sync(GP_FRAGMENT(matrix_b, row_major) & b, const T* from, unsigned stride) {
    gp_load(b.x, from, stride, false, gp_lane() % 16);
}
template <typename T> GP_FN void load_matrix_sync(GP_FRAGMENT(matrix_b, col_major) & b, const T* from, unsigned stride) {
    gp_load(b.x, from, stride, true, gp_lane() % 16);
}
GP_FN unsigned gp_place(int i, unsigned stride, layout_t layout) {
    const unsigned row = 2 * i + gp_lane() / 16, column = gp_lane() % 16;
    return layout == mem_row_major ? row * stride + column : column * stride + row;
}
template <typename T>
GP_FN void load_matrix_sync(GP_FRAGMENT(accumulator, void) & c, const T* from, unsigned stride, layout_t layout) {
    for (int i = 0; i < 8; ++i) c.x[i] = from[gp_place(i, stride, layout)];
}
template <typename T>
GP_FN void store_matrix_sync(T* to, const GP_FRAGMENT(accumulator, void) & c, unsigned stride, layout_t layout) {
    for (int i = 0; i < 8; ++i) to[gp_place(i, stride, layout)] = c.x[i];
}

#if defined(__gfx1100__) || defined(__gfx1101__) || defined(__gfx1102__) || defined(__gfx1151__)
typedef _Float16 gp_half16 __attribute__((ext_vector_type(16)));
typedef float gp_float8 __attribute__((ext_vector_type(8)));
template <typename La, typename Lb, typename T = __half>
GP_FN void mma_sync(fragment<accumulator, 16, 16, 16, float>& d, const GP_FRAGMENT(matrix_a, La) & a,
                    const GP_FRAGMENT(matrix_b, Lb) & b, const fragment<accumulator, 16, 16, 16, float>& c) {
    gp_half16 left, right;
    gp_float8 sum;
    __builtin_memcpy(&left, a.x, sizeof left);
    __builtin_memcpy(&right, b.x, sizeof right);
    __builtin_memcpy(&sum, c.x, sizeof sum);
    sum = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(left, right, sum);
    __builtin_memcpy(d.x, &sum, sizeof sum);
}
#endif
} // namespace rocwmma
