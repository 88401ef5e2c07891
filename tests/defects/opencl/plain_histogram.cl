//! what = "plain ++ where work-items share a bin"
//! kind = "race"
//! also = ["race"]
//! sizes = { n = [1000] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, hist = { dtype = "u32", shape = [256], role = "inout", init = 0 }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const int* x, __global uint* hist, int n) {
    const int i = get_global_id(0);
    if (i < n) {
#ifdef DEFECT
        hist[x[i]]++;  // <- here
#else
        atomic_inc(&hist[x[i]]);
#endif
    }
}
