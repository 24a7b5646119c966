package reports

import (
	"encoding/json"
	"testing"

	"collbench/bench"
	"collbench/collectives/model"
)

// labMachine is the model of a virtual cluster with these links.
func labMachine(t testing.TB, links []bench.LinkInfo, perHost int) json.RawMessage {
	t.Helper()
	var rates []model.Rates
	for _, l := range links {
		rates = append(rates, model.Rates{Transmit: l.Transmit, Receive: l.Receive})
	}
	m, err := model.Lab(rates, perHost)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
