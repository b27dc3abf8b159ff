// Selective scan for CPUs: the algorithm of `stepwise.py` with states in registers.
//
// A vector holds one state of LANES neighbouring channels. For each chunk of CHUNK positions the
// inputs of those channels are transposed into a tile, so that a step is plain vector arithmetic
// and B and C are broadcasts. The backward pass recomputes a chunk from its saved state. Threads
// share no output: each result is summed by one thread in one order for any number of threads.
//
// Plain C++17 with GCC's vector extension (g++ and clang); no header of PyTorch or Python.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#else
constexpr int LANES = 8;
#endif
constexpr int CHUNK = 16;  // equals kernel.CHUNK, which the caller checks

typedef float Vec __attribute__((vector_size(4 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));

struct Sizes {
    int64_t batch, channels, shared, length, states, groups, directions;
    int64_t group() const { return channels / groups; }
    int64_t blocks() const { return (group() + LANES - 1) / LANES; }
    int64_t chunks() const { return (length + CHUNK - 1) / CHUNK; }
};

inline Vec splat(float value) { return value - Vec{}; }

// e^x to 1.2e-7 relative for -86 <= x <= 88; beyond, the value at the nearer end; NaN stays NaN.
// e^x = 2^k e^f with |f| <= ln(2) / 2, where the Taylor polynomial leaves 5e-9 out and is exact at
// 0, so that the error of slow decays, which a long memory adds up, stays that of rounding.
inline Vec exp(Vec x) {
    x = x < splat(-86.0f) ? splat(-86.0f) : x;
    x = x > splat(88.0f) ? splat(88.0f) : x;
    const Vec shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    const Vec shifted = x * splat(1.44269504f) + shift;
    const Vec k = shifted - shift;
    const Vec f = (x - k * splat(0.693359375f)) - k * splat(-2.12194440e-4f);  // ln(2), in two
    Vec p = splat(1.0f / 5040);
    for (float next : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f})
        p = p * f + splat(next);
    return (Vec)((Ints)p + ((Ints)shifted << 23));
}

inline float sum(Vec v) {
    float total = 0;
    for (int lane = 0; lane < LANES; ++lane) total += v[lane];
    return total;
}

// Decays far below one square into denormal numbers, which cost a hundred cycles each.
struct FlushDenormals {
#if defined(__SSE__)
    unsigned saved = _mm_getcsr();
    FlushDenormals() { _mm_setcsr(saved | 0x8040); }
    ~FlushDenormals() { _mm_setcsr(saved); }
#endif
};

template <typename Task>
void run(int64_t tasks, int threads, const Task& task) {
    std::atomic<int64_t> next{0};
    auto work = [&] {
        FlushDenormals flush;
        for (int64_t i; (i = next.fetch_add(1)) < tasks;) task(i);
    };
    std::vector<std::thread> others;
    const int64_t wanted = threads < tasks ? threads : tasks;
    try {
        for (int64_t i = 1; i < wanted; ++i) others.emplace_back(work);
    } catch (const std::system_error&) {
        // no more threads available; the running ones take all tasks
    }
    work();
    for (auto& thread : others) thread.join();
}

// Rows of (channels, length) as one vector a position; lanes beyond `count` are zero.
inline void load(Vec* tile, const float* rows, int64_t length, const int64_t* at, int steps,
                 int count) {
    for (int t = 0; t < steps; ++t) tile[t] = Vec{};
    for (int lane = 0; lane < count; ++lane)
        for (int t = 0; t < steps; ++t) ((float*)&tile[t])[lane] = rows[lane * length + at[t]];
}

inline void store(const Vec* tile, float* rows, int64_t length, const int64_t* at, int steps,
                  int count) {
    for (int lane = 0; lane < count; ++lane)
        for (int t = 0; t < steps; ++t) rows[lane * length + at[t]] = ((const float*)&tile[t])[lane];
}

// Prefetch what the next chunk reads or writes: one short piece per row, which the hardware does
// not predict.
inline void expect(const float* rows, int64_t length, const int64_t* at, int count) {
    for (int lane = 0; lane < count; ++lane) __builtin_prefetch(rows + lane * length + *at);
}

inline Vec pick(const float* from, int count) {
    Vec v{};
    std::memcpy(&v, from, 4 * count);
    return v;
}

