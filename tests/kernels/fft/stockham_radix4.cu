// One radix-4 pass of a Stockham FFT over global memory, real and imaginary parts in arrays of their own; p is the
// length of the transforms that earlier passes have done.

struct Complex {
    float re, im;
    __device__ Complex() {}
    __device__ Complex(float r, float i) : re(r), im(i) {}
    __device__ Complex operator+(const Complex& o) const { return Complex(re + o.re, im + o.im); }
    __device__ Complex operator-(const Complex& o) const { return Complex(re - o.re, im - o.im); }
    __device__ Complex operator*(const Complex& o) const { return Complex(re * o.re - im * o.im, re * o.im + im * o.re); }
};

__device__ Complex twiddle(float angle) { return Complex(cosf(angle), sinf(angle)); }
__device__ Complex times_minus_i(Complex z) { return Complex(z.im, -z.re); }

__global__ void stockham_radix4(const float* xr, const float* xi, float* yr, float* yi, int n, int p) {
    const int t = n / 4;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= t) return;

    const int k = i & (p - 1);
    const float angle = -6.283185307f * k / (4 * p);
    Complex u[4];
    for (int j = 0; j < 4; ++j)
        u[j] = Complex(xr[i + j * t], xi[i + j * t]) * twiddle(angle * j);

    const Complex a = u[0] + u[2], b = u[0] - u[2];
    const Complex c = u[1] + u[3], d = times_minus_i(u[1] - u[3]);
    const Complex v[4] = {a + c, b + d, a - c, b - d};

    const int base = ((i - k) << 2) + k;
    for (int j = 0; j < 4; ++j) {
        yr[base + j * p] = v[j].re;
        yi[base + j * p] = v[j].im;
    }
}
