/* An explicit 7-point diffusion step in f32, written by hand: what `seedsoil bench` compares its kernel with.
 *
 *     after = now + exchange (sum of the six neighbours - 6 now) - decay now
 *
 * Walls of zero flux: at a wall the voxel itself stands in for the neighbour. Arrays are (nz, ny, nx), x fastest.
 * plain: rows in parallel, the ends of a row peeled off, the rest left to the compiler.
 * tuned: also blocked in y, so that the three planes in use stay in the second-level cache, and stored past the
 *        caches, so that `after` is not read first.
 *
 *     gcc -O3 -march=native -fopenmp -std=c11 -shared -fPIC diffusion7.c -o diffusion7.so
 */
#include <stddef.h>
#include <stdint.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

/* where a row's four neighbours across y and z start */
typedef struct {
    const float *here, *south, *north, *below, *above;
} Rows;

static inline Rows rows_of(const float *now, int nz, int ny, int nx, int z, int y)
{
    const ptrdiff_t row = nx, plane = (ptrdiff_t)ny * nx;
    const float *here = now + z * plane + y * row;
    Rows r = {here, y > 0 ? here - row : here, y < ny - 1 ? here + row : here,
              z > 0 ? here - plane : here, z < nz - 1 ? here + plane : here};
    return r;
}

static inline float relaxed(const Rows *r, int x, float west, float east, float exchange, float decay)
{
    const float c = r->here[x];
    const float around = west + east + r->south[x] + r->north[x] + r->below[x] + r->above[x];
    return c + exchange * (around - 6.0f * c) - decay * c;
}

static inline void ends(const Rows *r, float *out, int nx, float exchange, float decay)
{
    const float *h = r->here;
    out[0] = relaxed(r, 0, h[0], nx > 1 ? h[1] : h[0], exchange, decay);
    if (nx > 1)
        out[nx - 1] = relaxed(r, nx - 1, h[nx - 2], h[nx - 1], exchange, decay);
}

void diffuse7_plain(int nz, int ny, int nx, const float *restrict now, float *restrict after, float exchange,
                    float decay, int threads)
{
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
    for (int z = 0; z < nz; z++)
        for (int y = 0; y < ny; y++) {
            const Rows r = rows_of(now, nz, ny, nx, z, y);
            float *restrict out = after + ((ptrdiff_t)z * ny + y) * nx;
            ends(&r, out, nx, exchange, decay);
#pragma omp simd
            for (int x = 1; x < nx - 1; x++)
                out[x] = relaxed(&r, x, r.here[x - 1], r.here[x + 1], exchange, decay);
        }
}

/* one row, its middle stored past the caches */
static void tuned_row(const Rows *r, float *restrict out, int nx, float exchange, float decay)
{
    const float *h = r->here;
    int x = 1;
    ends(r, out, nx, exchange, decay);
#ifdef __AVX__
    for (; x < nx - 1 && ((uintptr_t)(out + x) & 31u); x++)
        out[x] = relaxed(r, x, h[x - 1], h[x + 1], exchange, decay);
    const __m256 six = _mm256_set1_ps(6.0f), e = _mm256_set1_ps(exchange), d = _mm256_set1_ps(decay);
    for (; x + 8 < nx; x += 8) {
        const __m256 c = _mm256_loadu_ps(h + x);
        __m256 around = _mm256_add_ps(_mm256_loadu_ps(h + x - 1), _mm256_loadu_ps(h + x + 1));
        around = _mm256_add_ps(around, _mm256_loadu_ps(r->south + x));
        around = _mm256_add_ps(around, _mm256_loadu_ps(r->north + x));
        around = _mm256_add_ps(around, _mm256_loadu_ps(r->below + x));
        around = _mm256_add_ps(around, _mm256_loadu_ps(r->above + x));
        const __m256 flow = _mm256_mul_ps(e, _mm256_sub_ps(around, _mm256_mul_ps(six, c)));
        _mm256_stream_ps(out + x, _mm256_sub_ps(_mm256_add_ps(c, flow), _mm256_mul_ps(d, c)));
    }
#endif
    for (; x < nx - 1; x++)
        out[x] = relaxed(r, x, h[x - 1], h[x + 1], exchange, decay);
}

void diffuse7_tuned(int nz, int ny, int nx, const float *restrict now, float *restrict after, float exchange,
                    float decay, int threads)
{
    /* rows of y that are worked through z together: three planes of them take 192 KiB */
    const int fit = (64 * 1024) / (4 * nx), block = fit < 1 ? 1 : fit < ny ? fit : ny;
    const int blocks = (ny + block - 1) / block;
#pragma omp parallel num_threads(threads)
    {
#pragma omp for collapse(2) schedule(static)
        for (int b = 0; b < blocks; b++)
            for (int z = 0; z < nz; z++) {
                const int end = (b + 1) * block < ny ? (b + 1) * block : ny;
                for (int y = b * block; y < end; y++) {
                    const Rows r = rows_of(now, nz, ny, nx, z, y);
                    tuned_row(&r, after + ((ptrdiff_t)z * ny + y) * nx, nx, exchange, decay);
                }
            }
#ifdef __AVX__
        _mm_sfence();
#endif
    }
}

void triad(long long n, float *restrict a, const float *restrict b, const float *restrict c, float scale, int threads)
{
#pragma omp parallel for simd schedule(static) num_threads(threads)
    for (long long i = 0; i < n; i++)
        a[i] = b[i] + scale * c[i];
}
