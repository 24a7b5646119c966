package doctor

import (
	"context"
	"io/fs"
	"reflect"
	"testing"
	"time"
)

// TestKeep sees that what hosts have in common stands once, with all hosts, and what differs by itself.
func TestKeep(t *testing.T) {
	reports := hosts(t, "a", "b", "c")
	reports[1].Findings = append([]Finding{}, reports[1].Findings...)
	reports[1].Findings[0].Seen = "something else"
	reports[2].Facts.Values[factDriver] = "1.2.3"
	kept := Keep(reports, Compare(reports))
	if len(kept) != len(reports[0].Findings)+2 {
		t.Errorf("%d kept of %d findings each", len(kept), len(reports[0].Findings))
	}
	if first := kept[0]; !reflect.DeepEqual(first.Hosts, []string{"a", "c"}) || first.Status != reports[0].Findings[0].Status.String() || first.Why == "" {
		t.Errorf("%+v", first)
	}
	if last := kept[len(kept)-1]; last.Check != "parity" || last.Status != "warn" || !last.Trouble() || !reflect.DeepEqual(last.Hosts, []string{"c"}) {
		t.Errorf("%+v", last)
	}
}

// TestInspectWithin sees that neither a file system nor a command that hangs holds up whoever has something else to do.
func TestInspectWithin(t *testing.T) {
	m := fixture(t, bareH100).Machine()
	m.Host = "a"
	quick := InspectWithin(context.Background(), m, Profiles[0], time.Minute)
	if len(quick.Findings) < len(All) {
		t.Errorf("%d findings", len(quick.Findings))
	}
	m.Run = func(ctx context.Context, _ Command) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if r := InspectWithin(context.Background(), m, Profiles[0], 50*time.Millisecond); len(r.Findings) < len(All) || r.Findings[1].Status != Unknown {
		t.Errorf("with commands that hang: %+v", r.Findings)
	}
	m.Root = hangs{}
	start := time.Now()
	r := InspectWithin(context.Background(), m, Profiles[0], 50*time.Millisecond)
	if time.Since(start) > 10*time.Second || len(r.Findings) != 1 || r.Findings[0].Status != Unknown || r.Host != "a" {
		t.Errorf("after %v: %+v", time.Since(start), r)
	}
}

// hangs is a file system whose server is gone.
type hangs struct{}

func (hangs) Open(string) (fs.File, error) { select {} }
