package pmix

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// conform is a C program that does not compile where our declarations differ from the vendor's.
const conform = `
#include <pmix.h>
#include <string.h>
#include "pmix.h"
#define SAME(a, b) _Static_assert((a) == (b), #a " differs from " #b)
#define FIELD(ours, theirs, f) SAME(offsetof(ours, f), offsetof(theirs, f)); SAME(sizeof(((ours *)0)->f), sizeof(((theirs *)0)->f))
SAME(sizeof(cb_proc), sizeof(pmix_proc_t));
FIELD(cb_proc, pmix_proc_t, nspace);
FIELD(cb_proc, pmix_proc_t, rank);
SAME(sizeof(cb_bytes), sizeof(pmix_byte_object_t));
SAME(sizeof(cb_value), sizeof(pmix_value_t));
FIELD(cb_value, pmix_value_t, type);
FIELD(cb_value, pmix_value_t, data);
SAME(sizeof(cb_info), sizeof(pmix_info_t));
FIELD(cb_info, pmix_info_t, key);
FIELD(cb_info, pmix_info_t, flags);
FIELD(cb_info, pmix_info_t, value);
SAME(CB_BOOL, PMIX_BOOL);
SAME(CB_UINT16, PMIX_UINT16);
SAME(CB_UINT32, PMIX_UINT32);
SAME(CB_BYTE_OBJECT, PMIX_BYTE_OBJECT);
SAME(CB_GLOBAL, PMIX_GLOBAL);
SAME(CB_RANK_WILDCARD, (uint32_t)(PMIX_RANK_WILDCARD));
SAME(sizeof CB_JOB_SIZE, sizeof PMIX_JOB_SIZE);
SAME(sizeof(pmix_scope_t), 1);
int (*init)(pmix_proc_t *, pmix_info_t *, size_t) = PMIx_Init;
int (*fence)(const pmix_proc_t *, size_t, const pmix_info_t *, size_t) = PMIx_Fence;
int main(void) {
	return strcmp(CB_JOB_SIZE, PMIX_JOB_SIZE) || strcmp(CB_LOCAL_RANK, PMIX_LOCAL_RANK) ||
		strcmp(CB_LOCAL_SIZE, PMIX_LOCAL_SIZE) || strcmp(CB_COLLECT_DATA, PMIX_COLLECT_DATA);
}
`

// TestDeclarations holds our declarations against the vendor's header, where that is installed.
func TestDeclarations(t *testing.T) {
	var folder string
	for _, pattern := range []string{"/usr/lib/*/pmix2/include/pmix.h", "/usr/include/pmix.h", "/usr/local/include/pmix.h"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			folder = filepath.Dir(found[0])
		}
	}
	compiler, err := exec.LookPath("cc")
	if folder == "" || err != nil {
		t.Skip("no pmix.h and C compiler here to compare with")
	}
	ours, err := os.ReadFile("pmix.h")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := strings.Replace(conform, `#include "pmix.h"`, string(ours), 1)
	program := filepath.Join(dir, "conform")
	if err := os.WriteFile(program+".c", []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(compiler, "-I", folder, "-o", program, program+".c", "-lpmix").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if err := exec.Command(program).Run(); err != nil {
		t.Errorf("a key differs: %v", err)
	}
}
