//! what = "the plain read before a compare-and-swap loop decides whether to swap at all"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, peak = { dtype = "u32", shape = [1], role = "inout", init = 0 }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global volatile uint* peak, int n) {
    const int i = get_global_id(0);
    if (i >= n) return;
    const float v = fabs(x[i]);
    uint old = *peak, assumed;
#ifdef DEFECT
    if (as_float(old) > v) return;
#endif
    do {
        assumed = old;
        old = atomic_cmpxchg(peak, assumed, as_uint(fmax(as_float(assumed), v)));  // <- here
    } while (old != assumed);
}
