"""Compiles kernels/kernels.cu with NVIDIA's run-time compiler, which needs neither a GPU nor a driver: a cubin for each
architecture, and PTX for whatever comes later. Usage: nvrtc.py libnvrtc.so.12 folder. The outputs are the same bytes
wherever and whenever it runs: sources go in as text without a path."""
import ctypes
import glob
import hashlib
import os
import sys

ARCHITECTURES = {"sm_70": "sm_70.cubin", "sm_80": "sm_80.cubin", "sm_90": "sm_90.cubin", "sm_100": "sm_100.cubin",
                 "compute_70": "compute_70.ptx"}
# Without contraction a product and a sum are rounded as often as on the host.
OPTIONS = ["-std=c++17", "--fmad=false"]


def check(nvrtc, code, program=None):
    if code == 0:
        return
    log = b""
    if program:
        log = text(nvrtc, "ProgramLog", program)
    nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
    sys.exit(f"nvrtc: {nvrtc.nvrtcGetErrorString(code).decode()}\n{log.decode()}")


def text(nvrtc, what, program):
    size = ctypes.c_size_t()
    check(nvrtc, getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(nvrtc, getattr(nvrtc, f"nvrtcGet{what}")(program, buffer))
    return buffer.raw


def strings(of):
    return (ctypes.c_char_p * len(of))(*[s if isinstance(s, bytes) else s.encode() for s in of])


def compiled(nvrtc, architecture, sources):
    program = ctypes.c_void_p()
    names, texts = list(sources), list(sources.values())
    check(nvrtc, nvrtc.nvrtcCreateProgram(ctypes.byref(program), b'#include "kernels.cu"\n', b"collbench.cu", len(names),
                                          strings(texts), strings(names)))
    options = strings([f"--gpu-architecture={architecture}", *OPTIONS])
    check(nvrtc, nvrtc.nvrtcCompileProgram(program, len(options), options), program)
    if architecture.startswith("compute"):
        return text(nvrtc, "PTX", program).rstrip(b"\0")
    return text(nvrtc, "CUBIN", program)


def main(library, folder):
    nvrtc = ctypes.CDLL(library)
    here = os.path.dirname(os.path.abspath(__file__))
    os.chdir(os.path.join(here, "..", "kernels"))
    names = sorted(["kernels.h", *glob.glob("*.cuh"), *glob.glob("*.cu")])
    sources = {name: open(name, "rb").read() for name in names}
    os.makedirs(folder, exist_ok=True)
    for architecture, name in ARCHITECTURES.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(compiled(nvrtc, architecture, sources))
    # As sha256sum writes it, so that a test can tell a source that changed since.
    sources["../scripts/nvrtc.py"] = open(os.path.abspath(os.path.join(here, "nvrtc.py")), "rb").read()
    with open(os.path.join(folder, "sources.sha256"), "w") as out:
        for name, source in sources.items():
            out.write(f"{hashlib.sha256(source).hexdigest()}  {name}\n")


main(sys.argv[1], os.path.abspath(sys.argv[2]))
