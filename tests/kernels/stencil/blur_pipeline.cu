// A vertical blur of 5 rows: a column of blocks marches down, and a cuda::pipeline of 4 stages brings the rows to come.

#include <cooperative_groups.h>
#include <cuda/pipeline>

namespace cg = cooperative_groups;

constexpr int WIDTH = 64;

// rows of 64 columns for each block; the first and last two rows are copied
__global__ void blur_pipeline(const float* __restrict__ in, float* __restrict__ out, int height, int width) {
    constexpr size_t stages = 4;
    __shared__ float rows[stages][WIDTH];
    __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;
    auto block = cg::this_thread_block();
    auto pipe = cuda::make_pipeline(block, &state);

    const int x0 = blockIdx.x * WIDTH, x = block.thread_rank();
    const int columns = min(WIDTH, width - x0);
    int fetched = 0;
    for (; fetched < stages && fetched < height; ++fetched) {
        pipe.producer_acquire();
        cuda::memcpy_async(block, rows[fetched], in + fetched * width + x0, sizeof(float) * columns, pipe);
        pipe.producer_commit();
    }
    float above[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int y = 0; y < height; ++y) {
        pipe.consumer_wait();
        const float v = x < columns ? rows[y % stages][x] : 0.0f;
        pipe.consumer_release();
        if (fetched < height) {
            pipe.producer_acquire();
            cuda::memcpy_async(block, rows[fetched % stages], in + fetched * width + x0, sizeof(float) * columns, pipe);
            pipe.producer_commit();
            ++fetched;
        }
        if (x < columns) {
            if (y >= 4)
                out[(y - 2) * width + x0 + x] = 0.375f * above[1] + 0.25f * (above[0] + above[2]) + 0.0625f * (above[3] + v);
            if (y < 2 || y >= height - 2)
                out[y * width + x0 + x] = v;
        }
        above[3] = above[2];
        above[2] = above[1];
        above[1] = above[0];
        above[0] = v;
    }
}
