// A tiny interpreter: a switch with fallthrough-free cases, a default and returns from within; continue skips zeros.

enum Op { ADD = 0, SUB, MUL = 4, NEG };

__device__ int apply(int op, int a, int b) {
    switch (op) {
        case ADD:
            return a + b;
        case SUB:
            return a - b;
        case MUL:
            a *= b;
            break;
        case NEG: {
            const int t = -a;
            a = t;
            break;
        }
        default:
            a = 1000 + op;
    }
    return a;
}

__global__ void opcode_switch(const int* __restrict__ ops, const int* __restrict__ values, int* __restrict__ out, int n,
                              int length) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    int acc = 1;
    for (int k = 0; k < length; ++k) {
        const int v = values[i * length + k];
        if (v == 0)
            continue;
        acc = apply(ops[i * length + k], acc, v);
    }
    out[i] = acc;
}
