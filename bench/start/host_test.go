package start

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// TestServeWaitsForSlowHosts: the launcher gives signs of life while another host is slow to answer, and then the job.
func TestServeWaitsForSlowHosts(t *testing.T) {
	var in, out bytes.Buffer
	for _, m := range []toHost{{Ping: true}, {Ping: true}, {Job: &work{Dir: "/nowhere"}}} {
		line, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	if err := Serve(context.Background(), &in, &out); err != nil {
		t.Fatal(err)
	}
	if want := "there is no working folder /nowhere"; !strings.Contains(out.String(), want) {
		t.Errorf("the starter did not take the job: want %q in\n%s", want, out.String())
	}
}
