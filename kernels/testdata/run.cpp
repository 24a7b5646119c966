// Runs kernels on the host for the tests. The first argument is a file that both map, the "device memory": its address
// here is the first line written. Then each line read is "name grid block times parameters-in-hexadecimal": so many
// launches, all at once. "done" answers.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "../host.h"

int main(int, char **argv) {
	int file = open(argv[1], O_RDWR);
	struct stat status;
	if (file < 0 || fstat(file, &status) != 0)
		return 1;
	void *memory = mmap(nullptr, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return 1;
	printf("%zu\n", (size_t)memory);
	fflush(stdout);
	char name[64], hex[512];
	unsigned grid, block, times;
	while (scanf("%63s %u %u %u %511s", name, &grid, &block, &times, hex) == 5) {
		alignas(16) unsigned char params[256];
		size_t size = strlen(hex) / 2;
		for (size_t i = 0; i < size; i++) {
			char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
			params[i] = strtoul(digits, nullptr, 16);
		}
		const cb_host_kernel *kernel = nullptr;
		for (unsigned i = 0; i < cb_host_kernels_count; i++)
			if (strcmp(cb_host_kernels[i].name, name) == 0)
				kernel = &cb_host_kernels[i];
		if (!kernel || kernel->params_size != size) {
			printf("no kernel %s with %zu bytes of parameters\n", name, size);
		} else {
			std::vector<std::thread> launches;
			for (unsigned i = 1; i < times; i++)
				launches.emplace_back(kernel->run, params, grid, block);
			kernel->run(params, grid, block);
			for (std::thread &launch : launches)
				launch.join();
			printf("done\n");
		}
		fflush(stdout);
	}
}
