// What crossed the stand-in NVLinks: libnccl counts, libnvidia-ml reads. SOFTGPU_COUNTERS names a file that processes
// share (/proc/PID/fd/N of an anonymous one); without it each process sees its own ranks' bytes. For tests only.
#pragma once

#include <atomic>
#include <cstdint>

namespace softgpu {

struct Traffic { std::atomic<uint64_t> sent, received; }; // bytes
const int traffic_devices = 64;
const char *const traffic_symbol = "softgpu_traffic"; // of libnccl: Traffic *(*)(), one per device

} // namespace softgpu
