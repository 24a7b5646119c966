package bench

// Finding is what was seen beside the figures: of the fitness of hosts, or of what a run proves. A run keeps its own.
type Finding struct {
	Check  string   `json:"check"`
	Status string   `json:"status"`          // "pass", "info", "unknown", "warn" or "fail"
	Hosts  []string `json:"hosts,omitempty"` // on which it was seen; absent: of the run as a whole
	Seen   string   `json:"seen"`            // in a sentence
	Why    string   `json:"why,omitempty"`   // it matters
	Advice string   `json:"advice,omitempty"`
}

// Trouble says whether a finding has to stand beside the figures.
func (f Finding) Trouble() bool { return f.Status == "warn" || f.Status == "fail" }
