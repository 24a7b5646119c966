package bench

import (
	"strings"
	"testing"
)

func TestVariants(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "[]",
		"default":                        "[]",
		"default|UCX_TLS=tcp , sm ; A=b": "[] [UCX_TLS=tcp , sm;A=b]",
		"proto=simple;NCCL_X=1|proto=ll": "[proto=simple;NCCL_X=1] [proto=ll]",
		"A=1|A=1":                        "[A=1]",
		"LD_LIBRARY_PATH=build/softgpu":  "[LD_LIBRARY_PATH=build/softgpu]",
		"A=1|":                           "empty variant",
		"COLLBENCH_SECRET=x":             "COLLBENCH_SECRET cannot be set",
		"PMI_FD=3":                       "PMI_FD cannot be set",
		"A=1;LD_PRELOAD=x":               "LD_PRELOAD cannot be set",
	} {
		list, err := readVariants(Settings{"variant": {Text: text, Place: "--variant"}})
		got := ""
		for _, v := range list {
			got += " [" + v + "]"
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	environment, rest := VariantEnvironment("proto=simple;NCCL_X=1;gdr=off;UCX_TLS=a,b")
	if strings.Join(environment, " ") != "NCCL_X=1 UCX_TLS=a,b" || rest != "proto=simple;gdr=off" {
		t.Errorf("%q %q", environment, rest)
	}
}
