// What HIP's and OpenCL's device libraries define, in clang's AMDGPU builtins, as far as the compiler alone can: enough to
// assemble a kernel and to count its registers. Functions of the math library that the compiler has no code for stay calls.
#pragma once

#ifdef __OPENCL_C_VERSION__
#define GP_FN static inline __attribute__((always_inline, overloadable))
#else
#define GP_FN static inline __attribute__((device, always_inline))
#endif

GP_FN unsigned gp_thread(unsigned d) {
    return d == 0 ? __builtin_amdgcn_workitem_id_x() : d == 1 ? __builtin_amdgcn_workitem_id_y()
                                                              : __builtin_amdgcn_workitem_id_z();
}
GP_FN unsigned gp_group(unsigned d) {
    return d == 0 ? __builtin_amdgcn_workgroup_id_x() : d == 1 ? __builtin_amdgcn_workgroup_id_y()
                                                               : __builtin_amdgcn_workgroup_id_z();
}
GP_FN unsigned gp_group_size(unsigned d) {
    return d == 0 ? __builtin_amdgcn_workgroup_size_x() : d == 1 ? __builtin_amdgcn_workgroup_size_y()
                                                                 : __builtin_amdgcn_workgroup_size_z();
}
GP_FN unsigned gp_grid(unsigned d) {
    return (d == 0 ? __builtin_amdgcn_grid_size_x() : d == 1 ? __builtin_amdgcn_grid_size_y()
                                                             : __builtin_amdgcn_grid_size_z()) / gp_group_size(d);
}
GP_FN void gp_barrier(void) {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
