// What the stand-in libraries share: settings from the environment and the faults that a test asks for.
// A stand-in for tests only: nothing here is part of the collbench binary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#define SOFTGPU_API extern "C" __attribute__((visibility("default")))

namespace softgpu {

// env is a variable's value, or nullptr if it's unset or empty.
const char *env(const char *name);
long env_number(const char *name, long otherwise);
bool env_is(const char *name, const char *value); // without regard to case

// version is a release such as "2.21.5" as NCCL writes it in a number (22105); otherwise if it isn't one.
int version(const char *text, int otherwise);

// host_name is the host's name with its network namespace: a VM of collbench's lab has only that to itself.
std::string host_name();

// device_uuid is a device's: "softgpu", four bytes that follow from host_name, and the device's number.
void device_uuid(int number, unsigned char bytes[16]);

// Place says where a fault could strike; what is not known is left at its default and matches no selector.
struct Place {
	int rank = -1, device = -1;
	const char *operation = nullptr; // "allreduce", … in lower case
	long iteration = -1;             // counted per communicator, or per device for the driver's faults
	size_t bytes = 0;
};

// Fault is one entry of SOFTGPU_FAULT: "kind:rank=1,op=allreduce,iteration=3;slow:rank=2,ms=5".
struct Fault {
	std::string kind;
	std::vector<std::pair<std::string, std::string>> settings;
	const char *text(const char *key) const;              // nullptr if absent
	long number(const char *key, long otherwise) const;
	bool strikes(const Place &place) const;
};

// fault finds the first fault of a kind that strikes here, or nullptr.
const Fault *fault(const char *kind, const Place &place);

} // namespace softgpu
