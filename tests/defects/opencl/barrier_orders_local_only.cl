//! what = "a barrier with the flag of local memory for data in global memory"
//! kind = "race"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    y[i] = x[i];
#ifdef DEFECT
    barrier(CLK_LOCAL_MEM_FENCE);
#else
    barrier(CLK_GLOBAL_MEM_FENCE);
#endif
    const float v = y[i ^ 1];  // <- here
    barrier(CLK_GLOBAL_MEM_FENCE);
    y[i] = v;
}
