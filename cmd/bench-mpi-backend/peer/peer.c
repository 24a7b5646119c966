// The peer of collbench's MPI backend: the same calls on the same data, with the same timing, by a plain MPI program.
//
//   peer all_reduce|latency WARMUP ITERATIONS BYTES
//
// Two turns, each with buffers of its own: a warm-up, then samples. A sample: new data, a barrier, the iterations back to back, the
// mean; and then every element of the result is looked at. Prints "BYTES SECONDS" from rank 0: the median over the samples of the
// slowest rank's time; for latency of half of there and back, by rank 0's clock.
#define _POSIX_C_SOURCE 200112L
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 2, SAMPLES = 3 };

static int rank, ranks, reduce, n;
static float *in, *out;

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static float *buffer(long bytes) {
    void *p;
    if (posix_memalign(&p, 4096, bytes) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    return memset(p, 0, bytes);
}

static void once(void) {
    if (reduce) {
        MPI_Allreduce(in, out, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    } else if (rank == 0) {
        MPI_Send(in, n, MPI_FLOAT, 1, 0, MPI_COMM_WORLD);
        MPI_Recv(out, n, MPI_FLOAT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(out, n, MPI_FLOAT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(in, n, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);
    }
}

// sample returns the mean seconds of an iteration on this rank.
static double sample(int number, long iterations) {
    struct timespec from, to;
    for (int i = 0; i < n; i++) in[i] = (float)((i + number) % 1009 + rank);
    MPI_Barrier(MPI_COMM_WORLD);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < iterations; i++) once();
    clock_gettime(CLOCK_MONOTONIC, &to);
    for (int i = 0; i < n; i++) {
        float x = (float)((i + number) % 1009), want = reduce ? ranks * x + ranks * (ranks - 1) / 2 : x + (1 - rank);
        if (out[i] != want) {
            fprintf(stderr, "rank %d, element %d: %g, want %g\n", rank, i, out[i], want);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    return (to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec)) / iterations;
}

int main(int argc, char **argv) {
    int provided, taken = 0;
    double seconds[TURNS * SAMPLES];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc != 5 || ranks != 2) MPI_Abort(MPI_COMM_WORLD, 2);
    reduce = strcmp(argv[1], "all_reduce") == 0;
    long warmup = atol(argv[2]), iterations = atol(argv[3]), bytes = atol(argv[4]);
    n = (int)(bytes / sizeof(float));
    for (int turn = 0; turn < TURNS; turn++) {
        out = buffer(bytes);
        in = buffer(bytes);
        sample(0, warmup);
        for (int s = 1; s <= SAMPLES; s++) {
            double mine = sample(s, iterations);
            if (!reduce) mine = rank == 0 ? mine / 2 : 0;
            MPI_Reduce(&mine, &seconds[taken++], 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
        }
        free(out);
        free(in);
    }
    qsort(seconds, taken, sizeof(double), ascending);
    if (rank == 0) printf("%ld %.9e\n", bytes, (seconds[(taken - 1) / 2] + seconds[taken / 2]) / 2);
    MPI_Finalize();
    return 0;
}
