package pairs

import "testing"

// BenchmarkSurvey surveys and judges a fabric of 1,024 ranks.
func BenchmarkSurvey(b *testing.B) {
	for range b.N {
		test(b, fabric(on(128, 8), 1, 0.01, host(on(128, 8), 0.5, 1, "vm3")), Scope{Name: ScopeAll}, "bandwidth")
	}
}