// Offsets of some channels of one sample in each tensor.
struct Block {
    int64_t sample, group, channel, shared, weights;
    const int64_t* order;
    int count;
    Block(const Sizes& s, const int64_t* orders, int64_t sample, int64_t group, int64_t block)
        : sample(sample), group(group) {
        const int64_t first = block * LANES;
        channel = group * s.group() + first;
        shared = channel % s.shared;
        weights = (sample * s.groups + group) * s.states * s.length;
        order = orders + group / (s.groups / s.directions) * s.length;
        count = s.group() - first < LANES ? int(s.group() - first) : LANES;
    }
};

}  // namespace

extern "C" {

int scan_chunk() { return CHUNK; }

// u (B, Du, L), dt (B, D, L), a (N, D), b and c (B, G, N, L), order (K, L);
// y (B, D, L), last (B, N, D), states (B, chunks, N, D) or null.
void scan_forward(const Sizes* sizes, const float* u, const float* dt, const float* a, const float* b,
                  const float* c, const int64_t* order, float* y, float* last,
                  float* states, int threads) {
    const Sizes s = *sizes;
    run(s.batch * s.groups * s.blocks(), threads, [&](int64_t task) {
        const int64_t pair = task / s.blocks();
        const Block k(s, order, pair / s.groups, pair % s.groups, task % s.blocks());
        const float* u_rows = u + (k.sample * s.shared + k.shared) * s.length;
        const float* dt_rows = dt + (k.sample * s.channels + k.channel) * s.length;
        float* y_rows = y + (k.sample * s.channels + k.channel) * s.length;
        std::vector<Vec> h(s.states, Vec{});
        Vec step[CHUNK], x[CHUNK], out[CHUNK];
        for (int64_t chunk = 0; chunk < s.chunks(); ++chunk) {
            const int64_t* at = k.order + chunk * CHUNK;
            const int64_t left = s.length - chunk * CHUNK;
            const int steps = left < CHUNK ? int(left) : CHUNK;
            load(step, dt_rows, s.length, at, steps, k.count);
            load(x, u_rows, s.length, at, steps, k.count);
            for (int t = 0; t < steps; ++t) {
                x[t] *= step[t];
                out[t] = Vec{};
            }
            const bool more = chunk + 1 < s.chunks();
            const int64_t skip = more ? 0 : LANES * s.length;
            const int64_t* soon = more ? at + CHUNK : k.order;
            expect(dt_rows + skip, s.length, soon, k.count);
            expect(u_rows + skip, s.length, soon, k.count);
            expect(y_rows + skip, s.length, soon, k.count);
            for (int64_t n = 0; n < s.states; ++n) {
                const float* b_row = b + k.weights + n * s.length;
                const float* c_row = c + k.weights + n * s.length;
                const Vec rate = pick(a + n * s.channels + k.channel, k.count);
                Vec state = h[n];
                if (states)
                    std::memcpy(states + ((k.sample * s.chunks() + chunk) * s.states + n) * s.channels +
                                    k.channel,
                                &state, 4 * k.count);
                for (int t = 0; t < steps; ++t) {
                    state = exp(step[t] * rate) * state + x[t] * b_row[at[t]];
                    out[t] += state * c_row[at[t]];
                }
                h[n] = state;
            }
            store(out, y_rows, s.length, at, steps, k.count);
        }
        for (int64_t n = 0; n < s.states; ++n)
            std::memcpy(last + (k.sample * s.states + n) * s.channels + k.channel, &h[n],
                        4 * k.count);
    });
}

// As above; grad_y (B, Du, L), grad_last (B, N, D) or null;
// grad_u, grad_dt (B, D, L), grad_a (B, N, D), grad_b and grad_c (P, B, G, N, L): the channels of a
// group are divided into P parts, to be summed by the caller.
void scan_backward(const Sizes* sizes, int64_t parts, const float* u, const float* dt,
                   const float* a, const float* b, const float* c,
                   const int64_t* order, const float* states, const float* grad_y,
                   const float* grad_last, float* grad_u, float* grad_dt, float* grad_a,
                   float* grad_b, float* grad_c, int threads) {
    const Sizes s = *sizes;
    run(s.batch * s.groups * parts, threads, [&](int64_t task) {
        const int64_t pair = task / parts, part = task % parts;
        const int64_t from = s.blocks() * part / parts, to = s.blocks() * (part + 1) / parts;
        const int64_t part_size = s.batch * s.groups * s.states * s.length;
        std::vector<Vec> q((to - from) * s.states, Vec{}), rates((to - from) * s.states, Vec{});
        std::vector<Vec> sums_b(s.states * CHUNK), sums_c(s.states * CHUNK);
        Vec step[CHUNK], x[CHUNK], in[CHUNK], g[CHUNK], through_x[CHUNK], through_dt[CHUNK];
        Vec decay[CHUNK], h[CHUNK + 1];
        if (grad_last)
            for (int64_t block = from; block < to; ++block) {
                const Block k(s, order, pair / s.groups, pair % s.groups, block);
                for (int64_t n = 0; n < s.states; ++n)
                    q[(block - from) * s.states + n] = pick(
                        grad_last + (k.sample * s.states + n) * s.channels + k.channel, k.count);
            }
        for (int64_t chunk = s.chunks() - 1; chunk >= 0; --chunk) {
            const int64_t left = s.length - chunk * CHUNK;
            const int steps = left < CHUNK ? int(left) : CHUNK;
            std::fill(sums_b.begin(), sums_b.end(), Vec{});
            std::fill(sums_c.begin(), sums_c.end(), Vec{});
            const int64_t* at = nullptr;
            for (int64_t block = from; block < to; ++block) {
                const Block k(s, order, pair / s.groups, pair % s.groups, block);
                at = k.order + chunk * CHUNK;
                const int64_t own = (k.sample * s.channels + k.channel) * s.length;
                const int64_t common = (k.sample * s.shared + k.shared) * s.length;
                load(step, dt + own, s.length, at, steps, k.count);
                load(in, u + common, s.length, at, steps, k.count);
                load(g, grad_y + common, s.length, at, steps, k.count);
                for (int t = 0; t < steps; ++t) {
                    x[t] = in[t] * step[t];
                    through_x[t] = through_dt[t] = Vec{};
                }
                const bool more = block + 1 < to;
                const int64_t skip = (more ? LANES : (from - block) * LANES) * s.length;
                const int64_t* soon = more ? at : at - (chunk ? CHUNK : 0);
                for (const float* rows : {dt + own, u + common, grad_y + common,
                                          (const float*)grad_u + own, (const float*)grad_dt + own})
                    expect(rows + skip, s.length, soon, k.count);
                for (int64_t n = 0; n < s.states; ++n) {
                    const float* b_row = b + k.weights + n * s.length;
                    const float* c_row = c + k.weights + n * s.length;
                    const int64_t entry = n * s.channels + k.channel;
                    const Vec rate = pick(a + entry, k.count);
                    h[0] = pick(states + (k.sample * s.chunks() + chunk) * s.states * s.channels +
                                    entry,
                                k.count);
                    for (int t = 0; t < steps; ++t) {
                        decay[t] = exp(step[t] * rate);
                        h[t + 1] = decay[t] * h[t] + x[t] * b_row[at[t]];
                    }
                    Vec carry = q[(block - from) * s.states + n];
                    Vec sum_a{};  // of a chunk first: long sums in one go lose digits
                    for (int t = steps - 1; t >= 0; --t) {
                        const Vec now = carry + g[t] * c_row[at[t]];
                        sums_c[n * CHUNK + t] += g[t] * h[t + 1];
                        sums_b[n * CHUNK + t] += now * x[t];
                        through_x[t] += now * b_row[at[t]];
                        carry = now * decay[t];
                        const Vec w = carry * h[t];
                        through_dt[t] += w * rate;
                        sum_a += w * step[t];
                    }
                    q[(block - from) * s.states + n] = carry;
                    rates[(block - from) * s.states + n] += sum_a;
                }
                for (int t = 0; t < steps; ++t) {
                    through_dt[t] += in[t] * through_x[t];
                    through_x[t] *= step[t];
                }
                store(through_x, grad_u + own, s.length, at, steps, k.count);
                store(through_dt, grad_dt + own, s.length, at, steps, k.count);
            }
            const int64_t weights = part * part_size + pair * s.states * s.length;
            for (int64_t n = 0; n < s.states; ++n)
                for (int t = 0; t < steps && at; ++t) {
                    grad_b[weights + n * s.length + at[t]] = sum(sums_b[n * CHUNK + t]);
                    grad_c[weights + n * s.length + at[t]] = sum(sums_c[n * CHUNK + t]);
                }
        }
        for (int64_t block = from; block < to; ++block) {
            const Block k(s, order, pair / s.groups, pair % s.groups, block);
            for (int64_t n = 0; n < s.states; ++n)
                std::memcpy(grad_a + (k.sample * s.states + n) * s.channels + k.channel,
                            &rates[(block - from) * s.states + n], 4 * k.count);
        }
    });
}

}  // extern "C"
