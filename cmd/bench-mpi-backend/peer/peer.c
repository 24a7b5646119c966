// The peer of collbench's MPI backend: the same calls on the same data, with the same timing, by a plain MPI program.
//
//   peer SECONDS
//
// Rank 0 reads what is to be measured, a line "all_reduce BYTES" or "latency BYTES" each, and measures it until the next line is
// there, or the input ends. A sample takes so many SECONDS: new data, a barrier, iterations back to back, the mean; and then every
// element of the result is looked at. There are new buffers every TURN samples. For each line rank 0 prints the median over the
// samples of the slowest rank's seconds an iteration; of half of there and back, by rank 0's clock, for latency.
#define _POSIX_C_SOURCE 200112L
#include <mpi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TURN = 16, MAX_SAMPLES = 1 << 16, MAX_ITERATIONS = 100000 };

typedef struct { int reduce, n; } task; // n elements; 0: the end

static int rank, ranks;
static float *in, *out;
static double samples[MAX_SAMPLES];

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static float *buffer(int n) {
    void *p;
    if (posix_memalign(&p, 4096, n * sizeof(float)) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    return memset(p, 0, n * sizeof(float));
}

static void once(task t) {
    if (t.reduce) {
        MPI_Allreduce(in, out, t.n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    } else if (rank == 0) {
        MPI_Send(in, t.n, MPI_FLOAT, 1, 0, MPI_COMM_WORLD);
        MPI_Recv(out, t.n, MPI_FLOAT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(out, t.n, MPI_FLOAT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(in, t.n, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);
    }
}

// sample returns the seconds of an iteration: of the slowest rank, or of half of there and back. All ranks learn them.
static double sample(task t, int number, long iterations) {
    struct timespec from, to;
    for (int i = 0; i < t.n; i++) in[i] = (float)((i + number) % 1009 + rank);
    MPI_Barrier(MPI_COMM_WORLD);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < iterations; i++) once(t);
    clock_gettime(CLOCK_MONOTONIC, &to);
    for (int i = 0; i < t.n; i++) {
        float x = (float)((i + number) % 1009), want = t.reduce ? ranks * x + ranks * (ranks - 1) / 2 : x + (1 - rank);
        if (out[i] != want) {
            fprintf(stderr, "rank %d, element %d: %g, want %g\n", rank, i, out[i], want);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    double mine = (to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec)) / iterations, all;
    if (!t.reduce) mine = rank == 0 ? mine / 2 : 0;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return all;
}

// go_on says whether there is time for another sample.
static int go_on(void) {
    struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
    int more = rank == 0 && poll(&line, 1, 0) == 0;
    MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return more;
}

static double measure(task t, double seconds) {
    long iterations = 1;
    int taken = 0;
    do {
        if (taken % TURN == 0) {
            if (taken > 0) free(out), free(in);
            out = buffer(t.n);
            in = buffer(t.n);
            double least = 1e9, spent = 0; // what holds a batch up once must not make all samples short
            for (long batch = 1; spent < seconds / 2 && batch <= MAX_ITERATIONS; batch *= 2) {
                double each = sample(t, 0, batch) * (t.reduce ? 1 : 2);
                spent += each * batch;
                if (each < least) least = each;
            }
            iterations = seconds / least < 1 ? 1 : seconds / least > MAX_ITERATIONS ? MAX_ITERATIONS : (long)(seconds / least);
        }
        samples[taken] = sample(t, taken + 1, iterations);
        taken++;
    } while (taken < MAX_SAMPLES && (taken < 6 || go_on()));
    free(out);
    free(in);
    qsort(samples, taken, sizeof(double), ascending);
    return (samples[(taken - 1) / 2] + samples[taken / 2]) / 2;
}

// next reads a line. Byte by byte: what is buffered would not be there for poll.
static task next(void) {
    char line[64] = "", name[64];
    size_t length = 0;
    long bytes = 0;
    task t = {0};
    if (rank == 0) {
        while (length < sizeof line - 1 && read(STDIN_FILENO, line + length, 1) == 1 && line[length] != '\n') length++;
        if (sscanf(line, "%63s %ld", name, &bytes) == 2) {
            t.reduce = strcmp(name, "all_reduce") == 0;
            t.n = (int)(bytes / sizeof(float));
        }
    }
    MPI_Bcast(&t, sizeof t, MPI_BYTE, 0, MPI_COMM_WORLD);
    return t;
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc != 2 || ranks != 2) MPI_Abort(MPI_COMM_WORLD, 2);
    for (task t; (t = next()).n > 0;) {
        double median = measure(t, atof(argv[1]));
        if (rank == 0) printf("%.9e\n", median);
    }
    MPI_Finalize();
    return 0;
}
