package host

import (
	"strings"
	"testing"
	"time"

	"collbench/bench"
	"collbench/collectives"
)

// TestComputing sees that the computing takes its time beside the communication, and spoils no result.
func TestComputing(t *testing.T) {
	m := newTeam(t, 2, 2, nil)
	for _, transport := range transports {
		test := testCase(collectives.AllReduce, "ring", 2, 1<<20)
		test.How.Transport = transport
		test.How.Variant = "NAME=VALUE;compute=30ms"
		start := time.Now()
		verdict, err := m.run(t.Context(), test, 3)
		if took := time.Since(start); err != nil || verdict.Wrong != 0 || verdict.Checked == 0 || took < 90*time.Millisecond {
			t.Errorf("%s: %v, %+v after %v", transport, err, verdict, took)
		}
	}
}

func TestComputingVariants(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "GOGC=1": 0, "compute=50ms": 50 * time.Millisecond, bench.PacedVariant + ";compute=1s": time.Second,
	} {
		if d, err := computing(text); err != nil || d != want {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
	for text, want := range map[string]string{
		"compute=": "want compute=TIME", "compute=0s": "above 0", "compute=2h": "up to 1m0s", "proto=simple": `no variant "proto=simple"`, "compute": "no variant",
	} {
		if _, err := computing(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	test := testCase(collectives.AllReduce, "ring", 2, 1024)
	test.How.Variant, test.How.Timing = "compute=1ms", bench.TimingBatch
	if err := (Backend{}).Supports(test); err == nil || !strings.Contains(err.Error(), "timing barrier") {
		t.Error(err)
	}
}
