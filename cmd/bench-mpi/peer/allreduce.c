// The peer of collbench's host all-reduce: the same operation, data and timing by an MPI library.
//
//   allreduce batch|barrier BYTES...
//
// batch:   out of place, iterations back to back, the mean of a batch.
// barrier: in place, the buffer rewritten before each call, a barrier, one call timed.
// Prints "BYTES SECONDS" per size from rank 0: the median over the samples of the slowest rank's time.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 21 };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// sample returns the seconds of one call on this rank.
static double sample(int barrier, float *in, float *out, int n, long iterations) {
    double spent = 0;
    if (barrier) {
        for (int i = 0; i < n; i++) out[i] = (float)(i % 7);
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        MPI_Allreduce(MPI_IN_PLACE, out, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        return MPI_Wtime() - start;
    }
    MPI_Barrier(MPI_COMM_WORLD);
    spent = MPI_Wtime();
    for (long i = 0; i < iterations; i++) MPI_Allreduce(in, out, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    return (MPI_Wtime() - spent) / iterations;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc < 3) {
        if (rank == 0) fprintf(stderr, "usage: allreduce batch|barrier BYTES...\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    int barrier = strcmp(argv[1], "barrier") == 0;
    for (int a = 2; a < argc; a++) {
        long bytes = atol(argv[a]);
        int n = (int)(bytes / sizeof(float));
        float *in = aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) & ~((2L << 20) - 1));
        float *out = aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) & ~((2L << 20) - 1));
        for (int i = 0; i < n; i++) in[i] = (float)(i % 7 + rank), out[i] = 0;
        sample(barrier, in, out, n, 10); // connections and pages
        // A batch takes about 5 ms, so that the clock's resolution does not matter.
        double once = sample(0, in, out, n, 20);
        long iterations = (long)(5e-3 / once);
        if (iterations < 3) iterations = 3;
        if (iterations > 100000) iterations = 100000;
        MPI_Bcast(&iterations, 1, MPI_LONG, 0, MPI_COMM_WORLD);
        double seconds[SAMPLES];
        for (int s = 0; s < SAMPLES; s++) {
            double mine = sample(barrier, in, out, n, iterations);
            MPI_Reduce(&mine, &seconds[s], 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
        }
        if (rank == 0) {
            qsort(seconds, SAMPLES, sizeof(double), ascending);
            printf("%ld %.9e\n", bytes, seconds[SAMPLES / 2]);
            fflush(stdout);
        }
        free(in);
        free(out);
    }
    MPI_Finalize();
    return 0;
}
