package mpi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// conform is a C program that does not compile, or fails, where our declarations differ from the vendor's header.
const conform = `
#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#include <stdint.h>
#include <stdio.h>
#include "ours.h"
typedef MPI_Comm cb_comm; typedef MPI_Datatype cb_type; typedef MPI_Op cb_op; typedef MPI_Request cb_request;
typedef MPI_Errhandler cb_handler; typedef MPI_Status cb_status; typedef MPI_T_enum cb_enum; typedef MPI_T_cvar_handle cb_cvar;
#define CALL(need, name, args) int (*check_##name) args = MPI_##name;
#include "calls.h"
#undef CALL
#define SAME(a, b) _Static_assert((a) == (b), #a " differs from " #b)
#ifdef OPEN_MPI
typedef void *handle;
#define NUMBER(symbol, number) (uintptr_t)&symbol
#define ANY(x) CB_OPENMPI_##x
#else
typedef int handle;
#define NUMBER(symbol, number) (uintptr_t)(number)
#define ANY(x) CB_MPICH_##x
#endif
SAME(sizeof(cb_comm), sizeof(handle)); SAME(sizeof(cb_type), sizeof(handle)); SAME(sizeof(cb_op), sizeof(handle));
SAME(sizeof(cb_request), sizeof(handle)); SAME(sizeof(cb_handler), sizeof(handle));
SAME(sizeof(cb_enum), sizeof(void *)); SAME(sizeof(cb_cvar), sizeof(void *));
SAME(CB_FUNNELED, MPI_THREAD_FUNNELED); SAME(MPI_SUCCESS, 0);
_Static_assert(CB_TEXT >= MPI_MAX_ERROR_STRING && CB_TEXT >= MPI_MAX_LIBRARY_VERSION_STRING, "CB_TEXT is too short");
int main(void) {
	int bad = 0, compared = 0;
#define COMPARE(standard, ours) do { compared++; if ((uintptr_t)(standard) != (uintptr_t)(ours)) { bad++; printf("%s differs\n", #standard); } } while (0)
	COMPARE(MPI_IN_PLACE, ANY(IN_PLACE));
	COMPARE(MPI_STATUS_IGNORE, ANY(IGNORE));
	COMPARE(MPI_STATUSES_IGNORE, ANY(IGNORE));
#define HANDLE(name, standard, symbol, number) COMPARE(standard, NUMBER(symbol, number));
#include "shown.h"
	return bad > 0 || compared < 15;
}
`

// TestDeclarations holds our declarations against the headers of the MPI libraries that are installed: Debian's, and those that
// scripts/mpi-peers installs (Intel's wheel has no header; it shares MPICH's ABI, and the tests of bench/backend/mpi run it).
func TestDeclarations(t *testing.T) {
	for name, compiler := range map[string]string{
		"Open MPI 4": "mpicc.openmpi", "MPICH 4": "mpicc.mpich",
		"Open MPI 5": "../../build/mpi/openmpi/bin/mpicc", "MPICH 5": "../../build/mpi/mpich/bin/mpicc",
	} {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(compiler)
			if err != nil {
				t.Skipf("not installed here (scripts/setup and scripts/mpi-peers do): %v", err)
			}
			if path, err = filepath.Abs(path); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for from, to := range map[string]string{"mpi.h": "ours.h", "calls.h": "calls.h", "handles.h": "handles.h"} {
				text, err := os.ReadFile(from)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, to), string(text))
				if from == "handles.h" {
					write(t, filepath.Join(dir, "shown.h"), shown(t, path, string(text)))
				}
			}
			program := filepath.Join(dir, "conform")
			write(t, program+".c", conform)
			// The folder of our headers comes last, or it would hide the vendor's mpi.h.
			command := exec.Command(path, "-Werror=incompatible-pointer-types", "-idirafter", dir, "-o", program, program+".c", "-ldl")
			if said, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			command = exec.Command(program)
			command.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(filepath.Dir(path), "..", "lib"))
			if said, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}

// shown leaves the handles that the header has: no version of the standard has the types of 16 bits.
func shown(t *testing.T, compiler, table string) string {
	var kept []string
	for line := range strings.Lines(table) {
		if strings.Contains(line, "FLOAT16") {
			standard := strings.TrimSpace(strings.Split(line, ",")[1])
			command := exec.Command(compiler, "-E", "-x", "c", "-")
			command.Stdin = strings.NewReader("#include <mpi.h>\n#if __has_include(<mpi-ext.h>)\n#include <mpi-ext.h>\n#endif\n#ifdef " + standard + "\nit has\n#endif\n")
			out, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(out), "it has") {
				continue
			}
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
