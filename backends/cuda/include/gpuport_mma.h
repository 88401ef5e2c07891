// Matrices that a warp holds together: CUDA C++ Programming Guide, warp matrix functions. What the functions do, and how
// many elements a lane has, is the reader's business.
#pragma once
#include "cuda_fp16.h"
#include "cuda_bf16.h"

namespace nvcuda {
namespace wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major, mem_col_major };

namespace gp {
template <typename Use, int m, int n, int k> struct count { static constexpr int value = m * n / 32; };
template <int m, int n, int k> struct count<matrix_a, m, n, k> { static constexpr int value = m * k / 32; };
template <int m, int n, int k> struct count<matrix_b, m, n, k> {
    static constexpr int piece = m * n / 32, value = (k * (n / piece) + 31) / 32 * piece;
};
template <typename T> struct same { typedef T type; };
} // namespace gp

template <typename Use, int m, int n, int k, typename T, typename Layout = void> struct fragment {
    enum { num_elements = gp::count<Use, m, n, k>::value };
    T x[gp::count<Use, m, n, k>::value];
};

#define GP_FRAGMENT template <typename Use, int m, int n, int k, typename T, typename Layout> __device__
GP_FRAGMENT void fill_fragment(fragment<Use, m, n, k, T, Layout>& a, typename gp::same<T>::type value);
GP_FRAGMENT void load_matrix_sync(fragment<Use, m, n, k, T, Layout>& a, const T* from, unsigned int stride);
GP_FRAGMENT void load_matrix_sync(fragment<Use, m, n, k, T, Layout>& a, const T* from, unsigned int stride, layout_t layout);
GP_FRAGMENT void store_matrix_sync(T* to, const fragment<Use, m, n, k, T, Layout>& a, unsigned int stride, layout_t layout);
template <int m, int n, int k, typename T, typename S, typename La, typename Lb>
__device__ void mma_sync(fragment<accumulator, m, n, k, S>& d, const fragment<matrix_a, m, n, k, T, La>& a,
                         const fragment<matrix_b, m, n, k, T, Lb>& b, const fragment<accumulator, m, n, k, S>& c);

} // namespace wmma
} // namespace nvcuda
